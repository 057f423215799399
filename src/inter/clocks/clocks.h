/* SPDX-License-Identifier: GPL-2.0-or-later
 * What THROTTLE, DELAY, PACE and NETEM share: how rates, times and chances are written, and dice that fall alike
 * for the same seed. */
#ifndef CLOCKS_H
#define CLOCKS_H

#include <stdint.h>

#include "catena/inter.h"

/* An address with a value for both directions has it as its parameter, and options for one of them: the text that
 * counts for that flow, and where it stands; NULL none. */
const char *clocks_text(const struct addr *a, bool to_right, struct span *at);

/* Bytes a second: a number, with k, M, G (1024 and its powers) behind it, or kbit, Mbit, Gbit (1000 ... bits). */
int clocks_rate(const char *text, struct span at, double *out, struct err *e);
/* A size: a number, with k, M, G behind it. */
int clocks_size(const char *text, struct span at, double *out, struct err *e);
/* Seconds, or with s, ms, us behind the number. Gives milliseconds, up to most. */
int clocks_time(const char *text, struct span at, int64_t most, double *out, struct err *e);
/* Of a hundred, with or without "%". Gives 0 to 1. */
int clocks_chance(const char *text, struct span at, double *out, struct err *e);

static inline double larger(double a, double b) { return a > b ? a : b; }
static inline double smaller(double a, double b) { return a < b ? a : b; }
/* The first whole millisecond that is not before. */
static inline int64_t clocks_up(double ms) { return (int64_t)ms + ((double)(int64_t)ms < ms); }

struct dice {
    uint64_t state;
};
/* By the option seed, a row for each direction; or as chance has it, which is told then. */
int dice_init(struct dice *d, const struct codec_place *where, struct err *e);
double dice_throw(struct dice *d); /* from 0 to below 1 */

#endif
