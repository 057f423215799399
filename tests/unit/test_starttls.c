/* SPDX-License-Identifier: GPL-2.0-or-later
 * STARTTLS and STARTTLS-SERVER in memory: what each end says, cut at every byte and joined with what follows; and the
 * numbers of MySQL's packets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "../home.h"

#define BYTES(s) {(s), sizeof(s) - 1}

struct bytes {
    const char *p;
    size_t n;
};

/* ---- an end that has said all it is going to say ---- */

struct end {
    struct bytes says;
    size_t first; /* so much of it comes first */
    struct buf heard;
};

static int end_fill(struct wire *w, int *eof, struct err *e)
{
    struct end *d = w->carrier;
    size_t n = d->first > 0 && d->first < d->says.n ? d->first : d->says.n;
    (void)e;
    n = buf_put(&w->in, d->says.p, n);
    d->first = 0;
    d->says.p += n;
    d->says.n -= n;
    *eof = n == 0;
    return 0;
}

static int end_write(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct end *d = w->carrier;
    (void)e;
    assert_return_code(buf_grow(&d->heard, d->heard.len + n), 0);
    buf_put(&d->heard, data, n);
    return 0;
}

static const struct wire_ops end_ops = {.fill = end_fill, .write = end_write};
static const struct settings settings = {.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                         .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};
static struct run run = {.settings = &settings, .signal_fd = -1, .stop_fd = -1};

/* ---- one dialog ---- */

struct talk {
    const char *address;
    struct bytes says, hears;     /* its peer */
    struct bytes behind, comes;   /* the other side: what it says, and what comes to it before TLS */
    struct bytes on, rest;        /* what comes first in TLS; what of `behind` is still to come */
    const char *message;          /* it fails so */
    bool goes_on;                 /* what the peer says behind is TLS */
};

static void same(const struct talk *t, size_t cut, const char *what, const struct buf *is, struct bytes want)
{
    if (is->len != want.n || (want.n > 0 && memcmp(buf_data(is), want.p, want.n) != 0))
        fail_msg("%s, cut at %zu: %s: \"%.*s\" (%zu bytes)", t->address, cut, what, (int)is->len,
                 is->len ? (const char *)buf_data(is) : "", is->len);
}

static int hold(const struct addr *a, struct wire *w, struct wire *beyond, struct err *e)
{
    const struct negotiator_ops *ops = a->form->ops.negotiator;
    const struct outcome stands = {.run = &run, .place = a->place, .beyond = ops->talks_beyond ? beyond : NULL};
    void *st = calloc(1, ops->state_size + 1);
    assert_non_null(st);
    int rc = ops->learn(st, a, &run, w, e);
    if (rc == 0 && ops->answer)
        rc = ops->answer(st, a, &run, w, &stands, e);
    if (ops->forget)
        ops->forget(st);
    free(st);
    return rc;
}

/* What has not been taken, with what has not even been read. */
static struct buf *still(struct wire *w, const struct end *d)
{
    assert_return_code(buf_grow(&w->in, w->in.len + d->says.n), 0);
    buf_put(&w->in, d->says.p, d->says.n);
    return &w->in;
}

static void once(const struct talk *t, const struct addr *a, struct bytes says, size_t cut, size_t cut_behind)
{
    struct err e = {0};
    struct wire w, beyond;
    struct end peer = {says, cut, {0}}, other = {t->behind, cut_behind, {0}};
    assert_int_equal(wire_init(&w, &end_ops, &peer, &run, -1, &e), 0);
    assert_int_equal(wire_init(&beyond, &end_ops, &other, &run, -1, &e), 0);
    int rc = hold(a, &w, &beyond, &e);
    if (rc < 0 && (!t->message || !strstr(e.text, t->message)))
        fail_msg("%s, cut at %zu, %zu: %s", t->address, cut, cut_behind, e.text);
    assert_int_equal(rc, t->message ? -1 : 0);
    same(t, cut, "its peer hears", &peer.heard, t->hears);
    same(t, cut, "the other side hears", &other.heard, t->comes);
    if (rc == 0) {
        same(t, cut, "handed on", &w.on, t->on);
        same(t, cut, "from the other side", still(&beyond, &other), t->rest);
        same(t, cut, "of TLS", still(&w, &peer), (struct bytes){"TLS", says.n - t->says.n});
    }
    buf_fini(&peer.heard);
    buf_fini(&other.heard);
    wire_fini(&w);
    wire_fini(&beyond);
}

