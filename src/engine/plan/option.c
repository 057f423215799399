/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options: finding rows by name, and using the options bound to an address. The rows themselves are
 * in the tables that cli/tables.c names. */
#include "catena/option_row.h"

#include <ctype.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catena/addr.h"
#include "catena/diag.h"
#include "catena/registry.h"

enum {
    MAX_NAMES = 1536,
    MAX_NAME_BYTES = 32 * 1024,
    MAX_NAME = 48, /* longer words are no option names, and resemble none */
};

void option_each(void (*f)(const struct option_desc *, void *), void *arg)
{
    for (size_t t = 0; option_tables[t]; t++)
        for (const struct option_desc *d = option_tables[t]; d->name; d++)
            f(d, arg);
}

/* All names, sorted. Built at the first look-up, const afterwards. */
struct name {
    const char *text;
    const struct option_desc *desc;
};
static struct name names[MAX_NAMES];
static size_t nnames;
static char name_bytes[MAX_NAME_BYTES];
static size_t name_bytes_used;
static pthread_once_t names_once = PTHREAD_ONCE_INIT;

static int name_compare(const void *a, const void *b)
{
    return strcasecmp(((const struct name *)a)->text, ((const struct name *)b)->text);
}

static void name_add(const char *word, size_t n, const struct option_desc *d)
{
    /* The unit test finds every row, so a table that outgrows the index is noticed there. */
    if (nnames == MAX_NAMES || name_bytes_used + n + 1 > MAX_NAME_BYTES)
        return;
    char *text = name_bytes + name_bytes_used;
    memcpy(text, word, n);
    text[n] = '\0';
    name_bytes_used += n + 1;
    names[nnames++] = (struct name){text, d};
}

static void names_add_row(const struct option_desc *d, void *unused)
{
    (void)unused;
    name_add(d->name, strlen(d->name), d);
    for (const char *p = d->aliases; p && *p;) {
        size_t n = strcspn(p, " ");
        name_add(p, n, d);
        p += n + strspn(p + n, " ");
    }
}

static void names_build(void)
{
    option_each(names_add_row, NULL);
    qsort(names, nnames, sizeof names[0], name_compare);
}

const struct option_desc *option_lookup(const char *name)
{
    pthread_once(&names_once, names_build);
    struct name key = {name, NULL};
    const struct name *found = bsearch(&key, names, nnames, sizeof names[0], name_compare);
    return found ? found->desc : NULL;
}

const char *option_nearest(const char *name, uint64_t groups)
{
    pthread_once(&names_once, names_build);
    char typed[MAX_NAME];
    size_t n = strlen(name);
    if (n < 2 || n >= MAX_NAME)
        return NULL;
    for (size_t i = 0; i <= n; i++)
        typed[i] = (char)tolower((unsigned char)name[i]);
    size_t limit = n <= 4 ? 1 : n <= 8 ? 2 : 3;
    const char *best[2] = {NULL, NULL}; /* with a fitting group, without */
    size_t best_distance[2] = {limit + 1, limit + 1};

    for (size_t i = 0; i < nnames; i++) {
        const char *text = names[i].text;
        if (strlen(text) >= MAX_NAME)
            continue;
        size_t d = word_distance(typed, text, strlen(text));
        int other = groups != 0 && !(names[i].desc->groups & groups);
        if (d < best_distance[other]) {
            best_distance[other] = d;
            best[other] = text;
        }
    }
    return best[0] ? best[0] : best[1];
}

const char *group_name(enum group_bit g)
{
    static const char *const words[GROUP_COUNT] = {
#define X(g) [GROUP_BIT_##g] = #g,
        GROUP_LIST(X)
#undef X
    };
    return g == GROUP_BIT_ANY ? "(all)" : words[g];
}

const char *phase_name(enum phase p)
{
    static const char *const words[PHASE_COUNT] = {
#define X(p) [PHASE_##p] = #p,
        PHASE_LIST(X)
#undef X
    };
    return words[p];
}

const char *value_type_name(enum value_type t)
{
    static const char *const words[VALUE_TYPE_COUNT] = {
#define X(t, word) [VALUE_##t] = word,
        VALUE_TYPE_LIST(X)
#undef X
    };
    return words[t];
}

