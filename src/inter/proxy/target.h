/* SPDX-License-Identifier: GPL-2.0-or-later
 * Target: the <host>:<port> a negotiator asks its server to reach. */
#ifndef CATENA_INTER_TARGET_H
#define CATENA_INTER_TARGET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/addr.h"

struct run;

#define HOST_MAX 255 /* bytes: what a length byte holds, and more than DNS allows */

enum target_kind { TARGET_NAME, TARGET_IP4, TARGET_IP6 };
struct target {
    enum target_kind kind;
    char host[HOST_MAX + 1]; /* without brackets */
    union {
        struct in_addr ip4;
        struct in6_addr ip6;
    } ip; /* when the host is a literal */
    uint16_t port;
    char text[HOST_MAX + 16]; /* host:port, IPv6 in brackets: for the wire and for messages */
};

/* Parses the two parameters of the address. port_zero: 0 ("any") is a port too. */
int target_parse(const struct addr *a, bool port_zero, struct target *t, struct err *e);
/* form.check of negotiators: the parameters make a target. */
int target_check(const struct addr *a, struct err *e);
int target_check_any_port(const struct addr *a, struct err *e);
int target_foresee(const struct addr *a, struct err *e);
/* A name becomes its first IPv4 address, looked up as the resolver options of the address say;
 * literals stay. */
int target_resolve(const struct addr *a, struct target *t, struct run *r, struct err *e); /* of either version */
int target_resolve_ip4(const struct addr *a, struct target *t, struct run *r, struct err *e);

/* What of a peer's text can be shown: printable ASCII only, NUL-terminated, at most cap bytes. */
void printable(char *to, size_t cap, const char *from);

#endif
