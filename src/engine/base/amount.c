/* SPDX-License-Identifier: GPL-2.0-or-later
 * Three digits and a unit: see catena/amount.h. */
#include "catena/amount.h"

#include <stddef.h>
#include <stdio.h>

const char *amount_text(double n, char out[AMOUNT_MAX])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    for (; n >= 1023.5 && unit < sizeof units / sizeof *units - 1; unit++)
        n /= 1024;
    int digits = unit == 0 ? 0 : n < 9.995 ? 2 : n < 99.95 ? 1 : 0;
    (void)snprintf(out, AMOUNT_MAX, "%.*f %s", digits, n, units[unit]);
    return out;
}
