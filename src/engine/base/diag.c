/* SPDX-License-Identifier: GPL-2.0-or-later
 * Log lines in v1's shape, one write(2) each: see catena/diag.h. */
#include "catena/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "catena/err.h"

struct diag_config diag_config = {
    .prog = "catena", .level = DIAG_WARN, .dest = DIAG_STDERR, .fd = -1};

static atomic_bool to_syslog; /* -lm has switched over */
static atomic_bool hurry;     /* the process is ending */

enum { LINE = 2560 };

bool diag_shows(enum diag_level level)
{
    return (int)level + diag_config.lowered <= (int)diag_config.level;
}

/* Appends text so that nothing in it can act on a terminal. */
static size_t append_safe(char *line, size_t at, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    for (const unsigned char *s = (const unsigned char *)text; *s && at < LINE - 300; s++) {
        if (!diag_byte_acts(*s) || *s == '\t') {
            line[at++] = (char)*s;
        } else {
            line[at++] = '\\';
            line[at++] = 'x';
            line[at++] = hex[*s >> 4];
            line[at++] = hex[*s & 15];
        }
    }
    return at;
}

static size_t prefix(char *line, enum diag_level level)
{
    static const char letters[] = "FEWNID";
    struct timeval now = {0};
    struct tm tm = {0};
    gettimeofday(&now, NULL);
    localtime_r(&now.tv_sec, &tm);
    size_t n = strftime(line, 64, "%Y/%m/%d %H:%M:%S", &tm);
    if (diag_config.micros)
        n += (size_t)snprintf(line + n, 16, ".%06ld", (long)now.tv_usec);
    char who[512]; /* the names were given by who called us */
    const char *host = diag_config.hostname;
    (void)snprintf(who, sizeof who, "%s%.200s %.200s[%d] %c ", host ? " " : "", host ? host : "",
                   diag_config.prog, (int)getpid(), letters[level]);
    return append_safe(line, n, who);
}

/* ---- whom it is about ---- */

static _Thread_local const struct diag_peer *about;

const struct diag_peer *diag_about(const struct diag_peer *peer)
{
    const struct diag_peer *before = about;
    about = peer;
    return before;
}

/* Scripts find v1's texts where they have always been: behind the level, and what notices tell up to
 * the end of the line. */
static const char *with_peer(enum diag_level level, const char *text, char *room, size_t cap)
{
    const char *name = about ? atomic_load(&about->name) : NULL;
    if (!name || (diag_config.v1 && level > DIAG_WARN))
        return text;
    if (diag_config.v1)
        (void)snprintf(room, cap, "%.1500s (%.400s)", text, name);
    else
        (void)snprintf(room, cap, "%.400s: %.1500s", name, text);
    return room;
}

/* ---- where it goes ---- */

static void to_log(enum diag_level level, const char *text)
{
    static const int priority[] = {LOG_CRIT, LOG_ERR,  LOG_WARNING,
                                   LOG_NOTICE, LOG_INFO, LOG_DEBUG};
    static const char letters[] = "FEWNID";
    char line[LINE];
    line[append_safe(line, 0, text)] = '\0';
    openlog(diag_config.prog, LOG_PID, diag_config.facility); /* connects when it has to */
    syslog(priority[level], "%c %s", letters[level], line);
}

/* Signals are blocked and come by signalfd, which nobody reads while a thread sits in write(2). */
static bool must_end(void)
{
    sigset_t pending;
    return atomic_load(&hurry) || (sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT) ||
            sigismember(&pending, SIGHUP) || sigismember(&pending, SIGQUIT)));
}

void diag_hurry(void)
{
    atomic_store(&hurry, true);
}

static _Thread_local bool writing;

bool diag_is_writing(void)
{
    return writing;
}

static void write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        struct pollfd pfd = {.fd = fd, .events = POLLOUT};
        int rc = poll(&pfd, 1, must_end() ? 0 : 200);
        if (rc == 0 && must_end())
            return;
        if (rc == 0 || (rc < 0 && errno == EINTR))
            continue;
        ssize_t w = write(fd, p, n > PIPE_BUF ? PIPE_BUF : n);
        if (w < 0 && errno != EINTR && errno != EAGAIN)
            return; /* a log that cannot be written has nowhere to complain */
        if (w > 0) {
            p += w;
            n -= (size_t)w;
        }
    }
}

void diag_write(int fd, const char *p, size_t n)
{
    writing = true;
    write_all(fd, p, n);
    writing = false;
}

/* tail is ours and written as it is. */
static void emit(enum diag_level level, const char *text, const char *tail)
{
    char room[2048];
    text = with_peer(level, text, room, sizeof room);
    if (diag_config.dest == DIAG_SYSLOG || (diag_config.dest == DIAG_MIXED && to_syslog)) {
        to_log(level, text);
        return;
    }
    char line[LINE];
    size_t n = append_safe(line, prefix(line, level), text);
    size_t more = strlen(tail) < LINE - 1 - n ? strlen(tail) : LINE - 1 - n;
    memcpy(line + n, tail, more);
    n += more;
    line[n++] = '\n';
    int fd = diag_config.dest == DIAG_FILE && diag_config.fd >= 0 ? diag_config.fd : STDERR_FILENO;
    diag_write(fd, line, n);
}

