/* SPDX-License-Identifier: GPL-2.0-or-later
 * What stands in front of servers: PROXY headers as they are sent and understood; each dialog cut at every byte and
 * joined with what follows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../home.h"
#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "inter/front/proxy_header.h"

#define BYTES(s) (s), sizeof(s) - 1
#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define LONG60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct peer_script {
    const char *says;
    size_t left, first; /* so much of it comes first */
    unsigned char heard[PROXY_SEND_MAX];
    size_t nheard;
};

static int peer_fill(struct wire *w, int *eof, struct err *e)
{
    struct peer_script *s = w->carrier;
    size_t n = s->first > 0 ? s->first : s->left;
    (void)e;
    n = buf_put(&w->in, s->says, n < s->left ? n : s->left);
    s->first = s->first > n ? s->first - n : 0;
    s->says += n;
    s->left -= n;
    *eof = n == 0;
    return 0;
}

static int peer_write(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct peer_script *s = w->carrier;
    (void)e;
    assert_int_equal(s->nheard, 0); /* one write */
    assert_true(n <= sizeof s->heard);
    memcpy(s->heard, data, n);
    s->nheard = n;
    return 0;
}

static const struct wire_ops peer_ops = {.fill = peer_fill, .write = peer_write};
static const struct settings at_home = {.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                        .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};

/* "host port", or nobody. */
static void tell_place(struct run *r, const struct addr *who, const char *const names[2], const char *place)
{
    char host[200];
    struct err e;
    const char *blank = place ? strchr(place, ' ') : NULL;
    if (!place)
        return;
    (void)snprintf(host, sizeof host, "%.*s", blank ? (int)(blank - place) : (int)strlen(place), place);
    assert_int_equal(run_set_fact(r, who, names[0], host, &e), 0);
    if (blank)
        assert_int_equal(run_set_fact(r, who, names[1], blank + 1, &e), 0);
}

static void tell_ends(struct run *r, const char *peer, const char *own)
{
    static const char *const names[2][2] = {{"peeraddr", "peerport"}, {"sockaddr", "sockport"}};
    tell_place(r, r->plan->end[LEFT].fwd, names[0], peer);
    tell_place(r, r->plan->end[LEFT].fwd, names[1], own);
}

/* ---- heard ---- */

struct heard {
    const char *left; /* the chain, with whom it meets first */
    const char *says;
    size_t nsays;
    const char *peer, *own;
    const char *facts; /* "name=value name=value ..." */
    const char *message;
    bool looks; /* what it has seen is given back */
};

static void check_facts(const struct heard *h, struct run *r)
{
    char copy[600], *at, *fact;
    (void)snprintf(copy, sizeof copy, "%s", h->facts ? h->facts : "");
    for (fact = strtok_r(copy, " ", &at); fact; fact = strtok_r(NULL, " ", &at)) {
        char *equals = strchr(fact, '=');
        *equals = '\0';
        char *value = run_get_fact(r, fact);
        assert_string_equal(value ? value : "-", equals + 1);
        free(value);
    }
}

static void hear_once(const struct heard *h, const struct plan *p, void **shared, const char *says, size_t n, size_t first)
{
    static struct peer_script s;
    static const char none;
    char rest[40000];
    struct run r;
    struct wire w;
    struct err e = {0};
    s = (struct peer_script){.says = says, .left = n, .first = first};
    assert_int_equal(run_init(&r, &at_home, p, -1, &e), 0);
    r.shared = shared;
    tell_ends(&r, h->peer, h->own);
    assert_int_equal(wire_init(&w, &peer_ops, &s, &r, -1, &e), 0);
    const struct addr *a = p->links[0].fwd;
    int rc = a->form->ops.negotiator->learn((void *)(uintptr_t)&none, a, &r, &w, &e);
    if (rc < 0 && (!h->message || !strstr(e.text, h->message)))
        fail_msg("%s, cut at %zu: %s", h->left, first, e.text);
    assert_int_equal(rc, h->message ? -1 : 0);
    if (rc == 0) {
        check_facts(h, &r);
        size_t follows = h->looks ? n : n - h->nsays;
        assert_int_equal(w.in.len + s.left, follows);
        memcpy(rest, buf_data(&w.in), w.in.len);
        memcpy(rest + w.in.len, s.says, s.left);
        assert_memory_equal(rest, says + n - follows - (s.says + s.left - (says + n)), follows);
    }
    wire_fini(&w);
    r.shared = NULL;
    run_fini(&r);
}

