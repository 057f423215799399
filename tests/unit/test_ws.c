/* SPDX-License-Identifier: GPL-2.0-or-later
 * WebSocket in memory: two ends that talk to each other, cut at every byte and joined with what follows; and one
 * end alone with a peer that says exactly what a row says, right or wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "inter/libraries/libraries.h"
#include "inter/ws/ws.h"
#include "../home.h"

enum { BUF = 8192 };
#define BYTES(s) (s), sizeof(s) - 1

static const struct settings settings = {.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                         .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};

/* ---- one end ---- */

struct end {
    struct plan *plan;
    struct run run;
    const struct addr *a;
    const struct session_ops *ops;
    void *shared, *st;
    struct buf buf[4];
    struct session_side data, wire;
    struct err e;
    bool failed;
    unsigned char got[1 << 19]; /* of its data, */
    size_t ngot, nrecords, length[64]; /* and records */
};

static void end_open(struct end *end, const char *address)
{
    memset(end, 0, offsetof(struct end, got));
    end->ngot = end->nrecords = 0;
    assert_int_equal(plan_make(&settings, "-", address, &end->plan, &end->e), 0);
    assert_int_equal(run_init(&end->run, &settings, end->plan, -1, &end->e), 0);
    end->a = end->plan->links[0].fwd;
    end->ops = end->a->form->ops.session;
    if (end->ops->common.prepare(end->a, &end->run, &end->shared, &end->e) < 0)
        fail_msg("%s", end->e.text);
    assert_int_equal(end->ops->open(end->a, &end->run, end->shared, &end->st, &end->e), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(buf_init(&end->buf[i], BUF), 0);
    end->data = (struct session_side){.in = &end->buf[0], .out = &end->buf[1], .piece = 8192};
    end->wire = (struct session_side){.in = &end->buf[2], .out = &end->buf[3]};
}

static void end_close(struct end *end)
{
    end->ops->close(end->st);
    end->ops->common.release(end->shared);
    run_fini(&end->run);
    plan_free(end->plan);
    for (int i = 0; i < 4; i++)
        buf_fini(&end->buf[i]);
}

static void collect(struct end *end)
{
    struct buf *b = end->data.out;
    if (end->data.records && buf_holds(b)) {
        assert_true(b->record);
        end->length[end->nrecords++ % 64] = b->len;
    }
    assert_true(end->ngot + b->len <= sizeof end->got);
    if (b->len > 0)
        memcpy(end->got + end->ngot, buf_data(b), b->len);
    end->ngot += b->len;
    buf_consume(b, b->len);
}

static void end_step(struct end *end)
{
    if (end->failed)
        return;
    end->data.packets = end->data.in->record;
    end->failed = end->ops->step(end->st, &end->data, &end->wire, &end->e) < 0;
    if (!end->failed || buf_holds(end->data.out))
        collect(end);
}

/* ---- two that talk to each other ---- */

static void carry(struct end *from, struct end *to, size_t piece)
{
    size_t n = from->wire.out->len < piece ? from->wire.out->len : piece;
    n = n > 0 ? buf_put(to->wire.in, buf_data(from->wire.out), n) : 0;
    if (n > 0)
        buf_consume(from->wire.out, n);
    to->wire.in_eof = from->wire.out_eof && from->wire.out->len == 0;
}

static bool speaks_text; /* of characters of three bytes, which no block is a multiple of */

static unsigned char pattern(size_t i)
{
    if (speaks_text)
        return (unsigned char)"\xe2\x82\xac"[i % 3];
    return (unsigned char)(i % 7 ? 'a' + i % 23 : i * 31 + (i >> 8));
}

struct source {
    size_t sent, size, block;
    const size_t *records; /* their sizes up to one of SIZE_MAX, or NULL */
    unsigned next;
};

static void feed(struct end *end, struct source *s)
{
    struct buf *b = end->data.in;
    if (buf_holds(b))
        return;
    size_t n = s->size - s->sent < s->block ? s->size - s->sent : s->block;
    bool more = s->records ? s->records[s->next] != SIZE_MAX : n > 0;
    if (s->records && more) {
        n = s->records[s->next++];
        b->record = true;
        assert_int_equal(buf_grow(b, n + 1), 0);
    }
    for (size_t i = 0; more && i < n; i++) {
        unsigned char c = pattern(s->sent++);
        assert_int_equal(buf_put(b, &c, 1), 1);
    }
    end->data.in_eof = s->records ? s->records[s->next] == SIZE_MAX && !buf_holds(b) : s->sent == s->size;
}

static struct end ends[2];

static void talk(const char *client, const char *server, struct source source[2], size_t piece)
{
    end_open(&ends[0], client);
    end_open(&ends[1], server);
    for (int i = 0; i < 2; i++)
        ends[i].data.records = source[0].records != NULL;
    for (int step = 0; step < 4000000 && !(ends[0].data.out_eof && ends[1].data.out_eof); step++)
        for (int i = 0; i < 2; i++) {
            feed(&ends[i], &source[i]);
            end_step(&ends[i]);
            if (ends[i].failed)
                fail_msg("%s | %s, %zu at once: %s", client, server, piece, ends[i].e.text);
            carry(&ends[i], &ends[!i], piece);
        }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ends[i].ngot, source[!i].sent);
        for (size_t k = 0; k < ends[i].ngot; k++)
            if (ends[i].got[k] != pattern(k))
                fail_msg("%s: byte %zu is another one", client, k);
    }
}

