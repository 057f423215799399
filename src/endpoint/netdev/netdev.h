/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the options of a network interface do to it, whether it is a tunnel of ours or not. */
#ifndef CATENA_ENDPOINT_NETDEV_H
#define CATENA_ENDPOINT_NETDEV_H

#include "catena/endpoint.h"

/* Sets the MTU and the flags (iff-*) of the interface as the options of a say. */
int netdev_options(const struct addr *a, const char *name, struct err *e);
/* Is it "<address>/<bits>" or "<address>:<mask>"? */
int netdev_check_address(const char *text, struct err *e);
/* Gives it an IPv4 address and netmask: "<address>/<bits>" or "<address>:<mask>". */
int netdev_address(const char *name, const char *text, struct err *e);

#endif
