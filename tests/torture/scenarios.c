/* SPDX-License-Identifier: GPL-2.0-or-later
 * The scenarios of the torture run and their other ends. The program listens on port 4710 or on the
 * UNIX socket "here"; the others listen on port 4711 or on "peer". */
#include "torture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <openssl/ssl.h>

enum { PORT = 4710, PATIENCE_MS = 10000, ANSWER_MS = 3000, GONE = 3 };

#define TEXT "one\ntwo\nthree\n"

/* 1 ready, 0 the program has ended or too much time has passed. */
static int ready(const struct other_end *o, int fd, short events)
{
    struct pollfd p[2] = {{.fd = fd, .events = events}, {.fd = o->alive, .events = POLLIN}};
    if (poll(p, 2, PATIENCE_MS) <= 0)
        return 0;
    if (p[0].revents)
        return 1;
    p[0].revents = 0; /* it has ended; what it sent before may still be on its way */
    return poll(p, 1, 50) > 0;
}

static int come(const struct other_end *o, int type, const void *to, socklen_t n)
{
    for (;;) {
        int family = ((const struct sockaddr *)to)->sa_family;
        int fd = socket(family, type | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, to, n) == 0)
            return fd;
        (void)close(fd);
        if (poll(&(struct pollfd){.fd = o->alive, .events = POLLIN}, 1, 5) > 0)
            return -1;
    }
}

static int come_tcp(const struct other_end *o)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    (void)inet_pton(AF_INET, o->address, &to.sin_addr);
    return come(o, SOCK_STREAM, &to, sizeof to);
}

static int come_unix(const struct other_end *o, int type)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "here"};
    return come(o, type, &to, sizeof to);
}

static int accept_one(const struct other_end *o)
{
    return ready(o, o->listener, POLLIN) ? accept(o->listener, NULL, NULL) : -1;
}

static void say(int fd, const char *text, size_t n)
{
    if (send(fd, text, n, MSG_NOSIGNAL) < 0)
        (void)!write(fd, text, n);
}

/* Up to n bytes. */
static size_t hear(const struct other_end *o, int fd, char *to, size_t n)
{
    size_t have = 0;
    while (have < n && ready(o, fd, POLLIN)) {
        ssize_t got = read(fd, to + have, n - have);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    return have;
}

static void hear_all(const struct other_end *o, int fd)
{
    char block[4096];
    size_t n;
    while ((n = hear(o, fd, block, sizeof block)) > 0)
        (void)fwrite(block, 1, n, o->got);
}

/* ---- the others ---- */

static int talk(const struct other_end *o, int fd)
{
    if (fd < 0)
        return GONE;
    say(fd, TEXT, strlen(TEXT));
    (void)shutdown(fd, SHUT_WR);
    hear_all(o, fd);
    (void)close(fd);
    return 0;
}

static int server(struct other_end *o) { return talk(o, accept_one(o)); }
static int client(struct other_end *o) { return talk(o, come_tcp(o)); }
static int unix_client(struct other_end *o) { return talk(o, come_unix(o, SOCK_STREAM)); }

/* The program stands between. */
static int both(struct other_end *o)
{
    char block[sizeof TEXT];
    int to = come_tcp(o), from;
    if (to < 0)
        return GONE;
    from = accept_one(o);
    if (from >= 0) {
        say(to, TEXT, strlen(TEXT));
        (void)shutdown(to, SHUT_WR);
        say(from, block, hear(o, from, block, sizeof block));
        (void)close(from);
    }
    hear_all(o, to);
    (void)close(to);
    return 0;
}

/* One after the other: each has to be served, whatever happened to the one before. */
static int clients(struct other_end *o)
{
    int rc = 0;
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = talk(o, come_tcp(o));
        (void)fprintf(o->got, "client %d\n", i);
    }
    return rc;
}

