/* SPDX-License-Identifier: GPL-2.0-or-later
 * A token bucket: bytes flow into it at a rate, up to a burst, and what passes takes them out. A message that
 * cannot be cut passes when the bucket is half full, and may leave less than nothing. Pure: the time comes from the caller, in milliseconds. */
#ifndef BUCKET_H
#define BUCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bucket {
    double rate, burst;   /* bytes a millisecond, bytes */
    double quantum;       /* so many are waited for at least, lest each is an event of its own */
    unsigned grid;        /* ms: when to look again is a multiple of it, which thousands of flows share */
    double credit;
    int64_t at;
};

/* Full at that time. burst 0: as is fit. */
void bucket_init(struct bucket *b, double bytes_per_second, double burst, int64_t now);
/* How much of `want` bytes may pass at that time, and takes it out; whole: all of it or nothing. 0: nothing before
 * *until. */
size_t bucket_take(struct bucket *b, size_t want, bool whole, int64_t now, int64_t *until);

#endif
