/* SPDX-License-Identifier: GPL-2.0-or-later
 * TAP: lets everything pass as it is and shows it, on standard error or in a file. */
#include <string.h>

#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "catena/sink.h"
#include "inter/tap/capture.h"
#include "inter/tap/opts_tap.h"

/* A word of an option and what it means. */
struct word {
    const char *name;
    int value;
};
enum { CAPTURE = 8 }; /* beside those of dumps */
static const struct word formats[] = {{"text", DUMP_TEXT}, {"hex", DUMP_HEX},   {"both", DUMP_BOTH},
                                      {"raw", DUMP_RAW},   {"pcapng", CAPTURE}, {NULL, 0}};
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

bool tap_is_capture(const struct addr *a)
{
    struct err none;
    return value_of(a, &opt_format, formats, "", &none) == CAPTURE;
}

static const char *file_of(const struct addr *a)
{
    return a->nparams == 0 ? NULL : a->holes && a->holes[0] ? a->holes[0]->text : a->params[0];
}

/* The next name in a path, past slashes and "./": its length, 0 at the end. */
static size_t next_name(const char **p)
{
    *p += strspn(*p, "/");
    while ((*p)[0] == '.' && (*p)[1] == '/')
        *p += 1 + strspn(*p + 1, "/");
    return strcspn(*p, "/");
}

static bool same_path(const char *a, const char *b)
{
    bool same = (*a == '/') == (*b == '/');
    for (size_t n = 1; same && n > 0; a += n, b += n) {
        n = next_name(&a);
        same = next_name(&b) == n && memcmp(a, b, n) == 0;
    }
    return same;
}

bool tap_shares_file(const struct addr *a, const struct addr *other)
{
    return file_of(a) && file_of(other) && same_path(file_of(a), file_of(other));
}

/* A terminal, or nothing at all. */
static bool is_device(const char *path) { return strncmp(path, "/dev/", 5) == 0; }

/* Nobody could read a mixture; what devices get is no file. */
static int tap_beside(const struct addr *a, const struct addr *other, struct err *e)
{
    struct err none;
    if (!tap_shares_file(a, other) || is_device(file_of(a)) ||
        value_of(a, &opt_format, formats, "", &none) == value_of(other, &opt_format, formats, "", &none))
        return 0;
    return err_at(e, a->param_at[0], "%s writes to the same file in format %s, and this in format %s: taps that share a "
                                     "file need the same one", other->label, opt_string(other, &opt_format, formats[0].name),
                  opt_string(a, &opt_format, formats[0].name));
}

static int tap_check(const struct addr *a, struct err *e)
{
    if (value_of(a, &opt_format, formats, "text, hex, both, raw, pcapng", e) < 0 ||
        value_of(a, &opt_direction, directions, "both, right, left", e) < 0)
        return -1;
    if (a->nparams > 0 && !*a->params[0])
        return err_at(e, a->at, "the name of a file is missing: tap:<file>, or tap alone for standard error");
    if (tap_is_capture(a) && a->nparams == 0)
        return err_at(e, opt_find(a, &opt_format)->at, "format=pcapng is nothing for people to read: give a file, "
                                                       "tap:<file>,format=pcapng");
    return 0;
}

struct tap {
    int source;
    struct dump dump;
    struct capture *capture; /* of both flows; NULL: it is a dump */
};

/* Does it show where that one does? */
static bool shows_beside(const struct addr *a, const struct addr *other)
{
    bool is_tap = other && other->form->ops.codec == a->form->ops.codec && other->place != a->place;
    return is_tap && (a->nparams == 0 ? other->nparams == 0 : tap_shares_file(a, other));
}

/* One of several places needs a name; the border's own lines (-v, -x) have none. */
static const char *label_of(const struct addr *a, const struct run *r)
{
    const struct plan *p = r->plan;
    bool several = a->nparams == 0 && (r->settings->text_dump || r->settings->hex_dump);
    for (size_t i = 0; i < p->nlinks; i++)
        several |= shows_beside(a, p->links[i].fwd) || shows_beside(a, p->links[i].back);
    return opt_string(a, &opt_label, several ? a->label : NULL);
}

static int start_dump(struct dump *d, const struct codec_place *where, bool looks, struct err *e)
{
    const struct addr *a = where->addr;
    d->label = label_of(a, where->run);
    d->format = (enum dump_format)value_of(a, &opt_format, formats, "", e);
    d->direction = where->to_right ? '>' : '<';
    if (!looks || sink_open(&d->sink, where->run, "tap file", a->nparams > 0 ? a->params[0] : NULL, e) == 0)
        return 0;
    return err_points_at(e, a->param_at[0]);
}

static int tap_init(void *st, const struct addr *a, struct err *e)
{
    struct tap *t = st;
    (void)a;
    (void)e;
    t->dump.sink = SINK_NONE;
    return 0;
}

static int tap_start(void *st, const struct codec_place *where, struct err *e)
{
    struct tap *t = st;
    const struct addr *a = where->addr;
    bool looks = value_of(a, &opt_direction, directions, "", e) & (where->to_right ? TO_RIGHT : TO_LEFT);
    t->source = where->to_right ? LEFT : RIGHT;
    if (!tap_is_capture(a))
        return start_dump(&t->dump, where, looks, e);
    if (capture_start(where->pair, where, looks, e) < 0)
        return -1;
    t->capture = where->pair;
    return 0;
}

static void show(struct tap *t, const struct buf *b)
{
    if (t->capture)
        capture_block(t->capture, t->source, b);
    else if (b->len > 0 && sink_is_open(&t->dump.sink))
        dump_block(&t->dump, buf_data(b), b->len);
}

static int tap_push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct tap *t = st;
    (void)e;
    if (t->capture)
        capture_turn(t->capture);
    if (buf_holds(in) && buf_holds(out)) /* a block stays a block */
        return 0;
    if (buf_holds(in)) {
        show(t, in);
        buf_swap(in, out);
    }
    if (t->capture && mode == CODEC_END)
        capture_end(t->capture, t->source);
    return mode != CODEC_RUN;
}

static int64_t tap_due(const void *st)
{
    const struct tap *t = st;
    return t->capture ? capture_due(t->capture) : -1;
}

static void tap_fini(void *st)
{
    struct tap *t = st;
    sink_close(&t->dump.sink);
    if (t->capture)
        capture_fini(t->capture);
}

static const struct codec_ops tap_ops = {.looks = true,
                                         .state_size = sizeof(struct tap),
                                         .pair_size = sizeof(struct capture),
                                         .init = tap_init,
                                         .start = tap_start,
                                         .push = tap_push,
                                         .due = tap_due,
                                         .fini = tap_fini};
static const struct codec_pair tap_pair = {
    .encode = &tap_ops, .decode = &tap_ops, .common = {.prepare = capture_prepare, .release = capture_release}};

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
        .beside = tap_beside,
        .wants_facts = tap_is_capture,
        .wants_secrets = tap_is_capture,
        .kind = FORM_CODEC,
        .ops.codec = &tap_pair,
    },
    {0},
};
