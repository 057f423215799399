/* SPDX-License-Identifier: GPL-2.0-or-later
 * Addresses that stand for names: 198.18.0.1 to 198.19.255.254 and fd63:6174:656e:6100::1 and so on. When all are
 * given out, the oldest stands for another name. */
#ifndef CATENA_XIORUN_NAMES_H
#define CATENA_XIORUN_NAMES_H

#include <stdbool.h>
#include <stdint.h>

struct names;
struct names *names_new(void);
void names_free(struct names *n);
/* False: nobody can have that name, or there is no memory. */
bool names_stand_in(struct names *n, const char *name, uint8_t v4[4], uint8_t v6[16]);
/* Of the range? Then *name is what it stands for, copied to a buffer of 256 bytes, or "". */
bool names_find(struct names *n, int version, const uint8_t *addr, char *name);

#endif
