/* SPDX-License-Identifier: GPL-2.0-or-later
 * A module brings a family of addresses: one table, exported by the name catena_module. */
#ifndef CATENA_MODULE_H
#define CATENA_MODULE_H

#include "catena/api.h"
#include "catena/registry.h"

/* Fixes the layouts of everything in include/catena: a module and a program that differ in it do not
 * go together. Grows with every change that a module could notice. */
enum { CATENA_ABI = 1 };

struct catena_module {
    unsigned abi;  /* CATENA_ABI */
    unsigned size; /* of this struct */
    const struct form *forms;                 /* ended by a row without keyword */
    const struct option_desc *const *options; /* of groups that others share, ended by NULL; or NULL */
};

/* struct catena_module catena_module = CATENA_MODULE(forms_x, options_x); */
#define CATENA_MODULE(forms, options) {CATENA_ABI, sizeof(struct catena_module), forms, options}
extern const struct catena_module catena_module CATENA_EXPORT;

/* As registry_add(), for what a module brings; from: its file. Refuses one that was made for another program. */
int registry_add_module(struct arena *a, const struct registry *base, const struct catena_module *m,
                        const char *from, const struct registry **out, struct err *e);

#endif
