/* SPDX-License-Identifier: GPL-2.0-or-later
 * What PROXY-SERVER's dialog shares with what stays of it. */
#ifndef CATENA_INTER_HTTP_SERVER_H
#define CATENA_INTER_HTTP_SERVER_H

#include "catena/inter.h"
#include "inter/proxy/admission.h"
#include "inter/proxy/http_request.h"

#define PROTO_FORWARD "http" /* {proto}: requests pass, and are looked at */

/* May who says that use this proxy? user: who he is, if he has to say it. */
bool http_admits(const struct admission *m, struct run *r, const struct http_request *q, char user[LOGIN_MAX + 1]);

extern const struct codec_pair http_forward;

#endif
