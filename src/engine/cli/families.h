/* SPDX-License-Identifier: GPL-2.0-or-later
 * Families of the program's own that are modules of the command: FAMILY() in inters.def. */
#ifndef CATENA_FAMILIES_H
#define CATENA_FAMILIES_H

#include "catena/registry.h"

/* All of them, for the program's own to stand on. */
extern const struct registry families_registry;

#endif
