/* SPDX-License-Identifier: GPL-2.0-or-later
 * Talking a script: see talk.h. A text counts at the byte that completes it, however it comes in pieces; where two
 * are complete at the same byte, what is waited for goes first, then WHEN, then ABORT. */
#include "inter/dialog/talk.h"

#include <stdlib.h>
#include <string.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/features.h"
#include "catena/run.h"
#include "catena/secret.h"
#include "catena/sink.h"
#include "catena/wait.h"

enum {
    KEEP = 4096,        /* bytes that are looked at, at least; what came before is given up */
    REPLIES_MOST = 100, /* WHENs that are answered in one dialog */
    SEEN = 160,         /* bytes of the last text for messages, */
    MARGIN = 320,       /* ... of so many that are looked through for secrets */
    SECRETS_MOST = 16,
    FAREWELL_MS = 5000,
};

struct talk {
    const struct talk_how *how;
    const struct script *script;
    struct wire *w;
    double timeout;
    int64_t whole, patience; /* deadline of all, -1 none; and how long that was, in ms */
    const struct step *watches[WATCHES_MOST]; /* ABORT and WHEN */
    size_t nwatches;
    unsigned replies;
    const struct step *on_fail; /* NULL: fail */
    bool mid_line; /* what was taken last was no line feed */
    char *secrets[SECRETS_MOST]; /* what was said and nobody may see, also as an echo */
    size_t nsecrets;
    unsigned char seen[2 * MARGIN]; /* the last of what was taken */
    size_t nseen;
};

/* ---- what came ---- */

static void taken(struct talk *t, size_t n)
{
    struct buf *in = &t->w->in;
    const unsigned char *p = buf_data(in);
    if (n == 0)
        return;
    t->mid_line = p[n - 1] != '\n';
    size_t tail = n < MARGIN ? n : MARGIN;
    if (t->nseen + tail > sizeof t->seen) {
        memmove(t->seen, t->seen + t->nseen - MARGIN, MARGIN);
        t->nseen = MARGIN;
    }
    memcpy(t->seen + t->nseen, p + n - tail, tail);
    t->nseen += tail;
    buf_consume(in, n);
}

static void hide(const struct talk *t, unsigned char *text, size_t n)
{
    for (size_t i = 0; i < t->nsecrets; i++) {
        size_t k = strlen(t->secrets[i]);
        unsigned char *at = text;
        while (k > 0 && (at = memmem(at, n - (size_t)(at - text), t->secrets[i], k)))
            memset(at, '*', k);
    }
}

/* The last of it, as a text for people. */
static const char *last_text(const struct talk *t, char *to, size_t cap)
{
    unsigned char all[3 * MARGIN];
    const struct buf *in = &t->w->in;
    size_t tail = in->len < MARGIN ? in->len : MARGIN, n = t->nseen + tail, o = 0;
    memcpy(all, t->seen, t->nseen);
    if (tail > 0)
        memcpy(all + t->nseen, buf_data(in) + in->len - tail, tail);
    hide(t, all, n);
    for (size_t i = n > SEEN ? n - SEEN : 0; i < n && o + 5 < cap; i++) {
        static const char plain[] = "\r\n\t\"\\", letters[] = "rnt\"\\";
        const char *known = all[i] ? strchr(plain, all[i]) : NULL;
        if (known)
            o += (size_t)snprintf(to + o, cap - o, "\\%c", letters[known - plain]);
        else
            o += (size_t)snprintf(to + o, cap - o, all[i] < 0x20 || all[i] > 0x7e ? "\\x%02x" : "%c", all[i]);
    }
    to[o] = '\0';
    return to;
}

static int where(const struct talk *t, const struct step *s, struct err *e)
{
    char text[5 * SEEN];
    const char *last = last_text(t, text, sizeof text);
    size_t n = strlen(e->text);
    (void)snprintf(e->text + n, sizeof e->text - n, *last ? "; the last that came: \"%s\"" : "; nothing has come", last);
    return s->line ? err_wrap(e, "%s, line %u", t->script->name, s->line) : -1;
}

