/* SPDX-License-Identifier: GPL-2.0-or-later
 * Option values: from the text typed to the type its row says. All that can be known wrong about a
 * value before anything is opened is said here. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "catena/arena.h"
#include "catena/catena.h"
#include "catena/option.h"
#include "catena/options.h"

struct conv {
    struct arena *mem;
    const struct catena *home;
    const struct option_desc *d;
    const char *text; /* NULL: no "=" was typed */
    struct span at;
    struct value *v;
    struct err *e;
};

enum { BIT_PATTERN = 1 }; /* hexadecimal may use the sign bit as well */

struct range {
    long long min, max;
    int flags;
};
static const struct range int_range = {INT_MIN, INT_MAX, BIT_PATTERN};
static const struct range request_range = {INT_MIN, UINT_MAX, 0}; /* of ioctl(2) */

static int keep_text(struct conv *c, const char *text)
{
    c->v->s = arena_strndup(c->mem, text, strlen(text));
    return c->v->s ? 0 : err_nomem(c->e);
}

static int value_required(struct conv *c)
{
    return err_at(c->e, c->at, "option \"%s\": value required", c->d->name);
}

/* Takes a number in C notation (base 0) or octal (base 8) from *p; gives what follows in *p. */
static int take_number(struct conv *c, const char **p, int base, const struct range *range,
                       long long *out)
{
    char *end;
    errno = 0;
    long long n = strtoll(*p, &end, base);
    if (end == *p && !c->text[0])
        return err_at(c->e, c->at, "missing numerical value of option \"%s\"", c->d->name);
    if (end == *p)
        return err_at(c->e, c->at,
                      "missing numerical value of option \"%s\": \"%s\" does not start with %s",
                      c->d->name, *p, base == 8 ? "an octal digit" : "a number");
    bool too_big = errno == ERANGE || n < range->min || n > range->max;
    const char *digits = *p + strspn(*p, " \t");
    if (too_big && errno == 0 && (range->flags & BIT_PATTERN) && digits[0] == '0' &&
        (digits[1] == 'x' || digits[1] == 'X') && n <= UINT_MAX) {
        n = (int)(unsigned)n;
        too_big = false;
    }
    if (too_big)
        return err_at(c->e, c->at,
                      base == 8 ? "value \"%s\" of option \"%s\" is out of range: %llo..%llo octal"
                                : "value \"%s\" of option \"%s\" is out of range: %lld..%lld",
                      c->text, c->d->name, range->min, range->max);
    *p = end;
    *out = n;
    return 0;
}

static int garbage(struct conv *c, const char *rest)
{
    return err_at(c->e, c->at, "trailing garbage \"%s\" in numerical value \"%s\" of option \"%s\"",
                  rest, c->text, c->d->name);
}

static int whole_number(struct conv *c, int base, const struct range *range)
{
    const char *p = c->text;
    if (take_number(c, &p, base, range, &c->v->i) < 0)
        return -1;
    return *p ? garbage(c, p) : 0;
}

/* Numbers stand for 1 when no "=" was typed. */
static int number_or_one(struct conv *c, const struct range *range)
{
    c->v->i = 1;
    return c->text ? whole_number(c, 0, range) : 0;
}

static int conv_int(struct conv *c) { return number_or_one(c, &int_range); }

/* all ones, as -1, is the customary "no limit" */
static int conv_unsigned(struct conv *c)
{
    static const struct range range = {0, UINT_MAX, 0};
    if (c->text && strcmp(c->text, "-1") == 0) {
        c->v->i = UINT_MAX;
        return 0;
    }
    return number_or_one(c, &range);
}

static int conv_size(struct conv *c)
{
    static const struct range range = {-1, LLONG_MAX, 0};
    return number_or_one(c, &range);
}

static int conv_long(struct conv *c)
{
    static const struct range range = {LLONG_MIN, LLONG_MAX, 0};
    return number_or_one(c, &range);
}

static int conv_byte(struct conv *c)
{
    static const struct range range = {0, UCHAR_MAX, 0};
    return number_or_one(c, &range);
}

static int conv_ushort(struct conv *c)
{
    static const struct range range = {0, USHRT_MAX, 0};
    if (!option_is(c->d, &opt_sourceport))
        return number_or_one(c, &range);
    if (!c->text)
        return value_required(c);
    if (!isalpha((unsigned char)c->text[0]))
        return whole_number(c, 10, &range);

    return keep_text(c, c->text);
}

static int conv_mode(struct conv *c)
{
    static const struct range range = {0, 07777, 0};
    return c->text ? whole_number(c, 8, &range) : value_required(c);
}

static int conv_linger(struct conv *c)
{
    static const struct range range = {0, INT_MAX, 0};
    return c->text ? whole_number(c, 0, &range) : value_required(c);
}

/* An empty value means: make no call at all. The text is kept to tell. */
static int conv_int_null(struct conv *c)
{
    if (c->text && keep_text(c, c->text) < 0)
        return -1;
    return c->text && !c->text[0] ? 0 : conv_int(c);
}

