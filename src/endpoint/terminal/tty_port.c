/* SPDX-License-Identifier: GPL-2.0-or-later
 * Controls at a terminal: see tty_port.h. What is to be told is a mask of kinds, so however often
 * something changes there is one to give, of what is so by then. */
#include "endpoint/terminal/tty_port.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <termios.h>
#include <unistd.h>

#include "catena/catena.h"
#include "catena/wait.h"
#include "endpoint/options/opts_pty.h"
#include "endpoint/terminal/line_settings.h"

enum what { A_WINDOW, A_LINE, A_MASTER }; /* a user's terminal, a serial device, the master of a pseudo terminal */
enum {
    LOOK_MS = 50,     /* between looks at the lines of a modem */
    USUAL_MS = 250,   /* a break */
    DRAIN_MS = 1000,  /* what is to leave at the old rate may take so long */
    MODEM_READY = 0xb0, /* of a line without such lines: a peer is there */
};

struct tty { /* state of the port */
    enum what what;
    bool tells;   /* somebody takes what changes here */
    bool breaks;  /* a line is held in a break */
    bool packets; /* a master in packet mode: the first byte of a read says what the rest is */
    uint32_t owed, known[CONTROL_KINDS]; /* by kind: it is to be told; what was told, or set, last */
    uint32_t newer; /* by kind: changed here since, and not told yet */
    int64_t until; /* wait_now(): a break, or what is to be sent first, takes until then at most; 0 none */
    uint32_t errors[4]; /* as counted so far */
};

static int fd_of(const struct port *p)
{
    return p->rfd >= 0 ? p->rfd : p->wfd;
}

static void owe(struct port *p, struct tty *t, enum control_kind kind, uint32_t value)
{
    t->known[kind] = value;
    t->owed |= UINT32_C(1) << kind;
    p->more = true;
}

/* ---- what has changed ---- */

static void compare(struct port *p, struct tty *t, enum control_kind kind)
{
    uint32_t now = line_get(fd_of(p), kind), before = t->known[kind];
    if (!now || now == before)
        return;
    t->newer |= before ? UINT32_C(1) << kind : 0;
    owe(p, t, kind, now);
}

static const unsigned char settings[] = {CONTROL_BAUD, CONTROL_DATA, CONTROL_PARITY, CONTROL_STOP, CONTROL_FLOW};

/* Rate 0 hangs up, and is no rate. */
static void look_at_settings(struct port *p, struct tty *t)
{
    bool up = line_get(fd_of(p), CONTROL_BAUD) != 0, was_up = t->known[CONTROL_DTR] != SWITCH_OFF;
    for (size_t i = 0; i < sizeof settings; i++)
        compare(p, t, settings[i]);
    if (up != was_up)
        owe(p, t, CONTROL_DTR, up ? SWITCH_ON : SWITCH_OFF);
    if (!line_is_tracked(fd_of(p))) /* a program has set all flags anew */
        (void)line_track(fd_of(p));
}

/* The lower bits say which have changed. */
static void look_at_modem(struct port *p, struct tty *t)
{
    uint32_t now = line_get(fd_of(p), CONTROL_MODEM_STATE), before = t->known[CONTROL_MODEM_STATE] & 0xf0;
    if (now != before)
        owe(p, t, CONTROL_MODEM_STATE, now | (now ^ before) >> 4);
}

static void look_at_errors(struct port *p, struct tty *t)
{
    static const uint32_t bits[] = {0x10, 0x08, 0x04, 0x02}; /* break, framing, parity, overrun */
    struct serial_counts {
        int cts, dsr, rng, dcd, rx, tx, frame, overrun, parity, brk, buf_overrun, reserved[9];
    } c = {0};
    if (ioctl(fd_of(p), TIOCGICOUNT, &c) < 0)
        return;
    const uint32_t now[] = {(uint32_t)c.brk, (uint32_t)c.frame, (uint32_t)c.parity, (uint32_t)c.overrun};
    uint32_t state = 0;
    for (int i = 0; i < 4; i++)
        state |= now[i] != t->errors[i] ? bits[i] : 0;
    memcpy(t->errors, now, sizeof now);
    if (state)
        owe(p, t, CONTROL_LINE_STATE, state);
}

static void look(struct port *p, struct tty *t)
{
    char news[sizeof(struct signalfd_siginfo)];
    if (p->notice_fd < 0 || read(p->notice_fd, news, sizeof news) < 0)
        return;
    if (t->what == A_WINDOW)
        compare(p, t, CONTROL_WINDOW);
    if (t->what != A_LINE)
        return;
    look_at_modem(p, t);
    look_at_errors(p, t);
}

/* ---- reading ---- */

