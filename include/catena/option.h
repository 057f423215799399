/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options: one row (struct option_desc) is the whole truth about one; a bound option (struct opt)
 * is a row with a converted value. Rows live in the opts_*.c tables of src/endpoint and src/inter
 * (option_row.h) and are found by their names in a registry (registry.h), by code that wants a
 * certain one through its object: opt_find(a, &opt_level). All are const: thread-safe. */
#ifndef CATENA_OPTION_H
#define CATENA_OPTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>
#include <time.h>

#include "catena/api.h"
#include "catena/err.h"

struct addr;
struct arena;
struct catena;
struct run;
struct template;

/* Option groups are v1's, which help and messages name: an address takes an option when they share
 * one. They are complete: rows that an address brings along (form.options) need none. */
#define GROUP_LIST(X)                                                                              \
    X(FD) X(FIFO) X(CHR) X(BLK) X(REG) X(SOCKET) X(NAMED) X(OPEN) X(EXEC) X(FORK) X(LISTEN)        \
    X(SHELL) X(CHILD) X(RETRY) X(TERMIOS) X(RANGE) X(PTY) X(PARENT) X(UNIX) X(IP4) X(IP6) X(UDP)   \
    X(TCP) X(SCTP) X(DCCP) X(UDPLITE) X(SOCKS) X(HTTP) X(OPENSSL) X(READLINE) X(INTERFACE)         \
    X(POSIXMQ) X(APPL) X(PROCESS) X(ANY)
enum group_bit {
#define X(g) GROUP_BIT_##g,
    GROUP_LIST(X)
#undef X
    GROUP_COUNT
};
#define GROUP_(g) (UINT64_C(1) << GROUP_BIT_##g)
#define GROUP_FD GROUP_(FD)
#define GROUP_FIFO GROUP_(FIFO)
#define GROUP_CHR GROUP_(CHR)
#define GROUP_BLK GROUP_(BLK)
#define GROUP_REG GROUP_(REG)
#define GROUP_SOCKET GROUP_(SOCKET)
#define GROUP_NAMED GROUP_(NAMED)
#define GROUP_OPEN GROUP_(OPEN)
#define GROUP_EXEC GROUP_(EXEC)
#define GROUP_FORK GROUP_(FORK)
#define GROUP_LISTEN GROUP_(LISTEN)
#define GROUP_SHELL GROUP_(SHELL)
#define GROUP_CHILD GROUP_(CHILD)
#define GROUP_RETRY GROUP_(RETRY)
#define GROUP_TERMIOS GROUP_(TERMIOS)
#define GROUP_RANGE GROUP_(RANGE)
#define GROUP_PTY GROUP_(PTY)
#define GROUP_PARENT GROUP_(PARENT)
#define GROUP_UNIX GROUP_(UNIX)
#define GROUP_IP4 GROUP_(IP4)
#define GROUP_IP6 GROUP_(IP6)
#define GROUP_UDP GROUP_(UDP)
#define GROUP_TCP GROUP_(TCP)
#define GROUP_SCTP GROUP_(SCTP)
#define GROUP_DCCP GROUP_(DCCP)
#define GROUP_UDPLITE GROUP_(UDPLITE)
#define GROUP_SOCKS GROUP_(SOCKS)
#define GROUP_HTTP GROUP_(HTTP)
#define GROUP_OPENSSL GROUP_(OPENSSL)
#define GROUP_READLINE GROUP_(READLINE)
#define GROUP_INTERFACE GROUP_(INTERFACE)
#define GROUP_POSIXMQ GROUP_(POSIXMQ)
#define GROUP_APPL GROUP_(APPL)
#define GROUP_PROCESS GROUP_(PROCESS)
#define GROUP_ANY GROUP_(ANY)
/* APPL, PROCESS and ANY hold for every address. */
#define GROUPS_EVERY (GROUP_APPL | GROUP_PROCESS | GROUP_ANY)

