/* SPDX-License-Identifier: GPL-2.0-or-later
 * Packets of SOCKS5: their heads, cut at every byte; what a server lets through, and what a client takes. */
#include "server_dialog.h"

#include "inter/proxy/socks_udp.h"

#define HEAD4 "\0\0\0\1\xc0\0\2\1\0\x35"
#define HEAD6 "\0\0\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\0\x35"
#define NAME "\0\0\0\3\x0bwww.example\0\x35"

struct packet { /* and what becomes of it; NULL: it is dropped */
    const char *in;
    size_t nin;
    const char *out;
    size_t nout;
};
#define DROPPED NULL, 0
#define SAME(s) BYTES(s), BYTES(s)

static void heads_are_read_whole(void **state)
{
    static const struct {
        const char *p;
        size_t n;
    } heads[] = {{BYTES(HEAD4)}, {BYTES(HEAD6)}, {BYTES(NAME)}};
    struct socks_head h;
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        unsigned char again[SOCKS_HEAD_MAX], *exact;
        for (size_t n = 0; n < heads[i].n; n++) { /* memory that ends there: for the sanitizers */
            exact = malloc(n + 1);
            assert_non_null(exact);
            memcpy(exact + 1, heads[i].p, n);
            assert_non_null(socks_head_read(exact + 1, n, &h));
            free(exact);
        }
        assert_null(socks_head_read((const unsigned char *)heads[i].p, heads[i].n, &h));
        assert_int_equal(h.len, heads[i].n);
        assert_int_equal(h.port, 53);
        assert_int_equal(socks_head_write(again, h.type, h.bytes, h.nbytes, h.port), h.len);
        assert_memory_equal(again, heads[i].p, h.len);
    }
    assert_non_null(socks_head_read((const unsigned char *)"\0\0\0\3\0\0\x35", 7, &h));
    assert_non_null(socks_head_read((const unsigned char *)"\0\0\0\2\1\1\1\1\0\x35", 10, &h));
    assert_non_null(socks_head_read((const unsigned char *)"\0\0\1\1\1\1\1\1\0\x35", 10, &h));
}

static void passes(const struct codec_ops *ops, void *st, const struct packet *p)
{
    struct buf in = {0}, out = {0};
    struct err e;
    assert_int_equal(buf_init(&in, p->nin + 1), 0);
    buf_put(&in, p->in, p->nin);
    in.record = true;
    assert_int_equal(ops->push(st, &in, &out, CODEC_IDLE, &e), 1);
    assert_false(buf_holds(&in));
    assert_int_equal(out.record, p->out != NULL);
    assert_int_equal(out.len, p->nout);
    if (p->nout > 0)
        assert_memory_equal(buf_data(&out), p->out, p->nout);
    buf_fini(&in);
    buf_fini(&out);
}

static const struct codec_pair *packets_of(const struct addr *a)
{
    const struct codec_pair *both = addr_leaves(a);
    if (!both)
        abort();
    return both;
}

/* A server's address, and all of these. */
static void served(const char *address, const char *right, bool to_server, const struct packet *list, size_t n)
{
    struct stage s;
    char pair[512] = {0};
    struct err e;
    stage_open(&s, address);
    struct plan *p = s.plan, *other = NULL;
    assert_int_equal(plan_make(&at_home, "-", right, &other, &e), 0);
    p->end[RIGHT] = other->end[RIGHT];
    const struct codec_pair *both = packets_of(s.addr);
    const struct codec_ops *ops = to_server ? both->decode : both->encode;
    void *st = calloc(1, ops->state_size), *opposite = calloc(1, ops->state_size);
    assert_true(st && opposite && ops->pair_size <= sizeof pair);
    struct codec_place place = {.addr = s.addr, .run = &s.run, .to_right = to_server, .pair = pair};
    assert_int_equal(ops->start(st, &place, &e), 0);
    place.to_right = true;
    assert_int_equal(both->decode->start(opposite, &place, &e), 0);
    for (size_t i = 0; i < n; i++) {
        static const struct packet first = {BYTES(NAME "?"), BYTES("?")};
        if (!to_server && i == 1 && right[0] == 'u')
            passes(both->decode, opposite, &first);
        passes(ops, st, &list[i]);
    }
    free(st);
    free(opposite);
    stage_close(&s);
    plan_free(other);
}

