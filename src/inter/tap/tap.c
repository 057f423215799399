/* SPDX-License-Identifier: GPL-2.0-or-later
 * TAP: lets everything pass as it is and shows it, on standard error or in a file. */
#include <string.h>

#include "catena/inter.h"
#include "catena/sink.h"
#include "inter/tap/opts_tap.h"

/* A word of an option and what it means. */
struct word {
    const char *name;
    int value;
};
static const struct word formats[] = {
    {"text", DUMP_TEXT}, {"hex", DUMP_HEX}, {"both", DUMP_BOTH}, {"raw", DUMP_RAW}, {NULL, 0}};
enum { TO_RIGHT = 1, TO_LEFT = 2 };
static const struct word directions[] = {
    {"both", TO_RIGHT | TO_LEFT}, {"right", TO_RIGHT}, {"left", TO_LEFT}, {NULL, 0}};

static int value_of(const struct addr *a, const struct option_desc *row, const struct word *words,
                    const char *all, struct err *e)
{
    const char *name = opt_string(a, row, words[0].name);
    for (const struct word *w = words; w->name; w++)
        if (strcmp(w->name, name) == 0)
            return w->value;
    return err_at(e, opt_find(a, row)->at, "%s \"%s\" is none of %s", row->name, name, all);
}

static int tap_check(const struct addr *a, struct err *e)
{
    return value_of(a, &opt_format, formats, "text, hex, both, raw", e) < 0 ||
                   value_of(a, &opt_direction, directions, "both, right, left", e) < 0
               ? -1
               : 0;
}

static int tap_init(void *st, const struct addr *a, struct err *e)
{
    struct dump *d = st;
    d->sink = SINK_NONE;
    d->label = opt_string(a, &opt_label, NULL);
    d->format = (enum dump_format)value_of(a, &opt_format, formats, "", e);
    return 0;
}

static int tap_start(void *st, const struct codec_place *where, struct err *e)
{
    struct dump *d = st;
    const struct addr *a = where->addr;
    int looks = value_of(a, &opt_direction, directions, "", e);
    d->direction = where->to_right ? '>' : '<';
    if (!(looks & (where->to_right ? TO_RIGHT : TO_LEFT)))
        return 0;
    return sink_open(&d->sink, where->run, "tap file", a->nparams > 0 ? a->params[0] : NULL, e);
}

static int tap_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct dump *d = st;
    (void)e;
    if (buf_holds(in) && buf_holds(out)) /* a block stays a block */
        return 0;
    if (buf_holds(in)) {
        if (in->len > 0 && sink_is_open(&d->sink))
            dump_block(d, buf_data(in), in->len);
        buf_swap(in, out);
    }
    return mode != CODEC_RUN;
}

static void tap_fini(void *st)
{
    struct dump *d = st;
    sink_close(&d->sink);
}

static const struct codec_ops tap_ops = {.looks = true,
                                         .state_size = sizeof(struct dump),
                                         .init = tap_init,
                                         .start = tap_start,
                                         .push = tap_push,
                                         .fini = tap_fini};
static const struct codec_pair tap_pair = {.encode = &tap_ops, .decode = &tap_ops};

extern const struct form forms_tap[];
const struct form forms_tap[] = {
    {
        .keyword = "TAP",
        .params = "[:<file>]",
        .max_params = 1,
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .options = options_tap,
        .help = "passes the stream on unchanged and shows it, on standard error or in a file",
        .check = tap_check,
        .kind = FORM_CODEC,
        .ops.codec = &tap_pair,
    },
    {0},
};