/* ---- waiting ---- */

#if HAVE_REG_STARTEND
static bool matches(const struct pattern *p, const struct talk *t, char *text, size_t n)
{
    regmatch_t m = {.rm_so = 0, .rm_eo = (regoff_t)n};
    int flags = REG_STARTEND | REG_NOTEOL | (t->mid_line ? REG_NOTBOL : 0);
    return regexec(&p->re, text, 1, &m, flags) == 0;
}
#else /* what follows a NUL is not seen */
static bool matches(const struct pattern *p, const struct talk *t, char *text, size_t n)
{
    char behind = text[n];
    text[n] = '\0';
    bool fits = regexec(&p->re, text, 0, NULL, REG_NOTEOL | (t->mid_line ? REG_NOTBOL : 0)) == 0;
    text[n] = behind;
    return fits;
}
#endif

/* After how many bytes it is complete, as if they came one by one; 0 not yet. */
static size_t complete_at(const struct pattern *p, const struct talk *t)
{
    const struct buf *in = &t->w->in;
    if (in->len == 0)
        return 0;
    if (p->text) {
        const unsigned char *at = memmem(buf_data(in), in->len, p->text, p->n);
        return at ? (size_t)(at - buf_data(in)) + p->n : 0;
    }
    size_t no = 0, yes = in->len < WIRE_AHEAD ? in->len : WIRE_AHEAD;
    char text[WIRE_AHEAD + 1]; /* with a NUL behind it, as strings have */
    memcpy(text, buf_data(in), yes);
    text[yes] = '\0';
    if (!matches(p, t, text, yes))
        return 0;
    while (yes - no > 1) { /* whatever has matched does with more behind it, too */
        size_t middle = no + (yes - no) / 2;
        *(matches(p, t, text, middle) ? &yes : &no) = middle;
    }
    return yes;
}

static void consider(const struct step *s, enum step_kind kind, const struct talk *t, size_t *first,
                     const struct step **found)
{
    size_t n = s->kind == kind ? complete_at(s->await, t) : 0;
    if (n > 0 && (*first == 0 || n < *first)) {
        *first = n;
        *found = s;
    }
}

/* What is complete first, and is taken; NULL nothing is. */
static const struct step *first_of(struct talk *t, const struct step *awaited)
{
    const struct step *found = NULL;
    size_t n = 0;
    consider(awaited, STEP_EXPECT, t, &n, &found);
    for (int kind = STEP_WHEN;; kind = STEP_ABORT) {
        for (size_t i = 0; i < t->nwatches; i++)
            consider(t->watches[i], (enum step_kind)kind, t, &n, &found);
        if (kind == STEP_ABORT)
            break;
    }
    if (!found && t->w->in.len > KEEP)
        n = t->w->in.len - KEEP;
    taken(t, n);
    return found;
}

static bool is_sooner(int64_t a, int64_t b)
{
    return a >= 0 && (b < 0 || a < b);
}

/* The clock of the next thing starts. */
static void set_clock(struct talk *t, double seconds)
{
    int64_t patience = seconds > 0 ? wait_ms(seconds) : -1;
    int64_t until = patience < 0 ? -1 : wait_now() + patience;
    bool all = is_sooner(t->whole, until);
    t->w->patience = all ? t->patience : patience;
    t->w->deadline = all ? t->whole : until;
}

static int unexpected(const struct talk *t, const struct step *s, struct err *e)
{
    (void)where(t, s, e);
    return err_called(e, ERR_DIALOG);
}

static int did_not_come(const struct talk *t, const struct step *s, struct err *e)
{
    bool late = e->kind == ERR_TIMEOUT && (t->whole < 0 || wait_now() < t->whole);
    if (late)
        (void)err_set(e, ERR_TIMEOUT, "\"%s\" did not come within %g s", s->await->shown, t->timeout);
    else
        (void)err_wrap(e, "\"%s\" did not come", s->await->shown);
    return unexpected(t, s, e);
}

