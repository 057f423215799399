/* SPDX-License-Identifier: GPL-2.0-or-later
 * A run is one time of "both chains open, relay, close". It carries everything such a run knows, so
 * that it can go on in this process, in a forked child or in a thread. */
#ifndef CATENA_RUN_H
#define CATENA_RUN_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "catena/api.h"
#include "catena/diag.h"
#include "catena/err.h"
#include "catena/settings.h"

struct addr;
struct arena;
struct fact_desc;
struct instance;
struct plan;
struct saying;
struct line;
struct reaper;
struct traffic;
struct trunk;

struct fact { /* what an opened side has learnt; see facts.h */
    struct fact *next;
    const char *name, *value; /* in text */
    size_t len;
    unsigned place;  /* on the line, of who said it; 0: the caller */
    const char *who; /* his label */
    bool behind;     /* in the environment another one's facts are shown */
    char text[];
};

enum child_role {
    CHILD_ENDPOINT, /* asked to end (SIGTERM) when the run closes, as v1 does */
    CHILD_LINK,     /* in a chain: has some time to finish first */
    CHILD_SINK,     /* only takes: has what it got to work on, so it is waited for (-t) and left alone */
    CHILD_KEPT,     /* end-close: left alone */
};

struct child { /* a program of this run */
    pid_t pid;
    int pidfd;
    const char *label;
    const char *system; /* the command of a SYSTEM address, or NULL */
    enum child_role role;
    unsigned passes; /* bit mask of signals passed on to it: sighup, sigint, sigquit */
    double end_timeout; /* seconds it may take when nobody talks to it any more; < 0: moments */
    bool leads;  /* a process group of its own */
    bool on_tty; /* our end of its terminal is closed before it is collected: it gets EIO, SIGHUP */
    bool ended_output; /* end of file was seen on what it writes */
    bool done;
    bool killed; /* we had asked it to end */
    bool well;   /* its end is no failure */
    siginfo_t how; /* when it is done; si_pid 0: nobody knows */
};

#define RUN_QUEUE "mqueue:" /* in front of the name of a message queue among the removals */

/* What to remove at the end. Of a path only the very entry that was made, not what stands there
 * instead by then, be it in another root directory. */
struct removal {
    char *what; /* an absolute path, or RUN_QUEUE and a queue's name */
    dev_t dev;
    ino_t ino;
};

/* What a link has taken and given, by flow. Each is counted by one thread. */
struct link_traffic {
    _Atomic uint64_t in[2], out[2];
};
static inline void traffic_add(_Atomic uint64_t *to, uint64_t n)
{
    atomic_store_explicit(to, atomic_load_explicit(to, memory_order_relaxed) + n, memory_order_relaxed);
}

/* Why a connection ended. */
enum run_end {
    END_UNKNOWN,
    END_LEFT, /* the flow from there was the first to end */
    END_RIGHT,
    END_IDLE,    /* -T */
    END_STOPPED, /* the listener has ended */
};

struct run {
    const struct settings *settings;
    const struct plan *plan;
    void *const *shared; /* by slot (plan.h), what its prepare() gave; serve()'s */
    int signal_fd; /* signalfd of the process, or -1 in threads */
    int stop_fd;   /* eventfd of who started the run in a thread: readable = end; borrowed; -1 none */
    int ended_signal; /* signal that ended the run, 0 none */
    bool from_terminal; /* ... and the terminal sent it, to all processes it had */
    bool anew;        /* see run_asks_anew() */
    bool threaded;    /* runs in a thread: nothing of the process may be changed */
    struct trunk *trunk; /* this is its run (trunk.h); NULL: a line's */
    bool quiet;       /* who has started it tells why it has failed (run_why) */
    bool sinks_wait;  /* a dump or tap may have to wait for whoever reads it */
    bool waits;       /* an address may have to, while it relays: a name is looked up */
    struct reaper *reaper; /* of the process; borrowed; may be NULL */
    void (*add_served)(void *, struct traffic *); /* a parent of threads: the traffic of all */
    void *add_served_arg;
    void (*on_wait)(void *); /* called before this run waits for something that is not there yet */
    bool (*on_call)(void *); /* stop_fd is readable: true: that was for somebody else, and the wait goes on. May be NULL */
    void *on_wait_arg;       /* of both */

