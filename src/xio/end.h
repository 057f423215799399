/* SPDX-License-Identifier: GPL-2.0-or-later
 * What libxio knows: all that the program does, and the caller's end. */
#ifndef CATENA_XIO_END_H
#define CATENA_XIO_END_H

#include "catena/registry.h"

#define HANDLE_OF_BYTES "HANDLE"
#define HANDLE_OF_RECORDS "HANDLE-RECORDS"

extern const struct registry handle_registry;

#endif