static int say(struct talk *t, const struct step *s, struct err *e);

/* A text that came although another was waited for. */
static int answer(struct talk *t, const struct step *s, struct err *e)
{
    if (s->kind == STEP_ABORT) {
        (void)err_set(e, ERR_REFUSED, "\"%s\" came, which is an ABORT", s->await->shown);
        return unexpected(t, s, e);
    }
    if (++t->replies > REPLIES_MOST) {
        (void)err_set(e, ERR_PROTOCOL, "\"%s\" came again and again, %d times", s->await->shown, REPLIES_MOST);
        return unexpected(t, s, e);
    }
    return say(t, s, e);
}

static int await(struct talk *t, const struct step *s, struct err *e)
{
    const struct step *found;
    int eof = 0;
    if (s->await->text && s->await->n == 0)
        return 0;
    set_clock(t, t->timeout);
    while ((found = first_of(t, s)) != s) {
        if (found) {
            if (answer(t, found, e) < 0)
                return -1;
            set_clock(t, t->timeout);
            continue;
        }
        if (eof)
            return err_set(e, ERR_PROTOCOL, "the peer closed the connection"), did_not_come(t, s, e);
        if (t->w->ops->fill(t->w, &eof, e) < 0)
            return e->kind == ERR_INTERRUPTED ? -1 : did_not_come(t, s, e);
    }
    return 0;
}

/* ---- saying ---- */

struct speech {
    char text[SECRET_MAX + WORD_MOST];
    size_t n;
};

static int utter(struct talk *t, struct speech *x, struct err *e)
{
    int rc = wire_write(t->w, x->text, x->n, e);
    explicit_bzero(x->text, x->n);
    x->n = 0;
    return rc;
}

static int add(struct speech *x, const char *text, size_t n, struct err *e)
{
    if (n > sizeof x->text - x->n)
        return err_set(e, ERR_OTHER, "what is to be said has more than %zu bytes", sizeof x->text);
    memcpy(x->text + x->n, text, n);
    x->n += n;
    return 0;
}

static int add_secret(struct talk *t, struct speech *x, const char *text, struct err *e)
{
    if (t->nsecrets < SECRETS_MOST && strlen(text) > 2 && !(t->secrets[t->nsecrets++] = strdup(text))) {
        t->nsecrets--;
        return err_nomem(e);
    }
    return add(x, text, strlen(text), e);
}

static int add_file(struct talk *t, struct speech *x, const char *path, struct err *e)
{
    static const struct option_desc file = {.name = "secret file", .secret = SECRET_FILE};
    const struct opt o = {.desc = &file, .v.s = path};
    const struct addr a = {.opts = &o, .nopts = 1};
    struct secret_value v;
    int rc = secret_value(&a, &file, t->w->run, t->w->deadline, &v, e);
    rc = rc < 0 ? -1 : add_secret(t, x, v.text, e);
    secret_value_wipe(&v);
    return rc;
}

static int add_variable(struct talk *t, struct speech *x, const char *name, struct err *e)
{
    const char *value = catena_variable(t->w->run->settings->catena, name);
    if (!value)
        return err_set(e, ERR_OTHER, "there is no variable %s in the environment", name);
    return add_secret(t, x, value, e);
}

static int add_piece(struct talk *t, struct speech *x, const struct piece *p, struct err *e)
{
    switch (p->kind) {
    case PIECE_PAUSE:
        return utter(t, x, e) < 0 ? -1 : wait_seconds(t->w->run, (double)p->n / 1000, e);
    case PIECE_ENV: return add_variable(t, x, p->text, e);
    case PIECE_FILE: return add_file(t, x, p->text, e);
    default: return p->secret ? add_secret(t, x, p->text, e) : add(x, p->text, p->n, e);
    }
}