static void hear(const struct heard *h, const char *right)
{
    static char all[40000];
    struct plan *p;
    struct run r;
    void *shared[4] = {NULL};
    struct err e;
    if (plan_make(&at_home, h->left, right, &p, &e) < 0)
        fail_msg("%s: %s", h->left, e.text);
    const struct addr *a = p->links[0].fwd;
    const struct sharing *common = form_common(a->form);
    assert_int_equal(run_init(&r, &at_home, p, -1, &e), 0);
    if (common && common->prepare(a, &r, &shared[0], &e) < 0)
        fail_msg("%s: %s", h->left, e.text);
    memcpy(all, h->says, h->nsays);
    memcpy(all + h->nsays, "early", 5);
    for (size_t first = 1; first <= h->nsays + 5; first += h->nsays > 2000 ? 97 : 1)
        hear_once(h, p, shared, all, h->nsays + 5, first);
    if (common)
        common->release(shared[0]);
    run_fini(&r);
    plan_free(p);
}

#define TOLD "peeraddr=192.0.2.7 peerport=258 sockaddr=198.51.100.9 sockport=443 proxyaddr=10.1.2.3 proxyport=7"
#define NOT_TOLD "peeraddr=10.1.2.3 peerport=7 sockaddr=10.1.2.4 sockport=8 proxyaddr=10.1.2.3 proxyport=7 sni=- uniqueid=-"
#define IP4 "\xc0\0\2\7\xc6\x33\x64\x09\1\2\1\xbb"
#define PATH12 "/run/a.sock\0"
#define ZEROS12 "\0\0\0\0\0\0\0\0\0\0\0\0"
#define PATH108 PATH12 ZEROS12 ZEROS12 ZEROS12 ZEROS12 ZEROS12 ZEROS12 ZEROS12 ZEROS12
#define FROM(text) "proxy-protocol-server" text "|tcp-l:0", BYTES
#define S(bytes) "proxy-protocol-server|tcp-l:0", BYTES(bytes), "10.1.2.3 7", "10.1.2.4 8"
#define S_OF(options, bytes) "proxy-protocol-server," options "|tcp-l:0", BYTES(bytes), "10.1.2.3 7", "10.1.2.4 8"
#define S_BY(options, peer, bytes) "proxy-protocol-server" options "|tcp-l:0", BYTES(bytes), peer, "10.1.2.4 8"

