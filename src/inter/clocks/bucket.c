/* SPDX-License-Identifier: GPL-2.0-or-later
 * A token bucket: see bucket.h. */
#include "inter/clocks/bucket.h"

#include "inter/clocks/clocks.h"

enum {
    BURST_MS = 100, /* what who wakes late may catch up with */
    GRID_MS = 20,
    LEAST_MS = 2, /* a burst lasts so long: the clock counts in milliseconds */
};

void bucket_init(struct bucket *b, double bytes_per_second, double burst, int64_t now)
{
    double rate = bytes_per_second / 1000;
    *b = (struct bucket){.rate = rate, .at = now};
    b->burst = larger(burst > 0 ? burst : rate * BURST_MS + 1, larger(rate * LEAST_MS, 1));
    b->grid = b->burst >= 2 * GRID_MS * rate ? GRID_MS : 1;
    b->quantum = smaller(larger(rate * b->grid, 1), b->burst);
    b->credit = b->burst;
}

static void fill(struct bucket *b, int64_t now)
{
    if (now > b->at) {
        b->credit = smaller(b->burst, b->credit + b->rate * (double)(now - b->at));
        b->at = now;
    }
}

static int64_t when(const struct bucket *b, double need)
{
    int64_t t = b->at + clocks_up(larger(1, (need - b->credit) / b->rate));
    return b->rate * b->grid < 1 ? t : (t + b->grid - 1) / b->grid * b->grid;
}

size_t bucket_take(struct bucket *b, size_t want, bool whole, int64_t now, int64_t *until)
{
    double all = (double)want, need = smaller(all, whole ? b->burst / 2 : b->quantum);
    fill(b, now);
    if (b->credit < need) {
        *until = when(b, need);
        return 0;
    }
    size_t n = whole || b->credit >= all ? want : (size_t)b->credit;
    b->credit -= (double)n;
    return n;
}
