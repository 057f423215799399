/* SPDX-License-Identifier: GPL-2.0-or-later
 * Errors are values. A function that can fail takes a `struct err *` and returns 0, or -1 after
 * filling it. Nothing below main() prints an error or exits. Thread-safe: no shared state. */
#ifndef CATENA_ERR_H
#define CATENA_ERR_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/api.h"

/* What somebody can make of a failure without reading its text: whether trying again may help
 * (err_may_pass), and what to answer to somebody else for whom something was opened. What follows the kinds is
 * more precise, for people; wherever an error is made either can stand. */
enum err_kind {
    ERR_NONE,
#define KIND(name, code, says) ERR_##name,
#define CODE(name, kind, code, says) ERR_##name,
#include "catena/codes.def"
};

/* A piece of a command line argument; borrows the text. text == NULL: nowhere in particular. */
struct span {
    const char *text; /* the whole argument */
    size_t off, len;  /* bytes */
};

struct err {
    enum err_kind kind; /* one of the kinds */
    int sys;            /* errno of the cause, or 0 */
    struct span where;  /* what the message is about, for the caret */
    char text[1024];    /* a sentence for people */
    char call[508];     /* the C call behind it, in v1's words; empty: the text says it all */
    enum err_kind code; /* what it is called; ERR_NONE: as its kind */
};

/* Who calls one of these has failed: what only leads there is kept apart from the code that runs, so that a
 * forked child touches few pages of it. */
#define FAILURE_PATH __attribute__((cold))
/* What seldom runs and needs much of the stack has a frame of its own: a forked child pays for each page of
 * it that it or its parent touches. */
#define FRAME_APART __attribute__((noinline))

/* Fills e and returns -1, so that callers can write `return err_set(...)`. A code has its kind with it. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) CATENA_API(err_set) FAILURE_PATH
    __attribute__((format(printf, 3, 4)));
/* The same for a system call that has failed: ": " and why is appended, errno kept in e->sys and the
 * kind is errno's. */
int err_sys(struct err *e, const char *fmt, ...) CATENA_API(err_sys) FAILURE_PATH
    __attribute__((format(printf, 2, 3)));
/* After err_sys(): the C call it is about, v1's way, for the name socat and for -d -d. Returns -1. */
int err_call(struct err *e, const char *fmt, ...) CATENA_API(err_call) FAILURE_PATH
    __attribute__((format(printf, 2, 3)));
/* It is of another kind than its errno says. Returns -1. */
int err_as(struct err *e, enum err_kind kind) CATENA_API(err_as) FAILURE_PATH;
/* It stays of its kind, and is called more precisely. Returns -1. */
int err_called(struct err *e, enum err_kind code) CATENA_API(err_called) FAILURE_PATH;
/* The same, unless somebody has been more precise before. Returns -1. */
int err_more_precisely(struct err *e, enum err_kind code) FAILURE_PATH;
/* Appends " (hint)" to the sentence: the way out. Returns -1. */
int err_hint(struct err *e, const char *hint) CATENA_API(err_hint) FAILURE_PATH;
/* A usage error about a piece of the command line. */
int err_at(struct err *e, struct span where, const char *fmt, ...) CATENA_API(err_at) FAILURE_PATH
    __attribute__((format(printf, 3, 4)));
/* What a failure is about, for the caret, which then takes the place of the address's label. Returns -1. */
int err_points_at(struct err *e, struct span where) CATENA_API(err_points_at) FAILURE_PATH;
/* Puts "what: " in front of the text already there; returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) CATENA_API(err_wrap) FAILURE_PATH
    __attribute__((format(printf, 2, 3)));
/* The text was but a C call: people get this sentence and why instead. Otherwise as err_wrap(). */
int err_reword(struct err *e, const char *fmt, ...) CATENA_API(err_reword) FAILURE_PATH
    __attribute__((format(printf, 2, 3)));
/* After err_set(): ": " and why, in small letters, is appended. Returns -1. */
int err_because(struct err *e, const char *why) CATENA_API(err_because) FAILURE_PATH;
/* "not enough memory", returns -1. */
int err_nomem(struct err *e) CATENA_API(err_nomem) FAILURE_PATH;

/* Somebody's own functions may fail and say nothing: ERR_ASKED(e, ops->open(..., e)) gives what the call gives, and e
 * then says so. */
#define ERR_ASKED(e, call) ((e)->kind = ERR_NONE, err_asked((e), (call)))
int err_no_reason(struct err *e) FAILURE_PATH;
static inline int err_asked(struct err *e, int rc) { return rc < 0 && e->kind == ERR_NONE ? err_no_reason(e) : rc; }

enum err_kind err_kind_of(int sys) CATENA_API(err_kind_of) FAILURE_PATH;
enum err_kind err_code_of(const struct err *e) FAILURE_PATH;
/* How people look it up, as "E-REFUSED"; NULL: not at all. */
const char *err_code_name(enum err_kind code) FAILURE_PATH;
/* What that says; NULL: there is none of that number, nor of a greater one. */
const char *err_code_says(enum err_kind code);
/* Another attempt may succeed without anybody changing the command line or the rights. */
bool err_may_pass(const struct err *e) CATENA_API(err_may_pass);
/* No failure, but an end by order: a signal, a stop request, accept-timeout. Neither told as an error
 * nor retried. */
bool err_is_end(const struct err *e) CATENA_API(err_is_end);

#endif