static struct plan *plan_of(const char *address)
{
    char left[200];
    struct plan *p;
    struct err e;
    bool server = strncmp(address, "starttls-server", 15) == 0;
    (void)snprintf(left, sizeof left, "%s|%s|tcp%s", server ? "openssl-server,cert=x" : "openssl", address, server ? "-l:1" : ":host:1");
    if (plan_make(&settings, server ? left : "-", server ? "-" : left, &p, &e) < 0)
        fail_msg("%s: %s", left, e.text);
    return p;
}

/* What follows in the same piece is an attack, unless its sender need not wait for an answer. */
static void joined(const struct talk *t, const struct addr *a)
{
    char all[2048];
    memcpy(all, t->says.p, t->says.n);
    memcpy(all + t->says.n, "TLS", 3);
    struct bytes says = {all, t->says.n + 3};
    for (size_t cut = 0; t->goes_on && cut <= says.n; cut++)
        once(t, a, says, cut, 0);
    if (t->message || t->goes_on)
        return;
    struct err e = {0};
    struct wire w, beyond;
    struct end peer = {says, 0, {0}}, other = {t->behind, 0, {0}};
    assert_int_equal(wire_init(&w, &end_ops, &peer, &run, -1, &e), 0);
    assert_int_equal(wire_init(&beyond, &end_ops, &other, &run, -1, &e), 0);
    assert_int_equal(hold(a, &w, &beyond, &e), -1);
    if (!strstr(e.text, "plain text came behind"))
        fail_msg("%s, and something behind: %s", t->address, e.text);
    assert_true(peer.heard.len < t->hears.n || strncmp(t->address, "starttls-server", 15) != 0);
    buf_fini(&peer.heard);
    buf_fini(&other.heard);
    wire_fini(&w);
    wire_fini(&beyond);
}

static void play(const struct talk *t)
{
    struct plan *p = plan_of(t->address);
    size_t i = 0;
    while (p->links[i].fate != FATE_DIALOG)
        i++;
    const struct addr *a = p->links[i].fwd;
    for (size_t cut = 0; cut <= t->says.n; cut++)
        once(t, a, t->says, cut, 0);
    for (size_t cut = 0; cut <= t->behind.n; cut++)
        once(t, a, t->says, 1, cut);
    joined(t, a);
    plan_free(p);
}
#define PLAY(list)                                                                                 \
    for (size_t i = 0; i < sizeof(list) / sizeof(list)[0]; i++)                                    \
        play(&(list)[i])

/* ---- rows ---- */

#define XMPP_SERVER "<?xml version='1.0'?><stream:stream xmlns:stream='s' id='a>b' version='1.0'>"
#define XMPP_TLS    "xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
#define XMPP_CLIENT "<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='host' version='1.0'>"
#define PG_WISH     "\0\0\0\x08\x04\xd2\x16\x2f"
#define PG_GSS      "\0\0\0\x08\x04\xd2\x16\x30"
#define LDAP_WISH   "\x30\x1d\x02\x01\x01\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037"
#define MY_TAIL     "\0\0\0\x01!......................."
#define MY_GREETING(caps) "\x12\0\0\0\nv\0idid8bytes..\0\xff" caps

