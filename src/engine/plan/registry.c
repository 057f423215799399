/* SPDX-License-Identifier: GPL-2.0-or-later
 * The address forms and the options that are known, and finding them by name. */
#include "catena/module.h"
#include "catena/registry.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool each_word(const char *list, bool (*f)(const char *word, size_t n, void *arg), void *arg)
{
    while (list && *list) {
        size_t n = strcspn(list, " ");
        if (n > 0 && f(list, n, arg))
            return true;
        list += n + strspn(list + n, " ");
    }
    return false;
}

/* Is the word that name, or one of the aliases? All names are gone through for each look-up, which
 * takes some microseconds: less than it would take to sort them. */
static bool is_called(const char *name, const char *aliases, const char *word, size_t n)
{
    if (strncasecmp(name, word, n) == 0 && name[n] == '\0')
        return true;
    for (const char *p = aliases; n > 0 && p && *p;) {
        const char *end = strchrnul(p, ' ');
        if ((size_t)(end - p) == n && strncasecmp(p, word, n) == 0)
            return true;
        p = *end ? end + 1 : end;
    }
    return false;
}

/* ---- forms ---- */

bool form_answers(const struct form *f, const char *keyword)
{
    return is_called(f->keyword, f->aliases, keyword, strlen(keyword));
}

/* The tables of one level, with what comes late. */
static const struct form *const *tables_of(const struct registry *r)
{
    struct err why; /* registry_misses() asks again */
    if (r->late)
        (void)r->late->have(r, &why);
    return r->forms;
}

static bool may_have(const struct registry *r, const char *word, size_t n)
{
    return !word || !r->late || is_called(r->late->names, r->late->names, word, n);
}

/* The one after that answers to the word; NULL: any. */
static const struct form *next_called(const struct registry *known, const char *word, size_t n, const struct form *after)
{
    bool next = !after;
    for (const struct registry *r = known; r; r = r->base) {
        if (!may_have(r, word, n))
            continue;
        for (const struct form *const *t = tables_of(r); *t; t++) {
            for (const struct form *f = *t; f->keyword; f++) {
                if (next && (!word || is_called(f->keyword, f->aliases, word, n)))
                    return f;
                next |= f == after;
            }
        }
    }
    return NULL;
}

const struct form *registry_next(const struct registry *known, const struct form *after)
{
    return after && after[1].keyword ? after + 1 : next_called(known, NULL, 0, after);
}

const struct form *registry_called(const struct registry *known, const char *keyword, const struct form *after)
{
    return next_called(known, keyword, strlen(keyword), after);
}

bool registry_misses(const struct registry *known, const char *keyword, struct err *e)
{
    while (known && (!known->late || !may_have(known, keyword, strlen(keyword)) || known->late->have(known, e) == 0))
        known = known->base;
    return known != NULL;
}

bool registry_known(const struct registry *known, const char *keyword)
{
    return registry_called(known, keyword, NULL) != NULL;
}

bool form_is_inter(const struct form *f)
{
    return f->kind != FORM_ENDPOINT && f->kind != FORM_COMPOUND;
}

