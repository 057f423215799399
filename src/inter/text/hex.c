/* SPDX-License-Identifier: GPL-2.0-or-later
 * HEX and UNHEX: two hexadecimal digits for each byte. */
#include <string.h>

#include "inter/text/opts_text.h"
#include "inter/text/text.h"

enum { SEPARATOR_MOST = 8 };
static const char *const cases[] = {"lower", "upper", NULL};
static const char *const digits[] = {"0123456789abcdef", "0123456789ABCDEF"};

static const char *separator(const struct addr *a, const char *otherwise)
{
    const char *s = opt_string(a, &opt_separator, otherwise);
    return s ? s : "";
}

static int hex_check(const struct addr *a, struct err *e)
{
    const char *s = separator(a, "");
    if (strlen(s) > SEPARATOR_MOST)
        return err_at(e, opt_find(a, &opt_separator)->at, "separator \"%s\" has more than %d characters", s,
                      SEPARATOR_MOST);
    if (s[strcspn(s, "0123456789abcdefABCDEF")])
        return err_at(e, opt_find(a, &opt_separator)->at, "separator \"%s\" has a digit in it, of those that bytes are "
                                                          "written with", s);
    if (!*s && opt_find(a, &opt_separator))
        return err_at(e, opt_find(a, &opt_separator)->at, "separator: 1 to %d characters are expected; without the "
                                                          "option nothing is between bytes", SEPARATOR_MOST);
    return text_word(a, &opt_case, cases, "lower, upper", e) < 0 ? -1 : 0;
}

/* ---- encoding ---- */

struct encoder {
    struct text_out out;
    const char *digits, *separator;
    size_t nseparator;
    bool any, ended;
};

static int encoder_init(void *st, const struct addr *a, struct err *e)
{
    struct encoder *d = st;
    text_init(&d->out, a);
    d->digits = digits[text_word(a, &opt_case, cases, "", e) == 1];
    d->separator = separator(a, "");
    d->nseparator = strlen(d->separator);
    return 0;
}

static void encode(struct encoder *d, struct buf *in)
{
    while (in->len > 0 && text_has_room(&d->out, SEPARATOR_MOST + 2)) {
        unsigned char c = *buf_data(in);
        const char pair[2] = {d->digits[c >> 4], d->digits[c & 15]};
        if (d->any && d->nseparator > 0)
            text_put(&d->out, d->separator, d->nseparator);
        text_put(&d->out, pair, 2);
        d->any = true;
        buf_consume(in, 1);
    }
}

static int encoder_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct encoder *d = st;
    (void)e;
    while (text_give(&d->out, out)) {
        if (in->len > 0) {
            encode(d, in);
        } else if (mode == CODEC_END && !d->ended) {
            text_end(&d->out);
            d->ended = true;
        } else {
            return mode != CODEC_RUN;
        }
    }
    return 0;
}

static const struct codec_ops encodes = {
    .state_size = sizeof(struct encoder), .init = encoder_init, .push = encoder_push};

/* ---- decoding ---- */

struct decoder {
    const char *separator;
    int high; /* the first digit of a byte, behind which there is a second one; or -1 */
    unsigned long long offset;
};

static int decoder_init(void *st, const struct addr *a, struct err *e)
{
    struct decoder *d = st;
    (void)e;
    d->separator = separator(a, ":-,");
    d->high = -1;
    return 0;
}

static int digit(unsigned char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* One character. Gives how many bytes it has made, or -1. */
static int take(struct decoder *d, unsigned char c, unsigned char *to, struct err *e)
{
    int v = digit(c);
    if (text_is_blank(c))
        return 0;
    if (v < 0 && (c == '\0' || !strchr(d->separator, c)))
        return text_stray(c, d->offset, "no hexadecimal digit", e);
    if (v < 0)
        return d->high < 0 ? 0 : text_stray(c, d->offset, "in the middle of a byte", e);
    if (d->high < 0) {
        d->high = v;
        return 0;
    }
    *to = (unsigned char)(d->high << 4 | v);
    d->high = -1;
    return 1;
}

static int decoder_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct decoder *d = st;
    while (in->len > 0) {
        unsigned char *to;
        size_t room = buf_room(out, &to), made = 0, i = 0;
        const unsigned char *p = buf_data(in);
        int rc = 0;
        if (room == 0)
            return 0;
        for (; rc >= 0 && i < in->len && made < room; i++, d->offset++) {
            rc = take(d, p[i], to + made, e);
            made += rc > 0;
        }
        buf_commit(out, made);
        buf_consume(in, i);
        if (rc < 0)
            return -1;
    }
    if (mode == CODEC_END && d->high >= 0)
        return err_set(e, ERR_CUT, "hexadecimal digits cut short in the middle of a byte, at offset %llu",
                       d->offset);
    return mode != CODEC_RUN;
}

static const struct codec_ops decodes = {
    .state_size = sizeof(struct decoder), .init = decoder_init, .push = decoder_push};

static const struct codec_pair hex_pair = {.encode = &encodes, .decode = &decodes};
static const struct codec_pair unhex_pair = {.encode = &decodes, .decode = &encodes};

extern const struct form forms_hex[];
const struct form forms_hex[] = {
    CODEC_FORM("HEX", options_hex, hex_check, hex_pair,
               "writes bytes as hexadecimal digits from left to right, reads them on the way back"),
    CODEC_FORM("UNHEX", options_hex, hex_check, unhex_pair,
               "reads hexadecimal digits from left to right, writes them on the way back"),
    {0},
};
