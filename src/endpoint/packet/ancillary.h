/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the kernel tells about a packet besides its data. */
#ifndef CATENA_ENDPOINT_ANCILLARY_H
#define CATENA_ENDPOINT_ANCILLARY_H

#include <stdbool.h>
#include <sys/socket.h>

#include "catena/run.h"

/* Descriptors that a peer has passed to us are not wanted. */
void ancillary_close_passed(struct msghdr *msg);
/* Logs each item of the ancillary data that recvmsg(2) has left in msg; keep: they also become
 * facts of the run. */
void ancillary_report(struct run *r, const struct addr *who, struct msghdr *msg, bool keep);
/* Before the next packet: what an earlier one told is not true of it. */
void ancillary_forget(struct run *r, const struct addr *who);
/* form.untold of those that give GIVES_PACKET. */
const char *ancillary_untold(const struct addr *a, const struct fact_desc *f);

#endif
