/* SPDX-License-Identifier: GPL-2.0-or-later
 * Errors are values. A function that can fail takes a `struct err *` and returns 0, or -1 after
 * filling it. Nothing below main() prints an error or exits. Thread-safe: no shared state. */
#ifndef CATENA_ERR_H
#define CATENA_ERR_H

#include <stddef.h>

enum err_kind {
    ERR_NONE,
    ERR_USAGE,       /* the command line is wrong; never retried */
    ERR_TRANSIENT,   /* the world said no; another attempt may succeed */
    ERR_PERMANENT,   /* will not get better by trying again (still retried when the user says so) */
    ERR_PROTOCOL,    /* a peer broke the rules, truncation included */
    ERR_INTERRUPTED, /* a signal or a stop request ended the wait; never retried, not logged as E */
};

/* A piece of a command line argument; borrows the text. text == NULL: nowhere in particular. */
struct span {
    const char *text; /* the whole argument */
    size_t off, len;  /* bytes */
};

struct err {
    enum err_kind kind;
    int sys;           /* errno of the cause, or 0 */
    struct span where; /* what the message is about, for the caret */
    char text[1024];
};

/* Fills e and returns -1, so that callers can write `return err_set(...)`. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* The same, with ": " and strerror(errno) appended and errno kept in e->sys. */
int err_sys(struct err *e, enum err_kind kind, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A usage error about a piece of the command line. */
int err_at(struct err *e, struct span where, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "what: " in front of the text already there; returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "not enough memory", returns -1. */
int err_nomem(struct err *e);

#endif
