/* SPDX-License-Identifier: GPL-2.0-or-later
 * Help about one thing, whatever it is: an address, an option, a switch, a fact, a code of a message, a section
 * of the manual. What the tables know stands first, then what the manual says. */
#include "engine/cli/help.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "catena/err.h"
#include "catena/facts.h"
#include "catena/option.h"
#include "catena/registry.h"
#include "engine/cli/cmdline.h"
#include "engine/cli/manual_text.h"
#include "engine/cli/wrap.h"

enum { WIDTH = 79 };

struct topic {
    FILE *f;
    const struct registry *known;
    const char *name;
    bool whole; /* also what is long */
    size_t n;   /* things of that name */
};

/* A line of ours; what goes on of it is indented a little more. */
__attribute__((format(printf, 2, 3))) static void say(struct topic *t, const char *format, ...)
{
    char line[2048];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    wrap_print(t->f, line, WIDTH, 2);
}

static void begin(struct topic *t)
{
    if (t->n++ > 0)
        fputc('\n', t->f);
}

static void indented(FILE *f, const char *text)
{
    for (const char *end; *text; text = end) {
        end = strchrnul(text, '\n');
        end += *end != '\0';
        fprintf(f, "%s%.*s", *text == '\n' ? "" : "    ", (int)(end - text), text);
    }
}

/* ---- what the manual says ---- */

static void manual(struct topic *t, enum manual_kind kind, const char *name)
{
    for (const struct manual_entry *m = manual_text; m->names; m++) {
        if (!manual_is_about(m, kind, name))
            continue;
        fprintf(t->f, "\n  %s\n", m->head);
        indented(t->f, m->text);
    }
}

/* What may stand in front of the name of an address, of an option, and behind either. */
#define BEFORE_ADDRESS " '|^%"
#define BEFORE_OPTION ","
#define BEHIND_NAME " '|,:=%"

struct example {
    const char *line;
    size_t n;
    const char *before;
};

static bool stands_in(const struct example *x, const char *word, size_t len)
{
    for (size_t i = 1; i + len <= x->n; i++)
        if (strncasecmp(x->line + i, word, len) == 0 && strchr(x->before, x->line[i - 1]) &&
            (i + len == x->n || strchr(BEHIND_NAME, x->line[i + len])))
            return true;
    return false;
}

static bool has_alias(const char *word, size_t n, void *arg)
{
    return stands_in(arg, word, n);
}

/* Command lines of the manual in which it is used. */
static void examples(struct topic *t, const char *before, const char *keyword, const char *aliases)
{
    enum { MOST = 3 };
    size_t told = 0;
    for (const struct manual_entry *m = manual_text; m->names; m++) {
        if (!manual_is_about(m, MANUAL_TOPIC, "examples"))
            continue;
        for (const char *line = m->text, *end; *line && told < MOST; line = end) {
            end = strchrnul(line, '\n');
            struct example x = {line, (size_t)(end - line), before};
            if (strncmp(line, "    ", 4) == 0 &&
                (stands_in(&x, keyword, strlen(keyword)) || each_word(aliases, has_alias, &x)))
                fprintf(t->f, "%s%.*s\n", told++ == 0 ? "\n  examples\n" : "", (int)x.n, line);
            end += *end != '\0';
        }
    }
}

/* ---- an address ---- */

static const char *kind_of(const struct form *f)
{
    static const char *const kinds[] = {
        [FORM_ENDPOINT] = "endpoint address",
        [FORM_COMPOUND] = "endpoint address, short for two",
        [FORM_NEGOTIATOR] = "inter address: a dialog, and then it is gone",
        [FORM_CODEC] = "inter address: changes the stream",
        [FORM_SESSION] = "inter address: a session with its peer",
        [FORM_PROGRAM] = "inter address: a program in the stream",
    };
    return kinds[f->kind];
}

static void option_line(FILE *f, const struct option_desc *d)
{
    char line[512];
    (void)snprintf(line, sizeof line, "    %-20s %s", d->name, d->help ? d->help : "");
    wrap_print(f, line, WIDTH, 21);
}

static void own_options(struct topic *t, const struct form *f)
{
    for (const struct option_desc *const *d = f->options; d && *d; d++) {
        fprintf(t->f, "%s", d == f->options ? "\n  options of its own\n" : "");
        option_line(t->f, *d);
    }
}

struct taken {
    struct topic *topic;
    const struct form *form;
};

static void taken_option(const struct option_desc *d, void *arg)
{
    const struct taken *k = arg;
    if ((d->groups & k->form->groups) != 0 && !form_brings(k->form, d))
        option_line(k->topic->f, d);
}