static int datagrams(struct other_end *o)
{
    struct sockaddr_un from = {0};
    socklen_t n = sizeof from;
    char block[4096];
    if (!ready(o, o->listener, POLLIN))
        return GONE;
    ssize_t got = recvfrom(o->listener, block, sizeof block, 0, (struct sockaddr *)&from, &n);
    if (got <= 0)
        return GONE;
    (void)fwrite(block, 1, (size_t)got, o->got);
    (void)sendto(o->listener, "answer", 6, 0, (struct sockaddr *)&from, n);
    return 0;
}

static int datagram_client(struct other_end *o)
{
    struct sockaddr_un own = {.sun_family = AF_UNIX, .sun_path = "peer"};
    struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "here"};
    char block[4096];
    int fd = come(o, SOCK_DGRAM, &to, sizeof to);
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, sizeof own) < 0)
        return GONE;
    for (int i = 0; i < 2; i++) {
        say(fd, "question", 8);
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = o->alive, .events = POLLIN}};
        ssize_t n = poll(p, 2, ANSWER_MS) > 0 ? recv(fd, block, sizeof block, MSG_DONTWAIT) : 0;
        if (n > 0)
            (void)fwrite(block, 1, (size_t)n, o->got);
    }
    (void)close(fd);
    return 0;
}

/* Says what a proxy or socks server says, piece by piece: wants, then answers. */
struct line_of_dialog {
    size_t wants; /* bytes; 0: up to an empty line */
    const char *answer;
    size_t n;
};

static int dialog(struct other_end *o, const struct line_of_dialog *d, size_t n)
{
    char block[4096] = "";
    int fd = accept_one(o);
    for (size_t i = 0; fd >= 0 && i < n; i++) {
        size_t have = 0;
        while (have < (d[i].wants ? d[i].wants : sizeof block - 1) && hear(o, fd, block + have, 1))
            if (block[have++] == '\n' && !d[i].wants && have >= 4 &&
                memcmp(block + have - 4, "\r\n\r\n", 4) == 0)
                break;
        say(fd, d[i].answer, d[i].n);
    }
    return talk(o, fd);
}

#define SAYS(wants, text) {wants, text, sizeof text - 1}

static int socks5_server(struct other_end *o)
{
    static const struct line_of_dialog d[] = {
        SAYS(4, "\5\2"), SAYS(5, "\1\0"), SAYS(10, "\5\0\0\1\1\2\3\4\0\7" "early ")};
    return dialog(o, d, 3);
}

static int socks4_server(struct other_end *o)
{
    static const struct line_of_dialog d[] = {SAYS(10, "\0\132\0\0\0\0\0\0")};
    return dialog(o, d, 1);
}

static int proxy(struct other_end *o)
{
    static const struct line_of_dialog d[] = {
        SAYS(0, "HTTP/1.0 200 well\r\nServer: x\r\nVia: y\r\n\r\n" "early ")};
    return dialog(o, d, 1);
}

#define WHO "HTTP/1.1 407 who\r\nContent-Length: 0\r\nProxy-Authenticate: "

static int digest_proxy(struct other_end *o)
{
    static const struct line_of_dialog d[] = {
        SAYS(0, WHO "Digest realm=r, nonce=n, qop=auth\r\n\r\n"), SAYS(0, "HTTP/1.1 200 well\r\n\r\n" "early ")};
    return dialog(o, d, 2);
}

static int ntlm_proxy(struct other_end *o)
{
    static const struct line_of_dialog d[] = {SAYS(0, WHO "NTLM\r\n\r\n"), SAYS(0, WHO "NTLM YQ==\r\n\r\n"),
                                              SAYS(0, "HTTP/1.1 200 well\r\n\r\n" "early ")};
    return dialog(o, d, 3);
}

/* SETTINGS and their acknowledgement, a head with status 200, data and their end. */
static int http2_proxy(struct other_end *o)
{
    static const char frames[] = "\0\0\0\4\0\0\0\0\0" "\0\0\0\4\1\0\0\0\0" "\0\0\1\1\4\0\0\0\1\210"
                                 "\0\0\4\0\1\0\0\0\1" "late";
    char block[4096];
    int fd = accept_one(o);
    if (fd < 0)
        return GONE;
    (void)hear(o, fd, block, 24);
    say(fd, frames, sizeof frames - 1);
    while (hear(o, fd, block, sizeof block) > 0)
        ;
    (void)close(fd);
    return 0;
}