static void servers_are_asked(void **state)
{
    static const struct talk list[] = {
        {"starttls:smtp,helo=we", BYTES("220-a\r\n220 b\r\n250-x\r\n250-STARTTLS\r\n250 y\r\n220 go\r\n"),
         BYTES("EHLO we\r\nSTARTTLS\r\n"), .on = BYTES("220-a\r\n220 b\r\n")},
        {"starttls:SMTP,helo=we", BYTES("220\n250 starttls\n220\n"), BYTES("EHLO we\r\nSTARTTLS\r\n"), .on = BYTES("220\r\n")},
        {"starttls:smtp,helo=we", BYTES("220 b\r\n250-x\r\n250 STARTTLSX\r\n"), BYTES("EHLO we\r\n"), .message = "offers no TLS"},
        {"starttls:smtp,helo=we", BYTES("220 b\r\n502 what\r\n"), BYTES("EHLO we\r\n"), .message = "has refused our greeting: \"502 what\""},
        {"starttls:smtp", BYTES("SSH-2.0-x\r\n"), BYTES(""), .message = "greets otherwise"},
        {"starttls:smtp", BYTES("220-a\r\n"), BYTES(""), .message = "closed the connection"},
        {"starttls:lmtp,helo=we", BYTES("220 b\r\n250 STARTTLS\r\n220 go\r\n"), BYTES("LHLO we\r\nSTARTTLS\r\n"), .on = BYTES("220 b\r\n")},
        {"starttls:imap", BYTES("* OK [CAPABILITY A STARTTLS LOGINDISABLED] LOGINDISABLED x\r\n* X\r\na1 OK go\r\n"),
         BYTES("a1 STARTTLS\r\n"), .on = BYTES("* OK [CAPABILITY A] LOGINDISABLED x\r\n")},
        {"starttls:imap", BYTES("* OK [CAPABILITY STARTTLS2 LOGINDISABLED STARTTLS] x\r\na1 OK\r\n"), BYTES("a1 STARTTLS\r\n"),
         .on = BYTES("* OK [CAPABILITY STARTTLS2] x\r\n")},
        {"starttls:imap", BYTES("* OK\r\na1 OKAY\r\n"), BYTES("a1 STARTTLS\r\n"), .message = "has refused TLS: \"a1 OKAY\""},
        {"starttls:imap", BYTES("* OK\r\n* BYE\r\n"), BYTES("a1 STARTTLS\r\n"), .message = "has refused TLS: \"* BYE\""},
        {"starttls:imap", BYTES("* PREAUTH\r\n"), BYTES(""), .message = "greets otherwise"},
        {"starttls:pop3", BYTES("+OK <1@x>\r\n+OK\r\n"), BYTES("STLS\r\n"), .on = BYTES("+OK <1@x>\r\n")},
        {"starttls:sieve", BYTES("\"X\" {8+}\r\nOK\r\n NO \r\n\"StartTLS\"\r\nOK\r\nok\r\n"), BYTES("STARTTLS\r\n")},
        {"starttls:sieve", BYTES("\"X\" {9999}\r\n"), BYTES(""), .message = "has a text of 9999 bytes"},
        {"starttls:sieve", BYTES("\"X\" \"STARTTLS\"\r\nOK\r\n"), BYTES(""), .message = "offers no TLS"},
        {"starttls:ftp", BYTES("220-a\r\n 220 b\r\n221 c\r\n220 d\r\n234 e\r\n"), BYTES("AUTH TLS\r\n"),
         .on = BYTES("220-a\r\n 220 b\r\n221 c\r\n220 d\r\n")},
        {"starttls:nntp", BYTES("200 a\r\n382 b\r\n"), BYTES("STARTTLS\r\n"), .on = BYTES("200 a\r\n")},
        {"starttls:nntp", BYTES("200 a\r\n580 b\r\n"), BYTES("STARTTLS\r\n"), .message = "has refused TLS: \"580 b\""},
        {"starttls:irc", BYTES(":s NOTICE * :a\r\nNOTICE AUTH :b\r\n:s 670 * :go\r\n"), BYTES("STARTTLS\r\n")},
        {"starttls:irc", BYTES(":s NOTICE * :\2a\3\r\n:s NOTICE * :a\rPASS x\r\n"), BYTES("STARTTLS\r\n"), .message = "control character"},
        {"starttls:smtp", BYTES("220 a\r220 b\r\n"), BYTES(""), .message = "a control character in its text (0x0d)"},
        {"starttls:pop3", BYTES("+OK \x1b[2J\r\n"), BYTES(""), .message = "a control character in its text (0x1b)"},
        {"starttls:irc", BYTES("ERROR :no\r\n"), BYTES("STARTTLS\r\n"), .message = "has refused TLS: \"ERROR :no\""},
        {"starttls:ldap", BYTES("\x30\x84\0\0\0\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0"), BYTES(LDAP_WISH)},
        {"starttls:ldap", BYTES("\x30\x0e\x02\x01\x01\x78\x09\x0a\x01\x34\x04\0\x04\x02no"), BYTES(LDAP_WISH), .message = "has refused TLS: \"52 no\""},
        {"starttls:ldap", BYTES("\x30\x80\x02\x01"), BYTES(LDAP_WISH), .message = "does not speak LDAP"},
        {"starttls:ldap", BYTES("\x30\x84\x7f\xff\xff\xff"), BYTES(LDAP_WISH), .message = "does not speak LDAP"},
        {"starttls:ldap", BYTES("\x30\x05\x02\x01\x01\x78\x09"), BYTES(LDAP_WISH), .message = "makes no sense"},
        {"starttls:xmpp", BYTES(XMPP_SERVER "<stream:features> <starttls " XMPP_TLS "/><b/></stream:features><proceed " XMPP_TLS "/>"),
         BYTES(XMPP_CLIENT "<starttls " XMPP_TLS "/>")},
        {"starttls:xmpp", BYTES(XMPP_SERVER "<stream:features/>"), BYTES(XMPP_CLIENT), .message = "offers no TLS"},
        {"starttls:xmpp", BYTES(XMPP_SERVER "<stream:error><host-unknown/>"), BYTES(XMPP_CLIENT), .message = "has closed the stream: \"stream:error\""},
        {"starttls:xmpp", BYTES(XMPP_SERVER "<features><starttls xmlns='x'/></features>"), BYTES(XMPP_CLIENT), .message = "offers no TLS"},
        {"starttls:xmpp", BYTES("HTTP/1.1 400\r\n"), BYTES(XMPP_CLIENT), .message = "closed the connection"},
        {"starttls:postgres", BYTES("S"), BYTES(PG_WISH), BYTES("\0\0\0\x0c\0\3\0\0"), BYTES(""), .rest = BYTES("\0\0\0\x0c\0\3\0\0")},
        {"starttls:postgres", BYTES("S"), BYTES(PG_WISH), BYTES(PG_GSS PG_WISH "\0\0\0\x0c\0\3\0\0"), BYTES("NN"),
         .rest = BYTES("\0\0\0\x0c\0\3\0\0")},
        {"starttls:postgres", BYTES("N"), BYTES(PG_WISH), .message = "offers no TLS"},
        {"starttls:postgres", BYTES("E"), BYTES(PG_WISH), .message = "neither S nor N"},
        {"starttls:mysql", BYTES(MY_GREETING("\xff")), BYTES("\x20\0\0\1\x85\xae\x0f\0" MY_TAIL),
         BYTES("\x24\0\0\1\x85\xa6\x0f\0" MY_TAIL "user"), BYTES(MY_GREETING("\xf7")),
         .rest = BYTES("\x24\0\0\1\x85\xae\x0f\0" MY_TAIL "user")},
        {"starttls:mysql", BYTES(MY_GREETING("\xf7")), BYTES(""), .comes = BYTES("\x28\0\0\0\xff\xea\7#HY000The server behind offers no TLS"),
         .message = "offers no TLS"},
        {"starttls:mysql", BYTES("\3\0\0\0\xff\x15\4"), BYTES(""), .comes = BYTES("\3\0\0\0\xff\x15\4"), .message = "wants nobody now"},
        {"starttls:mysql", BYTES(MY_GREETING("\xff")), BYTES(""), BYTES("\x20\0\0\1\x85\xae\x0f\0" MY_TAIL), BYTES(MY_GREETING("\xf7")),
         .message = "does not log in"},
        {"starttls:mysql", BYTES("220 mx\r\n"), BYTES(""), .message = "does not speak MySQL"},
    };
    (void)state;
    PLAY(list);
}

