/* SPDX-License-Identifier: GPL-2.0-or-later
 * BASE64 and UNBASE64 (RFC 4648). */
#include <string.h>

#include "catena/run.h"
#include "inter/compress/opts_compress.h"
#include "inter/compress/packing.h"
#include "inter/text/opts_text.h"
#include "inter/text/text.h"

enum padding { OPTIONAL, STRICT, NONE };
static const char *const paddings[] = {"optional", "strict", "none", NULL};

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_urls[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static const char *alphabet(const struct addr *a)
{
    return opt_true(a, &opt_url) ? for_urls : standard;
}

static int padding(const struct addr *a, struct err *e)
{
    return text_word(a, &opt_padding, paddings, "optional, strict, none", e);
}

static int base64_check(const struct addr *a, struct err *e)
{
    enum pack_flush policy;
    return padding(a, e) < 0 || pack_flush_policy(a, &policy, e) < 0 ? -1 : 0;
}

/* ---- encoding ---- */

struct encoder {
    struct text_out out;
    const char *alphabet;
    enum padding padding;
    enum pack_flush policy;
    unsigned char held[3]; /* less than a group */
    size_t nheld;
    bool ended;
};

static int encoder_init(void *st, const struct addr *a, struct err *e)
{
    struct encoder *d = st;
    d->alphabet = alphabet(a);
    d->padding = (enum padding)padding(a, e);
    text_init(&d->out, a);
    return pack_flush_policy(a, &d->policy, e);
}

/* A group that is not full can only leave with padding behind it, which not everybody takes in the middle:
 * so only where somebody may wait for it, as a dialog has both directions. */
static int encoder_start(void *st, const struct codec_place *where, struct err *e)
{
    struct encoder *d = st;
    const struct settings *s = where->run->settings;
    (void)e;
    if (!opt_find(where->addr, &opt_flush) && !(s->to_right && s->to_left))
        d->policy = FLUSH_NEVER;
    return 0;
}

/* One to three bytes. */
static void put_group(struct encoder *d, const unsigned char *p, size_t n)
{
    unsigned long bits = (unsigned long)p[0] << 16 | (n > 1 ? (unsigned long)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
    char to[4] = {d->alphabet[bits >> 18], d->alphabet[bits >> 12 & 63],
                  n > 1 ? d->alphabet[bits >> 6 & 63] : '=', n > 2 ? d->alphabet[bits & 63] : '='};
    text_put(&d->out, to, d->padding == NONE ? n + 1 : 4);
}

/* Full groups, as many as there is room for. */
static void encode(struct encoder *d, struct buf *in)
{
    while (in->len > 0 && text_has_room(&d->out, 4)) {
        if (d->nheld == 0 && in->len >= 3) {
            put_group(d, buf_data(in), 3);
            buf_consume(in, 3);
            continue;
        }
        d->held[d->nheld++] = *buf_data(in);
        buf_consume(in, 1);
        if (d->nheld == 3) {
            put_group(d, d->held, 3);
            d->nheld = 0;
        }
    }
}

static bool rest_is_due(const struct encoder *d, enum codec_mode mode)
{
    if (d->nheld == 0 || mode == CODEC_END)
        return d->nheld > 0;
    return d->padding != NONE && (d->policy == FLUSH_ALWAYS || (d->policy == FLUSH_IDLE && mode == CODEC_IDLE));
}

static int encoder_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct encoder *d = st;
    (void)e;
    while (text_give(&d->out, out)) {
        if (in->len > 0) {
            encode(d, in);
        } else if (rest_is_due(d, mode)) {
            put_group(d, d->held, d->nheld);
            d->nheld = 0;
        } else if (mode == CODEC_END && !d->ended) {
            text_end(&d->out);
            d->ended = true;
        } else {
            return mode != CODEC_RUN;
        }
    }
    return 0;
}

static const struct codec_ops encodes = {.state_size = sizeof(struct encoder),
                                         .init = encoder_init,
                                         .start = encoder_start,
                                         .push = encoder_push};

/* ---- decoding ---- */

enum { BLANK = 64, PAD, STRAY };

struct decoder {
    unsigned char value[256]; /* 0 to 63, or what else a byte is */
    enum padding padding;
    bool url;
    unsigned bits, n, pads; /* of a group: what is known, of how many characters; its padding */
    bool over; /* there was padding */
    unsigned long long offset;
};

static int decoder_init(void *st, const struct addr *a, struct err *e)
{
    struct decoder *d = st;
    for (int c = 0; c < 256; c++)
        d->value[c] = text_is_blank((unsigned char)c) ? BLANK : c == '=' ? PAD : STRAY;
    for (unsigned char i = 0; i < 64; i++)
        d->value[(unsigned char)alphabet(a)[i]] = i;
    d->url = opt_true(a, &opt_url);
    d->padding = (enum padding)padding(a, e);
    return 0;
}

static int pad(struct decoder *d, struct err *e)
{
    if (d->padding == NONE || d->n < 2)
        return text_stray('=', d->offset, "padding where none belongs", e);
    if (d->padding == STRICT && d->bits & (d->n == 2 ? 0xf : 0x3))
        return err_set(e, ERR_DAMAGED, "the padding at offset %llu hides bits that are not 0", d->offset);
    if (d->n + ++d->pads == 4) {
        d->n = d->pads = d->bits = 0;
        d->over = true;
    }
    return 0;
}

static int stray(const struct decoder *d, unsigned char c, struct err *e)
{
    (void)text_stray(c, d->offset, "no base64", e);
    if (strchr(d->url ? "+/" : "-_", c) && c)
        (void)err_hint(e, d->url ? "the alphabet without \"url\" has it" : "the alphabet with \"url\" has it");
    return -1;
}

/* One character. Gives how many bytes it has made, or -1. */
static int take(struct decoder *d, unsigned char c, unsigned char *to, struct err *e)
{
    unsigned char v = d->value[c];
    if (v == BLANK)
        return 0;
    if (v == PAD)
        return pad(d, e);
    if (v == STRAY)
        return stray(d, c, e);
    if (d->pads > 0 || (d->over && d->padding == STRICT))
        return text_stray(c, d->offset, d->pads > 0 ? "in the middle of padding" : "behind the padding", e);
    d->bits = d->bits << 6 | v;
    d->n = (d->n + 1) % 4;
    if (d->n == 1)
        return 0;
    *to = (unsigned char)(d->bits >> (d->n == 2 ? 4 : d->n == 3 ? 2 : 0));
    if (d->n == 0)
        d->bits = 0;
    return 1;
}

/* What has nothing special about it. */
static size_t take_groups(struct decoder *d, const unsigned char *p, size_t n, unsigned char *to, size_t room)
{
    size_t i = 0, made = 0;
    for (; d->n == 0 && d->pads == 0 && !d->over && i + 4 <= n && made + 3 <= room; i += 4, made += 3) {
        unsigned v[4] = {d->value[p[i]], d->value[p[i + 1]], d->value[p[i + 2]], d->value[p[i + 3]]};
        if ((v[0] | v[1] | v[2] | v[3]) >= BLANK)
            break;
        to[made] = (unsigned char)(v[0] << 2 | v[1] >> 4);
        to[made + 1] = (unsigned char)(v[1] << 4 | v[2] >> 2);
        to[made + 2] = (unsigned char)(v[2] << 6 | v[3]);
    }
    d->offset += i;
    return i;
}

static int finish(const struct decoder *d, struct err *e)
{
    if (d->n == 1 || d->pads > 0)
        return err_set(e, ERR_CUT, "base64 cut short in the middle of a group, at offset %llu", d->offset);
    if (d->n > 1 && d->padding == STRICT)
        return err_set(e, ERR_CUT, "base64 cut short: no padding at offset %llu", d->offset);
    return 1;
}

static int decoder_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct decoder *d = st;
    while (in->len > 0) {
        unsigned char *to;
        size_t room = buf_room(out, &to);
        if (room == 0)
            return 0;
        size_t n = take_groups(d, buf_data(in), in->len, to, room);
        if (n > 0) {
            buf_consume(in, n);
            buf_commit(out, n / 4 * 3);
            continue;
        }
        int made = take(d, *buf_data(in), to, e);
        if (made < 0)
            return -1;
        buf_commit(out, (size_t)made);
        buf_consume(in, 1);
        d->offset++;
    }
    return mode == CODEC_END ? finish(d, e) : mode != CODEC_RUN;
}

static const struct codec_ops decodes = {
    .state_size = sizeof(struct decoder), .init = decoder_init, .push = decoder_push};

static const struct codec_pair base64_pair = {.encode = &encodes, .decode = &decodes};
static const struct codec_pair unbase64_pair = {.encode = &decodes, .decode = &encodes};

extern const struct form forms_base64[];
const struct form forms_base64[] = {
    CODEC_FORM("BASE64", options_base64, base64_check, base64_pair,
               "writes bytes as base64 from left to right, reads it on the way back"),
    CODEC_FORM("UNBASE64", options_base64, base64_check, unbase64_pair,
               "reads base64 from left to right, writes it on the way back"),
    {0},
};