static void headers(void **state)
{
    static const struct heard list[] = {
        {S("PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n"), TOLD},
        {S("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"),
         "peeraddr=[2001:0db8:0000:0000:0000:0000:0000:0001] peerport=1 sockaddr=[0000:0000:0000:0000:0000:0000:0000:0001] sockport=65535"},
        {S("PROXY UNKNOWN\r\n"), NOT_TOLD},
        {S("PROXY UNKNOWN ffff:f ffff:f 65535 65535\r\n"), NOT_TOLD},
        {S(V2 "\x21\x11\0\x0c" IP4), TOLD},
        {S(V2 "\x21\x12\0\x0f" IP4 "\4\0\0"), TOLD},
        {S(V2 "\x21\x21\0\x24" "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\0\2"),
         "peeraddr=[2001:0db8:0000:0000:0000:0000:0000:0001] peerport=1 sockport=2"},
        {S(V2 "\x21\x31\0\xd8" PATH108 PATH108), "peeraddr=/run/a.sock sockaddr=/run/a.sock proxyaddr=10.1.2.3"},
        {S(V2 "\x20\x11\0\x0c" IP4), NOT_TOLD}, /* LOCAL with addresses, as some balancers send them */
        {S(V2 "\x20\0\0\0"), NOT_TOLD},
        {S(V2 "\x20\xff\0\3abc"), NOT_TOLD}, /* ... whatever the family */
        {S(V2 "\x21\0\0\0"), NOT_TOLD},
        {S(V2 "\x21\x41\0\2ab"), NOT_TOLD}, /* a family of later days */
        {S(V2 "\x21\x11\0\x2e" IP4 "\1\0\2h2" "\2\0\x0bwww.example" "\5\0\3x-1" "\xe0\0\2hi" "\x30\0\1n"), TOLD " alpn=h2 sni=www.example uniqueid=x-1"},
        {S(V2 "\x21\x11\0\x14" IP4 "\5\0\1\1" "\2\0\1\n"), TOLD " uniqueid=01 sni=-"},
        {S(V2 "\x21\x11\0\x13" IP4 "\3\0\4\xce\xf2\x93\xcf"), TOLD},
        {S(V2 "\x21\x11\0\x2b" IP4 "\x20\0\x1c" "\7\0\0\0\0" "\x21\0\7TLSv1.3" "\x22\0\2me" "\x23\0\5ABCDE"),
         TOLD " openssl_proto_version=TLSv1.3 openssl_cipher=ABCDE openssl_x509_commonname=me"},
        {S(V2 "\x21\x11\0\x1c" IP4 "\x20\0\x0d" "\7\0\0\0\1" "\x21\0\1T" "\x22\0\1m"), TOLD " openssl_proto_version=T openssl_x509_commonname=-"},
        {S_BY("", "[fe80:0000:0000:0000:0000:0000:0000:0001] 7", "PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n"), "peeraddr=192.0.2.7"},
        {S_BY("", "<anon>", "PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n"), "peeraddr=192.0.2.7 proxyaddr=<anon>"},
        {S_BY(",from=192.0.2.0/24 [2001:db8::]/32", "192.0.2.1 7", "PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n"), "peeraddr=192.0.2.7"},
        {S_BY(",from=any", "203.0.113.1 7", "PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n"), "peeraddr=192.0.2.7"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        hear(&list[i], "pipe");
}

static void refused(void **state)
{
#define WRONG(why) .message = "the PROXY header is wrong: " why
#define NONE .message = "does not begin with a PROXY header"
    static const struct heard list[] = {
        {S("GET / HTTP/1.0\r\n\r\n"), NONE},
        {S("POST / HTTP/1.0\r\n\r\n"), NONE},
        {S("\r\n\r\n\0\r\nQUIX\n\x21\x11\0\x0c" IP4), NONE},
        {S("PROXY TCP4 192.0.2.7 198.51.100.9 258\r\n"), WRONG("it has not two addresses")},
        {S("PROXY TCP4 192.0.2.7  198.51.100.9 258 443\r\n"), WRONG("it has not two addresses")},
        {S("PROXY TCP4 192.0.2.7 198.51.100.9 258 443 1\r\n"), WRONG("it has not two addresses")},
        {S("PROXY TCP4 192.0.2.7 198.51.100.9 258 65536\r\n"), WRONG("a port is none")},
        {S("PROXY TCP4 192.0.2.7 198.51.100.9 0258 443\r\n"), WRONG("a port is none")},
        {S("PROXY TCP4 ::1 ::1 1 2\r\n"), WRONG("an address is none")},
        {S("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"), WRONG("its family is neither")},
        {S("PROXY TCP4 192.0.2.7 198.51.100.9 258 443\n" LONG60 LONG60), WRONG("its line does not end within 107")},
        {S("PROXY UNKNOWN " LONG60 LONG60 "\r\n"), WRONG("its line does not end within 107")},
        {S("PROXY TCP4\0" "192.0.2.7 198.51.100.9 258 443\r\n"), WRONG("it has a NUL")},
        {S(V2 "\x11\x11\0\x0c" IP4), WRONG("version and command are 0x11")},
        {S(V2 "\x22\x11\0\x0c" IP4), WRONG("version and command are 0x22")},
        {S(V2 "\x21\x11\0\x0b" IP4), WRONG("it is shorter than the addresses")},
        {S(V2 "\x21\x11\0\x0e" IP4 "\1\0"), WRONG("a field goes beyond")},
        {S(V2 "\x21\x11\0\x0f" IP4 "\1\0\1"), WRONG("a field goes beyond")},
        {S(V2 "\x21\x11\0\x13" IP4 "\3\0\4\1\2\3\4"), WRONG("its checksum does not fit")},
        {S(V2 "\x21\x11\0\x12" IP4 "\3\0\3\1\2\3"), WRONG("its checksum has not four bytes")},
        {S(V2 "\x21\x11\0\x13" IP4 "\x20\0\4\1\2\3\4"), WRONG("its TLS field is too short")},
        {S_BY("", "203.0.113.1 7", "PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n"), .message = "203.0.113.1 may not say who its clients are"},
        {S_BY(",from=192.0.2.0/24", "10.1.2.3 7", "PROXY UNKNOWN\r\n"), .message = "may not say"},
        {S_BY(",from=192.0.2.0/24", "<anon>", "PROXY UNKNOWN\r\n"), .message = "may not say"},
        {S_BY(",from=unix", "127.0.0.1 7", "PROXY UNKNOWN\r\n"), .message = "may not say"},
        {"proxy-protocol-server|tcp-l:0,range=192.0.2.8/29", BYTES("PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n"), "10.1.2.3 7", "10.1.2.4 8",
         .message = "refusing connection from 192.0.2.7:258 due to range option"},
        {"proxy-protocol-server|tcp-l:0,range=192.0.2.8/29", BYTES(V2 "\x20\0\0\0"), "10.1.2.3 7", "10.1.2.4 8",
         .message = "refusing connection from 10.1.2.3:7 due to range option"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        hear(&list[i], "pipe");
}

/* A header that ends before it is whole, at every byte. */
static void cut_short(void **state)
{
    static const char line[] = "PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n", binary[] = V2 "\x21\x11\0\x0c" IP4;
    struct heard h = {.left = "proxy-protocol-server|tcp-l:0", .peer = "10.1.2.3 7", .message = "the peer closed the connection"};
    void *none[4] = {NULL};
    struct plan *p;
    struct err e;
    (void)state;
    assert_int_equal(plan_make(&at_home, h.left, "pipe", &p, &e), 0);
    for (size_t n = 0; n < sizeof line - 1; n++)
        hear_once(&h, p, none, line, n, 0);
    for (size_t n = 0; n < sizeof binary - 1; n++)
        hear_once(&h, p, none, binary, n, 0);
    plan_free(p);
}

/* ---- sent ---- */

struct sent {
    const char *options, *peer, *own;
    const char *header;
    size_t nheader;
    const char *facts[3][2];
    const char *left;
    const char *message;
};

static void send_one(const struct sent *t)
{
    static struct peer_script s;
    char right[9200];
    struct plan *p;
    struct run r;
    struct wire w;
    struct err e;
    s = (struct peer_script){0};
    (void)snprintf(right, sizeof right, "proxy-protocol%s%s|tcp:127.0.0.1:1", *t->options ? "," : "", t->options);
    if (plan_make(&at_home, t->left ? t->left : "tcp-l:0", right, &p, &e) < 0)
        fail_msg("%s: %s", right, e.text);
    assert_int_equal(run_init(&r, &at_home, p, -1, &e), 0);
    tell_ends(&r, t->peer, t->own);
    for (size_t i = 0; i < 3 && t->facts[i][0]; i++)
        assert_int_equal(run_set_fact(&r, p->end[LEFT].fwd, t->facts[i][0], t->facts[i][1], &e), 0);
    /* what is on the other side is nobody's client */
    assert_int_equal(run_set_fact(&r, p->end[RIGHT].fwd, "peeraddr", "203.0.113.1", &e), 0);
    assert_int_equal(run_set_fact(&r, p->end[RIGHT].fwd, "sockaddr", "203.0.113.2", &e), 0);
    assert_int_equal(wire_init(&w, &peer_ops, &s, &r, -1, &e), 0);
    const struct addr *a = p->links[p->nlinks - 1].fwd;
    void *st = calloc(1, a->form->ops.negotiator->state_size);
    int rc = a->form->ops.negotiator->learn(st, a, &r, &w, &e);
    free(st);
    assert_int_equal(rc, t->message ? -1 : 0);
    if (rc < 0) {
        assert_non_null(strstr(e.text, t->message));
        assert_int_equal(s.nheard, 0);
    }
    else if (s.nheard != t->nheader || memcmp(s.heard, t->header, t->nheader) != 0) {
        for (size_t i = 0; i < s.nheard; i++)
            print_error("\\x%02x", s.heard[i]);
        fail_msg("%s: another header of %zu bytes", right, s.nheard);
    }
    wire_fini(&w);
    run_fini(&r);
    plan_free(p);
}

static void is_sent(void **state)
{
#define ENDS "192.0.2.7 258", "198.51.100.9 443"
#define OK(s) BYTES(V2 s)
    static const struct sent list[] = {
        {"", ENDS, BYTES("PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n")},
        {"version=1", "[2001:0db8:0000:0000:0000:0000:0000:0001] 1", "[0000:0000:0000:0000:0000:0000:0000:0001] 65535",
         BYTES("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n")},
        {"", "[0000:0000:0000:0000:0000:ffff:c000:0207] 258", "[0000:0000:0000:0000:0000:ffff:c633:6409] 443",
         BYTES("PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n")},
        {"", "192.0.2.7 258", "[0000:0000:0000:0000:0000:0000:0000:0001] 2", BYTES("PROXY TCP6 ::ffff:192.0.2.7 ::1 258 2\r\n")},
        {"", "/run/a.sock", "/run/a.sock", BYTES("PROXY UNKNOWN\r\n")},
        {"", NULL, NULL, BYTES("PROXY UNKNOWN\r\n")},
        {"unknown", ENDS, BYTES("PROXY UNKNOWN\r\n")},
        {"version=2", ENDS, OK("\x21\x11\0\x0c" IP4)},
        {"version=2", ENDS, OK("\x21\x12\0\x0c" IP4), .left = "udp-l:0"},
        {"version=2", NULL, NULL, OK("\x20\0\0\0")},
        {"version=2,unknown", ENDS, OK("\x20\0\0\0")},
        {"version=2", "/run/a.sock", "/run/a.sock", OK("\x21\x31\0\xd8" PATH108 PATH108)},
        {"version=2", "x0102", "x0102", OK("\x21\0\0\0")},
        {"tlv=0xE0:hi,tlv=0xe1:,authority=www.example,alpn=h2,unique-id=x-1", ENDS,
         OK("\x21\x11\0\x2d" IP4 "\1\0\2h2" "\2\0\x0bwww.example" "\5\0\3x-1" "\xe0\0\2hi" "\xe1\0\0")},
        {"crc32c", ENDS, OK("\x21\x11\0\x13" IP4 "\3\0\4\xce\xf2\x93\xcf")},
        {"authority,alpn", ENDS, OK("\x21\x11\0\x1f" IP4 "\1\0\2h2" "\2\0\x0bwww.example"), {{"sni", "www.example"}, {"alpn", "h2"}}},
        {"authority,alpn", ENDS, OK("\x21\x11\0\x0c" IP4)},
        {"tls", ENDS, OK("\x21\x11\0\x14" IP4 "\x20\0\5" "\0\0\0\0\1")},
        {"tls", ENDS, OK("\x21\x11\0\x2e" IP4 "\x20\0\x1f" "\7\0\0\0\0" "\x21\0\7TLSv1.3" "\x22\0\5me-me" "\x23\0\5ABCDE"),
         {{"openssl_proto_version", "TLSv1.3"}, {"openssl_cipher", "ABCDE"}, {"openssl_x509_commonname", "me-me"}}},
        {"tls", ENDS, OK("\x21\x11\0\x26" IP4 "\x20\0\x17" "\7\0\0\0\1" "\x21\0\7TLSv1.3" "\x22\0\5me-me"),
         {{"openssl_proto_version", "TLSv1.3"}, {"openssl_x509_commonname", "me-me"}}, .left = "openssl-server,verify=0|tcp-l:0"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        send_one(&list[i]);
}

/* Bounded, and nothing of it is sent. */
static void too_long(void **state)
{
    static char options[9100];
    static const struct sent t = {options, ENDS, .message = "more than 8192 bytes"};
    char *to = options;
    (void)state;
    for (int i = 0; i < 45; i++)
        to += snprintf(to, (size_t)(options + sizeof options - to), "%stlv=0xE0:" LONG60 LONG60 LONG60, i ? "," : "");
    send_one(&t);
}

/* ---- the command line ---- */

static void mistakes(void **state)
{
    static const char *const list[][3] = {
        {"tcp-l:0", "proxy-protocol,version=3|tcp:h:1", "there are versions 1 and 2"},
        {"tcp-l:0", "proxy-protocol,version=1,crc32c|tcp:h:1", "need version 2"},
        {"tcp-l:0", "proxy-protocol,tlv=256:x|tcp:h:1", "from 0 to 255"},
        {"tcp-l:0", "proxy-protocol,tlv=0x20:x|tcp:h:1", "is what option tls makes"},
        {"tcp-l:0", "proxy-protocol,unique-id=" LONG60 LONG60 LONG60 "|tcp:h:1", "180 bytes are too many"},
        {"proxy-protocol-server,from=|tcp-l:0", "pipe", "nothing is named"},
        {"proxy-protocol-server,from=10.0.0.0/8 host|tcp-l:0", "pipe", "\"host\" is neither a network"},
        {"socks-server|proxy-protocol-server|tcp-l:0,bind=127.0.0.1", "tcp:{targethost}:1", "would be connected to anything"},
        {"socks-server|proxy-protocol-server|unix-l:/x", "tcp:{targethost}:1", "would be connected to anything"},
        {"proxy-protocol-server,crc32c|tcp-l:0", "pipe", "option \"crc32c\" is not for this address"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct plan *p;
        struct err e = {0};
        if (plan_make(&at_home, list[i][0], list[i][1], &p, &e) == 0)
            fail_msg("%s %s: is no mistake", list[i][0], list[i][1]);
        if (!strstr(e.text, list[i][2]))
            fail_msg("%s %s: %s", list[i][0], list[i][1], e.text);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers), cmocka_unit_test(refused), cmocka_unit_test(cut_short), cmocka_unit_test(is_sent),
        cmocka_unit_test(too_long), cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