/* Each in one piece, as far as it has no pauses. */
static int compose(struct talk *t, const struct message *m, struct speech *x, struct err *e)
{
    x->n = 0;
    for (const struct piece *p = m->first; p; p = p->next)
        if (add_piece(t, x, p, e) < 0)
            return -1;
    return 0;
}

static int say(struct talk *t, const struct step *s, struct err *e)
{
    struct speech x;
    set_clock(t, t->timeout);
    int rc = compose(t, &s->say, &x, e);
    if (rc == 0 && !s->say.no_eol)
        rc = add(&x, t->how->eol, strlen(t->how->eol), e);
    rc = rc == 0 ? utter(t, &x, e) : rc;
    explicit_bzero(&x, sizeof x);
    return rc == 0 || e->kind == ERR_INTERRUPTED ? rc : where(t, s, e);
}

/* For who watches. */
static int tell(struct talk *t, const struct step *s, struct err *e)
{
    struct speech x;
    struct sink to;
    int rc = compose(t, &s->say, &x, e);
    rc = rc == 0 ? add(&x, "\n", 1, e) : rc;
    rc = rc == 0 ? sink_open(&to, t->w->run, "what a dialog says", NULL, e) : rc;
    if (rc < 0)
        return -1;
    sink_write(&to, x.text, x.n);
    sink_close(&to);
    return 0;
}

/* ---- the script ---- */

static int add_watch(struct talk *t, const struct step *s, struct err *e)
{
    if (t->nwatches == WATCHES_MOST) {
        (void)err_set(e, ERR_USAGE, "more than %d ABORTs and WHENs at a time", WATCHES_MOST);
        return where(t, s, e);
    }
    t->watches[t->nwatches++] = s;
    return 0;
}

static void clear_watch(struct talk *t, const struct step *s)
{
    size_t left = 0;
    for (size_t i = 0; i < t->nwatches; i++)
        if (strcmp(t->watches[i]->await->shown, s->await->shown) != 0)
            t->watches[left++] = t->watches[i];
    t->nwatches = left;
}

static int do_step(struct talk *t, const struct step *s, struct err *e)
{
    switch (s->kind) {
    case STEP_EXPECT: return await(t, s, e);
    case STEP_SEND: return say(t, s, e);
    case STEP_ABORT:
    case STEP_WHEN: return add_watch(t, s, e);
    case STEP_CLEAR: clear_watch(t, s); return 0;
    case STEP_TIMEOUT: t->timeout = s->seconds; return 0;
    case STEP_SAY: return tell(t, s, e);
    case STEP_ON_FAIL: t->on_fail = s; return 0;
    }
    return 0;
}

/* Gives 0 if the line is to go on all the same. */
static int failed(struct talk *t, struct err *e)
{
    struct err ignored;
    enum on_fail how = t->on_fail ? t->on_fail->on_fail : FAIL_ERROR;
    if (how == FAIL_ERROR || e->kind == ERR_INTERRUPTED)
        return -1;
    if (how == FAIL_PASS) {
        diag(DIAG_WARN, "%s; the line is opened all the same", e->text);
        return 0;
    }
    t->whole = wait_now() + FAREWELL_MS;
    if (say(t, t->on_fail, &ignored) < 0)
        diag(DIAG_INFO, "%s", ignored.text);
    return -1;
}

int talk(const struct script *s, const struct talk_how *how, struct wire *w, struct err *e)
{
    struct talk *t = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(e);
    *t = (struct talk){.how = how, .script = s, .w = w, .timeout = how->timeout,
                       .whole = how->whole ? w->deadline : -1, .patience = w->patience};
    int rc = 0;
    for (const struct step *next = s->first; rc == 0 && next; next = next->next)
        rc = do_step(t, next, e);
    rc = rc < 0 ? failed(t, e) : rc;
    for (size_t i = 0; i < t->nsecrets; i++) {
        explicit_bzero(t->secrets[i], strlen(t->secrets[i]));
        free(t->secrets[i]);
    }
    free(t);
    return rc;
}
