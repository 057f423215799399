/* SPDX-License-Identifier: GPL-2.0-or-later
 * LZ4 and UNLZ4: LZ4 frames, with a checksum. */
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>

#include "inter/compress/opts_compress.h"
#include "inter/compress/packing.h"
#include "inter/libraries/libraries.h"

enum { BLOCK = 64 * 1024, HEADER_MOST = 19 };

static int complain(size_t rc, const char *what, struct err *e)
{
    const char *why = LZ4F_getErrorName(rc);
    if (strstr(why, "allocation"))
        return err_nomem(e);
    return err_set(e, ERR_OTHER, "%s: %s", what, why);
}

/* ---- compressing ---- */

/* The library wants to know beforehand that all it makes of a piece finds room: so it writes to a place
 * of its own, from where it is given out. */
struct lz4_packer {
    struct packer p;
    LZ4F_cctx *z;
    LZ4F_preferences_t how;
    unsigned char *stage;
    size_t cap, off, len;
    bool begun, finished;
};

static bool unstage(struct lz4_packer *p, struct buf *out)
{
    size_t n = buf_put(out, p->stage + p->off, p->len);
    p->off += n;
    p->len -= n;
    return p->len == 0;
}

/* One call of the library into the empty stage. Gives 1 when op is done with it. */
static int make(struct lz4_packer *p, struct buf *in, enum pack_op op, struct err *e)
{
    size_t n = in->len < BLOCK ? in->len : BLOCK, rc;
    bool last = in->len == 0 && p->begun;

    if (!p->begun)
        rc = LZ4F_compressBegin(p->z, p->stage, p->cap, &p->how);
    else if (n > 0)
        rc = LZ4F_compressUpdate(p->z, p->stage, p->cap, buf_data(in), n, NULL);
    else if (op == PACK_FINISH)
        rc = LZ4F_compressEnd(p->z, p->stage, p->cap, NULL);
    else
        rc = op == PACK_FLUSH ? LZ4F_flush(p->z, p->stage, p->cap, NULL) : 0;
    if (LZ4F_isError(rc))
        return complain(rc, "lz4 compression", e);
    if (p->begun)
        buf_consume(in, n);
    p->begun = true;
    p->finished = last && op == PACK_FINISH;
    p->off = 0;
    p->len = rc;
    return last;
}

static int pack_step(void *st, struct buf *in, struct buf *out, enum pack_op op, struct err *e)
{
    struct lz4_packer *p = st;
    int done = 0;

    while (unstage(p, out) && !done && !p->finished) {
        done = make(p, in, op, e);
        if (done < 0)
            return -1;
    }
    if (p->len > 0)
        return 0;
    return done || p->finished;
}

static int pack_init(void *st, const struct addr *a, struct err *e)
{
    struct lz4_packer *p = st;

    p->p.step = pack_step;
    if (libraries_load_lz4(e) < 0 || pack_flush_policy(a, &p->p.policy, e) < 0)
        return -1;
    p->how = (LZ4F_preferences_t){
        .frameInfo = {.blockSizeID = LZ4F_max64KB, .contentChecksumFlag = LZ4F_contentChecksumEnabled},
        .compressionLevel = (int)opt_int(a, &opt_level, 0)};
    p->cap = LZ4F_compressBound(BLOCK, &p->how) + HEADER_MOST;
    p->stage = malloc(p->cap);
    if (!p->stage)
        return err_nomem(e);
    size_t rc = LZ4F_createCompressionContext(&p->z, LZ4F_VERSION);
    return LZ4F_isError(rc) ? complain(rc, "starting lz4 compression", e) : 0;
}

static void pack_fini(void *st)
{
    struct lz4_packer *p = st;
    if (p->z)
        (void)LZ4F_freeCompressionContext(p->z);
    p->z = NULL;
    free(p->stage);
    p->stage = NULL;
}

static const struct codec_ops packs = {.state_size = sizeof(struct lz4_packer),
                                       .init = pack_init,
                                       .push = packer_push,
                                       .fini = pack_fini};

/* ---- expanding ---- */

struct lz4_unpacker {
    struct unpacker u;
    LZ4F_dctx *z;
};

static enum unpacked unpack_step(void *st, struct buf *in, struct buf *out, struct err *e)
{
    struct lz4_unpacker *u = st;
    unsigned char *to;
    size_t made = buf_room(out, &to), taken = in->len;
    size_t rc = LZ4F_decompress(u->z, to, &made, in->len ? buf_data(in) : NULL, &taken, NULL);

    if (LZ4F_isError(rc)) {
        const char *why = LZ4F_getErrorName(rc);
        if (strstr(why, "allocation"))
            return (enum unpacked)err_nomem(e);
        if (strstr(why, "frameType_unknown"))
            return unpacker_stray(&u->u, e);
        return unpacker_damaged(&u->u, why, e);
    }
    buf_consume(in, taken);
    buf_commit(out, made);
    return rc == 0 ? UNPACK_FRAME_ENDS : UNPACK_MORE;
}

static int unpack_init(void *st, const struct addr *a, struct err *e)
{
    struct lz4_unpacker *u = st;

    u->u.step = unpack_step;
    if (libraries_load_lz4(e) < 0)
        return -1;
    pack_growth_init(&u->u.growth, "lz4", a);
    size_t rc = LZ4F_createDecompressionContext(&u->z, LZ4F_VERSION);
    return LZ4F_isError(rc) ? complain(rc, "starting lz4 expansion", e) : 0;
}

static void unpack_fini(void *st)
{
    struct lz4_unpacker *u = st;
    if (u->z)
        (void)LZ4F_freeDecompressionContext(u->z);
    u->z = NULL;
}

static const struct codec_ops unpacks = {.state_size = sizeof(struct lz4_unpacker),
                                         .init = unpack_init,
                                         .push = unpacker_push,
                                         .fini = unpack_fini};

static const struct codec_pair lz4_pair = {.encode = &packs, .decode = &unpacks};
static const struct codec_pair unlz4_pair = {.encode = &unpacks, .decode = &packs};

extern const struct form forms_lz4[];
const struct form forms_lz4[] = {
    CODEC_FORM("LZ4", options_lz4, pack_check, lz4_pair,
               "compresses from left to right, expands on the way back (LZ4 frames)", .heavy = true),
    CODEC_FORM("UNLZ4", options_lz4, pack_check, unlz4_pair,
               "expands from left to right, compresses on the way back (LZ4 frames)", .heavy = true),
    {0},
};
