/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rates, times, chances and dice: see clocks.h. */
#include "inter/clocks/clocks.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "catena/diag.h"
#include "inter/clocks/opts_clocks.h"

const char *clocks_text(const struct addr *a, bool to_right, struct span *at)
{
    const struct opt *o = opt_find(a, to_right ? &opt_to_right : &opt_to_left);
    *at = o ? o->at : a->nparams > 0 && a->param_at ? a->param_at[0] : a->at;
    return o ? (o->v.s ? o->v.s : "") : a->nparams > 0 ? a->params[0] : NULL;
}

/* ---- numbers with units ---- */

struct unit {
    const char *name;
    double factor;
};

#define K 1024.0
static const struct unit rates[] = {
    {"", 1},           {"B", 1},           {"k", K},        {"kB", K},        {"M", K * K},      {"MB", K * K},
    {"G", K * K * K},  {"GB", K * K * K},  {"bit", 0.125},  {"kbit", 125},    {"Mbit", 125e3},   {"Gbit", 125e6},
    {NULL, 0},
};
static const struct unit sizes[] = {{"", 1}, {"B", 1}, {"k", K}, {"kB", K}, {"M", K * K}, {"MB", K * K},
                                    {"G", K * K * K}, {"GB", K * K * K}, {NULL, 0}};
static const struct unit times[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"us", 0.001}, {NULL, 0}};
static const struct unit percents[] = {{"", 1}, {"%", 1}, {NULL, 0}};
#undef K

/* Gives -1 for what is no such number. */
static double number(const char *text, const struct unit *units)
{
    char *end;
    if (text[0] < '0' || text[0] > '9') /* strtod knows signs, blanks, nan and inf */
        return -1;
    double value = strtod(text, &end);
    for (const struct unit *u = units; u->name; u++)
        if (strcasecmp(u->name, end) == 0)
            return value * u->factor;
    return -1;
}

static const double MOST_BYTES = 1e15;

int clocks_rate(const char *text, struct span at, double *out, struct err *e)
{
    size_t n = strlen(text);
    char plain[32];
    if (n >= 2 && n < sizeof plain && strcmp(text + n - 2, "/s") == 0) {
        memcpy(plain, text, n - 2);
        plain[n - 2] = '\0';
        text = plain;
    }
    *out = number(text, rates);
    if (*out >= 0.1 && *out <= MOST_BYTES)
        return 0;
    return err_at(e, at, "\"%s\" is no rate: bytes a second, as 500, 20k or 1.5M (of 1024), or bits, as 9600bit, "
                         "64kbit or 10Mbit (of 1000)", text);
}

int clocks_size(const char *text, struct span at, double *out, struct err *e)
{
    *out = number(text, sizes);
    return *out >= 1 && *out <= MOST_BYTES ? 0 : err_at(e, at, "\"%s\" is no number of bytes, as 4096, 64k or 1M", text);
}

int clocks_time(const char *text, struct span at, int64_t most, double *out, struct err *e)
{
    *out = number(text, times);
    if (*out >= 0 && *out <= (double)most)
        return 0;
    return err_at(e, at, "\"%s\" is no time from 0 to %g s: seconds, as 0.2, or with a unit, as 200ms", text,
                  (double)most / 1000);
}

int clocks_chance(const char *text, struct span at, double *out, struct err *e)
{
    *out = number(text, percents) / 100; /* exact at both ends, which a product is not on every machine */
    return *out >= 0 && *out <= 1 ? 0 : err_at(e, at, "\"%s\" is no percentage from 0 to 100, as 5 or 0.1%%", text);
}

/* ---- dice ---- */

/* splitmix64, by Sebastiano Vigna, which is in the public domain. */
static uint64_t next(struct dice *d)
{
    uint64_t z = (d->state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int dice_init(struct dice *d, const struct codec_place *where, struct err *e)
{
    const struct opt *seed = opt_find(where->addr, &opt_seed);
    uint32_t by_chance;
    if (!seed && getrandom(&by_chance, sizeof by_chance, GRND_NONBLOCK) != sizeof by_chance)
        return err_sys(e, "no random numbers");
    d->state = seed ? (uint64_t)seed->v.i : by_chance;
    if (!seed)
        diag(DIAG_INFO, "%s: to the %s: seed=%u", where->addr->label, where->to_right ? "right" : "left", by_chance);
    if (!where->to_right)
        d->state = ~d->state;
    return 0;
}

double dice_throw(struct dice *d)
{
    return (double)(next(d) >> 11) / 9007199254740992.0;
}
