/* SPDX-License-Identifier: GPL-2.0-or-later
 * The frames of taps in pcapng, and their blocks: read back by a small reader that believes nothing. */
#include <arpa/inet.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inter/tap/frames.h"
#include "inter/tap/pcapng.h"

enum { ALL = 4 << 20, FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

/* What has been read: by end, the bytes and how its numbers go on. */
struct reader {
    struct frames frames;
    unsigned char *data[2], *packet;
    size_t n[2], npacket, largest, whole[64], nwhole;
    uint32_t seq[2];
    unsigned flags[4096];
    size_t nflags, acks, comments;
    char comment[128];
};

static uint32_t get32(const unsigned char *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }
static uint32_t get16(const unsigned char *p) { return (uint32_t)p[0] << 8 | p[1]; }

static uint32_t add_up(uint32_t s, const unsigned char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    for (; s >> 16; s = (s & 0xffff) + (s >> 16)) {}
    return s;
}

static void read_tcp(struct reader *r, int source, const unsigned char *p, size_t n)
{
    size_t head = (size_t)(p[12] >> 4) * 4;
    unsigned flags = p[13];
    assert_int_equal(get16(p), r->frames.end[source].port);
    assert_int_equal(get16(p + 2), r->frames.end[!source].port);
    if (flags & SYN)
        assert_int_equal(n, head);
    assert_int_equal(get32(p + 4), r->seq[source]);
    if (flags & ACK)
        assert_int_equal(get32(p + 8), r->seq[!source]);
    r->seq[source] += (uint32_t)(n - head) + (flags & (SYN | FIN) ? 1 : 0);
    memcpy(r->data[source] + r->n[source], p + head, n - head);
    r->n[source] += n - head;
    r->acks += flags == ACK && n == head;
    r->flags[r->nflags++] = flags;
    assert_true(n - head <= 65000);
}

static void read_udp(struct reader *r, int source, const unsigned char *p, size_t n)
{
    assert_int_equal(get16(p + 4), n);
    memcpy(r->data[source] + r->n[source], p + 8, n - 8);
    r->n[source] += n - 8;
    r->whole[r->nwhole++] = n - 8;
}

static void read_ip(struct reader *r, int source, const unsigned char *p, size_t n)
{
    bool v6 = p[0] >> 4 == 6;
    size_t head = v6 ? 40 : 20, len = v6 ? 16 : 4, off = 0;
    unsigned proto = v6 ? p[6] : p[9];
    bool more = false;
    assert_int_equal(v6, r->frames.end[0].v6);
    assert_memory_equal(p + (v6 ? 8 : 12), r->frames.end[source].addr, len);
    assert_memory_equal(p + (v6 ? 24 : 16), r->frames.end[!source].addr, len);
    assert_int_equal(get16(p + (v6 ? 4 : 2)), v6 ? n - 40 : n);
    if (!v6) {
        assert_int_equal(add_up(0, p, 20), 0xffff);
        more = get16(p + 6) & 0x2000;
        off = (get16(p + 6) & 0x1fff) * 8;
    } else if (proto == 44) {
        proto = p[40];
        more = p[43] & 1;
        off = get16(p + 42) & 0xfff8;
        head = 48;
    }
    assert_int_equal(off, r->npacket);
    memcpy(r->packet + r->npacket, p + head, n - head);
    r->npacket += n - head;
    if (more)
        return;
    unsigned char pseudo[8] = {[7] = (unsigned char)proto};
    uint32_t size = htonl((uint32_t)r->npacket);
    memcpy(pseudo, &size, 4);
    uint32_t s = add_up(add_up(0, pseudo, 8), r->frames.end[0].addr, len);
    assert_int_equal(add_up(add_up(s, r->frames.end[1].addr, len), r->packet, r->npacket), 0xffff);
    (proto == IPPROTO_TCP ? read_tcp : read_udp)(r, source, r->packet, r->npacket);
    r->npacket = 0;
}

/* Options up to their end; comments are kept. */
static void read_options(struct reader *r, const unsigned char *p, const unsigned char *end)
{
    uint16_t o[2];
    for (;; p += 4 + (o[1] + 3) / 4 * 4) {
        assert_true(p + 4 <= end);
        memcpy(o, p, sizeof o);
        if (o[0] == 0)
            break;
        assert_true(p + 4 + o[1] <= end);
        if (o[0] == 1 && o[1] < sizeof r->comment) {
            memcpy(r->comment, p + 4, o[1]);
            r->comment[o[1]] = '\0';
        }
        r->comments += o[0] == 1;
    }
    assert_ptr_equal(p + 4, end);
}

static void take(void *arg, const struct frame *f)
{
    static unsigned char block[70000];
    struct reader *r = arg;
    unsigned char tail[PCAPNG_TAIL];
    uint32_t h[7], end;
    const struct pcapng_packet p = {.interface = 3, .time = 0x123456789abcdefU, .len = f->nhead + f->n, .comment = f->comment};
    size_t ntail = pcapng_packet(&p, block, tail), n = PCAPNG_HEAD + p.len + ntail;
    assert_true(n <= sizeof block && f->nhead <= FRAMES_HEAD && ntail <= PCAPNG_TAIL);
    memcpy(block + PCAPNG_HEAD, f->head, f->nhead);
    if (f->n > 0)
        memcpy(block + PCAPNG_HEAD + f->nhead, f->data, f->n);
    memcpy(block + PCAPNG_HEAD + p.len, tail, ntail);
    memcpy(h, block, sizeof h);
    memcpy(&end, block + n - 4, sizeof end);
    const uint32_t want[] = {6, (uint32_t)n, 3, 0x1234567, 0x89abcdef, (uint32_t)p.len, (uint32_t)p.len};
    assert_memory_equal(h, want, sizeof h);
    assert_int_equal(end, n);
    assert_int_equal(n % 4, 0);
    read_options(r, block + PCAPNG_HEAD + (p.len + 3) / 4 * 4, block + n - 4);
    r->largest = n > r->largest ? n : r->largest;
    read_ip(r, f->source, block + PCAPNG_HEAD, p.len);
}

static unsigned char *some;

static struct reader *begin(bool v6, size_t most, uint32_t seq)
{
    struct reader *r = calloc(1, sizeof *r);
    for (int i = 0; i < 2; i++) {
        r->data[i] = malloc(ALL);
        r->seq[i] = seq + (uint32_t)i;
    }
    r->packet = malloc(70000);
    r->frames = (struct frames){.end = {{v6, {1, 2, 3, 4}, 5}, {v6, {6, 7, 8, 9}, 443}}, .client = 0, .most = most,
                                .comment = "first", .take = take, .arg = r};
    frames_init(&r->frames, r->seq);
    return r;
}

static void end(struct reader *r)
{
    free(r->data[0]);
    free(r->data[1]);
    free(r->packet);
    free(r);
}

static void streams(void **state)
{
    static const uint32_t seqs[] = {0, 7, UINT32_MAX - 1, UINT32_MAX, UINT32_MAX - 100000, 0x7ffffff0};
    static const size_t cuts[] = {1, 3, 1460, 64999, 65000, 65001, 200000};
    (void)state;
    for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++)
        for (size_t k = 0; k < 2 * sizeof cuts / sizeof *cuts; k++) {
            struct reader *r = begin(k % 2, 65512, seqs[i]);
            size_t sent[2] = {0, 0};
            for (int turn = 0; turn < 6; turn++) {
                frames_stream(&r->frames, turn % 2, some + sent[turn % 2], cuts[k / 2]);
                sent[turn % 2] += cuts[k / 2];
            }
            frames_fin(&r->frames, 1);
            frames_fin(&r->frames, 1); /* once */
            frames_stream(&r->frames, 0, some + sent[0], 10);
            frames_fin(&r->frames, 0);
            frames_close(&r->frames);
            assert_int_equal(r->n[0], sent[0] + 10);
            assert_int_equal(r->n[1], sent[1]);
            assert_memory_equal(r->data[0], some, r->n[0]);
            assert_memory_equal(r->data[1], some, r->n[1]);
            assert_int_equal(r->flags[0], SYN);
            assert_int_equal(r->flags[1], SYN | ACK);
            assert_int_equal(r->flags[2], ACK);
            assert_true(r->flags[3] & ACK && !(r->flags[3] & SYN));
            assert_int_equal(r->flags[r->nflags - 2], FIN | ACK);
            assert_int_equal(r->flags[r->nflags - 1], ACK);
            assert_int_equal(r->comments, 1);
            assert_string_equal(r->comment, "first");
            end(r);
        }
}

