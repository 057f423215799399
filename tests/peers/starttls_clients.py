#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Python's own clients of mail, files and news, and small ones where it has none: <protocol> plain|tls <port>. With
# tls they ask for it and check the certificate; what they do after that needs a server that is right.
import base64, ftplib, imaplib, io, poplib, re, smtplib, socket, ssl, sys, warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import nntplib

protocol, how, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
tls = how == "tls"
context = ssl.create_default_context()
mail = b"Subject: hello\r\n\r\nwhat was sent\r\n"


def smtp():
    c = (smtplib.LMTP if protocol == "lmtp" else smtplib.SMTP)("localhost" if tls else "127.0.0.1", port)
    c.ehlo_or_helo_if_needed()
    assert c.has_extn("starttls") == tls, c.esmtp_features
    if tls:
        c.starttls(context=context)
        c.ehlo()
        assert not c.has_extn("starttls") or protocol == "smtp"
    assert not c.sendmail("me@localhost", ["you@localhost"], mail)
    c.quit()


def imap():
    c = imaplib.IMAP4("localhost", port)
    assert ("STARTTLS" in c.capabilities) == tls, c.capabilities
    if tls:
        c.starttls(context)
    c.login("you", "secret")
    c.select()
    assert b"what was sent" in c.fetch("1", "(RFC822)")[1][0][1]
    c.logout()


def pop3():
    c = poplib.POP3("localhost", port)
    if tls:
        c.stls(context)
    c.user("you")
    c.pass_("secret")
    assert b"what was sent" in c.retr(1)[1]
    c.quit()


def sieve():
    def reply():
        lines = []
        while not lines or lines[-1][:2] not in ("OK", "NO"):
            line = f.readline().decode()
            assert line, lines
            lines.append(line)
        assert lines[-1].startswith("OK"), lines
        return "".join(lines)

    s = socket.create_connection(("localhost", port))
    f = s.makefile("rwb", buffering=0)
    assert ('"STARTTLS"' in reply()) == tls
    if tls:
        f.write(b"STARTTLS\r\n")
        reply()
        s = context.wrap_socket(s, server_hostname="localhost")
        f = s.makefile("rwb", buffering=0)
        assert '"STARTTLS"' not in reply()
    f.write(b'AUTHENTICATE "PLAIN" "AHlvdQBzZWNyZXQ="\r\n')
    reply()
    f.write(b'PUTSCRIPT "one" {5+}\r\nkeep;\r\nLISTSCRIPTS\r\n')
    reply()
    assert '"one"' in reply()
    f.write(b"LOGOUT\r\n")
    reply()


def ftp():
    c = ftplib.FTP_TLS(context=context) if tls else ftplib.FTP()
    c.connect("localhost", port)
    c.login("anonymous", "x")
    got = io.BytesIO()
    c.retrbinary("RETR hello", got.write)
    assert got.getvalue() == b"what was sent\n"
    c.quit()


def nntp():
    c = nntplib.NNTP("localhost", port)
    assert ("STARTTLS" in c.getcapabilities()) == tls, c.getcapabilities()
    if tls:
        c.starttls(context)
    assert c.group("local.test")[3] == 1
    assert c.article(1)[1].lines[-1] == b"what was sent"
    c.quit()


def irc():
    def until(word):
        seen = ""
        while word not in seen:
            line = f.readline().decode()
            assert line and not line.startswith("ERROR"), seen
            seen += line
        return seen

    s = socket.create_connection(("localhost", port))
    f = s.makefile("rwb", buffering=0)
    f.write(b"CAP LS 302\r\nNICK joe\r\nUSER joe 0 * :Joe\r\nCAP END\r\n")
    until(" 001 joe ")
    f.write(b"WHOIS joe\r\n")
    assert "joe :is using a secure connection" in until(" 318 joe joe ")
    f.write(b"QUIT\r\n")


def xmpp():
    def until(pattern):
        text = ""
        while not re.search(pattern, text):
            got = s.recv(4096).decode()
            assert got, text
            text += got
        return text

    def login(who):
        begin = "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
        s.sendall(begin.encode())
        assert "starttls" not in until("</stream:features>")
        secret = base64.b64encode(b"\0" + who.encode() + b"\0secret").decode()
        s.sendall(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>".encode())
        until("<success")
        s.sendall(begin.encode() + b"<iq type='set' id='1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>")
        until("<jid>" + who + "@localhost/.*</iq>")

    assert not tls
    if "send" in sys.argv:
        s = socket.create_connection(("localhost", port))
        login("me")
        s.sendall(b"<message to='you@localhost' type='chat'><body>what was sent</body></message></stream:stream>")
        until("</stream:stream>")
    s = socket.create_connection(("localhost", port))
    login("you")
    s.sendall(b"<presence/>")
    until("<body>what was sent</body>")


{"smtp": smtp, "lmtp": smtp, "imap": imap, "pop3": pop3, "sieve": sieve, "ftp": ftp, "nntp": nntp, "irc": irc, "xmpp": xmpp}[protocol]()
