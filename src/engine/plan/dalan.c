/* SPDX-License-Identifier: GPL-2.0-or-later
 * The notation for binary data in option values and addresses: items that follow each other or are
 * separated by blanks. i I l L s S b B: a decimal number of that C type in host order; x: pairs of
 * hex digits; "...": a string; '.': one character. Items are packed without padding; behind a blank
 * the letter may be left out, and without any letter a number is an int. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "catena/arena.h"
#include "catena/option.h"

struct out {
    unsigned char *p;
    size_t n;
};

/* One letter, one C type; sizes in bytes. */
static const struct number_type {
    char letter;
    unsigned char size;
    long long min;
    unsigned long long max;
    const char *wrong;
} number_types[] = {
    {'i', sizeof(int), INT_MIN, INT_MAX, "number does not fit an int"},
    {'I', sizeof(int), 0, UINT_MAX, "number does not fit an unsigned int"},
    {'l', sizeof(long), LONG_MIN, LONG_MAX, "number does not fit a long"},
    {'L', sizeof(long), 0, ULONG_MAX, "number does not fit an unsigned long"},
    {'s', sizeof(short), SHRT_MIN, SHRT_MAX, "number outside -32768..32767"},
    {'S', sizeof(short), 0, USHRT_MAX, "number outside 0..65535"},
    {'b', 1, SCHAR_MIN, SCHAR_MAX, "number outside -128..127"},
    {'B', 1, 0, UCHAR_MAX, "number outside 0..255"},
};
enum { NNUMBER_TYPES = sizeof number_types / sizeof number_types[0] };

static const struct number_type *type_of(int letter)
{
    for (size_t i = 0; i < NNUMBER_TYPES; i++)
        if (number_types[i].letter == letter)
            return &number_types[i];
    return NULL;
}

static void put_byte(struct out *out, int byte) { out->p[out->n++] = (unsigned char)byte; }

/* The low bytes of v are v in a narrower type, whichever end comes first in memory. */
static void put_number(struct out *out, unsigned long long v, size_t size)
{
    unsigned char raw[sizeof v];
    const unsigned first = 1;
    unsigned char little;

    memcpy(raw, &v, sizeof raw);
    memcpy(&little, &first, 1);
    memcpy(out->p + out->n, little ? raw : raw + sizeof raw - size, size);
    out->n += size;
}

/* These take one item from *at and give NULL, or what is wrong with it. */
static const char *take_number(const char **at, const struct number_type *t, struct out *out)
{
    const char *digits = *at + (**at == '-' || **at == '+');
    if (!isdigit((unsigned char)*digits))
        return "missing numerical value";
    char *end;
    errno = 0;
    unsigned long long v = strtoull(digits, &end, 10);
    bool negative = **at == '-';
    unsigned long long below = (unsigned long long)-(t->min + 1) + 1; /* -min without overflow */
    if (errno == ERANGE || (negative ? (t->min == 0 ? v > 0 : v > below) : v > t->max))
        return t->wrong;
    put_number(out, negative ? 0 - v : v, t->size);
    *at = end;
    return NULL;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *d = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return d ? (int)(d - digits) : -1;
}

static const char *take_hex(const char **at, struct out *out)
{
    const char *p = *at;
    for (; hex_digit(p[0]) >= 0; p += 2) {
        if (hex_digit(p[1]) < 0)
            return "odd number of hex digits";
        put_byte(out, hex_digit(p[0]) << 4 | hex_digit(p[1]));
    }
    *at = p;
    return NULL;
}

static int take_char(const char **at)
{
    static const char letters[] = "nrtfbae0", meaning[] = "\n\r\t\f\b\a\033";
    const char *p = *at;
    int c = (unsigned char)*p++;
    if (c == '\\' && *p) {
        const char *l = strchr(letters, *p);
        c = l ? (unsigned char)meaning[l - letters] : (unsigned char)*p;
        p++;
    }
    *at = p;
    return c;
}

static const char *take_string(const char **at, struct out *out)
{
    while (**at && **at != '"')
        put_byte(out, take_char(at));
    if (!**at)
        return "missing closing \"";
    ++*at;
    return NULL;
}

static const char *take_quoted_char(const char **at, struct out *out)
{
    if (!**at)
        return "missing character after '";
    put_byte(out, take_char(at));
    if (**at != '\'')
        return "missing closing '";
    ++*at;
    return NULL;
}

static const char *take_items(const char *p, struct out *out)
{
    const struct number_type *number = &number_types[0];
    bool hex = false;

    for (;;) {
        const char *wrong;
        p += strspn(p, " \t");
        if (!*p)
            return NULL;
        if (type_of(*p)) {
            number = type_of(*p++);
            hex = false;
            wrong = take_number(&p, number, out);
        } else if (*p == 'x') {
            p++;
            hex = true;
            wrong = take_hex(&p, out);
        } else if (*p == '"') {
            p++;
            wrong = take_string(&p, out);
        } else if (*p == '\'') {
            p++;
            wrong = take_quoted_char(&p, out);
        } else if (hex && hex_digit(*p) >= 0) {
            wrong = take_hex(&p, out);
        } else if (isdigit((unsigned char)*p) || *p == '-' || *p == '+') {
            wrong = take_number(&p, number, out);
        } else {
            wrong = "unknown type letter; known are i I l L s S b B x \" '";
        }
        if (wrong)
            return wrong;
    }
}

int dalan_convert(struct arena *a, const char *text, const unsigned char **bytes, size_t *n,
                  struct err *e)
{
    /* No character stands for more than one long. */
    struct out out = {arena_alloc(a, (strlen(text) + 1) * sizeof(long)), 0};
    if (!out.p)
        return err_nomem(e);

    const char *wrong = take_items(text, &out);
    if (wrong)
        return err_set(e, ERR_USAGE, "problem with \"%s\" data: %s", text, wrong);
    *bytes = out.p;
    *n = out.n;
    return 0;
}
