/* SPDX-License-Identifier: GPL-2.0-or-later
 * Codecs under a fuzzer: buffers of chosen sizes, input that runs dry now and then. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/inter.h"
#include "catena/registry.h"

enum { MUCH = 1 << 22 }; /* bytes: enough of what a small stream can become */

struct lane {
    const struct codec_ops *ops;
    void *st;
    struct buf in, out;
    uint8_t *got;
    size_t ngot;
};

static const struct form *form_of(const char *keyword)
{
    for (const struct form *f = registry_next(&builtin_registry, NULL); f;
         f = registry_next(&builtin_registry, f))
        if (f->kind == FORM_CODEC && form_answers(f, keyword))
            return f;
    abort();
}

static void lane_open(struct lane *l, const struct codec_ops *ops, const struct addr *a, size_t in, size_t out)
{
    struct err e;
    *l = (struct lane){.ops = ops, .st = calloc(1, ops->state_size), .got = malloc(MUCH)};
    if (!l->st || !l->got || buf_init(&l->in, in) < 0 || buf_init(&l->out, out) < 0 ||
        (ops->init && ops->init(l->st, a, &e) < 0))
        abort();
}

static void lane_close(struct lane *l)
{
    if (l->ops->fini)
        l->ops->fini(l->st);
    free(l->st);
    free(l->got);
    buf_fini(&l->in);
    buf_fini(&l->out);
}

/* Gives 1 done in that mode, -1 error, -2 too much. The output is emptied each time, so a codec
 * that neither moves nor ends would hang an engine. */
static int push(struct lane *l, enum codec_mode mode)
{
    struct err e = {.kind = ERR_NONE};
    for (int idle = 0;;) {
        size_t before = l->in.len;
        int rc = l->ops->push(l->st, &l->in, &l->out, mode, &e);
        size_t made = l->out.len;
        if (l->ngot + made > MUCH)
            return -2;
        memcpy(l->got + l->ngot, buf_data(&l->out), made);
        l->ngot += made;
        buf_consume(&l->out, made);
        if (rc < 0)
            return e.kind == ERR_NONE || e.text[0] == '\0' ? (abort(), -1) : -1;
        if (rc == 1 && l->in.len == 0)
            return 1;
        idle = made == 0 && l->in.len == before ? idle + 1 : 0;
        if (mode == CODEC_RUN && idle > 0)
            return l->in.len == 0 ? 1 : (abort(), -1);
        if (idle > 2)
            abort();
    }
}

/* Feeds it all, in pieces; now and then the input runs dry. */
static int run(struct lane *l, const uint8_t *data, size_t size)
{
    for (size_t n = 0, turn = 0; n < size; turn++) {
        n += buf_put(&l->in, data + n, size - n);
        int rc = push(l, turn % 5 == 4 ? CODEC_IDLE : CODEC_RUN);
        if (rc < 0)
            return rc;
    }
    return push(l, CODEC_END);
}

/* A stream to decode that way, then data that has to survive there and back. */
__attribute__((unused)) static void there_and_back(const struct codec_pair *pair, const struct addr *a, const struct addr *b, size_t in,
                           size_t out, const uint8_t *data, size_t size)
{
    struct lane there, back;
    lane_open(&back, pair->decode, b, in, out);
    (void)run(&back, data, size);
    lane_close(&back);

    lane_open(&there, pair->encode, a, in, out);
    lane_open(&back, pair->decode, b, out, in);
    if (run(&there, data, size) != 1 || run(&back, there.got, there.ngot) != 1 ||
        back.ngot != size || (size > 0 && memcmp(back.got, data, size) != 0))
        abort();
    lane_close(&there);
    lane_close(&back);
}