static void clients_ask(void **state)
{
    static const struct talk list[] = {
        {"starttls-server:smtp,helo=we", BYTES("ehlo x\r\nAUTH PLAIN\r\nSTARTTLS\r\n"),
         BYTES("220-a\r\n220 b\r\n250-we\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n530 5.7.0 STARTTLS first\r\n220 2.0.0 Go ahead\r\n"),
         BYTES("220-a\r\n220 b\r\nmore"), .rest = BYTES("more")},
        {"starttls-server:smtp", BYTES("QUIT\r\n"), BYTES("220 b\r\n221 2.0.0 Bye\r\n"), BYTES("220 b\r\n"), .message = "left without"},
        {"starttls-server:smtp", BYTES(""), BYTES("554 b\r\n"), BYTES("554 b\r\n"), .message = "greets otherwise"},
        {"starttls-server:imap", BYTES("1 CAPABILITY\r\n2 LOGIN a b\r\n3 starttls\r\n"),
         BYTES("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] x\r\n* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n1 OK Done\r\n"
               "2 NO [PRIVACYREQUIRED] STARTTLS first\r\n3 OK Go ahead\r\n"),
         BYTES("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] x\r\n")},
        {"starttls-server:pop3", BYTES("CAPA\r\nSTLS\r\n"), BYTES("+OK <1@x>\r\n+OK\r\nSTLS\r\n.\r\n+OK Go ahead\r\n"), BYTES("+OK <1@x>\r\n")},
        {"starttls-server:sieve", BYTES("CAPABILITY\r\nX\r\nSTARTTLS\r\n"),
         BYTES("\"SASL\" \"\"\r\n\"STARTTLS\"\r\nOK\r\n\"SASL\" \"\"\r\n\"STARTTLS\"\r\nOK\r\nNO (ENCRYPT-NEEDED) \"STARTTLS first\"\r\nOK \"Begin TLS negotiation now\"\r\n"),
         BYTES("\"SASL\" \"PLAIN\"\r\nOK\r\n"), .rest = BYTES("\"SASL\" \"PLAIN\"\r\nOK\r\n")},
        {"starttls-server:ftp", BYTES("FEAT\r\nUSER x\r\nAUTH tls\r\n"),
         BYTES("220 x\r\n211-Features:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n211 End\r\n530 AUTH TLS first\r\n234 Go ahead\r\n"), BYTES("220 x\r\n")},
        {"starttls-server:nntp", BYTES("STARTTLS\r\n"), BYTES("200 x\r\n382 Go ahead\r\n"), BYTES("200 x\r\n")},
        {"starttls-server:irc,helo=we", BYTES("CAP LS 302\r\nNICK x\r\nSTARTTLS\r\n"),
         BYTES(":we CAP * LS :tls\r\n:we 451 * :STARTTLS first\r\n:we 670 * :STARTTLS successful, go ahead with TLS\r\n")},
        {"starttls-server:ldap", BYTES("\x30\x05\2\1\7\x60\0" "\x30\x1d\x02\x01\x08\x77\x18\x80\x16" "1.3.6.1.4.1.1466.20037"),
         BYTES("\x30\x1a\2\1\7\x61\x15\x0a\1\x0d\4\0\4\x0eStartTLS first" "\x30\x0c\2\1\x08\x78\7\x0a\1\0\4\0\4\0")},
        {"starttls-server:ldap", BYTES("\x30\x05\2\1\1\x42\0"), BYTES(""), .message = "left without"},
        {"starttls-server:xmpp", BYTES("<stream:stream xmlns='jabber:client' to='d'><starttls " XMPP_TLS "></starttls>"),
         BYTES("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='starttls' "
               "version='1.0' from='d'><stream:features><starttls " XMPP_TLS "><required/></starttls></stream:features>"
               "<proceed " XMPP_TLS "/>")},
        {"starttls-server:postgres", BYTES(PG_GSS PG_WISH), BYTES("NS")},
        {"starttls-server:postgres", BYTES("\0\0\0\x0c\0\3\0\0user"), BYTES("E\0\0\0\x38SFATAL\0VFATAL\0C28000\0Mclients have to use SSL here\0\0"),
         .message = "goes on without TLS"},
        {"starttls-server:mysql", BYTES("\x20\0\0\1\x85\xae\x0f\0" MY_TAIL), BYTES(MY_GREETING("\xff")), BYTES(MY_GREETING("\xf7") "more"),
         .rest = BYTES("more"), .goes_on = true},
        {"starttls-server:mysql", BYTES("\x20\0\0\1\x85\xa6\x0f\0" MY_TAIL),
         BYTES(MY_GREETING("\xff") "\x41\0\0\2\xff\x57\x0c#HY000Connections using insecure transport are prohibited here"),
         BYTES(MY_GREETING("\xf7")), .message = "goes on without TLS"},
    };
    (void)state;
    PLAY(list);
}