    pthread_mutex_t lock; /* guards what follows */
    bool failed;
    struct err *why; /* the first failure, or of which program the first was; NULL: none, or no memory */
    struct fact *facts;
    struct instance *instances; /* instance.c */
    struct child *children;
    size_t nchildren;
    bool child_failed;
    struct removal *removals;
    size_t nremovals;
    bool forked; /* a child of a forking address: removes nothing it inherited */

    char *met;             /* who was at the other end of what was opened last; NULL nobody known */
    struct diag_peer peer; /* the one whom a fork or thread is for, in messages */
    int peer_side;
    int64_t peer_since; /* wait_now() */
    _Atomic int end;    /* enum run_end */

    _Atomic int64_t last_activity; /* wait_now() of the last byte moved by any engine */
    _Atomic int64_t held_until;    /* ... until which a layer has kept bytes, or an end, by the clock */
    atomic_bool transferring;
    atomic_bool broken; /* an engine has failed: a flow that ends at a joint now has been cut there */
    int broken_fd;      /* eventfd, readable for all engines then; -1: there is but one */
    atomic_bool stop; /* every engine of the run is to end now (-T, a signal) */
    atomic_bool over; /* -t has ended the run at its border: the others finish, but not for ever */
    atomic_bool cut[2]; /* by source: the end of that flow was ordered (-t, readbytes, a signal), so
                           what it leaves behind is nobody's fault */
    _Atomic uint64_t lost[2]; /* by source: bytes that were accepted and could not be delivered */
    const char *_Atomic refuser[2]; /* by source: label of the program that read no more of it */
    _Atomic uint64_t blocks[2], bytes[2]; /* over the border: left to right, right to left */
    struct link_traffic *links; /* by number; NULL: nobody will ask */
    _Atomic int64_t began;      /* wait_now() when bytes began to go through the whole line; 0 they have not */

    _Atomic uint64_t expects[2]; /* by source: bytes that a file has, and readbytes allows; 0 not known */
    _Atomic unsigned shaking; /* sessions that are there, but have not shaken hands yet */
    struct run_secret *secrets, **secrets_end; /* under the lock; secrets.c */
    _Atomic size_t nsecrets;
};

/* One line of a key log, as TLS libraries write it: what opens a recorded connection. */
struct run_secret {
    struct run_secret *next;
    size_t len; /* with its newline */
    char line[];
};

int run_init(struct run *r, const struct settings *s, const struct plan *p, int signal_fd,
             struct err *e);
/* Removes what is to be removed, now that others may want its place. */
void run_remove(struct run *r);
void run_fini(struct run *r); /* removes what is to be removed, frees */

