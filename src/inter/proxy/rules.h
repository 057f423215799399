/* SPDX-License-Identifier: GPL-2.0-or-later
 * Where clients may be connected to: options allow and deny. A rule is [<host>][:<port>[-<port>]]; a host
 * is a name in which * stands for anything, a number, or a network <number>/<bits>, IPv6 in brackets. */
#ifndef CATENA_INTER_RULES_H
#define CATENA_INTER_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/addr.h"
#include "catena/err.h"
#include "catena/run.h"

enum { RULE_HOST_MAX = 255 };

struct rule {
    bool deny, network;
    unsigned char address[16], mask[16]; /* IPv4 as mapped into IPv6 */
    char *pattern;
    int from, to;      /* ports */
    const char *said;  /* the text of the option */
};
/* "10.0.0.0/8", "[fc00::]/7", or a number alone. */
bool rule_network(const char *s, size_t n, struct rule *rule);
bool rule_contains(const struct rule *rule, const unsigned char *address); /* 16 bytes */
/* ... or this host, and who connects to that address gets there: 0.0.0.0 and [::] are 127.0.0.1 and [::1]. */
bool rule_leads_to(const struct rule *rule, const unsigned char *address);
/* Is it a number, in whatever spelling the resolver takes? host, of RULE_HOST_MAX bytes, becomes the usual one. */
bool rule_number(char *host, unsigned char *bytes);
bool rule_digits(const char *s, size_t n, int most, int *value);

struct rules {
    struct rule *v;
    size_t n;
    bool allows; /* there is one that allows, so nothing else is */
};

/* Of all options allow and deny of that address; rules NULL: they are only looked at. */
int rules_load(struct rules *rules, const struct addr *a, struct err *e);
void rules_free(struct rules *rules);
/* May that target be reached? Where rules are about numbers, a name is looked up, and host, which has room for
 * RULE_HOST_MAX bytes, becomes the number that may be reached. Refusals are ERR_DENIED. */
int rules_judge(const struct rules *rules, const struct addr *a, struct run *r, char *host, int port,
                struct err *e);

#endif
