/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which modules the command loads: see modules.h. */
#include "engine/cli/modules.h"

#include <sys/auxv.h>

#include "engine/serve/modules.h"

static int load_all(struct modules *m, struct cmdline *c, struct err *e)
{
    const char *list = catena_variable(&c->catena, "CATENA_MODULES");
    for (size_t i = 0; i < c->nmodules; i++)
        if (modules_load_one(m, c->modules[i], e) < 0)
            return -1;
    if (list && getauxval(AT_SECURE)) { /* whoever started us has fewer rights than we */
        diag(DIAG_WARN, "CATENA_MODULES is not heeded by a program with rights of its own");
        list = NULL;
    }
    return modules_load_list(m, list, e) < 0 ? -1 : modules_load_directory(m, CATENA_MODULE_DIR, false, e);
}

int modules_load(struct cmdline *c, struct err *e)
{
    static struct modules m; /* what is known lasts as long as the process */
    m.known = c->catena.known;
    int rc = load_all(&m, c, e);
    c->catena.known = m.known;
    return rc;
}
