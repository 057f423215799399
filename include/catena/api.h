/* SPDX-License-Identifier: GPL-2.0-or-later
 * What may be seen from outside. Everything else is hidden; what is exported begins with catena_ for the
 * linker, whatever its name is here, so that it meets nobody else's. */
#ifndef CATENA_API_H
#define CATENA_API_H

/* Behind the declaration of a function that modules call. */
#define CATENA_API(name) __asm__("catena_" #name) __attribute__((visibility("default")))
/* One that has the prefix anyway. */
#define CATENA_EXPORT __attribute__((visibility("default")))

#endif