/* When in the life of an address an option takes effect; the names are those of -hhh. */
#define PHASE_LIST(X)                                                                              \
    X(INIT) X(EARLY) X(PREOPEN) X(OPEN) X(PASTOPEN) X(PRESOCKET) X(SOCKET) X(PASTSOCKET)           \
    X(PREBIND) X(BIND) X(PASTBIND) X(LISTEN) X(CONNECT) X(CONNECTED) X(ACCEPT) X(PASTACCEPT)       \
    X(BIGEN) X(PASTBIGEN) X(PASTFORK) X(FD) X(LATE) X(LATE2) X(PREEXEC) X(OFFSET) X(SPECIFIC)
enum phase {
#define X(p) PHASE_##p,
    PHASE_LIST(X)
#undef X
    PHASE_COUNT
};

/* Value types: enumerator, the name -hhh prints. */
#define VALUE_TYPE_LIST(X)                                                                         \
    X(BOOL, "BOOL") X(INT, "INT") X(INT_NULL, "INT/NULL") X(UINT, "UNSIGNED-INT")                  \
    X(USHORT, "UNSIGNED-SHORT") X(BYTE, "BYTE") X(LONG, "LONG") X(SIZE, "SIZE_T")                  \
    X(OFF, "OFF_T") X(OFF64, "OFF64_T") X(MODE, "MODE_T") X(UID, "UID_T") X(GID, "GID_T")          \
    X(STRING, "STRING") X(STRING_NULL, "STRING-NULL") X(CONST, "CONST")                            \
    X(TIMEVAL, "STRUCT-TIMEVAL") X(TIMESPEC, "STRUCT-TIMESPEC") X(LINGER, "STRUCT-LINGER")         \
    X(BIN, "BIN") X(INT_INT, "INT:INT") X(INT_INTP, "INT:INTP") X(INT_BIN, "INT:BIN")              \
    X(INT_STRING, "INT:STRING") X(INT_ULONG, "INT:ULONG") X(INT_INT_INT, "INT:INT:INT")            \
    X(INT_INT_BIN, "INT:INT:BIN") X(INT_INT_STRING, "INT:INT:STRING") X(INT3, "INT[3]")            \
    X(IP4NAME, "IP4NAME") X(IP4SOCK, "IP4SOCK") X(MREQN, "STRUCT-IP_MREQN")                        \
    X(MREQ_SOURCE, "IP-MREQ-SOURCE") X(GENERIC, "GENERIC")
enum value_type {
#define X(t, name) VALUE_##t,
    VALUE_TYPE_LIST(X)
#undef X
    VALUE_TYPE_COUNT
};

/* A converted value. Which members hold depends on the type: i for BOOL..GID and LINGER (seconds);
 * i, i2 (, i3) for INT:...; t for times; s the text (STRING*, IP*, MREQ*, GENERIC, the last part
 * of INT:STRING and INT:INT:STRING; a name that was looked up); bin/nbin for BIN parts; ids for UID
 * types. given: an "=" was typed (so INT/NULL and STRING-NULL know). */
struct value {
    bool given;
    long long i, i2, i3;
    double t; /* seconds */
    const char *s;
    const char *variable; /* where a secret's s came from, or NULL */
    const unsigned char *bin;
    size_t nbin;
    const struct user_ids *ids; /* UID: everything substuser needs, looked up before any chroot */
};
struct user_ids {
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t ngroups;
    const char *name, *home, *shell; /* NULL when the number has no entry */
};

struct opt;

/* A value that nobody may see, and where it comes from. */
enum secret { SECRET_NONE, SECRET_TEXT, SECRET_FILE, SECRET_ENV };

