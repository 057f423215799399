/* SPDX-License-Identifier: GPL-2.0-or-later
 * BROTLI and UNBROTLI (RFC 7932). Nothing in the format says where a stream begins, so nothing may follow
 * behind one. */
#include <brotli/decode.h>
#include <brotli/encode.h>

#include "inter/compress/opts_compress.h"
#include "inter/compress/packing.h"
#include "inter/libraries/libraries.h"

enum { LEVEL = 5 };

/* ---- compressing ---- */

struct brotli_packer {
    struct packer p;
    BrotliEncoderState *z;
    bool busy; /* in the middle of a flush or the end: it takes no input then */
};

static int call(struct brotli_packer *p, struct buf *in, struct buf *out, BrotliEncoderOperation op,
                struct err *e)
{
    unsigned char *to;
    size_t room = buf_room(out, &to), had = room, n = op == BROTLI_OPERATION_PROCESS ? in->len : 0, fed = n;
    const uint8_t *from = n > 0 ? buf_data(in) : NULL;

    if (!BrotliEncoderCompressStream(p->z, op, &n, &from, &room, &to, NULL))
        return err_set(e, ERR_OTHER, "brotli compression has failed");
    buf_consume(in, fed - n);
    buf_commit(out, had - room);
    return 0;
}

static int pack_step(void *st, struct buf *in, struct buf *out, enum pack_op op, struct err *e)
{
    struct brotli_packer *p = st;

    while (!p->busy && in->len > 0) {
        if (out->len == out->cap)
            return 0;
        if (call(p, in, out, BROTLI_OPERATION_PROCESS, e) < 0)
            return -1;
    }
    if (op == PACK_ON)
        return 1;
    p->busy = true;
    do {
        if (out->len == out->cap)
            return 0;
        if (call(p, in, out, op == PACK_FLUSH ? BROTLI_OPERATION_FLUSH : BROTLI_OPERATION_FINISH, e) < 0)
            return -1;
    } while (BrotliEncoderHasMoreOutput(p->z));
    p->busy = false;
    return 1;
}

static int pack_init(void *st, const struct addr *a, struct err *e)
{
    struct brotli_packer *p = st;

    p->p.step = pack_step;
    if (libraries_load_brotli(e) < 0 || pack_flush_policy(a, &p->p.policy, e) < 0)
        return -1;
    p->z = BrotliEncoderCreateInstance(NULL, NULL, NULL);
    if (!p->z)
        return err_nomem(e);
    if (!BrotliEncoderSetParameter(p->z, BROTLI_PARAM_QUALITY, (uint32_t)opt_int(a, &opt_level, LEVEL)) ||
        !BrotliEncoderSetParameter(p->z, BROTLI_PARAM_LGWIN,
                                   (uint32_t)opt_int(a, &opt_window, BROTLI_DEFAULT_WINDOW)))
        return err_set(e, ERR_OTHER, "starting brotli compression has failed");
    return 0;
}

static void pack_fini(void *st)
{
    struct brotli_packer *p = st;
    if (p->z)
        BrotliEncoderDestroyInstance(p->z);
    p->z = NULL;
}

static const struct codec_ops packs = {.state_size = sizeof(struct brotli_packer),
                                       .init = pack_init,
                                       .push = packer_push,
                                       .fini = pack_fini};

/* ---- expanding ---- */

struct brotli_unpacker {
    struct unpacker u;
    BrotliDecoderState *z;
};

static enum unpacked unpack_step(void *st, struct buf *in, struct buf *out, struct err *e)
{
    struct brotli_unpacker *u = st;
    unsigned char *to;
    size_t room = buf_room(out, &to), had = room, n = in->len;
    const uint8_t *from = n > 0 ? buf_data(in) : NULL;
    BrotliDecoderResult rc = BrotliDecoderDecompressStream(u->z, &n, &from, &room, &to, NULL);

    buf_consume(in, in->len - n);
    buf_commit(out, had - room);
    if (rc == BROTLI_DECODER_RESULT_ERROR) {
        BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(u->z);
        if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
            return (enum unpacked)err_nomem(e);
        return unpacker_damaged(&u->u, BrotliDecoderErrorString(code), e);
    }
    return rc == BROTLI_DECODER_RESULT_SUCCESS ? UNPACK_FRAME_ENDS : UNPACK_MORE;
}

static int unpack_init(void *st, const struct addr *a, struct err *e)
{
    struct brotli_unpacker *u = st;

    u->u.step = unpack_step;
    u->u.one = true;
    if (libraries_load_brotli(e) < 0)
        return -1;
    pack_growth_init(&u->u.growth, "brotli", a);
    u->z = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    return !u->z ? err_nomem(e) : 0;
}

static void unpack_fini(void *st)
{
    struct brotli_unpacker *u = st;
    if (u->z)
        BrotliDecoderDestroyInstance(u->z);
    u->z = NULL;
}

static const struct codec_ops unpacks = {.state_size = sizeof(struct brotli_unpacker),
                                         .init = unpack_init,
                                         .push = unpacker_push,
                                         .fini = unpack_fini};

static const struct codec_pair brotli_pair = {.encode = &packs, .decode = &unpacks};
static const struct codec_pair unbrotli_pair = {.encode = &unpacks, .decode = &packs};

extern const struct form forms_brotli[];
const struct form forms_brotli[] = {
    CODEC_FORM("BROTLI", options_brotli, pack_check, brotli_pair,
               "compresses from left to right, expands on the way back (brotli)", .heavy = true),
    CODEC_FORM("UNBROTLI", options_brotli, pack_check, unbrotli_pair,
               "expands from left to right, compresses on the way back (brotli)", .heavy = true),
    {0},
};