static const char *const pairs[][2] = {
    {"ws|pipe", "ws-server|pipe"},
    {"ws:/chat,subprotocol=a b,origin=http://x,header=X: y|pipe", "ws-server:/chat,subprotocol=b,origin=http://*|pipe"},
    {"ws,deflate|pipe", "ws-server,deflate|pipe"},
    {"ws,deflate=1,auth=u:p|pipe", "ws-server,deflate=9,auth=u:p|pipe"},
    {"ws,deflate|pipe", "ws-server|pipe"},
};
enum { NPAIRS = sizeof pairs / sizeof pairs[0] };

static void streams_arrive_however_they_are_cut(void **state)
{
    static const size_t pieces[] = {1, 2, 3, 7, 100, BUF};
    (void)state;
    for (size_t p = 0; p < NPAIRS; p++)
        for (size_t k = 0; k < sizeof pieces / sizeof pieces[0]; k++) {
            size_t size = pieces[k] < 100 ? 3000 : 200000;
            struct source s[2] = {{.size = size, .block = 700}, {.size = size + 5, .block = BUF}};
            talk(pairs[p][0], pairs[p][1], s, pieces[k]);
            end_close(&ends[0]);
            end_close(&ends[1]);
        }
}

static void text_goes_through_cut_between_characters(void **state)
{
    static const char *const texts[][2] = {{"ws,text|pipe", "ws-server,text|pipe"},
                                           {"ws,text,deflate|pipe", "ws-server,text,deflate|pipe"}};
    (void)state;
    speaks_text = true;
    for (size_t p = 0; p < 2; p++)
        for (size_t block = 1; block < 800; block += block < 8 ? 1 : 97) {
            struct source s[2] = {{.size = 30000, .block = block}, {.size = 3000, .block = 2}};
            talk(texts[p][0], texts[p][1], s, 1000);
            end_close(&ends[0]);
            end_close(&ends[1]);
        }
    speaks_text = false;
}

static void records_stay_records_and_empty_ones_are_some(void **state)
{
    static const size_t sizes[] = {0, 1, 125, 126, 0, 0, 65535, 65536, 3, 100000, 0, SIZE_MAX};
    static const size_t pieces[] = {1, 5, 1000, BUF};
    (void)state;
    for (size_t p = 0; p < NPAIRS; p++)
        for (size_t k = p == 0 ? 0 : 2; k < sizeof pieces / sizeof pieces[0]; k++) {
            struct source s[2] = {{.records = sizes}, {.records = sizes}};
            talk(pairs[p][0], pairs[p][1], s, pieces[k]);
            for (int i = 0; i < 2; i++) {
                assert_int_equal(ends[i].nrecords, 11);
                assert_memory_equal(ends[i].length, sizes, 11 * sizeof *sizes);
                end_close(&ends[i]);
            }
        }
}