unsigned word_distance(const char *a, const char *b, size_t nb)
{
    enum { MAX = 40 };
    size_t na = strlen(a);
    if (na > MAX || nb > MAX)
        return MAX;
    unsigned rows[3][MAX + 1]; /* Damerau-Levenshtein, neighbouring swaps only */
    for (unsigned j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= na; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *up = rows[(i - 1) % 3], *up2 = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= nb; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            unsigned best = up[j - 1] + (x != y);
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                tolower((unsigned char)a[i - 2]) == y && up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[na % 3][nb];
}

/* The best word so far, in small letters. */
struct nearest {
    const char *wanted;
    unsigned distance;
    char *found;
    size_t cap;
};

/* Who has stopped early is nearer than who has mistyped. */
static unsigned distance_from(const struct nearest *best, const char *word, size_t n)
{
    size_t typed = strlen(best->wanted);
    bool begun = typed >= 4 && typed < n && strncasecmp(best->wanted, word, typed) == 0;
    return begun ? 1 : word_distance(best->wanted, word, n);
}

static bool consider(const char *word, size_t n, void *arg)
{
    struct nearest *best = arg;
    unsigned d = distance_from(best, word, n);
    if (d < best->distance && n < best->cap) {
        best->distance = d;
        for (size_t i = 0; i < n; i++)
            best->found[i] = (char)tolower((unsigned char)word[i]);
        best->found[n] = '\0';
    }
    return false;
}

bool registry_nearest(const struct registry *known, const char *keyword, char *found, size_t cap)
{
    struct nearest best = {.wanted = keyword, .found = found, .cap = cap};
    best.distance = strlen(keyword) < 4 ? 2 : 3;
    found[0] = '\0';
    for (const struct form *f = registry_next(known, NULL); f; f = registry_next(known, f)) {
        consider(f->keyword, strlen(f->keyword), &best);
        each_word(f->aliases, consider, &best);
    }
    return found[0] != '\0';
}

/* ---- options ---- */

/* What one look at a row decides; true ends the walk. */
typedef bool row_look(const struct option_desc *d, void *arg);

static const struct option_desc *walk_table(const struct option_desc *const *table, row_look *look,
                                            void *arg)
{
    while (*table && !look(*table, arg))
        table++;
    return *table;
}

/* Did another form of that table bring the same rows? */
static bool brought_before(const struct form *table, const struct form *f)
{
    while (table < f && table->options != f->options)
        table++;
    return table < f;
}

static const struct option_desc *walk_level(const struct registry *r, row_look *look, void *arg)
{
    const struct option_desc *d = NULL;
    for (const struct option_desc *const *const *t = r->options; *t && !d; t++)
        d = walk_table(*t, look, arg);
    for (const struct form *const *t = d ? NULL : tables_of(r); t && *t && !d; t++)
        for (const struct form *f = *t; f->keyword && !d; f++)
            if (f->options && !brought_before(*t, f))
                d = walk_table(f->options, look, arg);
    return d;
}

/* Gives the row at which the walk ended, or NULL. */
static const struct option_desc *walk(const struct registry *known, row_look *look, void *arg)
{
    const struct option_desc *d = NULL;
    for (const struct registry *r = known; r && !d; r = r->base)
        d = walk_level(r, look, arg);
    return d;
}

struct word {
    const char *s;
    size_t n;
};

static bool look_called(const struct option_desc *d, void *arg)
{
    const struct word *w = arg;
    return is_called(d->name, d->aliases, w->s, w->n);
}

const struct option_desc *option_lookup(const struct registry *known, const char *name)
{
    return walk(known, look_called, &(struct word){name, strlen(name)});
}

const struct option_desc *option_lookup_at(const struct registry *known, const struct form *f, const char *name)
{
    struct word w = {name, strlen(name)};
    const struct option_desc *own = f->options ? walk_table(f->options, look_called, &w) : NULL;
    return own ? own : option_lookup(known, name);
}

struct visit {
    const struct registry *known;
    void (*f)(const struct option_desc *, void *);
    void *arg;
    size_t n; /* rows seen */
};

struct search {
    const struct option_desc *row;
    size_t n;
};

static bool look_same(const struct option_desc *d, void *arg)
{
    struct search *s = arg;
    s->n++;
    return d == s->row;
}

/* Once each: families may share rows. */
static bool look_all(const struct option_desc *d, void *arg)
{
    struct visit *v = arg;
    struct search first = {.row = d};
    v->n++;
    walk(v->known, look_same, &first);
    if (first.n == v->n)
        v->f(d, v->arg);
    return false;
}

void option_each(const struct registry *known, void (*f)(const struct option_desc *, void *),
                 void *arg)
{
    walk(known, look_all, &(struct visit){.known = known, .f = f, .arg = arg});
}

/* Of names equally near the first one in the alphabet. */
static bool consider_option(const char *word, size_t n, void *arg)
{
    struct nearest *best = arg;
    unsigned d = distance_from(best, word, n);
    if (d == best->distance && best->found[0] && strncasecmp(word, best->found, best->cap) < 0)
        best->distance++;
    return consider(word, n, best);
}

struct near_option {
    const struct form *form;
    struct nearest taken, other; /* by the form, by others */
};

static bool look_near(const struct option_desc *d, void *arg)
{
    struct near_option *o = arg;
    struct nearest *best = !o->form || form_takes(o->form, d) ? &o->taken : &o->other;
    consider_option(d->name, strlen(d->name), best);
    each_word(d->aliases, consider_option, best);
    return false;
}

bool option_nearest(const struct registry *known, const char *name, const struct form *f,
                    char *found, size_t cap)
{
    char other[64] = "";
    size_t n = strlen(name);
    unsigned beyond = n <= 4 ? 2 : n <= 8 ? 3 : 4;
    struct near_option o = {
        f,
        {.wanted = name, .distance = beyond, .found = found, .cap = cap},
        {.wanted = name, .distance = beyond, .found = other, .cap = sizeof other}};
    found[0] = '\0';
    if (n < 2)
        return false;
    walk(known, look_near, &o);
    if (!found[0])
        (void)snprintf(found, cap, "%s", other);
    return found[0] != '\0';
}

bool form_brings(const struct form *f, const struct option_desc *d)
{
    const struct option_desc *const *row = f->options;
    while (row && *row && *row != d)
        row++;
    return row && *row;
}

bool form_takes(const struct form *f, const struct option_desc *d)
{
    return (d->groups & (f->groups | GROUPS_EVERY)) != 0 || form_brings(f, d);
}

void option_owners(const struct registry *known, const struct option_desc *d, char *out,
                   size_t cap)
{
    group_list(d->groups, out, cap);
    size_t n = strlen(out);
    const char *last = ""; /* overloads of a keyword stand together */
    for (const struct form *f = registry_next(known, NULL); f; f = registry_next(known, f)) {
        if (!form_brings(f, d) || strcmp(f->keyword, last) == 0 || n >= cap)
            continue;
        last = f->keyword;
        n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? "," : "", last);
    }
}

