/* SPDX-License-Identifier: GPL-2.0-or-later
 * Records in frames: the first byte chooses the format, the second one how what comes is cut. The rest is once
 * frames, which must give records that are not too large, each of them with the frame that it came of; and once
 * records, which have to come back as they were. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/inter.h"
#include "catena/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const keywords[] = {"LINES", "NETSTRING", "LENGTH16", "LENGTH32", "VARINT", "SLIP", "HDLC", "COBS"};
enum { NKEYWORDS = sizeof keywords / sizeof keywords[0], MOST = 65536 };

static const struct form *form_of(const char *keyword)
{
    for (const struct form *f = registry_next(&builtin_registry, NULL); f;
         f = registry_next(&builtin_registry, f))
        if (f->kind == FORM_CODEC && form_answers(f, keyword))
            return f;
    abort();
}

struct way {
    const struct codec_ops *ops;
    void *st;
    struct buf out;
    struct err e;
};

static void way_open(struct way *w, const struct form *f, bool encode)
{
    const struct addr a = {.form = f};
    *w = (struct way){.ops = encode ? f->ops.codec->encode : f->ops.codec->decode};
    w->st = calloc(1, w->ops->state_size);
    if (!w->st || w->ops->init(w->st, &a, &w->e) < 0)
        abort();
}

static void way_close(struct way *w)
{
    w->ops->fini(w->st);
    free(w->st);
    buf_fini(&w->out);
}

static int push(struct way *w, struct buf *in, enum codec_mode mode)
{
    size_t before = in->len;
    w->e.kind = ERR_NONE;
    int rc = w->ops->push(w->st, in, &w->out, mode, &w->e);
    if (rc < 0 && (w->e.kind != ERR_PROTOCOL || w->e.text[0] == '\0'))
        abort();
    if (rc == 0 && mode == CODEC_END && in->len == before && !buf_holds(&w->out))
        abort(); /* it does not get on */
    return rc;
}

static void put(struct buf *b, const void *p, size_t n)
{
    if (buf_init(b, n + 1) < 0)
        abort();
    (void)buf_put(b, p, n);
}

/* Whatever comes. */
static void take_frames(const struct form *f, const uint8_t *data, size_t size, size_t piece)
{
    struct way w;
    way_open(&w, f, false);
    for (size_t at = 0, rc = 0; rc == 0; at += piece) {
        size_t n = at < size ? (size - at < piece ? size - at : piece) : 0;
        enum codec_mode mode = n == 0 ? CODEC_END : CODEC_RUN;
        struct buf in;
        put(&in, data + (n ? at : 0), n);
        int got = 0;
        while (got == 0 && (in.len > 0 || mode == CODEC_END)) {
            got = push(&w, &in, mode);
            if (w.out.record && w.out.len > MOST)
                abort();
            if (!w.out.record && w.out.len > 0)
                abort();
            buf_consume(&w.out, w.out.len);
        }
        buf_fini(&in);
        rc = got != 0;
    }
    way_close(&w);
}

/* Each record begins with its length. */
static void there_and_back(const struct form *f, const uint8_t *data, size_t size, size_t piece)
{
    struct way there, back;
    way_open(&there, f, true);
    way_open(&back, f, false);
    bool lines = strcmp(f->keyword, "LINES") == 0, slip = strcmp(f->keyword, "SLIP") == 0;
    while (size > 0) {
        size_t n = data[0] < size - 1 ? data[0] : size - 1;
        const uint8_t *record = data + 1;
        struct buf in;
        put(&in, record, n);
        in.record = true;
        int rc = push(&there, &in, CODEC_RUN);
        buf_fini(&in);
        data += n + 1;
        size -= n + 1;
        if (rc < 0 && !lines)
            abort();
        if (rc < 0)
            break;
        bool came = slip && n == 0;
        while (there.out.len > 0) {
            size_t k = there.out.len < piece ? there.out.len : piece;
            put(&in, buf_data(&there.out), k);
            buf_consume(&there.out, k);
            while (in.len > 0) {
                if (push(&back, &in, CODEC_RUN) < 0)
                    abort();
                if (!buf_holds(&back.out))
                    continue;
                size_t want = lines && n > 0 && record[n - 1] == '\n' ? n - 1 : n;
                if (came || back.out.len != want || (want > 0 && memcmp(buf_data(&back.out), record, want) != 0))
                    abort();
                came = true;
                buf_consume(&back.out, back.out.len);
            }
            buf_fini(&in);
        }
        if (!came)
            abort();
    }
    way_close(&there);
    way_close(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const struct form *f = form_of(keywords[data[0] % NKEYWORDS]);
    size_t piece = 1 + data[1] % 64;
    take_frames(f, data + 2, size - 2, piece);
    there_and_back(f, data + 2, size - 2, piece);
    return 0;
}
