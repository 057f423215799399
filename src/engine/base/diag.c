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

#include "catena/catena.h"

enum { LINE = 2560, RESERVED = 360 /* for what is behind the text */ };

/* ---- whose thread this is ---- */

static _Thread_local const struct diag_peer *about;

const struct diag_peer *diag_about(const struct diag_peer *peer)
{
    const struct diag_peer *before = about;
    about = peer;
    return before;
}

const struct diag_peer *diag_whom(void)
{
    return about;
}

struct catena *diag_home(void)
{
    return about ? about->catena : NULL;
}

static struct diag_log *log_here(void)
{
    return diag_home() ? &diag_home()->log : NULL;
}

static const char *prog_of(const struct diag_log *log)
{
    return log && log->prog ? log->prog : "catena";
}

const char *diag_prog(void)
{
    return prog_of(log_here());
}

enum diag_level diag_set_level(enum diag_level level)
{
    struct diag_log *log = log_here();
    enum diag_level before = log ? log->level : DIAG_FATAL;
    if (log)
        log->level = level;
    return before;
}

bool diag_shows(enum diag_level level)
{
    const struct diag_log *log = log_here();
    return log && (int)level + log->lowered <= (int)log->level;
}

size_t diag_append_safe(char *line, size_t at, size_t most, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    for (const unsigned char *s = (const unsigned char *)text; *s && at < most; s++) {
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

static size_t append_safe(char *line, size_t at, const char *text)
{
    return diag_append_safe(line, at, LINE - RESERVED, text);
}

static size_t prefix(const struct diag_log *log, char *line, enum diag_level level)
{
    static const char letters[] = "FEWNID";
    struct timeval now = {0};
    struct tm tm = {0};
    gettimeofday(&now, NULL);
    localtime_r(&now.tv_sec, &tm);
    size_t n = strftime(line, 64, "%Y/%m/%d %H:%M:%S", &tm);
    if (log->micros)
        n += (size_t)snprintf(line + n, 16, ".%06ld", (long)now.tv_usec);
    char who[512]; /* the names were given by who called us */
    const char *host = log->hostname;
    (void)snprintf(who, sizeof who, "%s%.200s %.200s[%d] %c ", host ? " " : "", host ? host : "",
                   prog_of(log), (int)getpid(), letters[level]);
    return append_safe(line, n, who);
}

/* Scripts find v1's texts where they have always been: behind the level, and what notices tell up to
 * the end of the line. */
static const char *with_peer(bool v1, enum diag_level level, const char *text, char *room,
                             size_t cap)
{
    const char *name = about ? atomic_load(&about->name) : NULL;
    if (!name || (v1 && level > DIAG_WARN))
        return text;
    if (v1)
        (void)snprintf(room, cap, "%.1500s (%.400s)", text, name);
    else
        (void)snprintf(room, cap, "%.400s: %.1500s", name, text);
    return room;
}

/* ---- where it goes ---- */

/* What a line says: the text, which may hold anything, then what is ours and given as it is. */
struct message {
    enum diag_level level;
    const char *text;
    const char *code;  /* " [E-REFUSED]", or empty */
    const char *caret; /* lines of their own, or empty */
};

static void to_system(const struct diag_log *log, const struct message *m)
{
    static const int priority[] = {LOG_CRIT, LOG_ERR,  LOG_WARNING,
                                   LOG_NOTICE, LOG_INFO, LOG_DEBUG};
    static const char letters[] = "FEWNID";
    char line[LINE];
    line[append_safe(line, 0, m->text)] = '\0';
    openlog(prog_of(log), LOG_PID, log->facility); /* connects when it has to */
    syslog(priority[m->level], "%c %s%s", letters[m->level], line, m->code);
}

/* Signals are blocked and come by signalfd, which nobody reads while a thread sits in write(2). */
static bool must_end(const struct diag_log *log)
{
    sigset_t pending;
    return atomic_load(&log->hurry) || (sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT) ||
            sigismember(&pending, SIGHUP) || sigismember(&pending, SIGQUIT)));
}

void diag_hurry(void)
{
    struct diag_log *log = log_here();
    if (log)
        atomic_store(&log->hurry, true);
}

static _Thread_local bool writing;

bool diag_is_writing(void)
{
    return writing;
}

