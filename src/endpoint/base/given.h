/* SPDX-License-Identifier: GPL-2.0-or-later
 * A port that has some bytes to give and then is at its end. */
#ifndef CATENA_ENDPOINT_GIVEN_H
#define CATENA_ENDPOINT_GIVEN_H

#include "catena/endpoint.h"

/* Copies the bytes. Where they fit they stand in a real pipe: programs can read them too. flags: of
 * the port. */
int given_port(const struct addr *a, struct run *r, const void *data, size_t n, unsigned flags,
               struct port **out, struct err *e);
/* The reading end of a pipe that nobody writes to: end of file at once. Or -1. */
int given_nothing(struct err *e);

#endif
