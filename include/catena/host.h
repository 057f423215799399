/* SPDX-License-Identifier: GPL-2.0-or-later
 * Host names, numbers and services to socket addresses. What is a number never meets a resolver;
 * what is a name is looked up where a signal can end the wait. */
#ifndef CATENA_ENDPOINT_RESOLVE_H
#define CATENA_ENDPOINT_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/api.h"
#include "catena/addr.h"
#include "catena/run.h"
#include "catena/sockaddr.h"

/* Several socket addresses, in the order to be tried. */
struct names {
    struct sockname *v;
    size_t n;
};
void names_fini(struct names *names) CATENA_API(names_fini); /* also fine on a zeroed one */

/* The IP version an address is to use. forced: AF_INET or AF_INET6 if the keyword or pf= says so,
 * else AF_UNSPEC; preferred: which one comes first then, AF_UNSPEC for none. */
struct ip_version {
    int forced, preferred;
    bool mapped; /* a number of IPv4 where IPv6 is forced means its mapped form */
};
/* What pf= says; if it is not given, *family stays as it is. */
int resolve_family(const struct addr *a, int *family, struct err *e);
/* keyword_family: what the keyword says. passive: the address waits for others. */
int resolve_version(const struct addr *a, const struct run *r, int keyword_family, bool passive,
                    struct ip_version *out, struct err *e) CATENA_API(resolve_version);

/* Could it be the name of a service or protocol? Whether there is one is known when it is needed. */
bool resolve_is_word(const char *text);
bool resolve_knows_service(const char *name, int socktype);
/* A port number, or the name of a service for that socket type. text of digits: 0 to 65535. */
int resolve_port(struct run *r, const char *text, int socktype, int *port, struct err *e)
    CATENA_API(resolve_port);

/* The addresses of host, a name, a number, or [IPv6]; NULL is the wildcard. The resolver options of
 * a apply. port is put into each of them. Gives at least one. */
int resolve_host(const struct addr *a, struct run *r, const char *host, int port,
                 const struct ip_version *version, bool passive, struct names *out, struct err *e)
    CATENA_API(resolve_host);

/* Takes "host", "host:port", ":port", "[v6]", "[v6]:port", "v6" apart. Parts that are missing
 * become NULL. storage holds them; free it. */
int resolve_split(const char *text, char **storage, const char **host, const char **port,
                  struct err *e) CATENA_API(resolve_split);

#endif