static int write_all(const struct diag_log *log, int fd, const char *p, size_t n)
{
    while (n > 0) {
        struct pollfd pfd = {.fd = fd, .events = POLLOUT};
        int rc = poll(&pfd, 1, must_end(log) ? 0 : 200);
        if (rc == 0 && must_end(log))
            return 0;
        if (rc == 0 || (rc < 0 && errno == EINTR))
            continue;
        ssize_t w = write(fd, p, n > PIPE_BUF ? PIPE_BUF : n);
        if (w < 0 && errno != EINTR && errno != EAGAIN)
            return -1; /* a log that cannot be written has nowhere to complain */
        if (w > 0) {
            p += w;
            n -= (size_t)w;
        }
    }
    return 0;
}

static int write_out(const struct diag_log *log, int fd, const char *p, size_t n)
{
    writing = true;
    int rc = write_all(log, fd, p, n);
    writing = false;
    return rc;
}

bool diag_is_taken(void)
{
    const struct diag_log *log = log_here();
    return log && (log->taker.data || log->taker.message);
}

int diag_data(const char *p, size_t n)
{
    const struct diag_log *log = log_here();
    if (log && log->taker.data)
        log->taker.data(log->taker.arg, p, n);
    else if (log && !log->taker.message)
        return write_out(log, STDERR_FILENO, p, n);
    return 0;
}

static void to_taker(const struct diag_log *log, const struct message *m)
{
    char line[LINE];
    size_t n = append_safe(line, 0, m->text);
    (void)snprintf(line + n, sizeof line - n, "%s%s", m->code, m->caret);
    log->taker.message(log->taker.arg, m->level, line);
}

/* As much as fits behind the n bytes of a line; gives how many there are then. */
static size_t append(char line[LINE], size_t n, const char *more, size_t len)
{
    size_t most = LINE - 1 - n;
    memcpy(line + n, more, len < most ? len : most);
    return n + (len < most ? len : most);
}

static size_t append_text(char line[LINE], size_t n, const char *text)
{
    return append(line, n, text, strlen(text));
}

#define PLAIN "\033[0m"
#define DIM "\033[2m"

static const char *color_of(enum diag_level level)
{
    static const char *const by_level[] = {"\033[1;31m", "\033[1;31m", "\033[33m", "", DIM, DIM};
    return by_level[level];
}

/* The line by its level, the code behind it dimmed, and the last line, which points, as the first. */
static size_t colored(const struct diag_log *log, const struct message *m, char line[LINE])
{
    const char *color = color_of(m->level), *last = strrchr(m->caret, '\n');
    size_t n = append_text(line, 0, color);
    char begin[LINE];
    n = append(line, n, begin, prefix(log, begin, m->level));
    if (n > LINE / 2)
        return 0;
    n = append_text(line, append_safe(line, n, m->text), PLAIN);
    if (m->code[0])
        n = append_text(line, append_text(line, append_text(line, n, DIM), m->code), PLAIN);
    if (!last)
        return n;
    n = append(line, n, m->caret, (size_t)(last - m->caret));
    return append_text(line, append_text(line, append_text(line, n, color), last), PLAIN);
}

static void to_file(const struct diag_log *log, const struct message *m)
{
    char line[LINE];
    bool file = log->dest == DIAG_FILE;
    size_t n = log->colored && !file ? colored(log, m, line) : 0;
    if (n == 0) {
        n = append_safe(line, prefix(log, line, m->level), m->text);
        n = append_text(line, append_text(line, n, m->code), m->caret);
    }
    line[n++] = '\n';
    (void)write_out(log, file ? log->fd : STDERR_FILENO, line, n);
}

static void emit(const struct diag_log *log, enum diag_level level, const char *text, const char *code,
                 const char *caret)
{
    char room[2048], brackets[40] = "";
    if (code && !log->v1)
        (void)snprintf(brackets, sizeof brackets, " [%s]", code);
    struct message m = {level, with_peer(log->v1, level, text, room, sizeof room), brackets, caret};
    if (log->taker.message)
        to_taker(log, &m);
    else if (log->dest == DIAG_SYSLOG || (log->dest == DIAG_MIXED && log->to_syslog))
        to_system(log, &m);
    else
        to_file(log, &m);
}

static enum diag_level sunk(const struct diag_log *log, enum diag_level level)
{
    int l = (int)level + log->lowered;
    return l > (int)DIAG_DEBUG ? DIAG_DEBUG : (enum diag_level)l;
}

/* What nobody sees needs no room for a line. */
__attribute__((noinline, format(printf, 4, 0))) static void say(const struct diag_log *log, enum diag_level level,
                                                                const char *code, const char *fmt, va_list ap)
{
    char text[2048];
    (void)vsnprintf(text, sizeof text, fmt, ap);
    emit(log, level, text, code, "");
}