static bool tell(struct port *p, struct tty *t)
{
    unsigned kind = 0;
    p->more = false;
    if (!t->owed)
        return false;
    while (!(t->owed & UINT32_C(1) << kind))
        kind++;
    t->owed &= ~(UINT32_C(1) << kind);
    t->newer &= ~(UINT32_C(1) << kind);
    p->more = t->owed != 0;
    p->control = (struct control){(unsigned char)kind, false, t->known[kind]};
    return true;
}

/* What a master is told in front of no data. */
static void hear(struct port *p, struct tty *t, unsigned char status)
{
    uint32_t purged = (status & TIOCPKT_FLUSHREAD ? 1U : 0U) | (status & TIOCPKT_FLUSHWRITE ? 2U : 0U);
    if (purged)
        owe(p, t, CONTROL_PURGE, purged);
    if (status & (TIOCPKT_IOCTL | TIOCPKT_DOSTOP | TIOCPKT_NOSTOP))
        look_at_settings(p, t);
}

static ssize_t read_packet(struct port *p, struct tty *t, unsigned char *buf, size_t cap)
{
    unsigned char two[2], *at = cap < 2 ? two : buf;
    ssize_t n = port_inner_read(p, at, cap < 2 ? 2 : cap);
    if (n <= 0)
        return n;
    if (at[0] != TIOCPKT_DATA) {
        hear(p, t, at[0]);
        if (tell(p, t))
            return 0;
    } else if (n > 1) {
        memmove(buf, at + 1, (size_t)n - 1);
        return n - 1;
    }
    errno = EINTR;
    return -1;
}

static ssize_t tty_read(struct port *p, void *buf, size_t cap)
{
    struct tty *t = p->state;
    look(p, t);
    if (tell(p, t))
        return 0;
    return t->packets ? read_packet(p, t, buf, cap) : port_inner_read(p, buf, cap);
}

/* ---- taking ---- */

/* False for so long: called again until then. */
static bool over(struct tty *t, int64_t ms)
{
    int64_t now = wait_now();
    if (!t->until)
        t->until = now + ms;
    if (now < t->until) {
        errno = ENOBUFS;
        return false;
    }
    t->until = 0;
    return true;
}

static int break_line(const struct port *p, struct tty *t, uint32_t value)
{
    if (!t->breaks && (value == BREAK_ON || value == BREAK_USUAL))
        t->breaks = ioctl(fd_of(p), TIOCSBRK) == 0;
    if (value == BREAK_USUAL && !over(t, USUAL_MS))
        return -1;
    if (t->breaks && value != BREAK_ON) {
        (void)ioctl(fd_of(p), TIOCCBRK);
        t->breaks = false;
    }
    return 0;
}

/* Whoever has begun a break and gone leaves no line that is held in it. */
static void tty_close(struct port *p)
{
    struct tty *t = p->state;
    if (t->breaks)
        (void)break_line(p, t, BREAK_OFF);
    port_inner_close(p);
}

/* The program on the other side gets what its settings say that a break is. */
static int break_master(struct port *p, uint32_t value)
{
    static const char mark[] = {(char)0xff, 0, 0};
    enum line_break as = value == BREAK_ON || value == BREAK_USUAL ? line_break_as(p->wfd) : BREAK_IS_NOTHING;
    if (as == BREAK_IS_SIGNAL) {
        (void)ioctl(p->wfd, TIOCSIG, SIGINT);
    } else if (as == BREAK_IS_MARK || as == BREAK_IS_NUL) {
        ssize_t n = as == BREAK_IS_MARK ? write(p->wfd, mark, sizeof mark) : write(p->wfd, "", 1);
        return n < 0 && errno == EAGAIN ? -1 : 0;
    }
    return 0;
}

static uint32_t now(const struct port *p, const struct tty *t, enum control_kind kind)
{
    uint32_t value = line_get(fd_of(p), kind);
    if (value)
        return value;
    return kind == CONTROL_MODEM_STATE ? (t->what == A_LINE ? 0 : MODEM_READY) : t->known[kind];
}

/* What has been written is sent as it was meant. */
static bool drained(const struct port *p, struct tty *t)
{
    int left = 0;
    if (t->what != A_LINE || ioctl(fd_of(p), TIOCOUTQ, &left) < 0 || left == 0) {
        t->until = 0;
        return true;
    }
    return over(t, DRAIN_MS);
}

/* Who sets the line here has not seen what comes from there: it would undo what nobody has been told yet. */
static bool is_newer_here(struct port *p, struct tty *t, enum control_kind kind)
{
    if (t->packets)
        compare(p, t, kind);
    return t->newer & UINT32_C(1) << kind;
}