/* ---- one that talks to a row ---- */

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ASKS "GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
#define WELL ASKS "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\n"
#define PACKED "Sec-WebSocket-Extensions: permessage-deflate\r\n"

/* What it has said, from the wire. */
static unsigned char said[1 << 16];
static size_t nsaid;

static void hear(struct end *end)
{
    struct buf *b = end->wire.out;
    assert_true(nsaid + b->len < sizeof said);
    memcpy(said + nsaid, b->len > 0 ? buf_data(b) : said, b->len);
    nsaid += b->len;
    said[nsaid] = '\0';
    buf_consume(b, b->len);
}

static void tell(struct end *end, const void *text, size_t n, size_t piece)
{
    const unsigned char *p = text;
    for (int idle = 0; idle < 3 && !end->failed; idle = n > 0 ? 0 : idle + 1) {
        size_t k = n < piece ? n : piece;
        k = k > 0 ? buf_put(end->wire.in, p, k) : 0;
        p += k;
        n -= k;
        end_step(end);
        hear(end);
    }
}

static void server_begins(struct end *end, const char *address, const char *more, size_t piece)
{
    char text[1024];
    end_open(end, address);
    nsaid = 0;
    (void)snprintf(text, sizeof text, WELL "%s\r\n", more);
    tell(end, text, strlen(text), piece);
    assert_false(end->failed);
    assert_non_null(strstr((char *)said, "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n")); /* RFC 6455, 1.3 */
    nsaid = 0;
}

#define M "\x37\xfa\x21\x3d" /* a mask; 0 to XOR with where only the head matters */
#define Z "\0\0\0\0"
static const struct wrong {
    const char *frames;
    size_t n;
    unsigned code;
    const char *why;
    const char *options, *more;
} wrongs[] = {
    {BYTES("\x82\1x"), 1002, "is not masked", "", ""},
    {BYTES("\xc2\x80" Z), 1002, "reserved bits", "", ""},
    {BYTES("\xa2\x80" Z), 1002, "reserved bits", ",deflate", PACKED},
    {BYTES("\xc9\x80" Z), 1002, "reserved bits", ",deflate", PACKED},
    {BYTES("\x02\x80" Z "\xc0\x80" Z), 1002, "reserved bits", ",deflate", PACKED},
    {BYTES("\x83\x80" Z), 1002, "unknown kind", "", ""},
    {BYTES("\x87\x80" Z), 1002, "unknown kind", "", ""},
    {BYTES("\x8b\x80" Z), 1002, "unknown kind", "", ""},
    {BYTES("\x8f\x80" Z), 1002, "unknown kind", "", ""},
    {BYTES("\x09\x80" Z), 1002, "is a fragment", "", ""},
    {BYTES("\x08\x80" Z), 1002, "is a fragment", "", ""},
    {BYTES("\x89\xfe\0\x7e" Z), 1002, "more than 125 bytes", "", ""},
    {BYTES("\x80\x80" Z), 1002, "has not begun", "", ""},
    {BYTES("\x02\x81" Z "a\x82\x80" Z), 1002, "within another", "", ""},
    {BYTES("\x82\xfe\0\x7d" Z), 1002, "shortest", "", ""},
    {BYTES("\x82\xff\0\0\0\0\0\0\xff\xff" Z), 1002, "shortest", "", ""},
    {BYTES("\x82\xff\x80\0\0\0\0\0\0\0" Z), 1002, "shortest", "", ""},
    {BYTES("\x88\x81" Z "\3"), 1002, "half a code", "", ""},
    {BYTES("\x88\x82" Z "\3\xe7"), 1002, "999", "", ""},
    {BYTES("\x88\x82" Z "\3\xec"), 1002, "1004", "", ""},
    {BYTES("\x88\x82" Z "\3\xed"), 1002, "1005", "", ""},
    {BYTES("\x88\x82" Z "\3\xee"), 1002, "1006", "", ""},
    {BYTES("\x88\x82" Z "\3\xf7"), 1002, "1015", "", ""},
    {BYTES("\x88\x82" Z "\x07\xd0"), 1002, "2000", "", ""},
    {BYTES("\x88\x82" Z "\x13\x88"), 1002, "5000", "", ""},
    {BYTES("\x88\x83" Z "\3\xe8\xff"), 1007, "reason that is no UTF-8", "", ""},
    {BYTES("\x88\x82" Z "\3\xf3"), 1011, "broke off with the code 1011", "", ""},
    {BYTES("\x02\x81" Z "a\x88\x82" Z "\3\xe8"), 1000, "within a message", "", ""},
    {BYTES("\x81\x81" Z "\xff"), 1007, "no UTF-8", "", ""},
    {BYTES("\x81\x82" Z "\xc0\xaf"), 1007, "no UTF-8", "", ""},
    {BYTES("\x81\x83" Z "\xed\xa0\x80"), 1007, "no UTF-8", "", ""},
    {BYTES("\x81\x84" Z "\xf4\x90\x80\x80"), 1007, "no UTF-8", "", ""},
    {BYTES("\x81\x82" Z "a\xc3"), 1007, "within a character", "", ""},
    {BYTES("\x01\x81" Z "\xc3\x80\x81" Z "a"), 1007, "no UTF-8", "", ""},
    {BYTES("\x82\x8b" Z), 1009, "11 bytes came, where one may have 10", ",max-size=10", ""},
    {BYTES("\x02\x86" Z "123456\x80\x85" Z), 1009, "11 bytes came", ",max-size=10", ""},
    {BYTES("\xc2\x83" Z "\xff\xff\xff"), 1007, "damaged", ",deflate", PACKED},
    {BYTES("\xc2\x85" Z "\x4b\x84\x83\x24\0"), 1009, "where one may have 10", ",max-size=10,deflate", PACKED},
};