/* The names of groups, with room to break the line between them. */
static void name_groups(struct topic *t, const char *groups, const char *keyword)
{
    char line[1024];
    size_t n = (size_t)snprintf(line, sizeof line, "  options of the groups");
    for (size_t len; *groups && n < sizeof line - 100; groups += len + (groups[len] == ',')) {
        len = strcspn(groups, ",");
        n += (size_t)snprintf(line + n, sizeof line - n, " %.*s", (int)len, groups);
    }
    if (!t->whole)
        (void)snprintf(line + n, sizeof line - n, ", which catena -hh %s explains", keyword);
    fputc('\n', t->f);
    wrap_print(t->f, line, WIDTH, 2);
}

static void group_options(struct topic *t, const struct form *f)
{
    char groups[512];
    group_list(f->groups, groups, sizeof groups);
    if (!groups[0])
        return;
    name_groups(t, groups, t->name);
    if (t->whole)
        option_each(t->known, taken_option, &(struct taken){t, f});
}

static void about_form(struct topic *t, const struct form *f, bool overloaded)
{
    fprintf(t->f, "%s%s\n", f->keyword, f->params ? f->params : "");
    say(t, "  %s; %s", f->help ? f->help : "", kind_of(f));
    if (overloaded)
        return;
    if (f->aliases && f->aliases[0])
        say(t, "  also called %s", f->aliases);
    if (f->gives)
        say(t, "  tells the facts %s", f->gives);
    const char *from = registry_from(t->known, f);
    if (from)
        fprintf(t->f, "  from %s\n", from);
}

/* All forms of a keyword, then what holds for each of them. */
static void addresses(struct topic *t)
{
    const struct form *last = NULL;
    for (const struct form *f = registry_called(t->known, t->name, NULL); f; f = registry_called(t->known, t->name, f)) {
        const struct form *next = registry_next(t->known, f);
        bool overloaded = next && strcmp(next->keyword, f->keyword) == 0;
        if (!last || strcmp(last->keyword, f->keyword) != 0)
            begin(t);
        about_form(t, f, overloaded);
        last = f;
        if (overloaded)
            continue;
        const char *plain = help_plain(t->known, f->keyword);
        manual(t, MANUAL_ADDRESS, plain ? plain : f->keyword);
        own_options(t, f);
        group_options(t, f);
        examples(t, BEFORE_ADDRESS, f->keyword, f->aliases);
    }
}

/* ---- an option ---- */

/* What follows the "=", for people. */
static const char *value_of(const struct option_desc *d)
{
    static const char *const shapes[VALUE_TYPE_COUNT] = {
        [VALUE_BOOL] = "[=0|1]",
        [VALUE_INT] = "=<number>",
        [VALUE_INT_NULL] = "[=<number>]",
        [VALUE_UINT] = "=<number>",
        [VALUE_USHORT] = "=<number>",
        [VALUE_BYTE] = "=<byte>",
        [VALUE_LONG] = "=<number>",
        [VALUE_SIZE] = "=<bytes>",
        [VALUE_OFF] = "=<bytes>",
        [VALUE_OFF64] = "=<bytes>",
        [VALUE_MODE] = "=<mode>",
        [VALUE_UID] = "=<user>",
        [VALUE_GID] = "=<group>",
        [VALUE_STRING] = "=<text>",
        [VALUE_STRING_NULL] = "[=<text>]",
        [VALUE_CONST] = "",
        [VALUE_TIMEVAL] = "=<seconds>",
        [VALUE_TIMESPEC] = "=<seconds>",
        [VALUE_LINGER] = "=<seconds>",
    };
    return d->file ? "=<file>" : shapes[d->type] ? shapes[d->type] : NULL;
}

static bool is_called(const char *word, size_t n, void *arg)
{
    const char *name = arg;
    return strlen(name) == n && strncasecmp(name, word, n) == 0;
}

static bool manual_of_alias(const char *word, size_t n, void *arg)
{
    char alias[64];
    (void)snprintf(alias, sizeof alias, "%.*s", (int)n, word);
    manual(arg, MANUAL_OPTION, alias);
    return false;
}

static void about_option(const struct option_desc *d, void *arg)
{
    struct topic *t = arg;
    char owners[512], name[64];
    (void)snprintf(name, sizeof name, "%s", t->name);
    if (!is_called(d->name, strlen(d->name), name) && !each_word(d->aliases, is_called, name))
        return;
    begin(t);
    const char *value = value_of(d);
    option_owners(t->known, d, owners, sizeof owners);
    fprintf(t->f, "%s%s%s%s\n", d->name, value ? value : "=<", value ? "" : value_type_name(d->type), value ? "" : ">");
    say(t, "  %s; option%s%s", d->help ? d->help : "", owners[0] ? " of " : "", owners);
    if (d->aliases && d->aliases[0])
        say(t, "  also called %s", d->aliases);
    fprintf(t->f, "  takes effect in phase %s\n", phase_name(d->phase));
}

