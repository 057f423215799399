/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the connections of an address leave to the next one to the same proxy: what that asks for. Another proxy hears
 * nothing of it, and one that cannot be told from others leaves nothing. */
#ifndef CATENA_INTER_HTTP_AUTH_MEMORY_H
#define CATENA_INTER_HTTP_AUTH_MEMORY_H

#include "inter/proxy/http_auth.h"

void auth_recall(struct auth *u);
void auth_remember(struct auth *u);
void auth_forget(struct auth *u);

#endif
