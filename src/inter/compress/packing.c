/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the compressing formats have in common: see packing.h. */
#include "inter/compress/packing.h"

#include <string.h>
#include <unistd.h>

#include "inter/compress/opts_compress.h"

enum { FREE = 1024 * 1024 /* bytes that no ratio is asked of */ };

/* ---- options ---- */

static const char *const flush_names[] = {"idle", "always", "never"};

int pack_flush_policy(const struct addr *a, enum pack_flush *policy, struct err *e)
{
    const char *name = opt_string(a, &opt_flush, "idle");

    for (unsigned i = 0; i < sizeof flush_names / sizeof flush_names[0]; i++)
        if (name && strcmp(name, flush_names[i]) == 0) {
            *policy = (enum pack_flush)i;
            return 0;
        }
    return err_at(e, opt_find(a, &opt_flush)->at, "flush \"%s\" is none of idle, always, never",
                  name ? name : "");
}

int pack_check(const struct addr *a, struct err *e)
{
    enum pack_flush policy;

    return pack_flush_policy(a, &policy, e);
}

static unsigned processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > PACK_MOST_THREADS ? PACK_MOST_THREADS : (unsigned)n;
}

unsigned pack_threads(const struct addr *a)
{
    unsigned n = (unsigned)opt_int(a, &opt_threads, 1);

    return n > 0 ? n : processors();
}

/* ---- how large a stream may become ---- */

void pack_growth_init(struct pack_growth *g, const char *name, const struct addr *a)
{
    *g = (struct pack_growth){.name = name,
                              .most = (unsigned long long)opt_int(a, &opt_max_ratio, 0)};
}

int pack_growth_count(struct pack_growth *g, size_t in, size_t out, struct err *e)
{
    g->in += in;
    g->out += out;
    if (g->most == 0 || g->out <= FREE || g->out / g->most <= g->in)
        return 0;
    return err_set(e, ERR_PROTOCOL,
                   "%llu bytes of a %s stream have become %llu: more than %llu times as many, which is max-ratio",
                   g->in, g->name, g->out, g->most);
}

/* ---- from the plain stream ---- */

/* PACK_ON also stands for "nothing", when no input is there either. */
static enum pack_op next_op(const struct packer *p, const struct buf *in, enum codec_mode mode)
{
    if (p->flushing)
        return PACK_FLUSH;
    if (mode == CODEC_END)
        return PACK_FINISH;
    if (in->len == 0 && !p->dirty)
        return PACK_ON;
    bool due = p->policy == FLUSH_ALWAYS || (p->policy == FLUSH_IDLE && mode == CODEC_IDLE);
    return due ? PACK_FLUSH : PACK_ON;
}

int packer_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct packer *p = st;

    for (;;) {
        enum pack_op op = next_op(p, in, mode);
        if (p->ended || (op == PACK_ON && in->len == 0))
            return mode != CODEC_RUN;
        if (out->len == out->cap)
            return 0;
        p->dirty = p->dirty || in->len > 0;
        int rc = p->step(p, in, out, op, e);
        if (rc < 0)
            return -1;
        p->flushing = op == PACK_FLUSH && rc == 0;
        p->dirty = p->dirty && !(op == PACK_FLUSH && rc == 1);
        p->ended = op == PACK_FINISH && rc == 1;
        if (rc == 0)
            return 0;
    }
}

/* ---- to the plain stream ---- */

enum unpacked unpacker_stray(const struct unpacker *u, struct err *e)
{
    if (!u->any)
        return (enum unpacked)err_set(e, ERR_DAMAGED, "this is no %s stream", u->growth.name);
    return (enum unpacked)err_set(e, ERR_DAMAGED, "garbage behind the end of the %s stream", u->growth.name);
}

enum unpacked unpacker_damaged(const struct unpacker *u, const char *why, struct err *e)
{
    return (enum unpacked)err_set(e, ERR_DAMAGED, "%s stream is damaged: %s", u->growth.name, why);
}

/* One step of the format. Gives 1 when it can do no more with this input, 0 to go on, -1. */
static int unpack(struct unpacker *u, struct buf *in, struct buf *out, struct err *e)
{
    size_t had = in->len, made = out->len;
    enum unpacked rc = u->step(u, in, out, e);
    if (rc == UNPACK_FAILED || pack_growth_count(&u->growth, had - in->len, out->len - made, e) < 0)
        return -1;
    u->within = rc == UNPACK_MORE;
    u->any |= rc == UNPACK_FRAME_ENDS;
    return rc == UNPACK_MORE && in->len == 0 && out->len < out->cap;
}

int unpacker_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct unpacker *u = st;
    int rc = 0;

    while (rc == 0 && (u->within || in->len > 0)) {
        if (out->len == out->cap)
            return 0;
        if (!u->within && u->any && u->one)
            return unpacker_stray(u, e);
        rc = unpack(u, in, out, e);
        if (rc < 0)
            return -1;
    }
    if (mode == CODEC_END && (u->within || !u->any))
        return err_set(e, ERR_CUT, "%s stream cut short", u->growth.name);
    return mode != CODEC_RUN;
}