/* One that goes one way is acknowledged; cut off, it is reset; one without a byte is shown as well. */
static void ends(void **state)
{
    (void)state;
    struct reader *r = begin(false, 65512, UINT32_MAX - 3000000);
    frames_stream(&r->frames, 0, some, ALL);
    assert_int_equal(r->acks, 1 + 3); /* of SYN, and after each MiB and what filled it up */
    frames_close(&r->frames);
    assert_int_equal(r->flags[r->nflags - 1], RST | ACK);
    end(r);
    r = begin(true, 65512, 1);
    frames_open(&r->frames);
    frames_open(&r->frames);
    assert_int_equal(r->nflags, 3);
    frames_fin(&r->frames, 0);
    frames_fin(&r->frames, 1);
    frames_close(&r->frames);
    assert_int_equal(r->nflags, 6);
    end(r);
    r = begin(true, 65512, 1);
    frames_close(&r->frames);
    assert_int_equal(r->nflags, 0);
    end(r);
}

static void records(void **state)
{
    static const size_t sizes[] = {0, 1, 2, 1472, 3000, 8191, 64999, 65000, 65001, 65007, 130001};
    static const size_t rooms[] = {65512, 3400, 64};
    (void)state;
    for (size_t room = 0; room < 3; room++)
        for (size_t i = 0; i < 2 * sizeof sizes / sizeof *sizes; i++) {
            struct reader *r = begin(i % 2, rooms[room], 0);
            size_t n = sizes[i / 2];
            r->frames.comment = NULL;
            frames_record(&r->frames, 1, some, n);
            assert_int_equal(r->n[1], n);
            assert_memory_equal(r->data[1], some, n);
            assert_int_equal(r->nwhole, n > 65000 ? (n + 64999) / 65000 : 1);
            assert_true(room == 0 || r->largest <= rooms[room] + 48 + PCAPNG_HEAD + PCAPNG_TAIL);
            assert_int_equal(r->comments > 0, n > 65000);
            frames_close(&r->frames);
            assert_int_equal(r->nflags, 0);
            end(r);
        }
}

