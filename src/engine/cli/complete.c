/* SPDX-License-Identifier: GPL-2.0-or-later
 * Completion: see complete.h. The word is read as loosely as it is typed: quotes are the shell's, and what is in
 * front of the address at the end does not matter. */
#include "engine/cli/complete.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "catena/registry.h"
#include "engine/cli/cmdline.h"

struct request {
    FILE *f;
    const struct registry *known;
    const char *word;
    int front;        /* bytes of it that stay as they are */
    const char *part; /* what is to be completed */
    const struct form *form; /* whose options; NULL: any */
};

static bool begins(const char *name, size_t n, const char *part)
{
    size_t len = strlen(part);
    return len <= n && strncasecmp(name, part, len) == 0;
}

static void offer(const struct request *q, const char *name, size_t n, const char *behind, const char *help)
{
    fprintf(q->f, "%.*s", q->front, q->word);
    for (size_t i = 0; i < n; i++)
        fputc(tolower((unsigned char)name[i]), q->f);
    fprintf(q->f, "%s\t%s\n", behind, help ? help : "");
}

static void also(const struct request *q, const char *what)
{
    fprintf(q->f, "\t%s\t%.*s\n", what, q->front, q->word);
}

/* ---- switches ---- */

static void switches(const struct request *q)
{
    for (const struct cmdline_switch *s = cmdline_switches; s->name; s++) {
        size_t n = strcspn(s->name, "|[");
        if (begins(s->name, n, q->word))
            fprintf(q->f, "%.*s\t%s\n", (int)n, s->name, s->help);
    }
}

/* ---- addresses ---- */

struct naming {
    const struct request *q;
    const struct form *form;
};

static bool offer_alias(const char *name, size_t n, void *arg)
{
    const struct naming *k = arg;
    if (begins(name, n, k->q->part))
        offer(k->q, name, n, k->form->min_params > 0 ? ":" : "", k->form->help);
    return false;
}

/* Aliases only when something of them is typed: they are many. */
static void addresses(const struct request *q)
{
    const char *last = "";
    for (const struct form *f = registry_next(q->known, NULL); f; f = registry_next(q->known, f)) {
        struct naming k = {q, f};
        if (strcmp(last, f->keyword) == 0)
            continue;
        last = f->keyword;
        (void)offer_alias(f->keyword, strlen(f->keyword), &k);
        if (q->part[0])
            each_word(f->aliases, offer_alias, &k);
    }
    if (strchr(q->part, '/') || strchr(q->part, '.') || !q->part[0])
        also(q, "files");
}

/* ---- parameters ---- */

/* What a name in help's notation stands for. */
static const struct {
    const char *in, *what;
} kinds[] = {
    {"file", "files"}, {"path", "files"}, {"directory", "files"}, {"socket", "files"}, {"command", "files"},
    {"host", "hosts"}, {"server", "hosts"}, {"interface", "interfaces"}, {"user", "users"},
};

static void by_name(const struct request *q, const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (memmem(name, n, kinds[i].in, strlen(kinds[i].in))) {
            also(q, kinds[i].what);
            return;
        }
}

/* The number-th parameter, from 1. */
static void parameter(const struct request *q, size_t number)
{
    const char *at = q->form && q->form->params ? q->form->params : "";
    while (number > 0 && (at = strchr(at, '<')))
        if (--number > 0)
            at++;
    if (at && *at == '<')
        by_name(q, at, strcspn(at, ">"));
}

/* ---- options ---- */

static bool takes_value(const struct option_desc *d)
{
    return d->type != VALUE_BOOL && d->type != VALUE_CONST && d->type != VALUE_INT_NULL && d->type != VALUE_STRING_NULL;
}

struct row_naming {
    const struct request *q;
    const struct option_desc *row;
};

static bool offer_row(const char *name, size_t n, void *arg)
{
    const struct row_naming *k = arg;
    if (begins(name, n, k->q->part))
        offer(k->q, name, n, takes_value(k->row) ? "=" : "", k->row->help);
    return false;
}

static void option(const struct option_desc *d, void *arg)
{
    const struct request *q = arg;
    struct row_naming k = {q, d};
    if (q->form && !form_takes(q->form, d))
        return;
    (void)offer_row(d->name, strlen(d->name), &k);
    if (q->part[0])
        each_word(d->aliases, offer_row, &k);
}

static void value(const struct request *q, const char *name, size_t n)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.*s", (int)n, name);
    const struct option_desc *d = q->form ? option_lookup_at(q->known, q->form, text) : option_lookup(q->known, text);
    if (!d)
        return;
    if (d->file || (d->help && (strstr(d->help, "file") || strstr(d->help, "directory"))))
        also(q, "files");
    else if (d->type == VALUE_UID)
        also(q, "users");
    else if (strstr(d->name, "interface") || strstr(d->name, "bindtodevice"))
        also(q, "interfaces");
    else if (strstr(d->name, "bind") || strstr(d->name, "range"))
        also(q, "hosts");
    else if (d->type == VALUE_BOOL) {
        offer(q, "0", 1, "", "no");
        offer(q, "1", 1, "", "yes");
    }
}

/* ---- the word ---- */

static const struct form *form_called(const struct registry *known, const char *name, size_t n)
{
    char keyword[64];
    (void)snprintf(keyword, sizeof keyword, "%.*s", (int)n, name);
    return registry_called(known, keyword, NULL);
}

/* Where the address at the end of the word begins. */
static const char *last_address(const char *word)
{
    const char *at = word;
    for (const char *p = word; *p; p++)
        if (strchr("|%'\"", *p) || (p[0] == '!' && p[1] == '!'))
            at = p + 1;
    return at + strspn(at, " \t^!");
}

static void cut(struct request *q, const char *at)
{
    q->part = at;
    q->front = (int)(at - q->word);
}

void complete_word(FILE *f, const struct registry *known, const char *word)
{
    struct request q = {.f = f, .known = known, .word = word};
    if (word[0] == '-' && (isalnum((unsigned char)word[1]) || word[1] == '-')) {
        switches(&q);
        return;
    }
    const char *address = last_address(word), *comma = strrchr(address, ',');
    size_t n = strcspn(address, ":,");
    if (address[n] == '\0') {
        cut(&q, address);
        addresses(&q);
        return;
    }
    q.form = form_called(known, address, n);
    const char *equals = comma ? strchr(comma, '=') : NULL;
    cut(&q, equals ? equals + 1 : comma ? comma + 1 : strrchr(address, ':') + 1);
    if (equals)
        value(&q, comma + 1, (size_t)(equals - comma - 1));
    else if (comma)
        option_each(known, option, &q);
    else {
        size_t number = 0;
        for (const char *p = address; *p; p++)
            number += *p == ':';
        parameter(&q, number);
    }
}
