/* SPDX-License-Identifier: GPL-2.0-or-later
 * METER: lets everything pass, and says how much that is, how fast, and how long it will take. What the
 * kernel moves past it is counted where it is moved; it looks at the clock when it is due. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "catena/catena.h"
#include "catena/inter.h"
#include "catena/options.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "catena/sink.h"
#include "catena/wait.h"
#include "inter/meter/opts_meter.h"
#include "inter/meter/reading.h"
#include "inter/tap/opts_tap.h"

enum format { BY_SINK, BAR, LINE, JSON };
enum { TICK_MS = 1000 }; /* at most between two looks whether somebody has asked */

struct meter { /* of both flows */
    struct run *run;
    const char *label;
    struct sink sink;
    enum format format;
    bool often;         /* not only at the end */
    unsigned users;
    int64_t interval, began, said, due; /* milliseconds; began 0: not yet */
    unsigned asked;     /* how often somebody had, at the last look */
    bool is[2], untouched[2];
    uint64_t bytes[2], before[2], size;
    size_t width;       /* of the bar that stands there */
};

struct lane {
    struct meter *meter;
    int source;
};

static int format_of(const struct addr *a, struct err *e)
{
    static const char *const names[] = {"", "bar", "line", "json"};
    const char *name = opt_string(a, &opt_format, NULL);
    if (!name)
        return BY_SINK;
    for (int i = BAR; i <= JSON; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return err_at(e, opt_find(a, &opt_format)->at, "format \"%s\" is none of bar, line, json", name);
}

static int meter_check(const struct addr *a, struct err *e)
{
    const struct opt *size = opt_find(a, &opt_meter_size), *interval = opt_find(a, &opt_interval);
    uint64_t n;
    if (format_of(a, e) < 0)
        return -1;
    if (size && !reading_size(size->v.s ? size->v.s : "", &n))
        return err_at(e, size->at, "size \"%s\" is no number of bytes, such as 5000, 1.5k, 700M, 2G",
                      size->v.s ? size->v.s : "");
    if (interval && !(interval->v.t >= 0.02 && interval->v.t <= 1e6))
        return err_at(e, interval->at, "interval=%g: 0.02 to 1000000 seconds are expected", interval->v.t);
    return 0;
}

/* ---- saying it ---- */

/* All of a flow, where its end knows, and at most one is what the option says. */
static uint64_t size_of(const struct meter *m, int source)
{
    if (m->size > 0)
        return source == (m->is[LEFT] ? LEFT : RIGHT) ? m->size : 0;
    return m->untouched[source] ? run_expects(m->run, source) : 0;
}

static struct reading read_off(const struct meter *m, int64_t now, bool end)
{
    struct reading r = {.label = m->label, .peer = atomic_load(&m->run->peer.name), .end = end,
                        .seconds = (double)(now - m->began) / 1000, .lately = (double)(now - m->said) / 1000};
    for (int d = LEFT; d <= RIGHT; d++)
        r.flow[d] = (struct reading_flow){m->is[d], m->bytes[d], m->before[d], size_of(m, d)};
    return r;
}

/* In place of the last one; what is left of a longer one is wiped. */
static size_t bar(struct meter *m, const struct reading *r, char *text)
{
    int columns = sink_columns(&m->sink);
    text[0] = '\r';
    size_t n = 1 + reading_bar(r, columns > 1 ? (size_t)columns - 1 : 79, text + 1), width = n;
    while (n < m->width && n < READING_MAX)
        text[n++] = ' ';
    m->width = width;
    return n;
}

static void say(struct meter *m, int64_t now, enum format how, bool end)
{
    char text[2 * READING_MAX];
    const struct reading r = read_off(m, now, end);
    size_t n = how == BAR ? bar(m, &r, text) : how == JSON ? reading_json(&r, text) : reading_line(&r, text);
    if (how != BAR || end)
        text[n++] = '\n';
    sink_offer(&m->sink, text, n);
}

static void look(struct meter *m, int64_t now)
{
    unsigned asked = atomic_load(&m->run->settings->catena->asked);
    bool due = m->often && now - m->said >= m->interval;
    if (asked != m->asked)
        say(m, now, m->format == JSON ? JSON : LINE, false);
    else if (due)
        say(m, now, m->format, false);
    if (due)
        m->said = now;
    for (int d = LEFT; d <= RIGHT && due; d++)
        m->before[d] = m->bytes[d];
    m->asked = asked;
    m->due = now + (m->interval < TICK_MS ? m->interval : TICK_MS);
}

/* ---- a codec ---- */

static int begin(struct meter *m, const struct codec_place *where, struct err *e)
{
    const struct addr *a = where->addr;
    const char *size = opt_string(a, &opt_meter_size, NULL);
    m->run = where->run;
    m->label = a->label;
    m->format = (enum format)format_of(a, e);
    m->interval = (int64_t)(1000 * opt_time(a, &opt_interval, 1));
    m->asked = atomic_load(&m->run->settings->catena->asked);
    if (size)
        (void)reading_size(size, &m->size);
    if (sink_borrow(&m->sink, m->run, (int)opt_int(a, &opt_meter_fd, 2), e) < 0)
        return err_points_at(e, opt_find(a, &opt_meter_fd)->at);
    bool shown = sink_columns(&m->sink) > 0 && !m->run->plan->has_peers; /* one line is no place for many */
    m->often = m->format != BY_SINK || shown || opt_find(a, &opt_interval);
    if (m->format == BY_SINK)
        m->format = shown ? BAR : LINE;
    return 0;
}

static int meter_start(void *st, const struct codec_place *where, struct err *e)
{
    struct lane *l = st;
    struct meter *m = where->pair;
    if (m->users == 0 && begin(m, where, e) < 0)
        return -1;
    l->meter = m;
    l->source = where->to_right ? LEFT : RIGHT;
    m->users++;
    m->is[l->source] = true;
    m->untouched[l->source] = where->untouched;
    return 0;
}

static void passed(void *st, size_t n)
{
    const struct lane *l = st;
    l->meter->bytes[l->source] += n;
}

static int push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct meter *m = ((const struct lane *)st)->meter;
    int64_t now = wait_now();
    (void)e;
    if (m->began == 0)
        m->began = m->said = m->due = now;
    if (now >= m->due)
        look(m, now);
    if (buf_holds(in) && buf_holds(out)) /* a block stays a block */
        return 0;
    passed(st, in->len);
    if (buf_holds(in))
        buf_swap(in, out);
    return mode != CODEC_RUN;
}

static int64_t due(const void *st)
{
    return ((const struct lane *)st)->meter->due;
}

static void fini(void *st)
{
    struct meter *m = ((const struct lane *)st)->meter;
    if (!m || --m->users > 0)
        return;
    if (m->began > 0)
        say(m, wait_now(), m->format, true);
    sink_close(&m->sink);
}

static const struct codec_ops meter_ops = {.looks = true,
                                           .state_size = sizeof(struct lane),
                                           .pair_size = sizeof(struct meter),
                                           .start = meter_start,
                                           .push = push,
                                           .passed = passed,
                                           .due = due,
                                           .fini = fini};
static const struct codec_pair meter_pair = {.encode = &meter_ops, .decode = &meter_ops};

extern const struct form forms_meter[];
const struct form forms_meter[] = {
    {
        .keyword = "METER",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_meter,
        .help = "passes the stream on unchanged and shows how much has passed, and how fast",
        .check = meter_check,
        .kind = FORM_CODEC,
        .ops.codec = &meter_pair,
    },
    {0},
};
