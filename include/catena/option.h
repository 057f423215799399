/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options: one row (struct option_desc) is the whole truth about one; a bound option (struct opt)
 * is a row with a converted value. Rows live in the opts_*.c tables of src/endpoint and src/inter
 * and are found through option_lookup(). All tables are const: thread-safe. */
#ifndef CATENA_OPTION_H
#define CATENA_OPTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <termios.h>
#include <time.h>

#include "catena/err.h"

struct addr;
struct arena;
struct run;

/* Option groups: an address takes an option when they share a group. */
#define GROUP_LIST(X)                                                                              \
    X(FD) X(FIFO) X(CHR) X(BLK) X(REG) X(SOCKET) X(NAMED) X(OPEN) X(EXEC) X(FORK) X(LISTEN)        \
    X(SHELL) X(CHILD) X(RETRY) X(TERMIOS) X(RANGE) X(PTY) X(PARENT) X(UNIX) X(IP4) X(IP6) X(UDP)   \
    X(TCP) X(SCTP) X(DCCP) X(UDPLITE) X(SOCKS) X(HTTP) X(OPENSSL) X(READLINE) X(INTERFACE)         \
    X(POSIXMQ) X(GZIP) X(APPL) X(PROCESS) X(ANY)
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
#define GROUP_GZIP GROUP_(GZIP)
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

/* Options that code asks for by name, opt_find(a, OPT_X), instead of applying them to something. */
enum option_id {
    OPT_NONE,
    /* listening, forking, retrying */
    OPT_FORK, OPT_THREAD, OPT_MAX_CHILDREN, OPT_CHILDREN_SHUTUP, OPT_RETRY, OPT_FOREVER,
    OPT_INTERVAL, OPT_BACKLOG, OPT_ACCEPT_TIMEOUT, OPT_RANGE, OPT_TCPWRAP, OPT_TCPWRAP_ETC,
    OPT_TCPWRAP_ALLOW, OPT_TCPWRAP_DENY,
    /* sockets */
    OPT_PF, OPT_SO_TYPE, OPT_SO_PROTOCOL, OPT_REUSEADDR, OPT_BIND, OPT_BIND_TEMPNAME,
    OPT_SOURCEPORT, OPT_LOWPORT, OPT_CONNECT_TIMEOUT, OPT_TIGHTSOCKLEN, OPT_NULL_EOF,
    OPT_AI_ADDRCONFIG, OPT_AI_ALL, OPT_AI_PASSIVE, OPT_AI_V4MAPPED, OPT_RES_NSADDR, OPT_RES_DEBUG,
    OPT_RES_DEFNAMES, OPT_RES_DNSRCH, OPT_RES_IGNTC, OPT_RES_RECURSE, OPT_RES_RETRANS,
    OPT_RES_RETRY, OPT_RES_STAYOPEN, OPT_RES_USEVC, OPT_RES_AAONLY, OPT_RES_PRIMARY,
    /* files and descriptors */
    OPT_UMASK, OPT_CHDIR, OPT_NETNS, OPT_UNLINK, OPT_UNLINK_EARLY, OPT_UNLINK_LATE,
    OPT_UNLINK_CLOSE, OPT_PERM_EARLY, OPT_USER_EARLY, OPT_GROUP_EARLY, OPT_PERM, OPT_USER,
    OPT_GROUP, OPT_O_APPEND, OPT_COOL_WRITE, OPT_END_CLOSE, OPT_SHUT_NONE, OPT_SHUT_DOWN,
    OPT_SHUT_CLOSE, OPT_SHUT_NULL,
    /* any address */
    OPT_IGNOREEOF, OPT_READBYTES, OPT_ESCAPE, OPT_CR, OPT_CRNL, OPT_LOCKFILE, OPT_WAITLOCK,
    /* programs and terminals */
    OPT_PIPES, OPT_PTY, OPT_OPENPTY, OPT_PTMX, OPT_COMMTYPE, OPT_NOFORK, OPT_STDERR, OPT_LEFT_IN,
    OPT_LEFT_OUT, OPT_LEFT_FD, OPT_RIGHT_IN, OPT_RIGHT_OUT, OPT_RIGHT_FD, OPT_DASH, OPT_PATH,
    OPT_SHELL, OPT_CTTY, OPT_SIGHUP, OPT_SIGINT, OPT_SIGQUIT, OPT_PTY_LINK, OPT_PTY_WAIT_SLAVE,
    OPT_PTY_INTERVAL, OPT_SITOUT_EIO, OPT_SU, OPT_END_TIMEOUT,
    /* TLS */
    OPT_TLS_VERIFY, OPT_TLS_CAFILE, OPT_TLS_CAPATH, OPT_TLS_CRLFILE, OPT_TLS_CERT, OPT_TLS_KEY,
    OPT_TLS_PASSPHRASE, OPT_TLS_CIPHER, OPT_TLS_COMMONNAME, OPT_TLS_COMMONNAME_MATCH,
    OPT_TLS_SNIHOST, OPT_TLS_NO_SNI,
    OPT_TLS_MIN_VERSION, OPT_TLS_MAX_VERSION, OPT_TLS_METHOD, OPT_TLS_DHPARAM, OPT_TLS_COMPRESS,
    OPT_TLS_EGD, OPT_TLS_PSEUDO, OPT_TLS_MAXFRAGLEN, OPT_TLS_MAXSENDFRAG,
    /* proxies */
    OPT_SOCKSPORT, OPT_SOCKSUSER, OPT_SOCKSPASS, OPT_PROXYPORT, OPT_PROXY_AUTH,
    OPT_HANDSHAKE_TIMEOUT, OPT_PROXY_RESOLVE, OPT_IGNORECR, OPT_HTTP_VERSION,
    /* codecs */
    OPT_LEVEL, OPT_FLUSH, OPT_THREADS,
    /* later address families */
    OPT_IFF_UP, OPT_IFF_FLAG, OPT_IF_MTU, OPT_RETRIEVE_VLAN, OPT_TUN_DEVICE, OPT_TUN_NAME,
    OPT_TUN_TYPE, OPT_TUN_NO_PI, OPT_HISTORY, OPT_PROMPT, OPT_NOPROMPT, OPT_NOECHO,
    OPT_MQ_PRIORITY, OPT_MQ_FLUSH, OPT_MQ_MAXMSG, OPT_MQ_MSGSIZE,
    OPT_COUNT
};

