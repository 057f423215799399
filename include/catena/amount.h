/* SPDX-License-Identifier: GPL-2.0-or-later
 * Amounts of data as people read them: pure. */
#ifndef CATENA_AMOUNT_H
#define CATENA_AMOUNT_H

#include "catena/api.h"

enum { AMOUNT_MAX = 16 }; /* bytes of a text */

/* "512 B", "1.50 KiB", "700 MiB"; gives out. */
const char *amount_text(double bytes, char out[AMOUNT_MAX]) CATENA_API(amount_text);

#endif
