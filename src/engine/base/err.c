/* SPDX-License-Identifier: GPL-2.0-or-later
 * Errors as values: see catena/err.h. */
#include "catena/err.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- what kind it is ---- */

static const struct {
    int sys;
    enum err_kind kind;
} kinds[] = {
    {ECONNREFUSED, ERR_REFUSED},          {ECONNRESET, ERR_RESET},              {ECONNABORTED, ERR_RESET},
    {EPIPE, ERR_RESET},                   {ENETUNREACH, ERR_UNREACHABLE},       {EHOSTUNREACH, ERR_UNREACHABLE},
    {ENETDOWN, ERR_UNREACHABLE},          {EHOSTDOWN, ERR_UNREACHABLE},         {ENONET, ERR_UNREACHABLE},
    {ETIMEDOUT, ERR_TIMEOUT},             {ENOENT, ERR_ABSENT},                 {ENODEV, ERR_ABSENT},
    {ENXIO, ERR_ABSENT},                  {ESRCH, ERR_ABSENT},                  {EADDRNOTAVAIL, ERR_NO_ADDRESS},
    {EADDRINUSE, ERR_IN_USE},             {EBUSY, ERR_BUSY},                    {ETXTBSY, ERR_BUSY},
    {EAGAIN, ERR_LIMIT},                  {EMFILE, ERR_LIMIT},                  {ENFILE, ERR_LIMIT},
    {ENOMEM, ERR_LIMIT},                  {ENOBUFS, ERR_LIMIT},                 {ENOSPC, ERR_DISK},
    {EDQUOT, ERR_DISK},                   {EACCES, ERR_DENIED},                 {EPERM, ERR_DENIED},
    {EROFS, ERR_DENIED},                  {EMSGSIZE, ERR_TOO_LARGE},            {ENOSYS, ERR_UNSUPPORTED},
    {EOPNOTSUPP, ERR_UNSUPPORTED},        {EAFNOSUPPORT, ERR_UNSUPPORTED},      {ENOPROTOOPT, ERR_UNSUPPORTED},
    {EPFNOSUPPORT, ERR_UNSUPPORTED},      {EPROTONOSUPPORT, ERR_UNSUPPORTED},   {ESOCKTNOSUPPORT, ERR_UNSUPPORTED},
};

static const struct {
    enum err_kind kind;
    const char *name, *says;
} codes[] = {
    [ERR_NONE] = {ERR_NONE, NULL, "nothing"},
#define KIND(id, code, words) [ERR_##id] = {ERR_##id, code, words},
#define CODE(id, of, code, words) [ERR_##id] = {ERR_##of, code, words},
#include "catena/codes.def"
};

enum { NCODES = sizeof codes / sizeof codes[0] };

static enum err_kind code_of(int sys)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].sys == sys)
            return kinds[i].kind;
    return ERR_OTHER;
}

enum err_kind err_kind_of(int sys) { return codes[code_of(sys)].kind; }

/* Modules have numbers of their own time. */
const char *err_code_name(enum err_kind code) { return (unsigned)code < NCODES ? codes[code].name : NULL; }

const char *err_code_says(enum err_kind code) { return (unsigned)code < NCODES ? codes[code].says : NULL; }

enum err_kind err_code_of(const struct err *e) { return e->code ? e->code : e->kind; }

int err_as(struct err *e, enum err_kind kind)
{
    e->code = kind;
    e->kind = (unsigned)kind < NCODES ? codes[kind].kind : ERR_OTHER;
    return -1;
}

int err_called(struct err *e, enum err_kind code)
{
    e->code = code;
    return -1;
}

int err_more_precisely(struct err *e, enum err_kind code)
{
    return e->code > ERR_NOBODY ? -1 : err_called(e, code);
}

bool err_may_pass(const struct err *e)
{
    static const bool passes[] = {
        [ERR_REFUSED] = true, [ERR_UNREACHABLE] = true, [ERR_TIMEOUT] = true, [ERR_ABSENT] = true,
        [ERR_BUSY] = true,    [ERR_PROTOCOL] = true,    [ERR_NOBODY] = false, /* the last */
    };
    return passes[e->kind];
}

bool err_is_end(const struct err *e)
{
    return e->kind == ERR_INTERRUPTED || e->kind == ERR_NOBODY;
}

/* ---- what it says ---- */