/* Rows of several families may share a name; the manual has it by name. */
static void options(struct topic *t)
{
    size_t before = t->n;
    option_each(t->known, about_option, t);
    if (t->n == before)
        return;
    const struct option_desc *d = option_lookup(t->known, t->name);
    const char *name = d ? d->name : t->name;
    manual(t, MANUAL_OPTION, name);
    if (d)
        each_word(d->aliases, manual_of_alias, t);
    examples(t, BEFORE_OPTION, name, d ? d->aliases : NULL);
}

/* ---- switches, facts, sections of the manual ---- */

/* What nothing but the manual tells of. */
static void entries(struct topic *t, enum manual_kind kind, const char *name)
{
    for (const struct manual_entry *m = manual_text; m->names; m++)
        if (manual_is_about(m, kind, name)) {
            begin(t);
            fprintf(t->f, "%s\n", m->head);
            indented(t->f, m->text);
        }
}

static void switches(struct topic *t)
{
    if (t->name[0] == '-')
        entries(t, MANUAL_SWITCH, t->name);
}

static bool tells(const struct form *f, const struct fact_desc *fact)
{
    return f->gives && fact_in(f->gives, fact);
}

static void told_by(struct topic *t, const struct fact_desc *fact)
{
    char line[2048];
    const char *last = "";
    size_t n = (size_t)snprintf(line, sizeof line, "  told by");
    for (const struct form *f = registry_next(t->known, NULL); f; f = registry_next(t->known, f)) {
        if (!tells(f, fact) || strcmp(last, f->keyword) == 0 || help_plain(t->known, f->keyword) ||
            n + 1 + strlen(f->keyword) >= sizeof line)
            continue;
        n += (size_t)snprintf(line + n, sizeof line - n, " %s", f->keyword);
        last = f->keyword;
    }
    wrap_print(t->f, line, WIDTH, 2);
}

static void facts(struct topic *t)
{
    const char *name = t->name + (t->name[0] == '{');
    const struct fact_desc *fact = fact_lookup(name, strcspn(name, "}"));
    if (!fact)
        return;
    begin(t);
    fprintf(t->f, "{%s}\n  %s; a fact\n", fact->name, fact->help);
    told_by(t, fact);
    fprintf(t->f, "  what facts are good for: -h facts\n");
}

static void sections(struct topic *t)
{
    for (const struct manual_entry *m = manual_text; m->names; m++)
        if (manual_is_about(m, MANUAL_TOPIC, t->name)) {
            begin(t);
            fprintf(t->f, "%s\n\n%s", m->head, m->text);
        }
}

/* ---- codes of messages ---- */

/* As it is typed, or as it stands in the message. */
static void codes(struct topic *t)
{
    char name[40];
    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(t->name + (t->name[0] == '['), "]"),
                   t->name + (t->name[0] == '['));
    entries(t, MANUAL_CODE, name);
}

static void all_codes(struct topic *t)
{
    if (strcasecmp(t->name, "codes") != 0)
        return;
    begin(t);
    for (enum err_kind k = ERR_NONE; err_code_says(k); k++)
        if (err_code_name(k))
            fprintf(t->f, "    %-20s %s\n", err_code_name(k), err_code_says(k));
}

/* ---- whatever it is ---- */

static int unknown(const struct topic *t, struct err *e)
{
    char near[2][64] = {"", ""};
    if (registry_misses(t->known, t->name, e))
        return -1;
    bool address = registry_nearest(t->known, t->name, near[0], sizeof near[0]);
    bool option = option_nearest(t->known, t->name, NULL, near[1], sizeof near[1]);
    (void)err_set(e, ERR_SWITCH, "-h: nothing is called \"%.100s\": no address, option, switch, fact, code or topic%s%s%s%s%s",
                  t->name, address || option ? "; did you mean \"" : "", address ? near[0] : "",
                  address && option ? "\" or \"" : "", option ? near[1] : "", address || option ? "\"?" : "");
    return -1;
}

int help_topic(FILE *f, const struct registry *known, const char *name, bool whole, struct err *e)
{
    static void (*const kinds[])(struct topic *) = {switches, addresses, options, facts, codes, all_codes, sections};
    struct topic t = {.f = f, .known = known, .name = name, .whole = whole};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        kinds[i](&t);
    return t.n > 0 ? 0 : unknown(&t, e);
}
