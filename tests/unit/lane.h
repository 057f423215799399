/* SPDX-License-Identifier: GPL-2.0-or-later
 * One direction of a codec, driven as an engine would, but with buffers of every awkward size. To be
 * included behind cmocka.h. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/inter.h"

#define LANE static __attribute__((unused)) /* not every test needs all */

LANE const struct codec_pair *pair_of(const struct form *forms, const char *keyword)
{
    while (strcmp(forms->keyword, keyword) != 0)
        forms++;
    assert_int_equal(forms->kind, FORM_CODEC);
    return forms->ops.codec;
}

/* One direction: a codec with its two buffers; what leaves it is collected. */
struct lane {
    const struct codec_ops *ops;
    void *st;
    struct buf in, out;
    unsigned char *got;
    size_t ngot, room;
    size_t block; /* bytes that come at once, at most */
    struct err e;
};

LANE int lane_open(struct lane *l, const struct codec_ops *ops, const struct addr *a,
                     size_t in_cap, size_t out_cap)
{
    static const struct addr none;

    *l = (struct lane){.ops = ops, .st = calloc(1, ops->state_size), .block = in_cap};
    assert_non_null(l->st);
    assert_int_equal(buf_init(&l->in, in_cap), 0);
    assert_int_equal(buf_init(&l->out, out_cap), 0);
    return ops->init != NULL ? ops->init(l->st, a != NULL ? a : &none, &l->e) : 0;
}

LANE void lane_close(struct lane *l)
{
    if (l->ops->fini != NULL)
        l->ops->fini(l->st);
    free(l->st);
    free(l->got);
    buf_fini(&l->in);
    buf_fini(&l->out);
}

LANE void lane_collect(struct lane *l)
{
    if (l->ngot + l->out.len > l->room) {
        l->room = 2 * (l->ngot + l->out.len);
        l->got = realloc(l->got, l->room);
        assert_non_null(l->got);
    }
    if (l->out.len > 0)
        memcpy(l->got + l->ngot, buf_data(&l->out), l->out.len);
    l->ngot += l->out.len;
    buf_consume(&l->out, l->out.len);
}

/* Pushes until the codec has nothing left in that mode. */
LANE int lane_push(struct lane *l, enum codec_mode mode)
{
    int rc;

    do {
        size_t in = l->in.len, out;

        rc = l->ops->push(l->st, &l->in, &l->out, mode, &l->e);
        out = l->out.len;
        lane_collect(l);
        if (rc < 0)
            return -1;
        if (mode == CODEC_RUN) {
            assert_int_equal(rc, 0);
            if (l->in.len == 0 && out < l->out.cap)
                break;
        }
        assert_true(rc == 1 || in != l->in.len || out > 0); /* it gets on */
    } while (rc == 0);
    assert_int_equal(l->in.len, 0);
    return 0;
}

/* Data in blocks of at most in_cap bytes, with the mode after each block. */
LANE int lane_feed(struct lane *l, const void *data, size_t n, enum codec_mode mode)
{
    const unsigned char *from = data;

    while (n > 0) {
        size_t part = buf_put(&l->in, from, n < l->block ? n : l->block);

        from += part;
        n -= part;
        if (lane_push(l, mode) < 0)
            return -1;
    }
    return 0;
}

LANE void lane_expect(const struct lane *l, const void *want, size_t n)
{
    assert_int_equal(l->ngot, n);
    if (n > 0)
        assert_memory_equal(l->got, want, n);
}

static const size_t sizes[] = {1, 2, 3, 5, 7, 63, 64, 65, 1000, 8192};
enum { NSIZES = sizeof sizes / sizeof sizes[0] };

/* Text that packs well, then bytes that do not. */
LANE unsigned char *sample(size_t n)
{
    unsigned char *p = malloc(n);
    uint32_t x = 12345;

    assert_non_null(p);
    for (size_t i = 0; i < n; i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = i < n / 2 ? (unsigned char)("catena relays "[i % 14]) : (unsigned char)(x >> 24);
    }
    return p;
}

/* What a command makes of that on its standard input. */
LANE size_t through_program(const char *command, const void *data, size_t n, unsigned char *to,
                              size_t cap)
{
    char line[256], in[] = "/tmp/test_codec.XXXXXX";
    int fd = mkstemp(in);
    FILE *f;
    size_t got;

    assert_true(fd >= 0);
    f = fdopen(fd, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    snprintf(line, sizeof line, "%s <%s", command, in);
    f = popen(line, "r");
    assert_non_null(f);
    got = fread(to, 1, cap, f);
    assert_int_equal(pclose(f), 0);
    remove(in);
    return got;
}
