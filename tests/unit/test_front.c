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
#include <unistd.h>

#include <cmocka.h>

#include "../home.h"
#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/routes.h"
#include "catena/run.h"
#include "inter/front/proxy_header.h"
#include "unit.h"
#include "wire_script.h"

#define BYTES(s) (s), sizeof(s) - 1
#define V2 "\r\n\r\n\0\r\nQUIT\n"
#define LONG60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

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
    char copy[1200], *at, *fact;
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
    static struct client_script s;
    static const char none;
    static char rest[120000];
    struct run r;
    struct wire w;
    struct err e = {0};
    s = (struct client_script){.says = says, .left = n, .first = first};
    assert_int_equal(run_init(&r, &at_home, p, -1, &e), 0);
    r.shared = shared;
    tell_ends(&r, h->peer, h->own);
    assert_int_equal(wire_init(&w, &client_ops, &s, &r, -1, &e), 0);
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
    static char all[120000];
    struct plan *p;
    struct run r;
    void *shared[4] = {NULL};
    struct err e;
    if (plan_make(&at_home, h->left, right, &p, &e) < 0)
        fail_msg("%s: %s", h->left, e.text);
    if (plan_look_up(p, &e) < 0)
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
#define LINES108 "/run/a\nb.s\0" ZEROS12 ZEROS12 ZEROS12 ZEROS12 ZEROS12 ZEROS12 ZEROS12 ZEROS12
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
        {S(V2 "\x21\x31\0\xd8" PATH108 PATH108),
         "peeraddr=/run/a.sock peerport=- sockaddr=/run/a.sock sockport=- proxyaddr=10.1.2.3 proxyport=7"},
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
        {S_BY(",from=unix", NULL, "PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n"), "peeraddr=192.0.2.7 proxyaddr=-"},
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
        {S(V2 "\x21\x31\0\xd8" LINES108 PATH108), WRONG("the name of a socket has control characters")},
        {S(V2 "\x21\x31\0\xd8" PATH108 LINES108), WRONG("the name of a socket has control characters")},
        {S(V2 "\x21\x11\0\x0e" IP4 "\1\0"), WRONG("a field goes beyond")},
        {S(V2 "\x21\x11\0\x0f" IP4 "\1\0\1"), WRONG("a field goes beyond")},
        {S(V2 "\x21\x11\0\x13" IP4 "\3\0\4\1\2\3\4"), WRONG("its checksum does not fit")},
        {S(V2 "\x21\x11\0\x12" IP4 "\3\0\3\1\2\3"), WRONG("its checksum has not four bytes")},
        {S(V2 "\x21\x11\0\x13" IP4 "\x20\0\4\1\2\3\4"), WRONG("its TLS field is too short")},
        {S_BY("", "203.0.113.1 7", "PROXY TCP4 192.0.2.7 198.51.100.9 258 443\r\n"), .message = "203.0.113.1 may not say who its clients are"},
        {S_BY(",from=192.0.2.0/24", "10.1.2.3 7", "PROXY UNKNOWN\r\n"), .message = "may not say"},
        {S_BY(",from=192.0.2.0/24", "<anon>", "PROXY UNKNOWN\r\n"), .message = "may not say"},
        {S_BY("", NULL, "PROXY UNKNOWN\r\n"), .message = "the peer may not say"},
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
    static struct client_script s;
    char right[9200];
    struct plan *p;
    struct run r;
    struct wire w;
    struct err e;
    s = (struct client_script){0};
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
    assert_int_equal(wire_init(&w, &client_ops, &s, &r, -1, &e), 0);
    const struct addr *a = p->links[p->nlinks - 1].fwd;
    void *st = calloc(1, a->form->ops.negotiator->state_size);
    int rc = a->form->ops.negotiator->learn(st, a, &r, &w, &e);
    free(st);
    assert_int_equal(rc, t->message ? -1 : 0);
    if (rc < 0) {
        assert_non_null(strstr(e.text, t->message));
        assert_int_equal(s.nheard, 0);
    }
    else if (s.writes != 1 || s.nheard != t->nheader || memcmp(s.heard, t->header, t->nheader) != 0) {
        for (size_t i = 0; i < s.nheard; i++)
            print_error("\\x%02x", (unsigned char)s.heard[i]);
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
        {"authority,alpn", ENDS, OK("\x21\x11\0\x0c" IP4), {{"alpn", "h2,http/1.1"}}},
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

/* ---- clients of TLS ---- */

struct hello { /* what a client says first, in records of so many bytes */
    const char *name, *alpn; /* as they stand there; name NULL: no such extension */
    size_t record, padding;
};

static size_t put(char *to, size_t n, size_t number, int bytes)
{
    for (int i = bytes; i-- > 0;)
        to[n++] = (char)(number >> (8 * i));
    return n;
}

static size_t put_extension(char *to, size_t n, unsigned type, const char *data, size_t len)
{
    n = put(to, n, type, 2);
    n = put(to, n, len, 2);
    memcpy(to + n, data, len);
    return n + len;
}

static size_t make_message(const struct hello *h, char *m)
{
    char data[600];
    size_t n = 4 + 2, head, extensions, k;
    memset(m, 'r', n + 32);
    m[0] = 1;
    n = put(m, n + 32, 3, 1);
    n = put(m, n, 0x616263, 3);  /* session */
    n = put(m, n, 2, 2);         /* ciphers */
    n = put(m, n, 0x1301, 2);
    n = put(m, n, 0x0100, 2);    /* no compression */
    extensions = n;
    n += 2;
    if (h->padding > 0) {
        n = put(m, n, 21, 2);
        n = put(m, n, h->padding, 2);
        memset(m + n, 0, h->padding);
        n += h->padding;
    }
    if (h->name) {
        k = put(data, 0, strlen(h->name) + 3, 2);
        k = put(data, k, 0, 1);
        k = put(data, k, strlen(h->name), 2);
        memcpy(data + k, h->name, strlen(h->name));
        n = put_extension(m, n, 0, data, k + strlen(h->name));
    }
    if (h->alpn) {
        k = put(data, 0, strlen(h->alpn), 2);
        memcpy(data + k, h->alpn, strlen(h->alpn));
        n = put_extension(m, n, 16, data, k + strlen(h->alpn));
    }
    head = put(m, extensions, n - extensions - 2, 2);
    assert_true(head > 0);
    (void)put(m, 1, n - 4, 3);
    return n;
}

static size_t make_hello(const struct hello *h, char *to)
{
    static char message[20000];
    size_t n = 0, len = make_message(h, message), record = h->record ? h->record : 16384;
    for (size_t at = 0; at < len; at += record) {
        size_t part = len - at < record ? len - at : record;
        n = put(to, n, 0x160301, 3);
        n = put(to, n, part, 2);
        memcpy(to + n, message + at, part);
        n += part;
    }
    return n;
}

#define LABEL63 LONG60 "aaa"
#define LONG255 LABEL63 "." LABEL63 "." LABEL63 "." LABEL63

static void peeks(void **state)
{
    static const struct {
        const char *options;
        struct hello hello;
        const char *facts, *message;
    } list[] = {
        {"allow=*", {"www.example", "\2h2\10http/1.1"}, "proto=tls sni=www.example alpn=h2,http/1.1", NULL},
        {"allow=*", {"WWW.Example.", NULL}, "sni=www.example alpn=-", NULL},
        {"allow=*", {"a_b.example", "\2h2", .record = 1}, "sni=a_b.example alpn=h2", NULL},
        {"allow=*", {"www.example", "\2\x0a\x0a\2h2", .record = 7, .padding = 1700}, "sni=www.example alpn=h2", NULL},
        {"allow=*", {"www.example", NULL, .padding = 16200}, "sni=www.example", NULL},
        {"allow=*", {LONG255, NULL}, "sni=" LONG255, NULL},
        {"open", {NULL, NULL}, "proto=tls sni=- alpn=-", NULL},
        {"open", {"192.0.2.1", NULL}, "proto=tls sni=-", NULL},
        {"open,no-sni=other.example", {NULL, NULL}, "sni=other.example", NULL},
        {"open,no-sni=other.example", {"10.1", NULL}, "sni=other.example", NULL},
        {"allow=*.example a.test", {"b.example", NULL}, "sni=b.example", NULL},
        {"allow=*.example a.test", {"a.test", NULL}, "sni=a.test", NULL},
        {"allow=*.example a.test", {"b.test", NULL}, NULL, "the server \"b.test\" may not be reached"},
        {"allow=*.example", {NULL, NULL}, NULL, "the client names no server"},
        {"open,deny=b.*", {"b.test", NULL}, NULL, "may not be reached"},
        {"open", {"a b", NULL}, NULL, "the server's name in it is none of a host"},
        {"open", {"a..b", NULL}, NULL, "is none of a host"},
        {"open", {"-a", NULL}, NULL, "is none of a host"},
        {"open", {"a/../b", NULL}, NULL, "is none of a host"},
        {"open", {"a:1", NULL}, NULL, "is none of a host"},
        {"open", {"x\xc3\xa4", NULL}, NULL, "is none of a host"},
        {"open", {LONG255 "a", NULL}, NULL, "is none of a host"},
        {"open", {"", NULL}, NULL, "is none of a host"},
        {"open", {"a", NULL, .padding = 17000}, NULL, "it has more than 16384 bytes"},
        {"open", {"a", "\5h2"}, NULL, "its extensions are shorter"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        static char bytes[120000];
        char left[200];
        (void)snprintf(left, sizeof left, "sni-peek,%s|tcp-l:0", list[i].options);
        const struct heard h = {left, bytes, make_hello(&list[i].hello, bytes), "192.0.2.7 258", "198.51.100.9 443", list[i].facts,
                                list[i].message, true};
        hear(&h, "pipe");
    }
}

static void no_hello(void **state)
{
    static const struct heard list[] = {
        {"sni-peek,open|tcp-l:0", BYTES("GET / HTTP/1.0\r\n"), .message = "does not speak TLS: it begins with byte 0x47"},
        {"sni-peek,open|tcp-l:0", BYTES("\x16\x02\1\0\5abcde"), .message = "does not speak TLS"},
        {"sni-peek,open|tcp-l:0", BYTES("\x16\3\1\0\0abcde"), .message = "does not speak TLS"},
        {"sni-peek,open|tcp-l:0", BYTES("\x16\3\1\x40\1abcde"), .message = "does not speak TLS"},
        {"sni-peek,open|tcp-l:0", BYTES("\x16\3\1\0\5\2abcd"), .message = "does not speak TLS"},
        {"sni-peek,open|tcp-l:0", BYTES("\x16\3\1\0\2\1\0\x17\3\1\0\5abcde"), .message = "something else stands in the middle"},
        {"sni-peek,open|tcp-l:0", BYTES("\x16\3\1\0\6\1\0\0\2\3\3"), .message = "it is shorter than it says"},
        {"sni-peek,open,no-tls=plain.example|tcp-l:0", BYTES("GET / HTTP/1.0\r\n"), .facts = "proto=other sni=plain.example", .looks = true},
        {"sniff|tcp-l:0", BYTES("GET / HTTP/1.0\r\n"), .facts = "proto=http", .looks = true},
        {"sniff|tcp-l:0", BYTES("PRI * HTTP/2.0\r\n"), .facts = "proto=http", .looks = true},
        {"sniff|tcp-l:0", BYTES("POST /"), .facts = "proto=http", .looks = true},
        {"sniff|tcp-l:0", BYTES("POSTED"), .facts = "proto=other", .looks = true},
        {"sniff|tcp-l:0", BYTES("SSH-2.0-x\r\n"), .facts = "proto=ssh", .looks = true},
        {"sniff|tcp-l:0", BYTES("\x16\3\1\2\0\1"), .facts = "proto=tls", .looks = true},
        {"sniff|tcp-l:0", BYTES("\x16\3\1\2\0\2"), .facts = "proto=other", .looks = true},
        {"sniff|tcp-l:0", BYTES("\5\2\0\2"), .facts = "proto=socks", .looks = true},
        {"sniff|tcp-l:0", BYTES("\5\0\0\2"), .facts = "proto=other", .looks = true},
        {"sniff|tcp-l:0", BYTES("\4\1\0\x50"), .facts = "proto=socks", .looks = true},
        {"sniff|tcp-l:0", BYTES("\4\3\0\x50"), .facts = "proto=other", .looks = true},
        {"sniff|tcp-l:0", BYTES("\0"), .facts = "proto=other", .looks = true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        hear(&list[i], "pipe");
}

/* ---- maps ---- */

static void write_map(const char *text)
{
    FILE *f = fopen("map", "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void maps(void **state)
{
    static const struct heard list[] = {
        {"sniff,to=map|tcp-l:0", BYTES("SSH-2.0-x\r\n"), .facts = "proto=ssh targethost=192.0.2.1 targetport=22 route=3", .looks = true},
        {"sniff,to=map|tcp-l:0", BYTES("GET / HTTP/1.0\r\n"), .facts = "targethost=[2001:db8::1] targetport=80 route=4", .looks = true},
        {"sniff,to=map|tcp-l:0", BYTES("\5\1\0"), .facts = "targethost=web-1.example targetport=65535 route=5", .looks = true},
        {"sniff,to=map|tcp-l:0", BYTES("other"), .message = "no line of map says where \"other\" leads"},
    };
    static const char *const bad[][2] = {
        {"ssh\n", "map, line 1: a name needs behind it where it leads"},
        {"\n\ns/h a:1\n", "map, line 3: a name has letters"},
        {"ssh tcp:h:1\n", "map, line 1: a chain takes the place"},
        {"ssh h:0", "map, line 1: a chain takes the place"},
        {"# nothing\n\n", "map: no line says where anything leads"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        write_map("# a map\n\n  SSH \t192.0.2.1:22 \r\nhttp [2001:db8::1]:80\nso*s web-1.example:65535\nsocks a:1");
        hear(&list[i], "tcp:{targethost}:{targetport}");
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct plan *p;
        struct err e = {0};
        write_map(bad[i][0]);
        assert_int_equal(plan_make(&at_home, "sniff,to=map|tcp-l:0", "tcp:{targethost}:{targetport}", &p, &e), 0);
        assert_int_equal(plan_look_up(p, &e), -1);
        if (!strstr(e.text, bad[i][1]))
            fail_msg("%s", e.text);
        plan_free(p);
    }
}

/* The chains of a map are plans that are made with it, and wrong ones are told. */
static void routed(void **state)
{
    static const char *const bad[][3] = {
        {"* tcp:h:1,nosuch\n", "sniff,to=map|tcp-l:0", "map, line 1: second address \"tcp\": unknown option"},
        {"* route\n", "sniff,to=map|tcp-l:0", "a map leads to no other map"},
        {"* tcp:{sni}:443\n", "sniff,to=map|tcp-l:0", "nobody who is opened before tells that"},
        {"* tcp:{sni}:443\n", "sni-peek,to=map|tcp-l:0", "would be connected to anything"},
        {"*.* tcp:{sni}:443\n", "sni-peek,to=map|tcp-l:0", "would be connected to anything"},
    };
    static const char *const good[][2] = {
        {"*.example tcp:{sni}:443\n* tcp:h:1", "sni-peek,to=map|tcp-l:0"},
        {"* tcp:{sni}:443\n", "sni-peek,to=map,allow=*.example|tcp-l:0"},
        {"* tcp:{sni}:443\n", "sni-peek,to=map|tcp-l:0,bind=127.0.0.1"},
        {"* tcp:{sni}:443\n", "sni-peek,to=map,open|tcp-l:0"},
        {"* gzip|tcp:h:1\n", "openssl-server|sni-peek,to=map|tcp-l:0"},
        {"* gzip|tcp:h:1\n", "sni-peek,to=map|proxy-protocol-server|tcp-l:0"},
    };
    struct plan *p;
    struct err e;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_map(bad[i][0]);
        assert_int_equal(plan_make(&at_home, bad[i][1], "route", &p, &e), 0);
        assert_int_equal(plan_look_up(p, &e), -1);
        if (!strstr(e.text, bad[i][2]))
            fail_msg("%s", e.text);
        plan_free(p);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        write_map(good[i][0]);
        if (plan_make(&at_home, good[i][1], "route", &p, &e) < 0 || plan_look_up(p, &e) < 0)
            fail_msg("%s: %s", good[i][1], e.text);
        assert_non_null(p->routes->v[0].plan);
        assert_true(p->nfigures >= p->routes->v[0].plan->nlinks);
        plan_free(p);
    }
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
        {"socks-server|proxy-protocol-server,from=any|tcp-l:0,range=10.0.0.0/8", "tcp:{targethost}:1", "or from=<proxies>, as anybody may say now that range"},
        {"socks-server|proxy-protocol-server,from=unix 0.0.0.0/0|tcp-l:0,bind=127.0.0.1", "tcp:{targethost}:1", "or range there with from=<proxies>"},
        {"socks-server|proxy-protocol-server|tcp-l:0,range=0.0.0.0/0", "tcp:{targethost}:1", "or a narrower range there)"},
        {"socks-server|tcp-l:0,range=0.0.0.0:0.0.0.0", "tcp:{targethost}:1", "or a narrower range or bind=127.0.0.1 there)"},
        {"socks-server|proxy-protocol-server|unix-l:/x", "tcp:{targethost}:1", "would be connected to anything"},
        {"sni-peek|tcp-l:0", "tcp:{sni}:443", "would be connected to anything"},
        {"sni-peek,deny=x|tcp-l:0", "socks5:{sni}:443|tcp:h:1", "would be connected to anything"},
        {"sni-peek,allow=*.example:443|tcp-l:0", "pipe", "has numbers or ports"},
        {"sni-peek,allow=10.0.0.0/8|tcp-l:0", "pipe", "has numbers or ports"},
        {"sni-peek,no-sni=a/b|tcp-l:0", "pipe", "cannot be the name of a server"},
        {"sni-peek|tcp-l:0", "tcp:{targethost}:443", "tells only with option to"},
        {"sniff,on-timeout=tl|tcp-l:0", "pipe", "is none of: tls http"},
        {"sniff,sniff-timeout=0|tcp-l:0", "pipe", "more than 0 seconds"},
        {"tcp-l:0", "route", "nobody in the left chain chooses"},
        {"sniff|tcp-l:0", "route", "nobody in the left chain chooses"},
        {"sniff,to=map|tcp-l:0", "gzip|route", "links stand there"},
        {"sniff,to=map|openssl-server|tcp-l:0", "route", "stands behind something else"},
        {"sniff,to=map|socks-server,open|tcp-l:0", "route", "stands behind something else"},
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

/* Maps are named as they are on a command line. */
static int begin(void **state)
{
    char dir[4096];
    if (unit_begin(state) != 0)
        return -1;
    (void)snprintf(dir, sizeof dir, "%s", unit_path("map"));
    *strrchr(dir, '/') = '\0';
    return chdir(dir);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers), cmocka_unit_test(refused), cmocka_unit_test(cut_short), cmocka_unit_test(is_sent),
        cmocka_unit_test(too_long), cmocka_unit_test(peeks), cmocka_unit_test(no_hello), cmocka_unit_test(maps),
        cmocka_unit_test(routed), cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, begin, unit_end);
}
