/* SPDX-License-Identifier: GPL-2.0-or-later
 * Frames of network interfaces, read from packet sockets. */
#ifndef CATENA_ENDPOINT_FRAME_H
#define CATENA_ENDPOINT_FRAME_H

#include <sys/socket.h>
#include <sys/types.h>

#include "catena/sockaddr.h"

/* Was the frame sent from this host? A packet socket sees those, too. */
bool frame_is_ours(const struct sockname *from);
/* Puts the VLAN tag that the kernel has taken out of the frame back behind its two addresses; gives
 * the new length. A frame that has none, or no room, stays as it is. */
ssize_t frame_put_tag(struct msghdr *msg, unsigned char *frame, ssize_t n, size_t cap);

#endif
