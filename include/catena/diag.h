/* SPDX-License-Identifier: GPL-2.0-or-later
 * Diagnostics: lines for the user, in v1's shape "date time prog[pid] L text". One line is one
 * write(2), so that threads and children do not mix. The configuration is the process's own and is
 * set before the first thread; diag() is thread-safe. */
#ifndef CATENA_DIAG_H
#define CATENA_DIAG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct err;

enum diag_level { DIAG_FATAL, DIAG_ERROR, DIAG_WARN, DIAG_NOTICE, DIAG_INFO, DIAG_DEBUG };
enum diag_dest { DIAG_STDERR, DIAG_FILE, DIAG_SYSLOG, DIAG_MIXED };

struct diag_config {
    const char *prog;      /* base name of argv[0] or -lp */
    enum diag_level level; /* the most talkative level shown */
    enum diag_dest dest;
    int facility; /* of the system's log */
    int fd;               /* -lf, opened by diag_open_file */
    bool micros;          /* -lu */
    const char *hostname; /* -lh: shown if not NULL */
    int lowered;          /* children-shutup: levels by which every message sinks */
    bool v1;              /* called as socat: errors in v1's words, where v1 has any */
};

extern struct diag_config diag_config;

/* Whom the messages of a run are about. All threads that drive it share this; there is no name until
 * it is known, then it stays. */
struct diag_peer {
    _Atomic(const char *) name;
};
/* From now on the messages of this thread carry that peer; NULL: nobody. Gives whom before. */
const struct diag_peer *diag_about(const struct diag_peer *peer);

/* Could this byte, shown as it is, act on a terminal? So could those of C1, single or in UTF-8. */
static inline bool diag_byte_acts(unsigned char c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Writes one line. Bytes that are not printable in msg are written as \xNN, so that no peer can
 * reach the terminal through a message. */
void diag(enum diag_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool diag_shows(enum diag_level level);
/* The error e as a line of that level and, if it knows where, the argument with a caret. */
void diag_err(enum diag_level level, const struct err *e);
/* What it says to whoever called us: a sentence, or under the name socat v1's words. */
const char *diag_words(const struct err *e);
/* As diag(DIAG_INFO, ...) but written whatever the level is (statistics). */
void diag_forced(enum diag_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Messages about the text `real`, an argument that holds a secret, show `shown` (of the same length)
 * instead; NULL: no more. Both are borrowed. */
void diag_show_instead(const char *real, const char *shown);
/* Writes to a descriptor that people read (standard error): waits while they are slow, but not once a
 * signal wants the process to end. */
void diag_write(int fd, const char *p, size_t n);
/* Is this thread in there? The log's own system calls are not told of. */
bool diag_is_writing(void);
/* A signal ends the process: from now on diagnostics wait for nobody. */
void diag_hurry(void);
/* -lm: from now on to syslog. No effect otherwise. */
void diag_transferring(void);
/* Opens what later messages need (the connection to syslog, the time zone), for nothing can be opened
 * any more. */
void diag_settle(void);
int diag_open_file(const char *path, struct err *e);
int diag_set_facility(const char *name, struct err *e);

#endif
