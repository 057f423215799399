/* SPDX-License-Identifier: GPL-2.0-or-later
 * xiorun --strict: the kernel stops each connect(), sendto(), sendmsg() and sendmmsg() of the program and all that
 * come from it, and asks us. Nothing that memory says is left to be read a second time by the call itself: we read
 * it once, do what is to be done on a copy of the descriptor, and give the result, or a descriptor in its place. */
#ifndef CATENA_XIORUN_STRICT_H
#define CATENA_XIORUN_STRICT_H

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "xiorun/helper.h"

/* What of all this the kernel has not; NULL: it has it. */
const char *strict_lacks(void);

/* In the child that is to become the program: from now on it asks. Gives the descriptor on which it does, or -1. */
int strict_enter(void);

/* Can the kernel put descriptors in the place of others? */
bool strict_can_replace(int listener);
/* In its parent: answers on that descriptor, in threads, until the process ends. */
int strict_begin(struct helper *h, int listener);

/* ---- its parts ---- */

/* A call that waits for us. */
struct call {
    struct helper *helper;
    int listener;
    uint64_t id;
    pid_t pid; /* the thread */
    int nr;
    uint64_t args[6];
};

/* Is it still the one that waits? Asked after everything by which its process is found. */
bool call_waits(const struct call *c);
void call_give(const struct call *c, int64_t value, int error);
/* A descriptor in the place of its own. */
bool call_replace(const struct call *c, int fd, int by);
/* The caller's own descriptor, copied; -1 and errno. */
int call_descriptor(const struct call *c, int fd);
bool call_read(const struct call *c, uint64_t from, void *to, size_t n);
bool call_write(const struct call *c, uint64_t to, const void *from, size_t n);
void call_describe(const struct call *c, struct preload_request *q);
/* In a thread of its own, with a copy of it. */
void call_go_on(const struct call *c, void (*how)(struct call *c));
/* For names of UNIX sockets: this thread is where the caller is. False: it cannot be. Not in the thread that
 * serves others. */
bool call_stand_there(const struct call *c, bool absolute);

/* strict_connect.c, strict_send.c */
void strict_connect(struct call *c);
void strict_send(struct call *c);
/* A name of the caller's is one of ours from now on: if it is that of a file, this thread goes to where the caller
 * is. False: it cannot be done. */
bool strict_stand_there(const struct call *c, void *name, socklen_t *len);
/* Where a packet may go: 0, with the address that is meant, or errno. */
int strict_packet(const struct call *c, void *addr, socklen_t *len);

#endif