static int conv_string(struct conv *c)
{
    return c->text ? keep_text(c, c->text) : value_required(c);
}

static int conv_string_null(struct conv *c) { return c->text ? keep_text(c, c->text) : 0; }

static int conv_const(struct conv *c)
{
    c->v->i = 1;
    return c->text ? err_at(c->e, c->at, "no value permitted for option \"%s\"", c->d->name) : 0;
}

static int conv_time(struct conv *c)
{
    if (!c->text)
        return value_required(c);
    const char *digits = c->text + strspn(c->text, " \t");
    digits += *digits == '-' || *digits == '+';
    digits += *digits == '.';
    if (!isdigit((unsigned char)*digits)) /* neither "nan" nor "inf" either */
        return err_at(c->e, c->at, "missing numerical value of option \"%s\"%s%s%s", c->d->name,
                      c->text[0] ? ": \"" : "", c->text, c->text[0] ? "\" are no seconds" : "");
    char *end;
    c->v->t = strtod(c->text, &end);
    if (*end)
        return garbage(c, end);
    if (c->v->t < -INT_MAX || c->v->t > INT_MAX)
        return err_at(c->e, c->at, "value \"%s\" of option \"%s\" is out of range: %d..%d seconds",
                      c->text, c->d->name, -INT_MAX, INT_MAX);
    return 0;
}

static int dalan_part(struct conv *c, const char *text)
{
    if (dalan_convert(c->mem, text, &c->v->bin, &c->v->nbin, c->e) == 0)
        return 0;
    c->e->where = c->at;
    return err_wrap(c->e, "option \"%s\"", c->d->name);
}

static int conv_bin(struct conv *c)
{
    return c->text ? dalan_part(c, c->text) : value_required(c);
}

/* n numbers, then, if tail is not NULL, one part of another kind, all separated by colons. */
static int numbers(struct conv *c, int n, const struct range *range, const char **tail)
{
    long long *const members[] = {&c->v->i, &c->v->i2, &c->v->i3};
    if (!c->text)
        return value_required(c);
    const char *p = c->text;
    for (int i = 0; i < n; i++) {
        if (i > 0)
            p++;
        if (take_number(c, &p, 0, range, members[i]) < 0)
            return -1;
        bool more = i + 1 < n || tail;
        if (*p && *p != ':')
            return garbage(c, p);
        if (*p && !more)
            return garbage(c, p);
        if (!*p && more)
            return err_at(c->e, c->at,
                          "option \"%s\": %d arguments required, separated by \":\", not \"%s\"",
                          c->d->name, n + (tail != NULL), c->text);
    }
    if (tail)
        *tail = p + 1;
    return 0;
}

static int conv_int_int(struct conv *c) { return numbers(c, 2, &request_range, NULL); }
static int conv_int_int_int(struct conv *c) { return numbers(c, 3, &int_range, NULL); }

static int conv_int_bin(struct conv *c)
{
    const char *tail;
    return numbers(c, 1, &request_range, &tail) < 0 ? -1 : dalan_part(c, tail);
}

static int conv_int_string(struct conv *c)
{
    const char *tail;
    return numbers(c, 1, &request_range, &tail) < 0 ? -1 : keep_text(c, tail);
}

static int conv_int_int_bin(struct conv *c)
{
    const char *tail;
    return numbers(c, 2, &int_range, &tail) < 0 ? -1 : dalan_part(c, tail);
}

static int conv_int_int_string(struct conv *c)
{
    const char *tail;
    return numbers(c, 2, &int_range, &tail) < 0 ? -1 : keep_text(c, tail);
}

/* Addresses stay text until they are applied; only the number of parts is checked. Colons in
 * brackets belong to IPv6 addresses. */
static int address_parts(struct conv *c, int least, int most, const char *syntax)
{
    if (!c->text)
        return value_required(c);
    int n = 1, depth = 0;
    for (const char *p = c->text; *p; p++) {
        depth += (*p == '[') - (*p == ']');
        n += *p == ':' && depth <= 0;
    }
    if (n < least || n > most)
        return err_at(c->e, c->at, "syntax in option \"%s\": %s in \"%s\"; it takes %s", c->d->name,
                      n < least ? "missing ':'" : "too many ':'", c->text, syntax);
    return keep_text(c, c->text);
}

static int conv_mreqn(struct conv *c)
{
    return address_parts(c, 2, 3, "<group>:<interface>[:<index>], IPv6 addresses in brackets");
}

static int conv_mreq_source(struct conv *c)
{
    return address_parts(c, 3, 3, "<group>:<interface>:<source>, IPv6 addresses in brackets");
}

static bool numeric_id(const char *text) { return isdigit((unsigned char)text[0]); }

