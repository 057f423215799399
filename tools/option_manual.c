/* SPDX-License-Identifier: GPL-2.0-or-later
 * Writes catena-options(7) from the option tables, so that the manual cannot drift from them. Run by
 * the build. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/registry.h"

enum { MAX_ROWS = 1024 };

struct rows {
    const struct option_desc *row[MAX_ROWS];
    size_t n; /* may be more than there is room for: an error */
};

static void collect(const struct option_desc *d, void *arg)
{
    struct rows *r = arg;
    if (r->n < MAX_ROWS)
        r->row[r->n] = d;
    r->n++;
}

static int by_name(const void *a, const void *b)
{
    const struct option_desc *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void print_row(const struct option_desc *d)
{
    bool flag = d->type == VALUE_CONST;
    printf(".It Cm %s%s\n", d->name, flag ? "" : " Ns = Ns Ar value");
    printf("%c%s.\n", d->help[0] >= 'a' && d->help[0] <= 'z' ? d->help[0] - 'a' + 'A' : d->help[0],
           d->help + 1);
    char owners[512];
    option_owners(&builtin_registry, d, owners, sizeof owners);
    printf("Value %s, %s %s, phase %s", value_type_name(d->type), d->groups ? "groups" : "only of",
           owners, phase_name(d->phase));
    if (d->aliases)
        printf("; also %s", d->aliases);
    printf(".\n");
}

int main(int argc, char *argv[])
{
    static struct rows r;
    if (argc != 2 || !freopen(argv[1], "w", stdout))
        return 1;
    option_each(&builtin_registry, collect, &r);
    if (r.n > MAX_ROWS)
        return 1;
    qsort(r.row, r.n, sizeof r.row[0], by_name);
    printf(".\\\" Made by the build from the option tables: do not edit.\n"
           ".Dd November 22, 2026\n.Dt CATENA-OPTIONS 7\n.Os\n"
           ".Sh NAME\n.Nm catena-options\n.Nd the address options of catena\n"
           ".Sh DESCRIPTION\n"
           "An address takes the options that share a group with it; APPL, PROCESS and (all) are\n"
           "for every address.\n"
           "Some options belong to a few addresses only.\n"
           "The phase says when in the life of an address an option takes effect.\n"
           ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < r.n; i++)
        print_row(r.row[i]);
    printf(".El\n.Sh SEE ALSO\n.Xr catena 1\n");
    return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