/* Something comes there, unless the one that it would come for is given up before. */
static bool comes_for(int client, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = client, .events = POLLIN}};
    return poll(fds, 2, PATIENCE_MS) > 0 && fds[0].revents && !fds[1].revents;
}

/* The program stands between, and asks when it has heard SETTINGS. */
static int http2_shared(struct other_end *o)
{
    static const char settings[] = "\0\0\0\4\0\0\0\0\0" "\0\0\0\4\1\0\0\0\0",
                      frames[] = "\0\0\1\1\4\0\0\0\1\210" "\0\0\4\0\1\0\0\0\1" "late";
    enum { BEFORE = 24 + 21 + 13, ACK = 9 };
    char block[4096];
    int to = come_tcp(o), from;
    if (to < 0)
        return GONE;
    say(to, TEXT, strlen(TEXT));
    (void)shutdown(to, SHUT_WR);
    from = comes_for(to, o->listener) ? accept(o->listener, NULL, NULL) : -1;
    (void)shutdown(o->listener, SHUT_RDWR); /* one that has failed is not tried again */
    if (from >= 0) {
        say(from, settings, sizeof settings - 1);
        for (size_t have = 0; have <= BEFORE + ACK && comes_for(to, from);) {
            ssize_t got = read(from, block, sizeof block);
            have += got > 0 ? (size_t)got : sizeof block;
        }
        say(from, frames, sizeof frames - 1);
    }
    hear_all(o, to);
    (void)close(to);
    if (from >= 0)
        (void)close(from);
    return 0;
}

/* Says all of it at once, and hears the rest. */
static int ask(struct other_end *o, const char *text, size_t n)
{
    int fd = come_tcp(o);
    if (fd < 0)
        return GONE;
    say(fd, text, n);
    (void)shutdown(fd, SHUT_WR);
    hear_all(o, fd);
    (void)close(fd);
    return 0;
}

#define ASK(text) ask(o, text, sizeof text - 1)

static int socks5_client(struct other_end *o)
{
    return ASK("\5\1\2" "\1\1a\1b" "\5\1\0\1\177\0\0\1\0\120" TEXT);
}

static int fronted_client(struct other_end *o)
{
    return ASK("PROXY TCP4 192.0.2.7 192.0.2.8 1 2\r\nGET / HTTP/1.0\r\n\r\n");
}

static int proxy_client(struct other_end *o)
{
    return ASK("GET http://www/ HTTP/1.1\r\nConnection: x\r\n\r\nPOST http://www/a HTTP/1.1\r\nProxy-Authorization: Basic YTpi\r\n"
               "Content-Length: 4\r\n\r\nbodyGET http://www/b HTTP/1.1\r\nProxy-Authorization: Basic YTpi\r\n\r\n");
}

static int terminal(struct other_end *o)
{
    static const char line[] = "typed\n\4";
    int fd = accept_one(o);
    if (fd < 0)
        return GONE;
    say(fd, "hello\n", 6);
    char shown[4096] = "";
    for (size_t n = 0; n < sizeof shown - 1 && !strstr(shown, "hello"); n++)
        if (hear(o, o->terminal, shown + n, 1) == 0)
            break;
    (void)!write(o->terminal, line, sizeof line - 1);
    hear_all(o, fd);
    (void)close(fd);
    return 0;
}

static int tls(struct other_end *o, bool serves)
{
    char block[256];
    int n, fd = serves ? accept_one(o) : come_tcp(o), rc = GONE;
    SSL_CTX *ctx = fd < 0 ? NULL : SSL_CTX_new(serves ? TLS_server_method() : TLS_client_method());
    SSL *ssl = NULL;
    const char *pem = getenv("CATENA_TORTURE_PEM");
    if (!ctx || (serves && (SSL_CTX_use_certificate_file(ctx, pem, SSL_FILETYPE_PEM) != 1 ||
                            SSL_CTX_use_PrivateKey_file(ctx, pem, SSL_FILETYPE_PEM) != 1)))
        goto out;
    ssl = SSL_new(ctx);
    if (!ssl || SSL_set_fd(ssl, fd) != 1 || (serves ? SSL_accept(ssl) : SSL_connect(ssl)) != 1)
        goto out;
    (void)SSL_write(ssl, TEXT, sizeof TEXT - 1);
    (void)SSL_shutdown(ssl);
    while ((n = SSL_read(ssl, block, sizeof block)) > 0)
        (void)fwrite(block, 1, (size_t)n, o->got);
    if (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN)
        (void)fputs("bye\n", o->got);
    rc = 0;
out:
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    if (fd >= 0)
        (void)close(fd);
    return rc;
}

