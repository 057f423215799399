/* SPDX-License-Identifier: GPL-2.0-or-later
 * The table of -D: see catena/fdtable.h. */
#include "catena/fdtable.h"

#include <stdio.h>
#include <stdlib.h>

#include "analyze/analyze.h"
#include "catena/diag.h"

static bool shown_before(const int fds[], size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (fds[j] == fds[i])
            return true;
    return false;
}

void fdtable_print(const int fds[], size_t n)
{
    char *text = NULL;
    size_t len = 0;
    FILE *table = open_memstream(&text, &len);
    if (!table)
        return; /* a table that finds no memory has nowhere to complain */
    analyze_header(table, false);
    for (size_t i = 0; i < n; i++)
        if (!shown_before(fds, i))
            (void)analyze_fd(table, fds[i], false);
    if (fclose(table) == 0)
        diag_data(text, len);
    free(text);
}