/* The first failure wins and is logged as E; later ones are its consequences and logged as I. */
void run_fail(struct run *r, const struct err *e);
/* Is it known why the run has failed? By any thread. */
bool run_why(struct run *r, struct err *e);
/* A program has failed. */
void run_child_fails(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The process is ours, and the run has it for itself. */
bool run_may_change_process(const struct run *r);
/* Says W that something is experimental, unless --experimental was given. */
void run_experimental(const struct run *r, const char *what) CATENA_API(run_experimental);

/* Peers, where a chain has fork or thread. While a side is opened it says whom it has met ... */
bool run_wants_peer(const struct run *r);
void run_meet(struct run *r, const char *who) CATENA_API(run_meet);
char *run_give_met(struct run *r); /* to whoever goes on with it; NULL nobody known; to be freed */
/* ... and if the fork or thread is for that side, this is whom the run is for from then on. */
void run_serves(struct run *r, int side);
/* Somebody who knows better says whom the run is for. */
void run_introduce(struct run *r, const char *who);
/* A connection of whom was met last is lost, and the listener goes on. */
void run_warn_lost(struct run *r, const struct err *e, const char *then);
void run_tell_end(struct run *r, bool failed); /* one N line */
/* The first reason counts, but -T always does. */
void run_ends(struct run *r, enum run_end why);

/* Told by a session before the first byte leaves that needs it; kept, where somebody wants them, as long as the
 * run. The one after that, NULL the first; gives NULL if there is none by now. */
void run_tell_secret(struct run *r, const char *line) CATENA_API(run_tell_secret);
const struct run_secret *run_next_secret(struct run *r, const struct run_secret *after)
    CATENA_API(run_next_secret);

/* Facts, each with who said it (NULL: the caller); what he says again replaces it. */
int run_set_fact(struct run *r, const struct addr *who, const char *name, const char *value,
                 struct err *e) CATENA_API(run_set_fact);
int run_tell(struct run *r, const struct addr *who, const char *name, const void *value, size_t len,
             struct err *e) CATENA_API(run_tell);
/* What that address itself has told last; false: it has not, or it does not fit. */
bool run_told(struct run *r, const struct addr *who, const char *name, char *value, size_t cap) CATENA_API(run_told);
/* He connected by himself: as variables his facts do not replace those that a client has told. */
void run_stay_behind(struct run *r, const struct addr *who);
/* As the environment has it: a copy to free; or NULL, and errno: nobody has told it (ENOENT), or there is no memory. */
char *run_get_fact(struct run *r, const char *name) CATENA_API(run_get_fact);
/* For somebody at that place: the word of the nearest on the left, else on the right; copied into a. */
bool run_knows(struct run *r, unsigned place, const struct fact_desc *f, struct arena *a,
               struct saying *out);
void run_forget(struct run *r); /* all facts */
/* That fact, where addresses on one side of who have told it: it is no longer true. */
void run_take_back(struct run *r, const struct addr *who, bool to_right, const char *name) CATENA_API(run_take_back);
void run_forget_secrets(struct run *r);
/* What an address with holes has become in this run: made anew by run_instance(), whenever it is opened;
 * run_addr() gives what was made. Without holes it is the address itself. */
int run_instance(struct run *r, const struct addr *a, const struct addr **out, struct err *e);
const struct addr *run_addr(struct run *r, const struct addr *a);
/* What that link, or address, shares with those of other runs, or has for itself: its prepare()'s. */
void *run_shared(struct run *r, size_t link);
void *run_shared_of(struct run *r, const struct addr *a) CATENA_API(run_shared_of);
void run_drop_instances(struct run *r);
/* Will anybody ask for facts? If not they need not be gathered. */
bool run_wants_facts(const struct run *r) CATENA_API(run_wants_facts);
int run_copy_facts(struct run *r, struct run *from, struct err *e);
/* The environment of a child: the process's own plus the facts with the program's prefix
 * (SOCAT_... or the upper-cased -lp name), VERSION, PID, PPID. One malloc'ed block each; free with
 * run_free_environment. */
char **run_environment(struct run *r, struct err *e);
void run_free_environment(char **env);

/* n bytes of the flow from that side are lost (unless its end was ordered). refuser: the label of the
 * program that does not read them, whose end says whether that is an error; or NULL. */
void run_lose(struct run *r, int from, size_t n, const char *refuser);
/* After all is collected: what is lost makes the run fail, but for what a program that has ended well
 * did not want. */
void run_judge_losses(struct run *r);

/* The program behind the port with that label has closed its output. */
void run_child_eof(struct run *r, const char *label);
/* The terminal of that program is about to go: it is asked to end (SIGTERM) before. */
void run_end_child(struct run *r, const char *label);
/* A descriptor of the caller's that is readable when that program has ended; -1 not possible. */
int run_watch_child(struct run *r, const char *label);
/* At the end: reaps the programs, asks those that still run to end (SIGTERM). hurry: no grace. */
void run_collect_children(struct run *r, bool hurry);
/* An attempt has failed: ends the programs entered since there were `first`, whatever their status. */
void run_drop_children(struct run *r, size_t first);
/* An engine has failed: the others are told, unless the line is still being opened: what opens it
 * finds out, and may try once more. */
void run_broken(struct run *r);
/* A descriptor that is read on that side has been opened; so many bytes will come from there, 0 not known. */
void run_measure(struct run *r, int side, int fd);
uint64_t run_expects(struct run *r, int source) CATENA_API(run_expects);
/* From now on bytes go through the whole line. */
void run_transferring(struct run *r);
/* The dialog that fails now would go on over what it talks to opened anew: that is done at once, and a few times only,
 * where nothing stands on it by then. */
void run_asks_anew(struct run *r) CATENA_API(run_asks_anew);
/* An attempt has been undone, and with it the engines that had failed. */
void run_forget_failure(struct run *r);
/* Both flows of the run end by order. */
void run_cut(struct run *r);
/* In a forked child: forgets what belongs to the parent. */
void run_after_fork(struct run *r);
void run_touch(struct run *r); /* bytes have moved */
void run_hold(struct run *r, int64_t until); /* bytes will, by then: so long it is us who are silent */
int64_t run_silent_since(const struct run *r);

/* Sends it to that program, if it has not ended yet. */
bool run_signal_child(struct run *r, struct child *c, int sig);
/* Takes a copy, and the pidfd. */
int run_add_child(struct run *r, const struct child *c, struct err *e);

#endif