static void what_is_wrong_is_said_to_the_peer_and_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++)
        for (size_t piece = 1; piece < 100; piece += 98) {
            const struct wrong *w = &wrongs[i];
            char address[100];
            (void)snprintf(address, sizeof address, "ws-server%s|pipe", w->options);
            struct end *end = &ends[0];
            server_begins(end, address, w->more, 1000);
            tell(end, w->frames, w->n, piece);
            if (!end->failed || !strstr(end->e.text, w->why) || end->e.kind != ERR_PROTOCOL)
                fail_msg("row %zu: \"%s\" instead of \"%s\"", i, end->failed ? end->e.text : "", w->why);
            if (nsaid != 4 || said[0] != 0x88 || said[1] != 2 || (unsigned)(said[2] << 8 | said[3]) != w->code)
                fail_msg("row %zu: %zu bytes were said, %02x %02x %02x %02x, not Close %u", i, nsaid, said[0], said[1],
                         said[2], said[3], w->code);
            end_close(end);
        }
}

static const struct right {
    const char *frames;
    size_t n;
    const char *data, *said;
    size_t nsaid;
    const char *options, *more;
} rights[] = {
    {BYTES("\x81\x85" M "\x7f\x9f\x4d\x51\x58"), "Hello", BYTES(""), "", ""}, /* RFC 6455, 5.7 */
    {BYTES("\x01\x81" Z "a\x89\x82" Z "hi\x80\x81" Z "b"), "ab", BYTES("\x8a\2hi"), "", ""},
    {BYTES("\x89\x81" Z "1\x89\x81" Z "2\x82\x80" Z), "", NULL, 0, "", ""}, /* one pong may answer both */
    {BYTES("\x8a\x80" Z "\x82\x80" Z "\x02\x80" Z "\x00\x81" Z "x\x80\x80" Z), "x", BYTES(""), "", ""},
    {BYTES("\x01\x81" Z "\xc3\x00\x81" Z "\xa4\x80\x80" Z), "\xc3\xa4", BYTES(""), "", ""},
    {BYTES("\xc1\x87" Z "\xf2\x48\xcd\xc9\xc9\x07\x00"), "Hello", BYTES(""), ",deflate", PACKED}, /* RFC 7692, 7.2.3.1 */
    {BYTES("\x41\x83" Z "\xf2\x48\xcd\x80\x84" Z "\xc9\xc9\x07\x00"), "Hello", BYTES(""), ",deflate", PACKED},
    {BYTES("\xc1\x87" Z "\xf2\x48\xcd\xc9\xc9\x07\x00\xc1\x85" Z "\xf2\x00\x11\x00\x00"), "HelloHello", BYTES(""),
     ",deflate", PACKED}, /* 7.2.3.2: the window goes on */
    {BYTES("\xc1\x8b" Z "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), "Hello", BYTES(""), ",deflate", PACKED}, /* .3 */
    {BYTES("\xc1\x88" Z "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), "Hello", BYTES(""), ",deflate", PACKED}, /* .4 */
    {BYTES("\xc1\x8d" Z "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), "Hello", BYTES(""), ",deflate", PACKED},
    {BYTES("\x81\x85" Z "plain\xc1\x87" Z "\xf2\x48\xcd\xc9\xc9\x07\x00"), "plainHello", BYTES(""), ",deflate", PACKED},
};

static void what_is_right_arrives(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
        for (size_t piece = 1; piece < 100; piece += piece < 10 ? 1 : 89) {
            const struct right *r = &rights[i];
            char address[100];
            (void)snprintf(address, sizeof address, "ws-server%s|pipe", r->options);
            struct end *end = &ends[0];
            server_begins(end, address, r->more, 1000);
            tell(end, r->frames, r->n, piece);
            if (end->failed)
                fail_msg("row %zu: %s", i, end->e.text);
            assert_int_equal(end->ngot, strlen(r->data));
            assert_memory_equal(end->got, r->data, end->ngot);
            if (r->said) {
                assert_int_equal(nsaid, r->nsaid);
                assert_memory_equal(said, r->said, nsaid);
            }
            end_close(end);
        }
}

static void close_waits_for_what_is_still_to_be_said(void **state)
{
    struct end *end = &ends[0];
    (void)state;
    server_begins(end, "ws-server|pipe", "", 1000);
    tell(end, BYTES("\x82\x81" Z "q\x88\x82" Z "\3\xe8\x82\x81" Z "z"), 1000); /* nothing counts behind it */
    assert_true(end->data.out_eof);
    assert_int_equal(end->ngot, 1);
    assert_int_equal(nsaid, 0);
    (void)buf_put(end->data.in, "late", 4);
    tell(end, "", 0, 1);
    assert_int_equal(nsaid, 6);
    assert_memory_equal(said, "\x82\4late", 6);
    assert_false(end->wire.out_eof);
    end->data.in_eof = true;
    tell(end, "", 0, 1);
    assert_memory_equal(said + 6, "\x88\2\3\xe8", 4);
    assert_true(end->wire.out_eof);
    assert_false(end->failed);
    end_close(end);
}

static void a_peer_that_does_not_wait_is_told_of(void **state)
{
    struct end *end = &ends[0];
    (void)state;
    server_begins(end, "ws-server|pipe", "", 1000);
    tell(end, BYTES("\x88\x80" Z), 1000);
    (void)buf_put(end->data.in, "late", 4);
    tell(end, "", 0, 1);
    end->wire.in_eof = true;
    tell(end, "", 0, 1);
    assert_true(end->failed);
    assert_non_null(strstr(end->e.text, "without waiting"));
    end_close(end);
    server_begins(end, "ws-server|pipe", "", 1000);
    tell(end, BYTES("\x82\x81" Z "q"), 1000);
    end->wire.in_eof = true;
    tell(end, "", 0, 1);
    assert_true(end->failed);
    assert_non_null(strstr(end->e.text, "without Close (truncated)"));
    end_close(end);
}

static void what_was_cut_is_no_good_end(void **state)
{
    struct end *end = &ends[0];
    (void)state;
    for (int order = 0; order < 2; order++) {
        server_begins(end, "ws-server|pipe", "", 1000);
        end->data.in_cut = true;
        end->data.by_order = order;
        tell(end, "", 0, 1);
        assert_int_equal(nsaid, 4);
        assert_memory_equal(said, order ? "\x88\2\3\xe9" : "\x88\2\3\xf3", 4);
        end_close(end);
    }
}

static void text_is_cut_between_characters(void **state)
{
    struct end *end = &ends[0];
    (void)state;
    server_begins(end, "ws-server,text|pipe", "", 1000);
    (void)buf_put(end->data.in, "a\xe2\x82", 3);
    tell(end, "", 0, 1);
    (void)buf_put(end->data.in, "\xac", 1);
    tell(end, "", 0, 1);
    assert_int_equal(nsaid, 3 + 5);
    assert_memory_equal(said, "\x81\1a\x81\3\xe2\x82\xac", 8);
    (void)buf_put(end->data.in, "\xc3", 1);
    end->data.in_eof = true;
    tell(end, "", 0, 1);
    assert_true(end->failed);
    assert_non_null(strstr(end->e.text, "within a character"));
    end_close(end);
}

/* ---- handshakes ---- */

static const struct request {
    const char *text;
    int status;
    const char *options, *has;
} requests[] = {
    {WELL "\r\n", 101, "", "Upgrade: websocket"},
    {"GET http://h/x HTTP/1.1\n" "Host: h\nUPGRADE: WebSocket\nconnection: upgrade\nSec-WebSocket-Version: 13\n"
     "Sec-WebSocket-Key: " KEY "\n\n", 101, ":/x", ""},
    {WELL "\r\n", 404, ":/y", ""},
    {WELL "\r\n", 101, ",uri=/x", ""},
    {WELL "\r\n", 403, ",origin=http://*.example", ""},
    {WELL "\r\n", 101, ",origin=http://*.example,origin=", ""},
    {WELL "Origin: http://a.example\r\n\r\n", 101, ",origin=http://*.example", ""},
    {WELL "Origin: http://a.other\r\n\r\n", 403, ",origin=http://*.example", ""},
    {WELL "\r\n", 401, ",auth=u:p", "WWW-Authenticate: Basic"},
    {WELL "Authorization: Basic dTpx\r\n\r\n", 401, ",auth=u:p", ""},
    {WELL "Authorization: Basic dTpw\r\n\r\n", 101, ",auth=u:p", ""},
    {WELL "Sec-WebSocket-Protocol: One, two\r\nSec-WebSocket-Protocol: three\r\n\r\n", 101, "",
     "Sec-WebSocket-Protocol: One\r\n"},
    {WELL "Sec-WebSocket-Protocol: One, two\r\n\r\n", 101, ",subprotocol=two one", "Sec-WebSocket-Protocol: two\r\n"},
    {WELL "Sec-WebSocket-Protocol: One, two\r\n\r\n", 101, ",subprotocol=one", "Sec-WebSocket-Protocol: One\r\n"},
    {WELL PACKED "\r\n", 101, ",deflate", "Sec-WebSocket-Extensions: permessage-deflate\r\n"},
    {WELL "Sec-WebSocket-Extensions: x, permessage-deflate; server_max_window_bits=8, permessage-deflate; "
          "server_max_window_bits=10; client_no_context_takeover\r\n\r\n", 101, ",deflate",
     "Extensions: permessage-deflate; client_no_context_takeover; server_max_window_bits=10\r\n"},
    {WELL "Sec-WebSocket-Extensions: permessage-deflate; huh, permessage-deflate; server_max_window_bits=16\r\n\r\n",
     101, ",deflate", "Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"},
    {WELL "\r\n", 101, ",header=X-A: b", "X-A: b\r\n"},
    {"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", 426, "", "Sec-WebSocket-Version: 13"},
    {"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", 404, ",static=404", ""},
    {"GET /x HTTP/1.1\r\nHost: h\r\n\r\n", 200, ",static=/etc/hostname", "Content-Length: "},
    {"HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n", 200, ",static=/etc/hostname", "close\r\n\r\n"},
    {"POST /x HTTP/1.1\r\nHost: h\r\n\r\n", 405, ",static=/etc/hostname", "Allow: GET"},
    {"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 400, "", ""},
    {"GET /x HTTP/1.1\r\n\r\n", 400, "", ""},
    {"GET /x HTTP/1.0\r\nHost: h\r\n\r\n", 505, "", ""},
    {"GET /x\r\nHost: h\r\n\r\n", 400, "", ""},
    {"GET x HTTP/1.1\r\nHost: h\r\n\r\n", 400, "", ""},
    {"GET /x y HTTP/1.1\r\nHost: h\r\n\r\n", 400, "", ""},
    {"GET /x HTTP/1.1\r\nHost : h\r\n\r\n", 400, "", ""},
    {"GET /x HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", 400, "", ""},
    {"GET /x HTTP/1.1\r\nHost: h\r\nA: \1\r\n\r\n", 400, "", ""},
    {"GET /x HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n", 400, "", ""},
    {ASKS "Sec-WebSocket-Version: 13\r\n\r\n", 400, "", ""},
    {ASKS "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2hvcnQ=\r\n\r\n", 400, "", ""},
    {WELL "Sec-WebSocket-Key: " KEY "\r\n\r\n", 400, "", ""},
    {ASKS "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: " KEY "\r\n\r\n", 426, "", "Sec-WebSocket-Version: 13"},
    {"GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY
     "\r\n\r\n", 400, "", ""},
};

static void requests_are_answered(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        for (size_t piece = 1; piece < 5000; piece += 4000) {
            const struct request *r = &requests[i];
            char address[200];
            struct end *end = &ends[0];
            (void)snprintf(address, sizeof address, "ws-server%s|pipe", r->options);
            end_open(end, address);
            nsaid = 0;
            tell(end, r->text, strlen(r->text), piece);
            if (nsaid < 12 || atoi((char *)said + 9) != r->status || !strstr((char *)said, r->has))
                fail_msg("row %zu: not %d but %s", i, r->status, (char *)said);
            assert_true(end->failed == (r->status != 101));
            assert_true(end->ops->ready(end->st) == (r->status == 101));
            if (end->failed)
                assert_int_equal(end->e.kind, r->status == 200                         ? ERR_NOBODY
                                              : r->status == 401 || r->status == 403 ? ERR_DENIED
                                                                                     : ERR_PROTOCOL);
            end_close(end);
        }
}

static void a_head_has_an_end(void **state)
{
    static char text[20000];
    struct end *end = &ends[0];
    (void)state;
    memset(text, 'a', sizeof text);
    end_open(end, "ws-server|pipe");
    nsaid = 0;
    tell(end, text, sizeof text, 1000);
    assert_int_equal(atoi((char *)said + 9), 431);
    assert_true(end->failed);
    end_close(end);
}

#define CHANGES "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
static const struct answer {
    const char *text; /* $: the right Accept */
    const char *why;
    enum err_kind kind;
} answers[] = {
    {CHANGES "Sec-WebSocket-Accept: $\r\n\r\n", NULL, ERR_NONE},
    {CHANGES "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Protocol: b\r\n\r\n", NULL, ERR_NONE},
    {CHANGES "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", NULL, ERR_NONE},
    {CHANGES "Sec-WebSocket-Accept: x\r\n\r\n", "Accept is wrong", ERR_PROTOCOL},
    {CHANGES "\r\n", "Accept is missing", ERR_PROTOCOL},
    {CHANGES "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Accept: $\r\n\r\n", "Accept is wrong", ERR_PROTOCOL},
    {CHANGES "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Protocol: c\r\n\r\n", "subprotocol \"c\"", ERR_PROTOCOL},
    {CHANGES "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Extensions: x\r\n\r\n", "extension", ERR_PROTOCOL},
    {CHANGES "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Extensions: permessage-deflate; x=1\r\n\r\n", "extension",
     ERR_PROTOCOL},
    {CHANGES "Sec-WebSocket-Accept: $\r\nSec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n\r\n",
     "extension", ERR_PROTOCOL},
    {"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: $\r\n\r\n", "something else", ERR_PROTOCOL},
    {"HTTP/1.1 101 x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: $\r\n\r\n", "something else", ERR_PROTOCOL},
    {"HTTP/1.1 401 no\r\n\r\n", "401 no; give auth", ERR_DENIED},
    {"HTTP/1.1 302 Found\r\nLocation: http://o/\r\n\r\n", "it is at http://o/", ERR_OTHER},
    {"HTTP/1.1 503 busy\r\n\r\n", "503 busy", ERR_BUSY},
    {"HTTP/1.1 200 OK\r\n\r\n", "200 OK", ERR_OTHER},
    {"ICY 200 OK\r\n\r\n", "does not speak HTTP/1.1", ERR_PROTOCOL},
    {"HTTP/1.1 20\r\n\r\n", "does not speak HTTP/1.1", ERR_PROTOCOL},
};

static void answers_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
        for (size_t piece = 1; piece < 5000; piece += 4000) {
            const struct answer *r = &answers[i];
            struct end *end = &ends[0];
            char text[1024] = "", accept[ACCEPT_ROOM];
            end_open(end, "ws:/x,subprotocol=a b,deflate|tcp:h:81");
            nsaid = 0;
            tell(end, "", 0, 1);
            assert_non_null(strstr((char *)said, "GET /x HTTP/1.1\r\nHost: h:81\r\n"));
            char *key = strstr((char *)said, "Sec-WebSocket-Key: ");
            assert_non_null(key);
            key[19 + KEY_LENGTH] = '\0';
            assert_int_equal(ws_accept_of(key + 19, accept, &end->e), 0);
            for (const char *p = r->text; *p; p++)
                strncat(text, *p == '$' ? accept : p, *p == '$' ? sizeof accept : 1);
            strcat(text, r->why ? "" : "\x82\2ok"); /* joined with what follows */
            tell(end, text, strlen(text), piece);
            if (end->failed != (r->why != NULL) || (r->why && (!strstr(end->e.text, r->why) || end->e.kind != r->kind)))
                fail_msg("row %zu: %s", i, end->failed ? end->e.text : "taken");
            assert_int_equal(end->ngot, r->why ? 0 : 2);
            end_close(end);
        }
}

/* ---- the pieces ---- */

static void masks_are_right_at_any_place_and_length(void **state)
{
    unsigned char in[300], out[300];
    const unsigned char key[4] = {0x12, 0x34, 0x56, 0x78};
    (void)state;
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (unsigned char)(i * 7);
    for (size_t phase = 0; phase < 8; phase++)
        for (size_t n = 0; n < 290; n += n < 140 ? 1 : 37) {
            memset(out, 0, sizeof out);
            frame_mask(out, in + phase, n, key, phase);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(out[i], in[phase + i] ^ key[(phase + i) & 3]);
            assert_int_equal(out[n], 0);
        }
}

/* Against a decoder that is written as RFC 3629 counts. */
static void utf8_is_what_it_should_be(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 0x1000000; v += v < 0x10000 ? 1 : 251) {
        unsigned char p[4] = {0xf0 | (v >> 22 & 15), (unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
        uint32_t c = (uint32_t)(p[0] & 7) << 18 | (uint32_t)(p[1] & 63) << 12 | (uint32_t)(p[2] & 63) << 6 | (p[3] & 63);
        bool good = p[0] < 0xf8 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80 &&
                    c >= 0x10000 && c <= 0x10ffff;
        struct utf8 u = {0};
        assert_int_equal(utf8_scan(&u, p, 4, NULL) && u.missing == 0, good);
        uint32_t d = (uint32_t)(p[1] & 15) << 12 | (uint32_t)(p[2] & 63) << 6 | (p[3] & 63);
        p[1] = 0xe0 | (p[1] & 15);
        good = (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80 && d >= 0x800 && (d < 0xd800 || d > 0xdfff);
        u = (struct utf8){0};
        assert_int_equal(utf8_scan(&u, p + 1, 3, NULL) && u.missing == 0, good);
    }
}

static int load(void **state)
{
    struct err e;
    (void)state;
    return libraries_load_crypto(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_are_right_at_any_place_and_length),
        cmocka_unit_test(utf8_is_what_it_should_be),
        cmocka_unit_test(what_is_right_arrives),
        cmocka_unit_test(what_is_wrong_is_said_to_the_peer_and_told),
        cmocka_unit_test(close_waits_for_what_is_still_to_be_said),
        cmocka_unit_test(a_peer_that_does_not_wait_is_told_of),
        cmocka_unit_test(what_was_cut_is_no_good_end),
        cmocka_unit_test(text_is_cut_between_characters),
        cmocka_unit_test(requests_are_answered),
        cmocka_unit_test(a_head_has_an_end),
        cmocka_unit_test(answers_are_checked),
        cmocka_unit_test(streams_arrive_however_they_are_cut),
        cmocka_unit_test(text_goes_through_cut_between_characters),
        cmocka_unit_test(records_stay_records_and_empty_ones_are_some),
    };
    return cmocka_run_group_tests(tests, load, NULL);
}
