/* SPDX-License-Identifier: GPL-2.0-or-later
 * Endpoint addresses: the only code that asks the operating system for data. */
#ifndef CATENA_ENDPOINT_H
#define CATENA_ENDPOINT_H

#include "catena/api.h"
#include "catena/addr.h"
#include "catena/port.h"
#include "catena/run.h"

struct sockname;

struct endpoint_ops {
    /* Passive addresses only: what is done once however many connections come (resolve, bind,
     * listen). Gives *state. With it, open() is called for each connection and waits for one. */
    int (*listen)(const struct addr *a, struct run *r, void **state, struct err *e);
    /* Opens (connects, accepts, spawns): gives a port. Waits only through wait.h. a->left says
     * which directions are wanted. state is what listen() gave, else NULL. */
    int (*open)(const struct addr *a, struct run *r, void *state, struct port **out,
                struct err *e);
    /* Releases state. forked: this is a child that inherited it: close, but remove nothing. */
    void (*unlisten)(const struct addr *a, void *state, bool forked);
    /* The descriptor of state that is readable when open() need not wait. May be NULL. */
    int (*waits_at)(const void *state);
    /* A program in the relay's place (nofork): left is the other side's port. Returns on failure, or
     * when a program that was called has ended, with its status. */
    int (*replace)(const struct addr *a, struct run *r, struct port *left, int *status,
                   struct err *e);
};

/* Does a listening address, or its chain, fork or start threads? Then it goes on listening when a
 * connection has failed. */
bool endpoint_serves_many(const struct run *r, const struct addr *a)
    CATENA_API(endpoint_serves_many);

/* Options that say how a socket is to be made are an error where none is. */
int endpoint_check_making(const struct addr *a, struct err *e) CATENA_API(endpoint_check_making);

/* May that one come in there, by its options range and those of its kin? Of an address whose peers are introduced
 * (addr.introduced): 1 yes; 0 no, and *why is the option that says so; -1 it could not be found out. */
int endpoint_admits(const struct addr *a, struct run *r, const struct sockname *client, const char **why, struct err *e);

/* The usual way to end an open(): makes a port of the descriptors, lets the options for sockets and
 * those of the FD and LATE phases act on them, and takes the policy options of the address
 * (ignoreeof, escape, cool-write, shut-*, end-close, null-eof, terminal settings) into the port.
 * Takes the descriptors, also on failure. */
int endpoint_port(const struct addr *a, struct run *r, int rfd, int wfd, unsigned flags,
                  enum port_shut shut, struct port **out, struct err *e) CATENA_API(endpoint_port);
/* The same for a socket that the address has made itself, and whose options have acted stage by
 * stage up to now. */
int endpoint_socket_port(const struct addr *a, struct run *r, int rfd, int wfd, unsigned flags,
                         enum port_shut shut, struct port **out, struct err *e)
    CATENA_API(endpoint_socket_port);

/* Registers a file system entry to be removed when the run ends (also by a signal), unless this is
 * a forked child. Paths are made absolute. */
int endpoint_remove_at_exit(struct run *r, const char *path, struct err *e)
    CATENA_API(endpoint_remove_at_exit);
/* The same for a POSIX message queue. */
int endpoint_remove_queue_at_exit(struct run *r, const char *name, struct err *e);

#endif
