/* SPDX-License-Identifier: GPL-2.0-or-later
 * Scenarios of the torture run: command lines, and what stands at their other end; and running them. */
#ifndef CATENA_TESTS_TORTURE_H
#define CATENA_TESTS_TORTURE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "faults.h"

/* The other end, a process of its own. Whatever it gets from the program goes to `got`. */
struct other_end {
    const char *address; /* 127.x.y.z, this driver's own */
    int listener;        /* its socket, listening before the program starts */
    int terminal;        /* the master of the program's terminal, -1 */
    int alive;           /* readable when the program has ended */
    FILE *got;
};

struct scenario {
    const char *name;
    const char *args[12]; /* '@' becomes the address, '+' the directory with the certificate */
    const char *input;    /* standard input; NULL: /dev/null */
    int (*other)(struct other_end *); /* NULL: nobody; gives an exit status */
    enum { LISTEN_NONE, LISTEN_TCP, LISTEN_DATAGRAM } listens; /* what `other` wants: TCP port 4711,
                                                                  or the UNIX socket "peer" */
    bool terminal; /* the program's standard input and output are a terminal */
    bool serves;   /* does not end by itself: SIGTERM when `other` is done */
    bool edges;    /* the program waits for edges (epoll): "not yet" cannot be made up */
    size_t bulk;   /* standard input is so many bytes */
    bool pipes;    /* to a program: that nobody reads one any more (EPIPE) is the program's wish, and no loss */
    bool messages; /* packets: a fault may lose one, as the network may */
    bool guest;    /* the program is libxio's (guest.c) */
    bool dumps;    /* go to standard error, as messages do */
};

extern const struct scenario scenarios[];

/* ---- runs.c ---- */

enum { OUTPUT = 1 << 16, BULK = 40000, MOST_BULK = 300000 };

struct outcome {
    int status; /* as a shell has it; -1: had to be killed */
    char output[OUTPUT]; /* standard output, what the other end got, files called out*, all in a row */
    char errors[OUTPUT];
    char left[512]; /* file names */
    int open_fds, strays;
    int64_t ms;
    bool sanitizer;
};

struct torture {
    const char *program, *guest;
    unsigned every;
    bool verbose, openssl;
    char top[64], address[32];
    struct faults *faults;
    char map[96];
    int slower;
    unsigned long runs, defects;
};
extern struct torture t;

/* The message, errno, and the end of the driver. */
__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);
void set_up(void);
void clean_up(void);
/* One run, with the fault that t.faults tells. The directory "run" stays as it was left. */
void run(const struct scenario *s, struct outcome *o);
size_t read_file(const char *path, char *to, size_t cap);

#endif
