/* SPDX-License-Identifier: GPL-2.0-or-later
 * library.c's place in the static program, which has its libraries and can load nothing. */
#include "catena/library.h"

#include <stddef.h>

const char *library_limits(void)
{
    return "the program is linked statically and loads no files: no modules, no libwrap, and users, groups and hosts "
           "as files and DNS know them";
}

int library_load(struct library *l, struct err *e)
{
    return err_set(e, ERR_OTHER, "%s: %s", l->file, library_limits());
}