const struct opt *opt_find(const struct addr *a, enum option_id id)
{
    for (size_t i = a->nopts; i-- > 0;)
        if (a->opts[i].desc->id == id)
            return &a->opts[i];
    return NULL;
}

bool opt_true(const struct addr *a, enum option_id id)
{
    const struct opt *o = opt_find(a, id);
    return o && o->v.i != 0;
}

const char *opt_string(const struct addr *a, enum option_id id, const char *otherwise)
{
    const struct opt *o = opt_find(a, id);
    return o && o->v.s ? o->v.s : otherwise;
}

long long opt_int(const struct addr *a, enum option_id id, long long otherwise)
{
    const struct opt *o = opt_find(a, id);
    return o ? o->v.i : otherwise;
}

double opt_time(const struct addr *a, enum option_id id, double otherwise)
{
    const struct opt *o = opt_find(a, id);
    return o ? o->v.t : otherwise;
}

/* The phase in which an option acts on this address, where that is not the one it is listed with:
 * a delayed substuser is only looked up at INIT; and what changes the process waits until the
 * process that goes on with the connection exists, be it a forked child or the program. */
static enum phase acts_in(const struct option_desc *d)
{
    if (d->id == OPT_SU && d->phase == PHASE_INIT)
        return PHASE_LATE2;
    if (d->phase == PHASE_LATE && (d->groups & (GROUP_PROCESS | GROUP_FORK)))
        return PHASE_LATE2;
    return d->phase;
}

/* An entry of the file system gets its mode from what creates it, so that umask holds. Not a pty,
 * which the system creates, nor a pipe without a name, which has no entry. */
static bool left_to_opener(const struct addr *a, const struct option_desc *d)
{
    return d->id == OPT_PERM && (a->form->groups & GROUP_NAMED) && a->nparams > 0 &&
           !(a->form->groups & GROUP_PTY);
}

/* Names are looked up here, where a signal can end that. */
static int apply_one(const struct addr *a, struct run *r, const struct opt *o, int fd,
                     struct err *e)
{
    struct opt with_numbers = *o;
    char *numeric = NULL;
    if (o->desc->look_up && r) {
        if (o->desc->look_up(o, a, r, &numeric, e) < 0)
            return -1;
        if (numeric)
            with_numbers.v.s = numeric;
    }
    int rc = o->desc->apply(&with_numbers, fd, e);
    free(numeric);
    return rc;
}

/* Applies what is listed with one phase and acts in another, or the same. */
static int apply_listed(const struct addr *a, struct run *r, enum phase listed, enum phase acts,
                        int fd, struct err *e)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        const struct option_desc *d = o->desc;
        if (!d->apply || d->phase != listed || acts_in(d) != acts || left_to_opener(a, d))
            continue;
        if (apply_one(a, r, o, fd, e) == 0)
            continue;
        e->where = o->at;
        (void)err_reword(e, "option \"%s\"", d->name);
        if (!o->sloppy || err_is_end(e))
            return -1;
        diag_err(DIAG_ERROR, e);
    }
    return 0;
}

int opts_apply_in(const struct addr *a, struct run *r, enum phase phase, int fd, struct err *e)
{
    /* In LATE2 first what was put off (setsid, chroot), then what needs it (ctty, su), then the
     * delayed substuser, after which little is permitted. */
    if (phase == PHASE_LATE2 && apply_listed(a, r, PHASE_LATE, PHASE_LATE2, fd, e) < 0)
        return -1;
    if (apply_listed(a, r, phase, phase, fd, e) < 0)
        return -1;
    if (phase == PHASE_LATE2 && apply_listed(a, r, PHASE_INIT, PHASE_LATE2, fd, e) < 0)
        return -1;
    return 0;
}

int opts_apply(const struct addr *a, enum phase phase, int fd, struct err *e)
{
    return opts_apply_in(a, NULL, phase, fd, e);
}

int opts_open_flags(const struct addr *a, int base)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct option_desc *d = a->opts[i].desc;
        if (!(d->groups & GROUP_OPEN))
            continue;
        int flag = (int)d->a, mask = d->b ? (int)d->b : flag;
        if (a->opts[i].v.i != 0)
            base = (base & ~mask) | flag;
        else if (mask != O_ACCMODE)
            base &= ~flag;
    }
    return base;
}
