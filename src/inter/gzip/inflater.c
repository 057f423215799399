/* SPDX-License-Identifier: GPL-2.0-or-later
 * From gzip format and its kin to the plain stream. */
#include <zlib.h>

#include "inter/gzip/gzip.h"
#include "inter/libraries/libraries.h"

/* A stream of gzip or zlib is one or more members. gzip(1) takes an empty file for one cut short ("unexpected
 * end of file"), and so do we. Behind the last member, zeros (tapes' blocks) are padding. gzip(1)
 * only warns of anything else there; here it is an error, as bytes would be lost. */
enum inflater_state { BEFORE_FIRST, IN_MEMBER, BETWEEN, PADDING };

struct inflater {
    z_stream z;
    const struct deflate_format *format;
    struct pack_growth growth;
    enum inflater_state state;
    bool open; /* z holds memory */
};

static int inflater_init(void *st, const struct addr *a, struct err *e)
{
    if (libraries_load_zlib(e) < 0)
        return -1;
    struct inflater *f = st;
    f->format = deflate_format(a);
    pack_growth_init(&f->growth, f->format->name, a);
    int rc = inflateInit2(&f->z, f->format->window_bits);

    if (rc == Z_MEM_ERROR)
        return err_nomem(e);
    if (rc != Z_OK)
        return err_set(e, ERR_OTHER, "starting %s expansion: %s", f->format->name, zError(rc));
    f->open = true;
    return 0;
}

static void inflater_fini(void *st)
{
    struct inflater *f = st;

    if (f->open)
        inflateEnd(&f->z);
    f->open = false;
}

/* Outside of members: skips padding, recognizes the next member. Gives -1 on garbage. */
static int inflater_begin(struct inflater *f, struct buf *in, struct err *e)
{
    while (f->state != IN_MEMBER && in->len > 0) {
        unsigned char first = *buf_data(in);

        if (f->state == BEFORE_FIRST) {
            f->state = IN_MEMBER;
        } else if (first == 0 && f->format->padding) {
            f->state = PADDING;
            buf_consume(in, 1);
        } else if (f->state == BETWEEN && f->format->follows && f->format->follows(first)) {
            inflateReset(&f->z);
            f->state = IN_MEMBER;
        } else {
            return err_set(e, ERR_DAMAGED, "garbage behind the end of the %s stream", f->format->name);
        }
    }
    return 0;
}

/* One call of zlib within a member. Gives 1 when it can do no more with this input, 0 to go on. */
static int inflater_step(struct inflater *f, struct buf *in, unsigned char *to, size_t room,
                         struct buf *out, struct err *e)
{
    unsigned fed = gzip_portion(in->len), free_out = gzip_portion(room);
    int rc;

    f->z.next_in = fed > 0 ? buf_data(in) : NULL;
    f->z.avail_in = fed;
    f->z.next_out = to;
    f->z.avail_out = free_out;
    rc = inflate(&f->z, Z_NO_FLUSH);
    buf_consume(in, fed - f->z.avail_in);
    buf_commit(out, free_out - f->z.avail_out);
    if (pack_growth_count(&f->growth, fed - f->z.avail_in, free_out - f->z.avail_out, e) < 0)
        return -1;
    switch (rc) {
    case Z_OK:
        return in->len == 0 && f->z.avail_out > 0;
    case Z_STREAM_END:
        f->state = BETWEEN;
        return 0;
    case Z_BUF_ERROR: /* not an error: there was nothing left to do */
        return 1;
    case Z_MEM_ERROR:
        return err_nomem(e);
    default:
        return err_set(e, ERR_DAMAGED, "%s stream is damaged: %s", f->format->name,
                       f->z.msg ? f->z.msg : zError(rc));
    }
}

static int inflater_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode,
                         struct err *e)
{
    struct inflater *f = st;

    for (;;) {
        unsigned char *to;
        size_t room;
        int rc;

        if (inflater_begin(f, in, e) < 0)
            return -1;
        if (f->state != IN_MEMBER)
            break;
        room = buf_room(out, &to);
        if (room == 0)
            return 0;
        rc = inflater_step(f, in, to, room, out, e);
        if (rc < 0)
            return -1;
        if (rc > 0)
            break;
    }
    if (mode == CODEC_END && (f->state == IN_MEMBER || f->state == BEFORE_FIRST))
        return err_set(e, ERR_CUT, "%s stream cut short", f->format->name);
    return mode != CODEC_RUN;
}

const struct codec_ops gzip_inflater = {
    .state_size = sizeof(struct inflater),
    .init = inflater_init,
    .push = inflater_push,
    .fini = inflater_fini,
};
