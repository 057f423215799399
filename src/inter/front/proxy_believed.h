/* SPDX-License-Identifier: GPL-2.0-or-later
 * Option from of PROXY-PROTOCOL-SERVER: which proxies may say who their clients are. */
#ifndef CATENA_INTER_PROXY_BELIEVED_H
#define CATENA_INTER_PROXY_BELIEVED_H

#include <stdbool.h>

#include "catena/addr.h"
#include "catena/err.h"

int proxy_believed_check(const struct addr *a, struct err *e);
/* ip: 16 bytes, NULL: he has no address of IP; local: he is on this host without one. */
bool proxy_is_believed(const struct addr *a, const unsigned char *ip, bool local);
enum admits proxy_believed_who(const struct addr *a); /* form.introduces */

#endif
