/* SPDX-License-Identifier: GPL-2.0-or-later
 * The keys of a server's session tickets. They are in memory that forked children share, so that each takes the
 * tickets of the others, and change with time: what was recorded cannot be opened once they are gone. */
#ifndef CATENA_INTER_TLS_TICKETS_H
#define CATENA_INTER_TLS_TICKETS_H

#include <stdbool.h>
#include <stdint.h>

enum { TICKET_NAME = 16, TICKET_KEY = 32, TICKET_IV = 16 }; /* bytes */

struct ticket_key {
    unsigned char name[TICKET_NAME], cipher[TICKET_KEY], mac[TICKET_KEY];
    int64_t made; /* ms; 0: there is none */
};
struct tickets;

/* life: ms for which new tickets get the same key; as long again those that have it are taken. NULL without
 * memory. */
struct tickets *tickets_new(int64_t life);
void tickets_free(struct tickets *t);
/* The key for a new ticket; false: there are no random numbers to be had. */
bool tickets_seal(struct tickets *t, int64_t now, struct ticket_key *out);
/* The key of that name, if there still is one. */
bool tickets_open(struct tickets *t, int64_t now, const unsigned char *name, struct ticket_key *out);

#endif
