/* SPDX-License-Identifier: GPL-2.0-or-later
 * ROT13: a codec. Letters are moved by 13 on the way to the wire, and moved back on the way from it.
 *
 *     catena - 'rot13|tcp:host:port' */
#include <catena/inter.h>
#include <catena/module.h>

static unsigned char turned(unsigned char c)
{
    if (c >= 'a' && c <= 'z')
        return (unsigned char)('a' + (c - 'a' + 13) % 26);
    if (c >= 'A' && c <= 'Z')
        return (unsigned char)('A' + (c - 'A' + 13) % 26);
    return c;
}

/* Takes from one buffer and gives to the other, as far as both allow. 1: nothing is left to be given out. */
static int push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    unsigned char *to;
    size_t room = buf_room(out, &to), n = in->len < room ? in->len : room;
    (void)st, (void)e;
    for (size_t i = 0; i < n; i++)
        to[i] = turned(buf_data(in)[i]);
    buf_commit(out, n);
    buf_consume(in, n);
    return mode != CODEC_RUN && in->len == 0;
}

static const struct codec_ops ops = {.push = push};
static const struct codec_pair both = {.encode = &ops, .decode = &ops};

static const struct form forms[] = {
    CODEC_FORM("ROT13", NULL, NULL, both, "moves letters by 13"),
    {.keyword = NULL},
};

const struct catena_module catena_module = CATENA_MODULE(forms, NULL);
