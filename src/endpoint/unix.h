/* SPDX-License-Identifier: GPL-2.0-or-later
 * What GOPEN needs of UNIX domain sockets. */
#ifndef CATENA_UNIX_H
#define CATENA_UNIX_H

#include "catena/endpoint.h"

/* As UNIX-CLIENT: connects a stream socket, or sends datagrams if that is what is there. */
int unix_client_open(const struct addr *a, struct run *r, struct port **out, struct err *e);

#endif