static enum diag_level sunk(enum diag_level level)
{
    int l = (int)level + diag_config.lowered;
    return l > (int)DIAG_DEBUG ? DIAG_DEBUG : (enum diag_level)l;
}

void diag(enum diag_level level, const char *fmt, ...)
{
    if (!diag_shows(level))
        return;
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    emit(sunk(level), text, "");
}

void diag_forced(enum diag_level level, const char *fmt, ...)
{
    char text[2048];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    emit(level, text, "");
}

/* The argument and a caret line under the piece; long arguments are cut around it. */
static void show_caret(const struct span *at, char *out, size_t cap)
{
    enum { WIDTH = 96 };
    size_t total = strlen(at->text), from = 0;
    size_t off = at->off < total ? at->off : total;
    if (off > WIDTH / 2 && total > WIDTH)
        from = off - WIDTH / 2;
    size_t shown = total - from > WIDTH ? WIDTH : total - from;
    char text[WIDTH + 1], marks[WIDTH + 2];
    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)at->text[from + i];
        text[i] = (char)(diag_byte_acts(c) ? ' ' : c);
    }
    text[shown] = '\0';
    size_t col = off - from, n = 0;
    while (n < col && n < WIDTH)
        marks[n++] = ' ';
    marks[n++] = '^';
    for (size_t i = 1; i < at->len && n < WIDTH; i++)
        marks[n++] = '~';
    marks[n] = '\0';
    (void)snprintf(out, cap, "\n    %s\n    %s", text, marks);
}

/* ---- what is not to be seen ---- */

static struct masked {
    const char *real, *shown;
} masked[2]; /* set while there is one thread */

void diag_show_instead(const char *real, const char *shown)
{
    for (size_t i = 0; i < 2; i++) {
        if (masked[i].real == real || (shown && !masked[i].real)) {
            masked[i] = (struct masked){shown ? real : NULL, shown};
            return;
        }
    }
}

/* Piece [off, off + n) of the argument, wherever the message quotes it. */
static void mask_piece(char *text, const struct masked *m, size_t off, size_t n)
{
    for (char *at = text; n > 0 && (at = memmem(at, strlen(at), m->real + off, n)); at += n)
        memcpy(at, m->shown + off, n);
}

/* A syntax error quotes how the argument begins, others the piece they are about. */
static void mask_message(struct err *e, const struct masked *m)
{
    enum { QUOTED = 500 };
    char *const texts[] = {e->text, e->call};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        mask_piece(texts[i], m, 0, strnlen(m->real, QUOTED));
        if (e->where.text == m->real)
            mask_piece(texts[i], m, e->where.off, e->where.len);
    }
    if (e->where.text == m->real)
        e->where.text = m->shown;
}

const char *diag_words(const struct err *e)
{
    return diag_config.v1 && e->call[0] ? e->call : e->text;
}

/* Who asks for more gets the C call as well, unless that is what was said. */
static const char *words_and_call(const struct err *e, char *room, size_t cap)
{
    const char *words = diag_words(e);
    if (words == e->call || !e->call[0] || !diag_shows(DIAG_NOTICE) ||
        strcasecmp(e->text, e->call) == 0)
        return words;
    (void)snprintf(room, cap, "%s [%s]", e->text, e->call);
    return room;
}

void diag_err(enum diag_level level, const struct err *e)
{
    char caret[256] = "", room[sizeof e->text + sizeof e->call + 4];
    struct err seen = *e;
    if (!diag_shows(level))
        return;
    for (size_t i = 0; i < 2; i++)
        if (masked[i].real)
            mask_message(&seen, &masked[i]);
    if (seen.where.text)
        show_caret(&seen.where, caret, sizeof caret);
    emit(sunk(level), words_and_call(&seen, room, sizeof room), caret);
}

void diag_transferring(void)
{
    if (!to_syslog) /* a forked child does not touch the page it shares */
        to_syslog = true;
}

void diag_settle(void)
{
    tzset();
    if (diag_config.dest == DIAG_SYSLOG || diag_config.dest == DIAG_MIXED)
        openlog(diag_config.prog, LOG_PID | LOG_NDELAY, 0); /* 0: the facility stays */
}

int diag_open_file(const char *path, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
    if (fd < 0)
        return err_sys(e, "cannot open log file \"%s\"", path);
    diag_config.fd = fd;
    diag_config.dest = DIAG_FILE;
    return 0;
}

int diag_set_facility(const char *name, struct err *e)
{
    static const struct {
        const char *name;
        int value;
    } facilities[] = {
        {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"cron", LOG_CRON},
        {"daemon", LOG_DAEMON}, {"ftp", LOG_FTP},           {"kern", LOG_KERN},
        {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2},
        {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},     {"local5", LOG_LOCAL5},
        {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7},     {"lpr", LOG_LPR},
        {"mail", LOG_MAIL},     {"news", LOG_NEWS},         {"syslog", LOG_SYSLOG},
        {"user", LOG_USER},     {"uucp", LOG_UUCP},
    };
    const char *wanted = name && *name ? name : "daemon";
    for (size_t i = 0; i < sizeof facilities / sizeof *facilities; i++) {
        if (strcmp(facilities[i].name, wanted) == 0) {
            diag_config.facility = facilities[i].value;
            return 0;
        }
    }
    return err_set(e, ERR_USAGE, "unknown syslog facility \"%s\"; known are daemon, user, local0 "
                                 "to local7, auth, mail and so on (syslog(3))", wanted);
}