static void servers(void **state)
{
    static const struct packet good[] = {
        {SAME(HEAD4 "data")}, {SAME(HEAD6)}, {SAME(NAME "x")},
        {BYTES("\0\0\1\1\xc0\0\2\1\0\x35x"), DROPPED}, {BYTES(""), DROPPED}, {BYTES("\0\0\0\1\xc0\0\2\1\0\0x"), DROPPED},
        {BYTES("\0\0\0\3\4a\0bc\0\x35"), DROPPED}, {BYTES("\0\0\0\3\4a bc\0\x35"), DROPPED},
        {BYTES("\0\0\0\5\4abcd\0\x35"), DROPPED}, {BYTES("\7\7\0\1\xc0\0\2\1\0\x35z"), BYTES(HEAD4 "z")},
    };
    static const struct packet ruled[] = {
        {SAME(HEAD4 "data")}, {BYTES("\0\0\0\1\xc0\0\2\2\0\x35z"), DROPPED}, {SAME(HEAD4)}, {BYTES("\0\0\0\1\xc0\0\2\1\0\x36z"), DROPPED},
        {SAME(NAME "x")}, {SAME(NAME "y")}, {BYTES("\0\0\0\3\x09" "192.0.2.2\0\x35z"), DROPPED},
        {BYTES("\0\0\0\3\x09" "192.0.2.1\0\x35z"), BYTES(HEAD4 "z")}, {BYTES(HEAD6), DROPPED},
    };
    static const struct packet bare[] = {{BYTES(HEAD4 "data"), BYTES("data")}, {BYTES(HEAD4), BYTES("")}, {BYTES("data"), DROPPED}};
    static const struct packet back[] = {{SAME(HEAD4 "data")}, {SAME(HEAD6)}, {BYTES("none"), DROPPED}};
    static const struct packet bare_back[] = {{BYTES("too early"), DROPPED}, {BYTES("answer"), BYTES(NAME "answer")}, {BYTES(""), BYTES(NAME)}};
    (void)state;
    served("socks-server,commands=udp", "tcp:a:1", true, good, sizeof good / sizeof good[0]);
    served("socks-server,commands=udp,allow=192.0.2.1:53 www.example", "tcp:a:1", true, ruled, sizeof ruled / sizeof ruled[0]);
    served("socks-server,commands=udp", "udp:a:1", true, bare, sizeof bare / sizeof bare[0]);
    served("socks-server,commands=udp", "tcp:a:1", false, back, sizeof back / sizeof back[0]);
    served("socks-server,commands=udp", "udp:a:1", false, bare_back, sizeof bare_back / sizeof bare_back[0]);
}

static void client(const char *right, const char *head, size_t nhead, const struct packet *list, size_t n)
{
    struct plan *p = NULL;
    struct err e;
    char sent[64];
    assert_int_equal(plan_make(&at_home, "-", right, &p, &e), 0);
    const struct addr *a = p->links[0].fwd;
    const struct codec_pair *both = packets_of(a);
    void *st[2] = {calloc(1, both->encode->state_size), calloc(1, both->decode->state_size)};
    assert_int_equal(both->encode->init(st[0], a, &e), 0);
    assert_int_equal(both->decode->init(st[1], a, &e), 0);
    memcpy(sent, head, nhead);
    memcpy(sent + nhead, "data", 4);
    passes(both->encode, st[0], &(struct packet){BYTES("data"), sent, nhead + 4});
    passes(both->encode, st[0], &(struct packet){BYTES(""), sent, nhead});
    for (size_t i = 0; i < n; i++)
        passes(both->decode, st[1], &list[i]);
    free(st[0]);
    free(st[1]);
    plan_free(p);
}

static void clients(void **state)
{
    static const struct packet four[] = {
        {BYTES(HEAD4 "answer"), BYTES("answer")}, {BYTES(HEAD4), BYTES("")}, {BYTES("\0\0\1\1\xc0\0\2\1\0\x35z"), DROPPED},
        {BYTES("\0\0\0\1\xc0\0\2\2\0\x35z"), DROPPED}, {BYTES("\0\0\0\1\xc0\0\2\1\0\x36z"), DROPPED}, {BYTES(HEAD6 "z"), DROPPED},
        {BYTES(NAME "z"), DROPPED}, {BYTES(""), DROPPED},
    };
    static const struct packet six[] = {{BYTES(HEAD6 "answer"), BYTES("answer")}, {BYTES(HEAD4 "z"), DROPPED}};
    static const struct packet name[] = {{BYTES(HEAD6 "answer"), BYTES("answer")}, {BYTES(HEAD4 "z"), BYTES("z")},
                                         {BYTES("\0\0\0\1\xc0\0\2\1\0\x36z"), DROPPED}};
    (void)state;
    client("socks5-udp:192.0.2.1:53|tcp:a:1", BYTES(HEAD4), four, sizeof four / sizeof four[0]);
    client("socks5-udp:[2001:db8::1]:53|tcp:a:1", BYTES(HEAD6), six, sizeof six / sizeof six[0]);
    client("socks5-udp:www.example:53|tcp:a:1", BYTES(NAME), name, sizeof name / sizeof name[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_read_whole), cmocka_unit_test(servers), cmocka_unit_test(clients),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