static void a_line_behind_xmpp(void **state)
{
    static const struct talk t = {"starttls-server:xmpp", BYTES("<stream:stream><starttls " XMPP_TLS "/> \r\n"),
        BYTES("<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' id='starttls' "
              "version='1.0'><stream:features><starttls " XMPP_TLS "><required/></starttls></stream:features><proceed " XMPP_TLS "/>")};
    struct plan *p = plan_of(t.address);
    (void)state;
    const struct addr *a = p->links[0].fate == FATE_DIALOG ? p->links[0].fwd : p->links[1].fwd;
    once(&t, a, t.says, 0, 0);
    joined(&t, a);
    plan_free(p);
}

/* ---- numbers ---- */

struct flow {
    const struct codec_ops *ops;
    void *st;
};

static struct flow flow_of(const struct codec_ops *ops, void *pair)
{
    struct flow f = {ops, calloc(1, ops->state_size)};
    const struct codec_place place = {.pair = pair};
    struct err e;
    assert_non_null(f.st);
    assert_int_equal(ops->init(f.st, NULL, &e), 0);
    assert_int_equal(ops->start(f.st, &place, &e), 0);
    return f;
}

static void passes(struct flow f, struct bytes from, struct bytes to, size_t piece)
{
    char out[200];
    size_t n = 0;
    struct err e;
    for (size_t at = 0; at < from.n;) {
        struct buf in, room;
        size_t k = piece < from.n - at ? piece : from.n - at;
        int rc = 0;
        assert_int_equal(buf_init(&in, k), 0);
        buf_put(&in, from.p + at, k);
        while (rc == 0) {
            assert_int_equal(buf_init(&room, piece), 0);
            rc = f.ops->push(f.st, &in, &room, CODEC_IDLE, &e);
            memcpy(out + n, buf_data(&room), room.len);
            n += room.len;
            buf_fini(&room);
        }
        assert_int_equal(rc, 1);
        assert_int_equal(in.len, 0);
        buf_fini(&in);
        at += k;
    }
    assert_int_equal(n, to.n);
    assert_memory_equal(out, to.p, n);
}

