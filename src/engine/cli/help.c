/* SPDX-License-Identifier: GPL-2.0-or-later
 * Help and version texts, generated from the tables so that they cannot drift. The layout is v1's,
 * since scripts read it. */
#include "engine/cli/help.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catena/err.h"
#include "catena/option.h"
#include "catena/registry.h"
#include "engine/cli/cmdline.h"

struct lines {
    char **line;
    size_t n, cap;
    bool failed;
};

static void add(struct lines *l, char *text)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 512;
        char **more = reallocarray(l->line, cap, sizeof *more);
        if (!more) {
            free(text);
            l->failed = true;
            return;
        }
        l->line = more;
        l->cap = cap;
    }
    if (text)
        l->line[l->n++] = text;
    else
        l->failed = true;
}

__attribute__((format(printf, 2, 3))) static void add_text(struct lines *l, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        text = NULL;
    va_end(ap);
    add(l, text);
}

/* Scripts sort what stands before the first colon or blank (a TAB does not cut). */
static size_t key_length(const char *s) { return strcspn(s, ": "); }

static int by_key(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t nx = key_length(x), ny = key_length(y);
    int c = strncmp(x, y, nx < ny ? nx : ny);
    return c ? c : nx < ny ? -1 : nx > ny ? 1 : strcmp(x, y);
}

/* All of them or, when memory ran out while they were gathered, none; frees them. Alike lines, such
 * as an alias that several forms share, are one. */
static int print_sorted(FILE *f, struct lines *l, struct err *e)
{
    if (l->n > 0)
        qsort(l->line, l->n, sizeof *l->line, by_key);
    for (size_t i = 0; i < l->n && !l->failed; i++)
        if (i == 0 || strcmp(l->line[i - 1], l->line[i]) != 0)
            fprintf(f, "      %s\n", l->line[i]);
    for (size_t i = 0; i < l->n; i++)
        free(l->line[i]);
    free(l->line);
    return l->failed ? err_nomem(e) : 0;
}

static void contexts(const struct form *f, char *out)
{
    if (f->left & CTX_R)
        *out++ = 'r';
    if (f->left & CTX_W)
        *out++ = 'w';
    if (f->left & CTX_B)
        *out++ = 'b';
    *out = '\0';
}

struct alias_of {
    struct lines *lines;
    const char *name;
};

static bool add_alias(const char *word, size_t n, void *arg)
{
    const struct alias_of *a = arg;
    if (strlen(a->name) != n || strncasecmp(a->name, word, n) != 0)
        add_text(a->lines, "%.*s\t\tis an alias name for %s", (int)n, word, a->name);
    return false;
}

static void brought_list(const struct form *f, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (const struct option_desc *const *d = f->options; d && *d && n < cap; d++)
        n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? "," : "options=", (*d)->name);
}

/* A keyword has a line for each of its forms, its aliases one line. */
static int print_addresses(FILE *f, const struct registry *known, int level, bool sentences, struct err *e)
{
    struct lines l = {0};
    for (const struct form *a = registry_next(known, NULL); a; a = registry_next(known, a)) {
        char left[8], groups[512], own[512];
        contexts(a, left);
        brought_list(a, own, sizeof own);
        group_list(a->groups, groups, sizeof groups);
        const char *from = registry_from(known, a);
        const char *help = sentences && a->help ? a->help : "";
        add_text(&l, "%s%s\t%s\t%s\t%s%s%s%s%s%s%s%s", a->keyword, a->params ? a->params : "", left,
                 a->right == RIGHT_NONE ? "-" : a->right == RIGHT_BOTH ? "b" : "mirror",
                 groups[0] ? "groups=" : "", groups, groups[0] && own[0] ? "\t" : "", own, from ? "\tfrom " : "", from ? from : "",
                 help[0] ? "\t" : "", help);
        if (level >= 3)
            each_word(a->aliases, add_alias, &(struct alias_of){&l, a->keyword});
    }
    return print_sorted(f, &l, e);
}

struct option_lines {
    const struct registry *known;
    struct lines lines;
    int level;
    bool sentences;
};

static void add_option(const struct option_desc *d, void *arg)
{
    struct option_lines *o = arg;
    char groups[512];
    option_owners(o->known, d, groups, sizeof groups);
    const char *help = o->sentences && d->help ? d->help : "";
    add_text(&o->lines, "%s\tgroups=%s\tphase=%s\ttype=%s%s%s", d->name, groups, phase_name(d->phase),
             value_type_name(d->type), help[0] ? "\t" : "", help);
    if (o->level < 3)
        return;
    for (const char *p = d->aliases; p && *p;) {
        size_t n = strcspn(p, " ");
        add_text(&o->lines, "%.*s\tis an alias for %s", (int)n, p, d->name);
        p += n + strspn(p + n, " ");
    }
}

static int print_options(FILE *f, const struct registry *known, int level, bool sentences, struct err *e)
{
    struct option_lines o = {.known = known, .level = level, .sentences = sentences};
    option_each(known, add_option, &o);
    return print_sorted(f, &o.lines, e);
}

int help_print(FILE *f, const struct registry *known, int level, bool sentences, struct err *e)
{
    fprintf(f, "catena: a relay for chains of addresses; also socat\n"
               "usage: catena [switches] <chain> <chain>\n"
               "   chain = { inter-address | } endpoint-address\n   switches:\n");
    for (const struct cmdline_switch *s = cmdline_switches; s->name; s++)
        fprintf(f, "      %s%s\t%s\n", s->name, s->value ? s->value : " ", s->help);
    fprintf(f, "   address-head:\n");
    if (print_addresses(f, known, level, sentences, e) < 0)
        return -1;
    fprintf(f, "   opts:\n");
    if (level < 2)
        return 0;
    fprintf(f, "   opt:\n");
    return print_options(f, known, level, sentences, e);
}
