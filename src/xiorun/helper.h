/* SPDX-License-Identifier: GPL-2.0-or-later
 * The helper: it answers the preload libraries of a whole tree of processes, and opens their chains. */
#ifndef CATENA_XIORUN_HELPER_H
#define CATENA_XIORUN_HELPER_H

#include <pthread.h>
#include <stdint.h>

#include "preload/protocol.h"
#include "xiorun/names.h"
#include "xiorun/rulebook.h"

struct helper {
    const struct rulebook *rules;
    struct names *names;
    char *modules;         /* whose addresses chains may have */
    bool strict;           /* nothing is left to the program itself: see strict.h */
    bool within;           /* another xiorun's, through which all has to go that we open, and nothing goes past it */
    int lease;
    uint16_t resolver;     /* port of the private one; 0 none */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned lines;        /* that relay */
};

/* 0, or -1: there is no memory. */
int helper_begin(struct helper *h);
/* Until nobody has the other end of the lease any more, and all lines have ended. */
void helper_run(struct helper *h);

/* ---- its parts ---- */

/* Contributed addresses that chains may have, as catena has it: what the variable names, unless somebody with fewer
 * rights has set it, and what is installed. NULL: none; else to be freed. */
char *helper_modules(void);

/* What a request is about, with the name that an address stands for. False: it stands for none any more. */
bool helper_target(struct helper *h, const struct preload_request *q, struct target *t);
/* A line for the user, unless he wants to hear nothing. */
void helper_say(const struct preload_request *q, const struct target *t, const char *text);

/* What to do about a target. chain: NULL but for THEN_CHAIN. Of what is refused the user is told. */
struct verdict {
    enum then then;
    int error;
    const char *chain;
};
struct verdict helper_decide(struct helper *h, const struct preload_request *q, const struct target *t);

/* opening.c: what is wrong with the text of a chain, good until the thread's next failure; NULL: nothing. */
const char *opening_complaint(const char *chain);
/* Opens a chain in a thread of its own, and tells once: the descriptor, which stays its own, or -1 and
 * errno; the user has been told. */
typedef void opening_told(void *arg, int fd, int error);
void opening_begin(struct helper *h, const struct preload_request *q, const struct target *t, const char *chain,
                   opening_told *tell, void *arg);
/* With up to two descriptors. */
bool answer_send(int fd, const struct preload_answer *a, const int *given, size_t n);

/* resolver.c: a thread that answers questions for names; 0, or -1. */
int resolver_begin(struct helper *h);
/* What it sends; 0: nothing. */
size_t resolver_answer(struct helper *h, const uint8_t *packet, size_t n, uint8_t *out, size_t cap);

#endif