void diag(enum diag_level level, const char *fmt, ...)
{
    const struct diag_log *log = log_here();
    if (!log || !diag_shows(level))
        return;
    va_list ap;
    va_start(ap, fmt);
    say(log, sunk(log, level), NULL, fmt, ap);
    va_end(ap);
}

void diag_coded(enum diag_level level, enum err_kind code, const char *fmt, ...)
{
    const struct diag_log *log = log_here();
    if (!log || !diag_shows(level))
        return;
    va_list ap;
    va_start(ap, fmt);
    say(log, sunk(log, level), err_code_name(code), fmt, ap);
    va_end(ap);
}

void diag_forced(enum diag_level level, const char *fmt, ...)
{
    const struct diag_log *log = log_here();
    if (!log)
        return;
    va_list ap;
    va_start(ap, fmt);
    say(log, level, NULL, fmt, ap);
    va_end(ap);
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

void diag_show_instead(const char *real, const char *shown)
{
    struct diag_log *log = log_here();
    for (size_t i = 0; log && i < 2; i++) {
        if (log->masked[i].real == real || (shown && !log->masked[i].real)) {
            log->masked[i].real = shown ? real : NULL;
            log->masked[i].shown = shown;
            return;
        }
    }
}

void diag_hide(struct diag_hidden *h)
{
    struct diag_log *log = log_here();
    if (!log)
        return;
    h->next = log->hidden;
    log->hidden = h;
}

void diag_hide_no_more(const void *owner)
{
    struct diag_log *log = log_here();
    for (struct diag_hidden **at = log ? &log->hidden : NULL; at && *at;) {
        if ((*at)->owner == owner)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
}

/* Piece [off, off + n) of the argument, wherever the message quotes it; one so short that it is part of any
 * sentence where it stands in quotes only. */
static void mask_piece(char *text, const char *real, const char *shown, size_t off, size_t n)
{
    enum { SHORT = 2 };
    for (char *at = text; n > 0 && (at = memmem(at, strlen(at), real + off, n)); at += n)
        if (n > SHORT || (at > text && at[-1] == '"' && at[n] == '"'))
            memcpy(at, shown + off, n);
}

/* A syntax error quotes how the argument begins, others the piece they are about. */
static void mask_message(struct err *e, const char *real, const char *shown)
{
    enum { QUOTED = 500 };
    char *const texts[] = {e->text, e->call};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        mask_piece(texts[i], real, shown, 0, strnlen(real, QUOTED));
        if (e->where.text == real)
            mask_piece(texts[i], real, shown, e->where.off, e->where.len);
    }
    if (e->where.text == real)
        e->where.text = shown;
}

void diag_mask(struct err *e)
{
    const struct diag_log *log = log_here();
    for (size_t i = 0; log && i < 2; i++)
        if (log->masked[i].real)
            mask_message(e, log->masked[i].real, log->masked[i].shown);
    for (const struct diag_hidden *h = log ? log->hidden : NULL; h; h = h->next)
        mask_message(e, h->real, h->shown);
}

const char *diag_words(const struct err *e)
{
    const struct diag_log *log = log_here();
    return log && log->v1 && e->call[0] ? e->call : e->text;
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
    const struct diag_log *log = log_here();
    if (!log || !diag_shows(level))
        return;
    struct err seen = *e;
    diag_mask(&seen);
    if (seen.where.text)
        show_caret(&seen.where, caret, sizeof caret);
    emit(log, sunk(log, level), words_and_call(&seen, room, sizeof room), err_code_name(err_code_of(&seen)), caret);
}

void diag_transferring(void)
{
    struct diag_log *log = log_here();
    if (log && !log->to_syslog) /* a forked child does not touch the page it shares */
        log->to_syslog = true;
}

void diag_settle(void)
{
    const struct diag_log *log = log_here();
    tzset();
    if (log && !log->taker.message && (log->dest == DIAG_SYSLOG || log->dest == DIAG_MIXED))
        openlog(prog_of(log), LOG_PID | LOG_NDELAY, 0); /* 0: the facility stays */
}

int diag_open_file(struct diag_log *log, const char *path, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0644);
    if (fd < 0)
        return err_sys(e, "cannot open log file \"%s\"", path);
    log->fd = fd;
    log->dest = DIAG_FILE;
    return 0;
}

int diag_set_facility(struct diag_log *log, const char *name, struct err *e)
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
            log->facility = facilities[i].value;
            return 0;
        }
    }
    return err_set(e, ERR_SWITCH, "unknown syslog facility \"%s\"; known are daemon, user, local0 "
                                 "to local7, auth, mail and so on (syslog(3))", wanted);
}
