/* SPDX-License-Identifier: GPL-2.0-or-later
 * The variables that name proxies, read as curl reads them. */
#ifndef CATENA_INTER_FROM_ENV_H
#define CATENA_INTER_FROM_ENV_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/catena.h"

/* The proxy for URLs of that scheme, and *name which variable says so; NULL: none. */
const char *from_env_variable(const struct catena *c, const char *scheme, char *name, size_t cap);
/* A list of names, which hold for all below them, addresses and networks; "*" alone is everybody. */
bool from_env_excepts(const char *no_proxy, const char *host);

/* A proxy as its variable has it, taken apart in place. */
struct proxy_url {
    const char *scheme; /* in small letters; "http" if none is given */
    char *userinfo;     /* "<user>:<password>", decoded; or NULL */
    char *host;         /* IPv6 in brackets */
    const char *port;
};
/* NULL, or what is wrong with it. */
const char *from_env_parse(char *text, struct proxy_url *out);

#endif