static void numbers_differ_until_the_login_is_over(void **state)
{
    static const struct {
        const char *address;
        struct bytes login, as_login, more, as_more, over, as_over, plain;
        bool client_encodes;
    } rows[] = {
        {"starttls:mysql", BYTES("\4\0\0\1\x85\xae\0\0"), BYTES("\4\0\0\2\x85\xae\0\0"), BYTES("\2\0\0\3\1\0\0\0\0\4"),
         BYTES("\2\0\0\2\1\0\0\0\0\3"), BYTES("\2\0\0\x05\0\0" "\1\0\0\0\5"), BYTES("\2\0\0\x04\0\0" "\1\0\0\0\5"), BYTES("\1\0\0\0\3"), true},
        {"starttls-server:mysql", BYTES("\4\0\0\2\x85\xae\0\x08"), BYTES("\4\0\0\1\x85\xa6\0\x08"), BYTES("\2\0\0\xff\1\0\0\0\0\2"),
         BYTES("\2\0\0\0\1\0\0\0\0\3"), BYTES("\2\0\0\x03\xff\x08" "\1\0\0\0\5"), BYTES("\2\0\0\x04\xff\x08" "\1\0\0\0\5"), BYTES("\1\0\0\0\3"), false},
    };
    (void)state;
    for (size_t i = 0; i < 2; i++)
        for (size_t piece = 1; piece < 20; piece++) {
            struct plan *p = plan_of(rows[i].address);
            const struct codec_pair *pair = p->links[rows[i].client_encodes].fwd->form->ops.negotiator->leaves;
            void *both = calloc(1, pair->encode->pair_size);
            struct flow client = flow_of(rows[i].client_encodes ? pair->encode : pair->decode, both),
                        server = flow_of(rows[i].client_encodes ? pair->decode : pair->encode, both);
            passes(client, rows[i].login, rows[i].as_login, piece);
            passes(server, rows[i].more, rows[i].as_more, piece);
            passes(client, rows[i].login, rows[i].client_encodes ? rows[i].as_login : (struct bytes)BYTES("\4\0\0\1\x85\xae\0\x08"), piece);
            passes(server, rows[i].over, rows[i].as_over, piece);
            passes(client, rows[i].plain, rows[i].plain, piece);
            passes(server, rows[i].plain, rows[i].plain, piece);
            free(client.st);
            free(server.st);
            free(both);
            plan_free(p);
        }
}