struct opt;

/* A value that nobody may see, and where it comes from. The rows of one secret share its id. */
enum secret { SECRET_NONE, SECRET_TEXT, SECRET_FILE, SECRET_ENV };

struct option_desc {
    const char *name;    /* canonical */
    const char *aliases; /* blank-separated, or NULL */
    uint64_t groups;
    enum phase phase;
    enum value_type type;
    const char *help;    /* one sentence fragment for -hhh and the man page */
    enum option_id id;   /* set when code asks for it; apply may then be NULL */
    /* How it is applied to a descriptor (or to the process, fd ignored) at its phase; NULL: asked
     * for by id, collected into open(2) flags (phase OPEN: a = flag), or a termios row. Data rows
     * share an apply function and keep level, name or flag in a and b. */
    int (*apply)(const struct opt *o, int fd, struct err *e);
    int (*tio)(const struct opt *o, struct termios *t, struct err *e); /* TERMIOS rows */
    /* Rows whose value may hold the names of hosts: gives the value with numbers in their place, to
     * be freed; NULL if there are none. May wait. */
    int (*look_up)(const struct opt *o, const struct addr *a, struct run *r, char **numeric,
                   struct err *e);
    long a, b;
    enum secret secret;
};

struct opt {
    const struct option_desc *desc;
    struct value v;
    struct span at;
    bool sloppy; /* -s: when it cannot be applied that is logged, and work goes on */
};

/* The row called so (canonical or alias, any case), NULL if there is none. */
const struct option_desc *option_lookup(const char *name);
/* The option name nearest to a misspelt one, NULL if none is near; of these groups (0 = all) rather
 * than of others. */
const char *option_nearest(const char *name, uint64_t groups);
/* The tables, each ended by a row without name; NULL behind the last one. */
extern const struct option_desc *const option_tables[];
/* Calls f for every row of every table (unsorted). */
void option_each(void (*f)(const struct option_desc *, void *), void *arg);
const char *group_name(enum group_bit g);
const char *phase_name(enum phase p);
const char *value_type_name(enum value_type t);

/* Converts the text of an option. text == NULL: no "=" was typed. Memory from a. Errors name the
 * value and what is accepted, and carry `at`. Contract texts: "missing numerical value",
 * "trailing garbage". */
int value_convert(struct arena *a, const struct option_desc *d, const char *text, struct span at,
                  struct value *out, struct err *e);
/* Is the value a name that only the system's databases know: a user, a group, a service? Then
 * value_look_up() completes it. May wait. */
bool value_is_name(const struct option_desc *d, const struct value *v);
int value_look_up(struct arena *a, const struct option_desc *d, struct span at, struct value *v,
                  struct err *e);
/* v1's generic data notation ("dalan"): gives bytes. */
int dalan_convert(struct arena *a, const char *text, const unsigned char **bytes, size_t *n,
                  struct err *e);

/* Bound options of an address (addr.h). The last one given wins; NULL if not given. */
const struct opt *opt_find(const struct addr *a, enum option_id id);
bool opt_true(const struct addr *a, enum option_id id); /* given and not 0 */
const char *opt_string(const struct addr *a, enum option_id id, const char *otherwise);
long long opt_int(const struct addr *a, enum option_id id, long long otherwise);
double opt_time(const struct addr *a, enum option_id id, double otherwise); /* seconds */
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