/* ---- adding ---- */

struct addition {
    const struct registry *all, *base;
    const void *own; /* the form or row whose names are looked at */
    struct err *e;
};

static bool address_clashes(const char *word, size_t n, void *arg)
{
    const struct addition *a = arg;
    const struct form *f = next_called(a->base, word, n, NULL);
    if (f)
        (void)err_set(a->e, ERR_USAGE, "address \"%.*s\" exists already, as %s", (int)n, word,
                      f->keyword);
    return f != NULL;
}

/* Rows of the same addition may not share a name either. */
static bool option_clashes(const char *word, size_t n, void *arg)
{
    const struct addition *a = arg;
    struct word w = {word, n};
    const struct option_desc *d = walk(a->all, look_called, &w);
    if (d == a->own)
        d = walk(a->base, look_called, &w);
    if (!d || d == a->own)
        return false;
    (void)err_set(a->e, ERR_USAGE, "option \"%.*s\" exists already, as %s", (int)n, word, d->name);
    return true;
}

static bool look_clash(const struct option_desc *d, void *arg)
{
    struct addition *a = arg;
    a->own = d;
    return option_clashes(d->name, strlen(d->name), a) ||
           each_word(d->aliases, option_clashes, a);
}

static int check_names(struct addition *a, const struct registry *own)
{
    for (const struct form *f = registry_next(own, NULL); f; f = registry_next(own, f))
        if (address_clashes(f->keyword, strlen(f->keyword), a) ||
            each_word(f->aliases, address_clashes, a))
            return -1;
    return walk(own, look_clash, a) ? -1 : 0;
}

int registry_add(struct arena *a, const struct registry *base, const struct form *forms,
                 const struct option_desc *const *options, const struct registry **out,
                 struct err *e)
{
    struct {
        struct registry r;
        const struct form *forms[2];
        const struct option_desc *const *options[2];
    } *more = arena_alloc(a, sizeof *more);
    if (!more)
        return err_nomem(e);
    more->forms[0] = forms;
    more->options[0] = options;
    more->forms[1] = NULL;
    more->options[1] = NULL;
    more->r = (struct registry){.forms = more->forms, .options = more->options};
    struct registry own = more->r;
    more->r.base = base;
    *out = &more->r;
    return check_names(&(struct addition){.all = *out, .base = base, .e = e}, &own);
}

int registry_add_module(struct arena *a, const struct registry *base, const struct catena_module *m,
                        const char *from, const struct registry **out, struct err *e)
{
    if (m->abi != CATENA_ABI)
        return err_set(e, ERR_USAGE, "the module was made for a %s catena: its addresses are of version %u, "
                       "%d is needed", m->abi > CATENA_ABI ? "newer" : "older", m->abi, CATENA_ABI);
    if (m->size != sizeof *m)
        return err_set(e, ERR_USAGE, "the module's table has %u bytes instead of %zu", m->size, sizeof *m);
    if (registry_add(a, base, m->forms, m->options, out, e) < 0)
        return -1;
    struct registry *named = arena_alloc(a, sizeof *named);
    if (!named)
        return err_nomem(e);
    *named = **out;
    named->from = from;
    *out = named;
    return 0;
}

const char *registry_from(const struct registry *known, const struct form *f)
{
    for (; known; known = known->base)
        for (const struct form *const *t = known->forms; *t; t++)
            for (const struct form *one = *t; one->keyword; one++)
                if (one == f)
                    return known->from;
    return NULL;
}
