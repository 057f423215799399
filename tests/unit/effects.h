/* SPDX-License-Identifier: GPL-2.0-or-later
 * A row of the tables of option_effects_tables.h: which option, on which address, and how its
 * effect is read back. In addresses: $4 $6 are ports where TCP listens, $u $v UDP ports (of IPv4
 * and IPv6), $l a free port, $p the process. */
#ifndef CATENA_TESTS_EFFECTS_H
#define CATENA_TESTS_EFFECTS_H

#include <stdbool.h>

#include "catena/plan.h"
#include "catena/port.h"
#include "catena/run.h"

struct scene { /* an address that was opened with the option */
    struct plan *plan;
    struct run *run;
    struct port *port; /* NULL: it only listens */
    int fd;            /* its descriptor */
};

struct effect {
    const char *option, *address;
    bool (*check)(const struct scene *, const struct effect *); /* NULL: opening is to fail */
    long long a, b, want; /* as the check likes */
    const char *text;
    enum { ANYBODY, ROOT = 1, OWN_NET = 2, OWN_IPC = 4 } needs;
};

#endif
