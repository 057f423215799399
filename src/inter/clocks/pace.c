/* SPDX-License-Identifier: GPL-2.0-or-later
 * PACE: bytes as a serial line gives them, one after the other at its baud rate, with the pauses that slow devices
 * want. After a silence nothing is caught up with. */
#include <stdlib.h>
#include <string.h>

#include "catena/inter.h"
#include "catena/wait.h"
#include "inter/clocks/clocks.h"
#include "inter/clocks/opts_clocks.h"

enum {
    BITS = 10,        /* 8 data bits, start and stop */
    LATE_MS = 100,    /* who wakes up later than that is not caught up with */
    PAUSE_MS = 60000, /* at most */
    MOST_BAUD = 1000000000,
};

struct pace {
    double per_byte;           /* ms: on the line, */
    double per_char, per_line; /* ... and pauses, which are never shorter */
    bool runs, waits;          /* this flow is paced; something waits to be sent */
    double free_at;            /* ms: when the line has sent what it was given */
};

static int pause_of(const struct addr *a, const struct option_desc *row, double *ms, struct err *e)
{
    const struct opt *o = opt_find(a, row);
    *ms = 0;
    return o ? clocks_time(o->v.s ? o->v.s : "", o->at, PAUSE_MS, ms, e) : 0;
}

static int baud_of(const char *text, struct span at, double *baud, struct err *e)
{
    char *end;
    long n = text[0] >= '0' && text[0] <= '9' ? strtol(text, &end, 10) : 0;
    if (n < 1 || n > MOST_BAUD || *end)
        return err_at(e, at, "\"%s\" is no baud rate, as 9600", text);
    *baud = (double)n;
    return 0;
}

/* 1: that flow is paced, 0: it is not. */
static int measure(const struct addr *a, bool to_right, struct pace *p, struct err *e)
{
    struct span at;
    double baud = 0;
    long long bits = opt_int(a, &opt_bits, BITS);
    const char *text = clocks_text(a, to_right, &at);
    if ((text && baud_of(text, at, &baud, e) < 0) || pause_of(a, &opt_char_delay, &p->per_char, e) < 0 ||
        pause_of(a, &opt_line_delay, &p->per_line, e) < 0)
        return -1;
    p->per_byte = text ? 1000.0 * (double)bits / baud : 0;
    p->runs = text || p->per_char > 0 || p->per_line > 0;
    return p->runs;
}

static int pace_check(const struct addr *a, struct err *e)
{
    struct pace p;
    int right = measure(a, true, &p, e), left = right < 0 ? -1 : measure(a, false, &p, e);
    if (left < 0)
        return -1;
    return right || left ? 0 : err_at(e, a->at, "how fast? pace:<baud>, char-delay=<time>, or a rate for one direction, "
                                                "to-right=<baud> or to-left=<baud>");
}

static int pace_start(void *st, const struct codec_place *where, struct err *e)
{
    return measure(where->addr, where->to_right, st, e) < 0 ? -1 : 0;
}

static double pause_behind(const struct pace *p, unsigned char c)
{
    return p->per_char + (c == '\n' || c == '\r' ? p->per_line : 0);
}

/* How many of these the line has sent by now, or, a message, taken. */
static size_t advance(struct pace *p, const struct buf *in, size_t room, double now)
{
    const unsigned char *at = buf_data(in);
    size_t n = 0, most = in->record || in->len < room ? in->len : room;
    p->free_at = larger(p->free_at, now - (p->waits ? LATE_MS : 0));
    while (n < most && (p->free_at <= now || (in->record && n > 0))) {
        double pause = pause_behind(p, at[n++]);
        p->free_at = larger(p->free_at, pause > 0 ? now : 0) + p->per_byte + pause;
    }
    return n;
}

static int pace_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct pace *p = st;
    unsigned char *at;
    (void)e;
    if (buf_holds(out)) {
        p->waits = p->waits && buf_holds(in);
        return 0;
    }
    size_t n = !p->runs || in->len == 0 ? in->len : advance(p, in, buf_room(out, &at), (double)wait_now());
    if (n == in->len && buf_holds(in))
        buf_swap(in, out);
    else
        buf_consume(in, n > 0 ? buf_put(out, buf_data(in), n) : 0);
    p->waits = buf_holds(in);
    return mode != CODEC_RUN && !p->waits;
}

static int64_t pace_due(const void *st)
{
    const struct pace *p = st;
    return p->waits ? clocks_up(p->free_at) : -1;
}

static const struct codec_ops pace_ops = {.looks = true,
                                          .delays = true,
                                          .state_size = sizeof(struct pace),
                                          .start = pace_start,
                                          .push = pace_push,
                                          .due = pace_due};
static const struct codec_pair pace_pair = {.encode = &pace_ops, .decode = &pace_ops};

extern const struct form forms_pace[];
const struct form forms_pace[] = {
    {
        .keyword = "PACE",
        .params = "[:<baud>]",
        .max_params = 1,
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_pace,
        .help = "passes bytes on one by one, as a serial line of that baud rate does",
        .check = pace_check,
        .kind = FORM_CODEC,
        .ops.codec = &pace_pair,
    },
    {0},
};
