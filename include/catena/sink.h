/* SPDX-License-Identifier: GPL-2.0-or-later
 * A sink is where something goes that is told beside the data: dumps, taps. Standard error (or who takes
 * the log's place, diag.h), or a file that others may write, too (O_APPEND; a FIFO is waited for until
 * somebody reads). Not thread-safe; used by the thread that drives the run's engine. */
#ifndef CATENA_SINK_H
#define CATENA_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "catena/err.h"

struct iovec;
struct run;

struct sink {
    struct run *run;
    int fd;    /* -1: standard error; -2: closed, or never opened */
    const char *what; /* for messages; NULL: a dump */
    bool pipe; /* what is longer than PIPE_BUF may be torn apart there by what others write */
};

#define SINK_NONE ((struct sink){.fd = -2})

/* name NULL: standard error; what: what it is, for messages. Waits for a FIFO's reader as wait.h does. A
 * sink that may wait later says so to the run (run.sinks_wait). */
int sink_open(struct sink *s, struct run *r, const char *what, const char *name, struct err *e);
/* The same; a file that is made is nobody else's to read. */
int sink_open_private(struct sink *s, struct run *r, const char *what, const char *name, struct err *e);
/* Another one of the same file, used by another thread or run. */
int sink_copy(struct sink *to, const struct sink *from, struct run *r, struct err *e);
/* A descriptor that came with the process, which stays as it is; 2 is standard error. */
int sink_borrow(struct sink *s, struct run *r, int fd, struct err *e);
static inline bool sink_is_open(const struct sink *s) { return s->fd != -2; }
/* Nothing has been written to it yet. */
bool sink_is_new(const struct sink *s);
/* Reads n bytes of what its file has, from that offset, a negative one from its end. False: there are not so many, or
 * it cannot be read. */
bool sink_holds(const struct sink *s, off_t at, void *to, size_t n);
/* All of it, in one piece if the system takes it. What cannot be written makes the run fail, once, and
 * closes the sink; so does a signal while it waits, silently. */
void sink_write(struct sink *s, const void *data, size_t n);
/* The same of several pieces, which are written as one; their array is used up. */
void sink_put(struct sink *s, struct iovec *v, int n);
/* Something for people to see, at most PIPE_BUF bytes, that nobody misses: where it would have to wait, or
 * fails, it is dropped. */
void sink_offer(struct sink *s, const char *data, size_t n);
/* Columns of the terminal that it is; 0 it is none. */
int sink_columns(const struct sink *s);
void sink_close(struct sink *s);

/* One block in v1's layout: header, then text, hex, or both; raw: nothing but the bytes. */
enum dump_format { DUMP_TEXT = 1, DUMP_HEX = 2, DUMP_BOTH = DUMP_TEXT | DUMP_HEX, DUMP_RAW = 4 };
struct dump {
    struct sink sink;
    enum dump_format format;
    char direction;             /* '>' or '<' */
    const char *label;          /* borrowed; in the header; may be NULL */
    unsigned long long offset;  /* bytes dumped so far */
};
void dump_block(struct dump *d, const unsigned char *p, size_t n);

#endif