struct option_desc {
    const char *name;    /* canonical */
    const char *aliases; /* blank-separated, or NULL */
    uint64_t groups;
    enum phase phase;
    enum value_type type;
    const char *help;    /* one sentence fragment for -hhh and the man page */
    /* The row that code asks for when this is another way of saying the same, or NULL. */
    const struct option_desc *same_as;
    /* How it is applied to a descriptor (or to the process, fd ignored) at its phase; NULL: asked
     * for by code, collected into open(2) flags (phase OPEN: a = flag), or a termios row. Data rows
     * share an apply function and keep level, name or flag in a and b. */
    int (*apply)(const struct opt *o, int fd, struct err *e);
    int (*tio)(const struct opt *o, struct termios *t, struct err *e); /* TERMIOS rows */
    /* Rows whose value may hold the names of hosts: gives the value with numbers in their place, to
     * be freed; NULL if there are none. May wait. */
    int (*look_up)(const struct opt *o, const struct addr *a, struct run *r, char **numeric,
                   struct err *e);
    long long a, b;
    /* Numbers and seconds: what is accepted, from least to most. Of rows that an address brings along (groups 0) a BOOL
     * is 0 or 1 without saying so. Both 0: all that the type holds, in v1's words. */
    long long least, most;
    enum secret secret;
    bool waits; /* apply says ERR_BUSY while somebody else has it: it is tried again, where there is a run */
    bool file; /* the value names a file, which a dry run looks for */
};

struct opt {
    const struct option_desc *desc;
    struct value v;
    const struct template *hole; /* its text, if that has holes; v is a sample then */
    struct span at;
    bool sloppy; /* -s: when it cannot be applied that is logged, and work goes on */
};

/* Is it that row, or another way of saying the same? */
static inline bool option_is(const struct option_desc *d, const struct option_desc *row)
{
    return d == row || d->same_as == row;
}
const char *group_name(enum group_bit g);
/* Their names with commas between them. */
void group_list(uint64_t groups, char *out, size_t cap);
const char *phase_name(enum phase p);
const char *value_type_name(enum value_type t);

/* Converts the text of an option. text == NULL: no "=" was typed. Memory from a,
 * variables from c. Errors name the
 * value and what is accepted, and carry `at`. Contract texts: "missing numerical value",
 * "trailing garbage". */
int value_convert(struct arena *a, const struct catena *c, const struct option_desc *d,
                  const char *text, struct span at, struct value *out, struct err *e);
/* Is the value a name that only the system's databases know: a user, a group, a service? Then
 * value_look_up() completes it. May wait. */
bool value_is_name(const struct option_desc *d, const struct value *v);
int value_look_up(struct arena *a, const struct option_desc *d, struct span at, struct value *v,
                  struct err *e);
/* v1's generic data notation ("dalan"): gives bytes. */
int dalan_convert(struct arena *a, const char *text, const unsigned char **bytes, size_t *n,
                  struct err *e);

/* Bound options of an address (addr.h), asked for by their row or by another that is the same. The
 * last one given wins; NULL if not given. */
const struct opt *opt_find(const struct addr *a, const struct option_desc *row) CATENA_API(opt_find);
bool opt_true(const struct addr *a, const struct option_desc *row) CATENA_API(opt_true); /* given and not 0 */
const char *opt_string(const struct addr *a, const struct option_desc *row,
                       const char *otherwise) CATENA_API(opt_string);
long long opt_int(const struct addr *a, const struct option_desc *row, long long otherwise)
    CATENA_API(opt_int);
/* Seconds. */
double opt_time(const struct addr *a, const struct option_desc *row, double otherwise)
    CATENA_API(opt_time);
/* Applies all options of that phase that have an apply function, in the order given. */
int opts_apply(const struct addr *a, enum phase phase, int fd, struct err *e);
/* The same for phases that have options whose names are to be looked up: PASTSOCKET. */
int opts_apply_in(const struct addr *a, struct run *r, enum phase phase, int fd, struct err *e);
/* The open(2) flags of phase OPEN options or-ed into (or with =0 taken out of) base. */
int opts_open_flags(const struct addr *a, int base);
/* Applies the TERMIOS rows in one tcgetattr/tcsetattr; does nothing if none is given. */
int opts_apply_termios(const struct addr *a, int fd, struct err *e);
bool opts_have_termios(const struct addr *a);

#endif
