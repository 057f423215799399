/* SPDX-License-Identifier: GPL-2.0-or-later
 * Writes what the tables of options and addresses know, for catena-options(7) and catena-addresses(7): a line for each row,
 * group, phase and type, with tabulators between its fields. tools/manual_tables.awk puts it into the pages. */
#include <stdio.h>
#include <string.h>

#include "catena/registry.h"
#include "engine/cli/help.h"

/* What a value is, in the words of that page, and which numbers the type holds. */
static const struct {
    const char *word, *range, *more;
} values[VALUE_TYPE_COUNT] = {
    [VALUE_BOOL] = {"switch"},
    [VALUE_INT] = {"number"},
    [VALUE_INT_NULL] = {"number", .more = ", or nothing"},
    [VALUE_UINT] = {"number", " from 0"},
    [VALUE_USHORT] = {"number", " from 0 to 65535"},
    [VALUE_BYTE] = {"number", " from 0 to 255"},
    [VALUE_LONG] = {"number"},
    [VALUE_SIZE] = {"bytes"},
    [VALUE_OFF] = {"bytes"},
    [VALUE_OFF64] = {"bytes"},
    [VALUE_MODE] = {"mode"},
    [VALUE_UID] = {"user"},
    [VALUE_GID] = {"group"},
    [VALUE_STRING] = {"text"},
    [VALUE_STRING_NULL] = {"text", .more = ", or nothing"},
    [VALUE_CONST] = {"nothing"},
    [VALUE_TIMEVAL] = {"seconds"},
    [VALUE_TIMESPEC] = {"seconds"},
    [VALUE_LINGER] = {"seconds"},
    [VALUE_BIN] = {"data"},
    [VALUE_INT_INT] = {"number:number"},
    [VALUE_INT_INTP] = {"number:number"},
    [VALUE_INT_BIN] = {"number:data"},
    [VALUE_INT_STRING] = {"number:text"},
    [VALUE_INT_ULONG] = {"number:number"},
    [VALUE_INT_INT_INT] = {"number:number:number"},
    [VALUE_INT_INT_BIN] = {"number:number:data"},
    [VALUE_INT_INT_STRING] = {"number:number:text"},
    [VALUE_INT3] = {"number:number:number"},
    [VALUE_IP4NAME] = {"text"},
    [VALUE_IP4SOCK] = {"text"},
    [VALUE_MREQN] = {"text:text"},
    [VALUE_MREQ_SOURCE] = {"text:text:text"},
    [VALUE_GENERIC] = {"text:text:text"},
};

static void print_value(const struct option_desc *d)
{
    const char *range = values[d->type].range, *more = values[d->type].more;
    fputs(d->file ? "file" : values[d->type].word, stdout);
    if (d->least != 0 || d->most != 0)
        printf(" from %lld to %lld", d->least, d->most);
    else
        fputs(range ? range : "", stdout);
    fputs(more ? more : "", stdout);
}

static void print_row(const struct option_desc *d, void *arg)
{
    (void)arg;
    char groups[512];
    group_list(d->groups, groups, sizeof groups);
    printf("O\t%s\t%s\t%s\t", d->name, d->aliases ? d->aliases : "", d->help ? d->help : "");
    print_value(d);
    printf("\t%s\t%s\t", phase_name(d->phase), groups);
    const char *last = ""; /* overloads of a keyword stand together */
    for (const struct form *f = registry_next(&builtin_registry, NULL); f; f = registry_next(&builtin_registry, f)) {
        if (!form_brings(f, d) || strcmp(f->keyword, last) == 0)
            continue;
        last = f->keyword;
        printf(" %s", last);
    }
    putchar('\n');
}

/* One keyword, which may have several forms; of what differs by the IP version alone, the one without 4 or 6. */
static void print_address(const struct form *f)
{
    char groups[512];
    group_list(f->groups, groups, sizeof groups);
    printf("%s\t%s\t%s\t%s\t", form_is_inter(f) ? "I" : "E", f->keyword, f->aliases ? f->aliases : "", f->help);
    for (const struct option_desc *const *d = f->options; d && *d; d++)
        printf(" %s", (*d)->name);
    printf("\t%s\t%s\n", groups, f->gives ? f->gives : "");
}

static void print_addresses(void)
{
    const struct form *last = NULL;
    for (const struct form *f = registry_next(&builtin_registry, NULL); f; f = registry_next(&builtin_registry, f)) {
        bool again = last && strcmp(last->keyword, f->keyword) == 0 && form_is_inter(last) == form_is_inter(f);
        if (!again && !help_plain(&builtin_registry, f->keyword))
            print_address(f);
        last = f;
    }
}

static void print_group(enum group_bit g)
{
    printf("G\t%s\t", group_name(g));
    const char *last = "";
    for (const struct form *f = registry_next(&builtin_registry, NULL); f; f = registry_next(&builtin_registry, f)) {
        if (!(f->groups & UINT64_C(1) << g) || strcmp(f->keyword, last) == 0 ||
            help_plain(&builtin_registry, f->keyword))
            continue;
        last = f->keyword;
        printf(" %s", last);
    }
    putchar('\n');
}

int main(void)
{
    option_each(&builtin_registry, print_row, NULL);
    print_addresses();
    for (enum group_bit g = 0; g < GROUP_COUNT; g++)
        print_group(g);
    for (enum phase p = 0; p < PHASE_COUNT; p++)
        printf("P\t%s\n", phase_name(p));
    for (enum value_type t = 0; t < VALUE_TYPE_COUNT; t++)
        if (values[t].word && !strchr(values[t].word, ':'))
            printf("T\t%s\n", values[t].word);
    printf("T\tfile\n");
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
