/* SPDX-License-Identifier: GPL-2.0-or-later
 * Diagnostics: lines for the user, in v1's shape "date time prog[pid] L text". One line is one
 * write(2), so that threads and children do not mix. Which log they go to, and whom they are about, is
 * the thread's; a thread that has said neither is silent. A log is configured before the first
 * thread; diag() is thread-safe. */
#ifndef CATENA_DIAG_H
#define CATENA_DIAG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "catena/api.h"
#include "catena/err.h"

struct catena;

enum diag_level { DIAG_FATAL, DIAG_ERROR, DIAG_WARN, DIAG_NOTICE, DIAG_INFO, DIAG_DEBUG };
enum diag_dest { DIAG_STDERR, DIAG_FILE, DIAG_SYSLOG, DIAG_MIXED };

/* Who takes everything that is told, in the place of a file or standard error. Called by any thread,
 * by several at a time. Without message() there is none; without data() that is dropped. */
struct diag_taker {
    void (*message)(void *arg, enum diag_level level, const char *text); /* without a newline */
    void (*data)(void *arg, const char *bytes, size_t n); /* dumps (-v, -x), tables (-D) */
    void *arg;
};

struct diag_log {
    const char *prog;      /* base name of argv[0] or -lp; NULL: catena */
    enum diag_level level; /* the most talkative level shown */
    enum diag_dest dest;
    int facility; /* of the system's log */
    int fd;               /* -lf, opened by diag_open_file */
    struct diag_taker taker;
    bool micros;          /* -lu */
    const char *hostname; /* -lh: shown if not NULL */
    int lowered;          /* children-shutup: levels by which every message sinks */
    bool colored;         /* lines on standard error: by their level */
    bool v1;              /* called as socat: errors in v1's words, where v1 has any */
    struct { const char *real, *shown; } masked[2]; /* diag_show_instead() */
    struct diag_hidden *hidden;                     /* diag_hide() */
    atomic_bool to_syslog; /* -lm has switched over */
    atomic_bool hurry;     /* the process is ending */
};

/* On whose behalf messages are: an instance, whose log they go to, and a peer of a run. All threads
 * that drive the run share this; there is no name until it is known, then it stays. */
struct diag_peer {
    struct catena *catena;
    _Atomic(const char *) name;
};
/* From now on the messages of this thread are on that one's behalf; NULL: nobody's, and silent. Gives
 * whose before. */
const struct diag_peer *diag_about(const struct diag_peer *peer);
const struct diag_peer *diag_whom(void);
struct catena *diag_home(void); /* the instance, or NULL */
/* What the thread's log calls the program. */
const char *diag_prog(void);
/* Gives the level before. */
enum diag_level diag_set_level(enum diag_level level);

/* Could this byte, shown as it is, act on a terminal? So could those of C1, single or in UTF-8. */
static inline bool diag_byte_acts(unsigned char c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Appends text so that nothing in it can do that, until most bytes are there, or up to 3 more: the new end. */
size_t diag_append_safe(char *line, size_t at, size_t most, const char *text);

/* Writes one line. Bytes that are not printable in msg are written as \xNN, so that no peer can
 * reach the terminal through a message. */
void diag(enum diag_level level, const char *fmt, ...) CATENA_API(diag)
    __attribute__((format(printf, 2, 3)));
/* The same with a code at the end of the line, by which people look it up. */
void diag_coded(enum diag_level level, enum err_kind code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
bool diag_shows(enum diag_level level) CATENA_API(diag_shows);
/* The error e as a line of that level, with its code, and, if it knows where, the argument with a caret. Under the
 * name socat lines have no codes. */
void diag_err(enum diag_level level, const struct err *e) CATENA_API(diag_err);
/* What it says to whoever called us: a sentence, or under the name socat v1's words. */
const char *diag_words(const struct err *e) CATENA_API(diag_words);
/* As diag(DIAG_INFO, ...) but written whatever the level is (statistics). */
void diag_forced(enum diag_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Messages about the text `real`, an argument that holds a secret, show `shown` (of the same length)
 * instead; NULL: no more. Both are borrowed. While there is one thread. */
void diag_show_instead(const char *real, const char *shown);
/* The same for any number of texts, until their owner's are shown again. */
struct diag_hidden {
    const void *owner;
    const char *real, *shown;
    struct diag_hidden *next;
};
void diag_hide(struct diag_hidden *h);
void diag_hide_no_more(const void *owner);
/* The error as messages show it. */
void diag_mask(struct err *e);
/* Data for people to read, on standard error: waits while they are slow, but not once a signal wants the
 * process to end. Or for the log's taker: then it is not standard error. Gives -1 and errno when it cannot be
 * written. */
int diag_data(const char *p, size_t n);
bool diag_is_taken(void);
/* Is this thread at it? The log's own system calls are not told of. */
bool diag_is_writing(void);
/* A signal ends the process: from now on diagnostics wait for nobody. */
void diag_hurry(void);
/* -lm: from now on to syslog. No effect otherwise. */
void diag_transferring(void);
/* Opens what later messages need (the connection to syslog, the time zone), for nothing can be opened
 * any more. */
void diag_settle(void);
int diag_open_file(struct diag_log *log, const char *path, struct err *e);
int diag_set_facility(struct diag_log *log, const char *name, struct err *e);

#endif