/* ---- plans ---- */

static void refused(const char *left, const char *right, const char *message)
{
    struct plan *p;
    struct err e;
    assert_int_equal(plan_make(&settings, left, right, &p, &e), -1);
    if (!strstr(e.text, message) || !e.where.text)
        fail_msg("%s  %s: %s", left, right, e.text);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    refused("-", "openssl|starttls:smpt|tcp:h:1", "no protocol that has STARTTLS");
    refused("-", "starttls:smtp|tcp:h:1", "has to stand on its left side: \"openssl|...\"");
    refused("tcp-l:1", "^starttls-server:mysql|tcp:h:1", "on its right side: \"...|^openssl-server\"");
    refused("-", "openssl|exec:cat|starttls:imap|tcp:h:1", "on its left side");
    refused("-", "openssl|starttls:smtp,helo=a b|tcp:h:1", "without blanks");
    static const char *const others[] = {"imap", "pop3", "sieve", "ftp", "nntp", "irc", "ldap", "xmpp", "postgres", "mysql"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char right[100];
        bool xmpp = strcmp(others[i], "xmpp") == 0;
        (void)snprintf(right, sizeof right, "openssl|starttls:%s,helo=x|tcp:h:1", others[i]);
        refused("-", right, "helo is for smtp and lmtp; with ");
        (void)snprintf(right, sizeof right, "openssl:h:1,starttls=%s,%s=x", others[i], xmpp ? "helo" : "xmpp-domain");
        refused("-", right, xmpp ? "helo is for" : "xmpp-domain is for xmpp; with ");
        (void)snprintf(right, sizeof right, "ssl-l:1,cert=x,starttls=%s,helo=x", others[i]);
        if (strcmp(others[i], "irc") != 0)
            refused("-", right, "helo is for smtp, lmtp and irc; with ");
    }
    refused("-", "openssl,verify=0|starttls:xmpp|unix:x", "Give xmpp-domain");
    refused("-", "openssl:h:1,starttls=smpt", "no protocol that has STARTTLS");
    refused("-", "gzip|nop|meter|openssl|starttls:mysql|tcp:h:1", "changes what goes through the session, which has to stay as it is for second address, link 5 \"starttls\"");
    refused("base64|openssl-server,cert=x|starttls-server:mysql|tcp-l:1", "-", "changes what goes through the session");
    refused("openssl-server,cert=x|starttls-server:mysql|tcp-l:1", "openssl|starttls:mysql|tcp:h:1", "cannot be in one line");
}

/* A dry run says when each is opened: who waits for an answer gets it before anybody talks to him. */
static void order(const char *left, const char *right, const char *want)
{
    char *text = NULL;
    size_t n = 0;
    struct plan *p;
    struct err e;
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    if (plan_make(&settings, left, right, &p, &e) < 0)
        fail_msg("%s", e.text);
    plan_print(p, f);
    assert_int_equal(fclose(f), 0);
    if (!strstr(text, want))
        fail_msg("%s  %s: %s", left, right, text);
    free(text);
    plan_free(p);
}

static void who_waits_is_answered_before_he_is_talked_to(void **state)
{
    (void)state;
    order("tcp-l:1", "^starttls-server:mysql|^openssl-server,cert=x,verify=0|gzip|tcp:h:1",
          "2. starttls-server:mysql (dialog)\n  3. tcp-connect:h:1\n  4. gzip\n  5. starttls-server:mysql (answers)\n"
          "  6. openssl-server (handshake)\n");
    order("socks-server|tcp-l:1,bind=127.0.0.1", "openssl|starttls:mysql|tcp:h:1",
          "3. tcp-connect:h:1\n  4. socks-server (answers)\n  5. starttls:mysql (dialog)\n  6. openssl-client (handshake)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_are_asked), cmocka_unit_test(clients_ask), cmocka_unit_test(a_line_behind_xmpp),
        cmocka_unit_test(numbers_differ_until_the_login_is_over), cmocka_unit_test(what_makes_no_sense_is_refused),
        cmocka_unit_test(who_waits_is_answered_before_he_is_talked_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