static void set(struct err *e, enum err_kind kind, int sys, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static void set(struct err *e, enum err_kind kind, int sys, const char *fmt, va_list ap)
{
    (void)err_as(e, kind);
    e->sys = sys;
    e->where = (struct span){0};
    e->call[0] = '\0';
    (void)vsnprintf(e->text, sizeof e->text, fmt, ap);
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(e, kind, 0, fmt, ap);
    va_end(ap);
    return -1;
}

static void append(char *text, size_t cap, const char *what)
{
    size_t len = strlen(text);
    (void)snprintf(text + len, cap - len, ": %s", what);
}

/* "Connection refused" in the middle of a sentence, but "RPC struct is bad" as it is. */
int err_because(struct err *e, const char *why)
{
    char small[256];
    (void)snprintf(small, sizeof small, "%s", why);
    if (small[0] && !isupper((unsigned char)small[1]))
        small[0] = (char)tolower((unsigned char)small[0]);
    append(e->text, sizeof e->text, small);
    return -1;
}

/* What people are told instead of calls that say nothing about what they did. */
static const struct {
    const char *call, *words;
} calls[] = {
    {"dup(", "the system gives no descriptor"},
    {"epoll_create1(", "the system gives no descriptor to wait with"},
    {"eventfd(", "the system gives no descriptor to wait with"},
    {"fork(", "the system starts no process"},
    {"getcwd(", "the working directory cannot be found"},
    {"mq_getattr(", "the message queue does not tell its limits"},
    {"mq_receive(", "receiving failed"},
    {"pipe2(", "the system gives no pipe"},
    {"poll(", "waiting failed"},
    {"recvmsg(", "receiving failed"},
    {"shutdown(", "the end could not be told to the other side"},
    {"signalfd(", "the system gives no descriptor to wait with"},
    {"socketpair(", "the system gives no pair of sockets"},
};

static void put_into_words(char *text, size_t cap)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        if (strncmp(text, calls[i].call, strlen(calls[i].call)) == 0) {
            (void)snprintf(text, cap, "%s", calls[i].words);
            return;
        }
}

int err_sys(struct err *e, const char *fmt, ...)
{
    int sys = errno;
    va_list ap;
    va_start(ap, fmt);
    set(e, code_of(sys), sys, fmt, ap);
    va_end(ap);
    (void)snprintf(e->call, sizeof e->call, "%.*s", (int)sizeof e->call - 130, e->text);
    append(e->call, sizeof e->call, strerror(sys));
    put_into_words(e->text, sizeof e->text);
    (void)err_because(e, strerror(sys));
    errno = sys;
    return -1;
}

int err_call(struct err *e, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(e->call, sizeof e->call - 130, fmt, ap);
    va_end(ap);
    append(e->call, sizeof e->call, strerror(e->sys));
    return -1;
}

int err_hint(struct err *e, const char *hint)
{
    size_t len = strlen(e->text);
    (void)snprintf(e->text + len, sizeof e->text - len, " (%s)", hint);
    return -1;
}

int err_points_at(struct err *e, struct span where)
{
    e->where = where;
    return -1;
}

int err_at(struct err *e, struct span where, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(e, ERR_USAGE, 0, fmt, ap);
    va_end(ap);
    e->where = where;
    return -1;
}

static void put_in_front(char *text, size_t cap, const char *what)
{
    char whole[sizeof((struct err *)0)->text];
    if (cap > sizeof whole)
        cap = sizeof whole;
    int n = snprintf(whole, cap, "%s: ", what);
    if (n >= 0 && (size_t)n < cap)
        (void)snprintf(whole + n, cap - (size_t)n, "%.*s", (int)(cap - (size_t)n - 1), text);
    memcpy(text, whole, strlen(whole) + 1);
}

/* There is nothing but the call. */
static bool is_call(const struct err *e)
{
    return strcasecmp(e->text, e->call) == 0;
}

int err_reword(struct err *e, const char *fmt, ...)
{
    char what[sizeof e->text];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    if (!is_call(e)) {
        put_in_front(e->text, sizeof e->text, what);
        return -1;
    }
    memcpy(e->text, what, sizeof what);
    return err_because(e, strerror(e->sys));
}

/* A C call that is v1's own line stays as it is. */
int err_wrap(struct err *e, const char *fmt, ...)
{
    char what[sizeof e->text];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    bool same = is_call(e);
    put_in_front(e->text, sizeof e->text, what);
    if (same)
        put_in_front(e->call, sizeof e->call, what);
    return -1;
}

int err_nomem(struct err *e)
{
    (void)err_set(e, ERR_LIMIT, "not enough memory");
    e->sys = ENOMEM;
    return -1;
}

int err_no_reason(struct err *e)
{
    return err_set(e, ERR_OTHER, "it has failed, and the address gives no reason");
}
