/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is to be done about a connection: the first rule that fits. A line of the file has four columns, host, port,
 * protocol and what then. */
#ifndef CATENA_XIORUN_RULEBOOK_H
#define CATENA_XIORUN_RULEBOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum then { THEN_CHAIN, THEN_DIRECT, THEN_REFUSE, THEN_RESOLVE };

/* Where somebody wants to go. */
struct target {
    char host[256];    /* a name, or a number as people write it */
    int version;       /* of IP, 4 or 6; 0: it is a name */
    uint8_t addr[16];  /* of a number */
    uint16_t port;
    bool packets;
};

struct rule {
    struct rule *next;
    char *host;        /* a pattern; NULL: any */
    int version;       /* of a network; 0: it is none */
    uint8_t net[16];
    unsigned bits;
    char *ports;       /* "22,80-90"; NULL: any */
    bool tcp, udp;
    enum then then;
    char *chain;
};

struct rulebook {
    struct rule *first, **end;
    /* NULL, or what is wrong with a chain, which is told while its line is read. */
    const char *(*complaint)(const char *chain);
    char why[512]; /* what was wrong */
};

void rulebook_begin(struct rulebook *r);
void rulebook_free(struct rulebook *r);
/* -1: why says what is wrong. */
int rulebook_read(struct rulebook *r, const char *file);
int rulebook_add_line(struct rulebook *r, char *line);
/* The chain for all TCP connections that no rule is about, and the private resolver for questions to port 53. */
int rulebook_add_last(struct rulebook *r, const char *chain);

/* NULL: none fits. */
const struct rule *rulebook_match(const struct rulebook *r, const struct target *t);
/* Is a rule about it by its name? A connection to what the name was found to be would not be known to be to it. */
bool rulebook_names(const struct rulebook *r, const char *host);
/* localhost, or a name in it. */
bool rulebook_means_us(const char *host);
/* Is its name none of our business, whatever the port? Then it is looked up here, and the rules see the number. */
bool rulebook_leave(const struct rulebook *r, const char *host);

#endif