/* In a FIFO a block of whatever kind is never torn apart. */
static void small_blocks(void **state)
{
    size_t most = PIPE_BUF - PCAPNG_HEAD - PCAPNG_TAIL - FRAMES_HEAD;
    (void)state;
    for (int v6 = 0; v6 < 2; v6++) {
        struct reader *r = begin(v6, most, UINT32_MAX - 5000);
        frames_stream(&r->frames, 0, some, 20000);
        frames_record(&r->frames, 1, some, 60000);
        assert_memory_equal(r->data[0], some, 20000);
        assert_memory_equal(r->data[1], some, 60000);
        assert_in_range(r->largest, 2000, PIPE_BUF);
        end(r);
    }
}

static size_t block_at(const struct buf *b, size_t at, uint32_t type)
{
    uint32_t h[2], last;
    memcpy(h, buf_data(b) + at, sizeof h);
    assert_int_equal(h[0], type);
    assert_true(at + h[1] <= b->len && h[1] % 4 == 0);
    memcpy(&last, buf_data(b) + at + h[1] - 4, sizeof last);
    assert_int_equal(last, h[1]);
    return h[1];
}

static void heads(void **state)
{
    struct buf b;
    char name[PCAPNG_TEXT + 100];
    struct reader r = {0};
    (void)state;
    assert_int_equal(buf_init(&b, PCAPNG_HEADER + PCAPNG_INTERFACE + PCAPNG_HEAD + 300), 0);
    for (size_t n = 0; n < sizeof name - 1; n += n < 9 ? 1 : 97) {
        memset(name, 'x', n);
        name[n] = '\0';
        b.len = 0;
        pcapng_section(&b, "catena");
        size_t section = block_at(&b, 0, 0x0a0d0d0a);
        pcapng_interface(&b, name, n % 2 ? "comment" : NULL);
        size_t interface = block_at(&b, section, 1);
        read_options(&r, b.p + section + 16, b.p + section + interface - 4);
        pcapng_secrets(&b, name, n % 300);
        assert_int_equal(section + interface + block_at(&b, section + interface, 10), b.len);
    }
    buf_fini(&b);
}

static int set_up(void **state)
{
    (void)state;
    some = malloc(ALL);
    for (size_t i = 0; some && i < ALL; i++)
        some[i] = (unsigned char)(i * 31 + i / 251);
    return some ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    free(some);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams),      cmocka_unit_test(ends),  cmocka_unit_test(records),
        cmocka_unit_test(small_blocks), cmocka_unit_test(heads),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
