/* SPDX-License-Identifier: GPL-2.0-or-later
 * Contributed addresses: modules (catena/module.h), whose families come on top of what is known. */
#ifndef CATENA_SERVE_MODULES_H
#define CATENA_SERVE_MODULES_H

#include <stdbool.h>

#include "catena/arena.h"
#include "catena/registry.h"

struct modules {
    struct arena memory;           /* has to last as long as what is known */
    const struct registry *known;
};

/* May what is there be loaded, as far as its owner and mode say? */
int module_check(const char *path, struct err *e);
/* A file that nobody else can have changed: its table, which stays where it is. Gives NULL and says why not. */
const struct catena_module *module_open(const char *path, struct err *e);

/* A file, or all of a directory. */
int modules_load_one(struct modules *m, const char *name, struct err *e);
/* Those of a list with colons. */
int modules_load_list(struct modules *m, const char *list, struct err *e);
/* named: one that cannot be had is an error, otherwise it is left out with a warning. */
int modules_load_directory(struct modules *m, const char *directory, bool named, struct err *e);

#endif