static int tls_server(struct other_end *o) { return tls(o, true); }
static int tls_client(struct other_end *o) { return tls(o, false); }

/* ---- the table ---- */

#define TCP_OUT "tcp:@:4711"
#define TCP_IN  "tcp-l:4710,bind=@,reuseaddr"

#define GUEST(name_, ...) {.name = name_, .guest = true, .args = {__VA_ARGS__}

const struct scenario scenarios[] = {
    {.name = "file", .args = {"-u", "open:in", "create:out"}, .input = TEXT},
    {.name = "stdio", .args = {"-", "pipe"}, .input = TEXT},
    {.name = "verbose", .dumps = true,
     .args = {"-v", "-x", "-r", "out", "-R", "out2", "--statistics", "-", "pipe"}, .input = TEXT},
    {.name = "dual", .args = {"-", "create:out%open:in"}, .input = TEXT},
    {.name = "lock", .args = {"-L", "lock", "-u", "open:in", "open:out,creat,append"},
     .input = TEXT},
    {.name = "connect", .args = {"-", TCP_OUT}, .input = TEXT, .other = server,
     .listens = LISTEN_TCP},
    {.name = "listen", .args = {TCP_IN, "-"}, .input = TEXT, .other = client},
    {.name = "listen-range", .args = {TCP_IN ",range=@/8,so-keepalive,lowport=0", "-"},
     .input = TEXT, .other = client},
    {.name = "relay", .args = {TCP_IN, TCP_OUT}, .other = both, .listens = LISTEN_TCP},
    {.name = "fork", .args = {TCP_IN ",fork", "pipe"}, .other = clients, .serves = true},
    {.name = "thread", .args = {TCP_IN ",thread", "pipe"}, .other = clients, .serves = true,
     .edges = true},
    {.name = "fork-exec", .args = {TCP_IN ",fork,max-children=2", "exec:cat"}, .other = clients,
     .serves = true},
    {.name = "unix", .args = {"unix-l:here,unlink-early,mode=600", "-"}, .input = TEXT,
     .other = unix_client},
    {.name = "unix-datagram", .args = {"-u", "-", "unix-sendto:peer"}, .input = TEXT,
     .other = datagrams, .listens = LISTEN_DATAGRAM, .messages = true},
    {.name = "unix-recvfrom", .args = {"unix-recvfrom:here,fork", "pipe"},
     .other = datagram_client, .serves = true, .messages = true},
    {.name = "exec", .args = {"-", "exec:cat"}, .input = TEXT},
    {.name = "exec-pipes", .args = {"-", "exec:cat,pipes"}, .input = TEXT, .pipes = true},
    {.name = "exec-pty", .args = {"-t", "0.5", "-", "exec:head -n 3,pty,raw,echo=0"}, .input = TEXT},
    {.name = "exec-stderr", .args = {"-", "exec:cat,stderr,setsid,socktype=1"}, .input = TEXT},
    {.name = "system", .args = {"-", "system:cat"}, .input = TEXT},
    {.name = "nofork", .args = {TCP_IN, "exec:cat,nofork"}, .other = client},
    {.name = "exec1", .args = {"-u", "-", "exec1:cat|create:out"}, .input = TEXT},
    {.name = "programs", .args = {"-", "exec1:gzip%exec1:gunzip|pipe"}, .input = TEXT},
    {.name = "gzip", .args = {"-", "gzip|pipe"}, .input = TEXT},
    {.name = "chain", .args = {"-", "gzip|^gzip|gzip|^gzip|pipe"}, .input = TEXT},
    {.name = "compress",
     .args = {"-", "zstd|^zstd|lz4|^lz4|brotli|^brotli|zlib,threads=2|^zlib|pipe"}, .input = TEXT},
    {.name = "text", .args = {"-", "base64|^base64|hex|^hex|sha256:out.sums|recode:utf-8:utf-16|"
                                   "^recode:utf-8:utf-16,on-error=replace|pipe"}, .input = TEXT},
    {.name = "telnet", .args = {"-", "telnet,env=USER=x,charset=utf-8|^telnet-server|pipe"}, .input = TEXT},
    {.name = "rfc2217", .args = {"-t", "3", "-", "rfc2217,baud=9600,dtr=1|^rfc2217-server|exec:head -n "
                                 "3,pty,raw,echo=0"}, .input = TEXT},
    {.name = "websocket",
     .args = {"-", "ws:/x,deflate,subprotocol=a,auth=u:p|^ws-server,deflate,static=in,auth=u:p|pipe"}, .input = TEXT},
    {.name = "pty", .args = {"-u", "open:in", "pty,link=out.tty,wait-slave=0"}, .input = TEXT},
    {.name = "socks4", .args = {"-", "socks4:1.2.3.4:80,socksuser=a|" TCP_OUT}, .input = TEXT,
     .other = socks4_server, .listens = LISTEN_TCP},
    {.name = "delays", .args = {"-", "throttle:1M|delay:2ms,jitter=1ms|pace:1000000|pipe"}, .input = TEXT},
    {.name = "dialog", .args = {"-", "dialog,send=x,expect=/x\\\\r/|pipe"}, .input = TEXT},
    {.name = "socks5", .args = {"-", "socks5:1.2.3.4:80,socksuser=a,sockspass=b|" TCP_OUT},
     .input = TEXT, .other = socks5_server, .listens = LISTEN_TCP},
    {.name = "proxy", .args = {"-", "proxy:www:80,proxyauth=a:b|" TCP_OUT}, .input = TEXT,
     .other = proxy, .listens = LISTEN_TCP},
    {.name = "proxy-digest", .args = {"-", "proxy:www:80,proxyauth=a:b,proxy-auth-scheme=digest|" TCP_OUT}, .input = TEXT,
     .other = digest_proxy, .listens = LISTEN_TCP},
    {.name = "proxy-helper", .args = {"-", "proxy:www:80,proxy-auth-helper=while read w; do echo KK YQ==; done|" TCP_OUT},
     .input = TEXT, .other = ntlm_proxy, .listens = LISTEN_TCP},
    {.name = "proxy-http2", .args = {"-", "proxy:www:80,http-version=2|" TCP_OUT}, .input = TEXT,
     .other = http2_proxy, .listens = LISTEN_TCP},
    {.name = "proxy-shared", .args = {TCP_IN ",thread", "proxy:www:80,http-version=2,share|" TCP_OUT}, .other = http2_shared,
     .listens = LISTEN_TCP, .serves = true, .edges = true},
    {.name = "socks-server", .args = {"socks-server,auth-file=in,deny=10.0.0.0/8|" TCP_IN, "pipe"}, .input = "a:b\n",
     .other = socks5_client},
    {.name = "proxy-server", .args = {"proxy-server,auth=a:b|" TCP_IN, "pipe"}, .other = proxy_client},
    {.name = "front", .args = {"sniff,to=in|proxy-protocol-server|" TCP_IN ",range=192.0.2.0/24", "route"},
     .input = "ssh tcp:www:22\nhttp proxy-protocol,crc32c,tls,unique-id|gzip|gunzip|pipe\n", .other = fronted_client},
    {.name = "readline", .args = {"readline,history=out.history", TCP_OUT}, .other = terminal,
     .listens = LISTEN_TCP, .terminal = true},
    {.name = "openssl", .args = {"-", "openssl,cafile=+/pem,commonname=localhost,alpn=a b,ocsp=staple|" TCP_OUT},
     .input = TEXT, .other = tls_server, .listens = LISTEN_TCP},
    {.name = "openssl-listen",
     .args = {"openssl-listen:4710,bind=@,reuseaddr,cert=+/pem,cert=+/pem,alpn=a,verify=0", "-"}, .input = TEXT,
     .other = tls_client},
    {.name = "watched", .args = {"--progress", "--statistics", "-", "tap:out,format=pcapng|openssl,verify=0,keylog=out2|"
                                 "tap:out,format=pcapng|" TCP_OUT},
     .other = tls_server, .input = TEXT, .listens = LISTEN_TCP},
    {.name = "openssl-gzip", .args = {"-", "gzip%nop|openssl,verify=0|" TCP_OUT}, .other = tls_server,
     .listens = LISTEN_TCP},
    {.name = "bulk-file", .args = {"-u", "open:in", "create:out"}, .bulk = BULK},
    {.name = "bulk-tcp", .args = {"-", TCP_OUT}, .other = server, .listens = LISTEN_TCP,
     .bulk = BULK},
    {.name = "bulk-exec", .args = {"-", "exec:cat"}, .bulk = BULK},
    {.name = "bulk-gzip", .args = {"-u", "-", "gzip,level=1,threads=2|create:out"},
     .bulk = MOST_BULK},
    {.name = "bulk-chain", .args = {"-u", "-", "gzip,level=1|nop|^gzip|create:out"}, .bulk = BULK},
    {.name = "bulk-openssl", .args = {"-u", "-", "openssl,verify=0|" TCP_OUT}, .other = tls_server,
     .listens = LISTEN_TCP, .bulk = BULK},
    {.name = "udp", .args = {"-t1", "-", "udp:@:4712,bind=@:4712,crnl"}, .input = TEXT,
     .messages = true},
    GUEST("xio-plain", "talk", TCP_OUT), .other = server, .listens = LISTEN_TCP},
    GUEST("xio-line", "talk", "gzip|^gzip|base64|^base64|" TCP_OUT), .other = server, .listens = LISTEN_TCP},
    GUEST("xio-openssl", "talk", "openssl,verify=0|" TCP_OUT), .other = tls_server, .listens = LISTEN_TCP},
    GUEST("xio-socks5", "talk", "socks5:1.2.3.4:80,socksuser=a,sockspass=b|" TCP_OUT), .other = socks5_server,
     .listens = LISTEN_TCP},
    GUEST("xio-exec", "talk", "exec:cat")},
    GUEST("xio-programs", "talk", "exec1:cat%nop|system:cat,pipes"), .pipes = true},
    GUEST("xio-file", "copy", "open:in", "create:out"), .input = TEXT},
    GUEST("xio-packets", "copy", "open:in", "unix-sendto:peer"), .input = TEXT, .other = datagrams,
     .listens = LISTEN_DATAGRAM, .messages = true},
    GUEST("xio-accept", "accept", TCP_IN), .other = client},
    GUEST("xio-accept-line", "accept", "gzip|^gzip|" TCP_IN ",range=@/8"), .other = client},
    GUEST("xio-accept-openssl", "accept", "openssl-listen:4710,bind=@,reuseaddr,cert=+/pem,verify=0"), .other = tls_client},
    GUEST("xio-relay", "relay", TCP_IN, TCP_OUT), .other = both, .listens = LISTEN_TCP},
    GUEST("xio-relay-to", "relay-to", TCP_OUT, "gzip|^gzip|exec:cat"), .other = server, .listens = LISTEN_TCP},
    GUEST("xio-background", "background", "nop|tcp:{host}:{port}", "@"), .other = server, .listens = LISTEN_TCP},
    GUEST("xio-background-line", "background", "base64|^base64|tcp:{host}:{port}", "@"), .other = server, .listens = LISTEN_TCP},
    GUEST("xio-detach", "detach", "tcp:{host}:{port}", "@"), .other = server, .listens = LISTEN_TCP},
    GUEST("xio-detach-line", "detach", "base64|^base64|tcp:{host}:{port}", "@"), .other = server, .listens = LISTEN_TCP},
    {.name = NULL},
};