static int set(struct port *p, struct tty *t, const struct control *c)
{
    bool lines = c->kind == CONTROL_DTR || c->kind == CONTROL_RTS;
    if (is_newer_here(p, t, c->kind))
        return 0; /* and is told soon, which answers */
    if (c->value && !drained(p, t))
        return -1;
    if (c->value && now(p, t, c->kind) != c->value) {
        line_set(fd_of(p), c->kind, c->value);
        if (lines) /* a line that has none is taken at its word */
            t->known[c->kind] = c->value;
    }
    uint32_t value = now(p, t, c->kind);
    bool other = c->value && value != c->value;
    t->known[c->kind] = value;
    if (c->asks || (other && t->tells))
        owe(p, t, c->kind, value);
    return 0;
}

static void purge(struct port *p, struct tty *t, const struct control *c)
{
    if (c->value & 1)
        (void)tcflush(fd_of(p), TCIFLUSH);
    if (c->value & 2)
        (void)tcflush(fd_of(p), TCOFLUSH);
    if (c->asks)
        owe(p, t, CONTROL_PURGE, c->value);
}

static int tty_control(struct port *p, const struct control *c)
{
    struct tty *t = p->state;
    switch ((enum control_kind)c->kind) {
    case CONTROL_WINDOW:
        if (t->what == A_MASTER)
            line_set(p->wfd, CONTROL_WINDOW, c->value);
        return 0;
    case CONTROL_BREAK:
        return t->what == A_MASTER ? break_master(p, c->value) : t->what == A_LINE ? break_line(p, t, c->value) : 0;
    case CONTROL_PURGE:
        if (t->what != A_WINDOW)
            purge(p, t, c);
        return 0;
    case CONTROL_BAUD:
    case CONTROL_DATA:
    case CONTROL_PARITY:
    case CONTROL_STOP:
    case CONTROL_FLOW:
    case CONTROL_DTR:
    case CONTROL_RTS: return t->what == A_WINDOW ? 0 : set(p, t, c);
    case CONTROL_MODEM_STATE:
        if (c->asks)
            owe(p, t, CONTROL_MODEM_STATE, now(p, t, CONTROL_MODEM_STATE));
        return 0;
    default: return 0;
    }
}

/* ---- opening ---- */

static enum what what_is(int fd)
{
    unsigned n;
    int bits;
    return ioctl(fd, TIOCGPTN, &n) == 0 ? A_MASTER : ioctl(fd, TIOCMGET, &bits) == 0 ? A_LINE : A_WINDOW;
}

/* The threads that are started later block it, too. */
static int hear_of_window(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGWINCH);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int look_now_and_then(void)
{
    const struct timespec period = {.tv_nsec = LOOK_MS * 1000000L};
    const struct itimerspec every = {period, period};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd >= 0)
        (void)timerfd_settime(fd, 0, &every, NULL);
    return fd;
}

/* All that somebody takes is told once in the beginning. */
static int begin_to_tell(struct port *p, struct tty *t, const struct addr *a, struct run *r, struct err *e)
{
    int on = 1, fd = fd_of(p);
    if (t->what == A_MASTER) {
        t->packets = opt_true(a, &opt_track_line);
        if (t->packets && (ioctl(fd, TIOCPKT, &on) < 0 || line_track(fd) < 0))
            return err_sys(e, "track-line: the pseudo terminal cannot be put into packet mode");
        if (t->packets)
            look_at_settings(p, t);
        return 0;
    }
    if (t->what == A_LINE) {
        look_at_modem(p, t);
        look_at_errors(p, t);
        t->owed &= ~(UINT32_C(1) << CONTROL_LINE_STATE);
        p->notice_fd = look_now_and_then();
    } else {
        compare(p, t, CONTROL_WINDOW);
        p->notice_fd = r->settings->catena->owns_process ? hear_of_window() : -1;
    }
    return 0;
}

int tty_port(struct port **p, const struct addr *a, struct run *r, struct err *e)
{
    static const struct port_ops ops = {.read = tty_read, .control = tty_control, .close = tty_close};
    if ((!a->tells && !a->told) || !isatty(fd_of(*p)))
        return 0;
    struct tty *t = port_wrap(p, &ops, sizeof *t, e);
    if (!t)
        return -1;
    t->what = what_is(fd_of(*p));
    t->tells = a->tells && (*p)->rfd >= 0;
    t->known[CONTROL_DTR] = t->known[CONTROL_RTS] = SWITCH_ON;
    return t->tells ? begin_to_tell(*p, t, a, r, e) : 0;
}

unsigned tty_perhaps(const struct addr *a)
{
    (void)a;
    return CONTROLS_TAKES | CONTROLS_GIVES | CONTROLS_PERHAPS;
}
