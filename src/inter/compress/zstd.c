/* SPDX-License-Identifier: GPL-2.0-or-later
 * ZSTD and UNZSTD: Zstandard frames (RFC 8878), with a checksum. */
#include <zstd.h>
#include <zstd_errors.h>

#include "inter/compress/opts_compress.h"
#include "inter/compress/packing.h"
#include "inter/libraries/libraries.h"

enum {
    LEVEL = 3,
    WINDOW = 27, /* a power of 2: as much memory as a peer may ask for */
    JOB = 1 << 20, /* bytes that a thread compresses in one go: so long the end, and a signal, may have to wait, and
                      so much is taken that nobody has read yet */
};

static int no_memory_or(size_t rc, const char *what, struct err *e)
{
    if (ZSTD_getErrorCode(rc) == ZSTD_error_memory_allocation)
        return err_nomem(e);
    return err_set(e, ERR_OTHER, "%s: %s", what, ZSTD_getErrorName(rc));
}

/* ---- compressing ---- */

struct zstd_packer {
    struct packer p;
    ZSTD_CCtx *z;
};

static int pack_step(void *st, struct buf *in, struct buf *out, enum pack_op op, struct err *e)
{
    static const ZSTD_EndDirective what[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
    struct zstd_packer *p = st;
    unsigned char *to;
    ZSTD_outBuffer o = {.size = buf_room(out, &to)};
    ZSTD_inBuffer i = {.src = in->len ? buf_data(in) : NULL, .size = in->len};
    size_t rc;

    o.dst = to;
    do /* each of the last calls waits for a thread's job: what one gives goes out, and signals are looked at */
        rc = ZSTD_compressStream2(p->z, &o, &i, what[op]);
    while (!ZSTD_isError(rc) && o.pos < o.size && (op == PACK_ON ? i.pos < i.size : rc > 0 && o.pos == 0));
    buf_consume(in, i.pos);
    buf_commit(out, o.pos);
    if (ZSTD_isError(rc))
        return no_memory_or(rc, "zstd compression", e);
    return op == PACK_ON ? in->len == 0 : rc == 0;
}

/* A parameter that is 0 is the library's business. */
static int set(struct zstd_packer *p, ZSTD_cParameter parameter, int value, struct err *e)
{
    size_t rc = ZSTD_CCtx_setParameter(p->z, parameter, value);
    return ZSTD_isError(rc) ? no_memory_or(rc, "starting zstd compression", e) : 0;
}

static int pack_init(void *st, const struct addr *a, struct err *e)
{
    struct zstd_packer *p = st;
    const unsigned threads = pack_threads(a);
    bool far = opt_true(a, &opt_long);

    p->p.step = pack_step;
    if (libraries_load_zstd(e) < 0 || pack_flush_policy(a, &p->p.policy, e) < 0)
        return -1;
    p->z = ZSTD_createCCtx();
    if (!p->z)
        return err_nomem(e);
    return set(p, ZSTD_c_compressionLevel, (int)opt_int(a, &opt_level, LEVEL), e) < 0 ||
                   set(p, ZSTD_c_checksumFlag, 1, e) < 0 ||
                   set(p, ZSTD_c_windowLog, (int)opt_int(a, &opt_window, far ? WINDOW : 0), e) < 0 ||
                   set(p, ZSTD_c_enableLongDistanceMatching, far, e) < 0 ||
                   set(p, ZSTD_c_nbWorkers, threads > 1 ? (int)threads : 0, e) < 0 ||
                   (threads > 1 && set(p, ZSTD_c_jobSize, JOB, e) < 0)
               ? -1
               : 0;
}

static void pack_fini(void *st)
{
    struct zstd_packer *p = st;
    if (p->z)
        (void)ZSTD_freeCCtx(p->z);
    p->z = NULL;
}

static const struct codec_ops packs = {.state_size = sizeof(struct zstd_packer),
                                       .init = pack_init,
                                       .push = packer_push,
                                       .fini = pack_fini};

/* ---- expanding ---- */

struct zstd_unpacker {
    struct unpacker u;
    ZSTD_DCtx *z;
    int window;
};

static enum unpacked complain(const struct zstd_unpacker *u, size_t rc, struct err *e)
{
    switch (ZSTD_getErrorCode(rc)) {
    case ZSTD_error_memory_allocation:
        return (enum unpacked)err_nomem(e);
    case ZSTD_error_frameParameter_windowTooLarge:
        (void)err_set(e, ERR_PROTOCOL, "zstd stream wants a window of more than 2^%d bytes", u->window);
        return (enum unpacked)err_hint(e, "window= allows a larger one");
    case ZSTD_error_prefix_unknown:
        return unpacker_stray(&u->u, e);
    default:
        return unpacker_damaged(&u->u, ZSTD_getErrorName(rc), e);
    }
}

static enum unpacked unpack_step(void *st, struct buf *in, struct buf *out, struct err *e)
{
    struct zstd_unpacker *u = st;
    unsigned char *to;
    ZSTD_outBuffer o = {.size = buf_room(out, &to)};
    ZSTD_inBuffer i = {.src = in->len ? buf_data(in) : NULL, .size = in->len};
    size_t rc;

    o.dst = to;
    rc = ZSTD_decompressStream(u->z, &o, &i);
    buf_consume(in, i.pos);
    buf_commit(out, o.pos);
    return ZSTD_isError(rc) ? complain(u, rc, e) : rc == 0 ? UNPACK_FRAME_ENDS : UNPACK_MORE;
}

static int unpack_init(void *st, const struct addr *a, struct err *e)
{
    struct zstd_unpacker *u = st;

    u->u.step = unpack_step;
    u->window = (int)opt_int(a, &opt_window, WINDOW);
    if (libraries_load_zstd(e) < 0)
        return -1;
    pack_growth_init(&u->u.growth, "zstd", a);
    u->z = ZSTD_createDCtx();
    if (!u->z)
        return err_nomem(e);
    size_t rc = ZSTD_DCtx_setParameter(u->z, ZSTD_d_windowLogMax, u->window);
    return ZSTD_isError(rc) ? no_memory_or(rc, "starting zstd expansion", e) : 0;
}

static void unpack_fini(void *st)
{
    struct zstd_unpacker *u = st;
    if (u->z)
        (void)ZSTD_freeDCtx(u->z);
    u->z = NULL;
}

static const struct codec_ops unpacks = {.state_size = sizeof(struct zstd_unpacker),
                                         .init = unpack_init,
                                         .push = unpacker_push,
                                         .fini = unpack_fini};

static const struct codec_pair zstd_pair = {.encode = &packs, .decode = &unpacks};
static const struct codec_pair unzstd_pair = {.encode = &unpacks, .decode = &packs};

extern const struct form forms_zstd[];
const struct form forms_zstd[] = {
    CODEC_FORM("ZSTD", options_zstd, pack_check, zstd_pair,
               "compresses from left to right, expands on the way back (Zstandard)", .heavy = true),
    CODEC_FORM("UNZSTD", options_zstd, pack_check, unzstd_pair,
               "expands from left to right, compresses on the way back (Zstandard)", .heavy = true),
    {0},
};
