/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program that speaks NTLM or Negotiate for us, by the lines of squid's helpers: it is asked "YR", then "TT" and what
 * the proxy has said, and what it answers becomes u->token. */
#ifndef CATENA_INTER_HTTP_AUTH_HELPER_H
#define CATENA_INTER_HTTP_AUTH_HELPER_H

#include "inter/proxy/http_auth.h"

int auth_helper_begin(struct auth *u, struct err *e);
int auth_helper_go_on(struct auth *u, const char *said, struct err *e);
void auth_helper_end(struct auth *u);

#endif