/* Names are looked up before the run, see value_names.c. */
static int conv_id(struct conv *c)
{
    static const struct range range = {0, UINT_MAX - 1, 0};
    if (!c->text)
        return value_required(c);
    if (!numeric_id(c->text))
        return keep_text(c, c->text);
    return whole_number(c, 0, &range);
}

static int (*const converters[VALUE_TYPE_COUNT])(struct conv *) = {
    [VALUE_BOOL] = conv_int,
    [VALUE_INT] = conv_int,
    [VALUE_INT_NULL] = conv_int_null,
    [VALUE_UINT] = conv_unsigned,
    [VALUE_USHORT] = conv_ushort,
    [VALUE_BYTE] = conv_byte,
    [VALUE_LONG] = conv_long,
    [VALUE_SIZE] = conv_size,
    [VALUE_OFF] = conv_long,
    [VALUE_OFF64] = conv_long,
    [VALUE_MODE] = conv_mode,
    [VALUE_UID] = conv_id,
    [VALUE_GID] = conv_id,
    [VALUE_STRING] = conv_string,
    [VALUE_STRING_NULL] = conv_string_null,
    [VALUE_CONST] = conv_const,
    [VALUE_TIMEVAL] = conv_time,
    [VALUE_TIMESPEC] = conv_time,
    [VALUE_LINGER] = conv_linger,
    [VALUE_BIN] = conv_bin,
    [VALUE_INT_INT] = conv_int_int,
    [VALUE_INT_INTP] = conv_int_int,
    [VALUE_INT_BIN] = conv_int_bin,
    [VALUE_INT_STRING] = conv_int_string,
    [VALUE_INT_ULONG] = conv_int_int,
    [VALUE_INT_INT_INT] = conv_int_int_int,
    [VALUE_INT_INT_BIN] = conv_int_int_bin,
    [VALUE_INT_INT_STRING] = conv_int_int_string,
    [VALUE_INT3] = conv_int_int_int,
    [VALUE_IP4NAME] = conv_string,
    [VALUE_IP4SOCK] = conv_string,
    [VALUE_MREQN] = conv_mreqn,
    [VALUE_MREQ_SOURCE] = conv_mreq_source,
    [VALUE_GENERIC] = conv_mreq_source,
};

/* ---- rows with limits ---- */

static bool limits(const struct option_desc *d, long long *least, long long *most)
{
    bool is_switch = d->type == VALUE_BOOL && d->groups == 0 && d->most == 0;
    *least = d->least;
    *most = is_switch ? 1 : d->most;
    return *least < *most;
}

/* One sentence for all that can be wrong, which says what would be right. */
static int teach(struct conv *c, long long least, long long most)
{
    const bool time = c->d->type == VALUE_TIMEVAL || c->d->type == VALUE_TIMESPEC;
    if (!c->text)
        return err_at(c->e, c->at, "option \"%s\": value required, a number%s from %lld to %lld", c->d->name,
                      time ? " of seconds" : "", least, most);
    if (least == 0 && most == 1)
        return err_at(c->e, c->at, "%s \"%s\" is neither 0 nor 1", c->d->name, c->text);
    return err_at(c->e, c->at, "%s \"%s\" is no number%s from %lld to %lld", c->d->name, c->text,
                  time ? " of seconds" : "", least, most);
}

static int convert(struct conv *c)
{
    long long least, most;
    if (!limits(c->d, &least, &most))
        return converters[c->d->type](c);
    bool time = c->d->type == VALUE_TIMEVAL || c->d->type == VALUE_TIMESPEC;
    bool alone = !c->text && (c->d->type == VALUE_BOOL || c->d->type == VALUE_INT_NULL);
    if (alone || (c->d->type == VALUE_INT_NULL && !*c->text))
        return converters[c->d->type](c);
    if (!c->text || converters[c->d->type](c) < 0 ||
        (time ? c->v->t < (double)least || c->v->t > (double)most : c->v->i < least || c->v->i > most))
        return teach(c, least, most);
    return 0;
}

/* The name of the variable was typed, its value is what counts. */
static int take_variable(struct conv *c)
{
    const char *name = c->text ? arena_strndup(c->mem, c->text, strlen(c->text)) : NULL;
    if (!c->text)
        return value_required(c);
    if (!name)
        return err_nomem(c->e);
    c->v->variable = name;
    c->text = catena_variable(c->home, name);
    return c->text ? 0 : err_at(c->e, c->at, "option \"%s\": there is no variable \"%s\" in the "
                                             "environment", c->d->name, name);
}

int value_convert(struct arena *a, const struct catena *c, const struct option_desc *d,
                  const char *text, struct span at, struct value *out, struct err *e)
{
    *out = (struct value){.given = text != NULL};
    struct conv v = {.mem = a, .home = c, .d = d, .text = text, .at = at, .v = out, .e = e};
    if (d->secret == SECRET_ENV && take_variable(&v) < 0)
        return -1;
    return convert(&v) < 0 ? err_more_precisely(e, ERR_BAD_VALUE) : 0;
}
