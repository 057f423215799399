/* SPDX-License-Identifier: GPL-2.0-or-later
 * Settings of a line: see line_settings.h. With the kernel's own struct, which has any rate. */
#include "endpoint/terminal/line_settings.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <stddef.h>
#include <sys/ioctl.h>
/* ---- fields of termios ---- */

static const struct choice { /* flags that stand for a number */
    unsigned char kind, number;
    tcflag_t mask, flags; /* of c_cflag */
} choices[] = {
    {CONTROL_DATA, 5, CSIZE, CS5},
    {CONTROL_DATA, 6, CSIZE, CS6},
    {CONTROL_DATA, 7, CSIZE, CS7},
    {CONTROL_DATA, 8, CSIZE, CS8},
    {CONTROL_PARITY, 1, PARENB, 0},
    {CONTROL_PARITY, 2, PARENB | PARODD | CMSPAR, PARENB | PARODD},
    {CONTROL_PARITY, 3, PARENB | PARODD | CMSPAR, PARENB},
    {CONTROL_PARITY, 4, PARENB | PARODD | CMSPAR, PARENB | PARODD | CMSPAR},
    {CONTROL_PARITY, 5, PARENB | PARODD | CMSPAR, PARENB | CMSPAR},
    {CONTROL_STOP, 1, CSTOPB, 0},
    {CONTROL_STOP, 2, CSTOPB, CSTOPB},
};
enum { NCHOICES = sizeof choices / sizeof choices[0] };

static uint32_t chosen(const struct termios2 *t, enum control_kind kind)
{
    for (size_t i = 0; i < NCHOICES; i++)
        if (choices[i].kind == kind && (t->c_cflag & choices[i].mask) == choices[i].flags)
            return choices[i].number;
    return 0;
}

static void choose(struct termios2 *t, enum control_kind kind, uint32_t value)
{
    for (size_t i = 0; i < NCHOICES; i++)
        if (choices[i].kind == kind && choices[i].number == value)
            t->c_cflag = (t->c_cflag & ~choices[i].mask) | choices[i].flags;
}

enum { FLOW_NONE = 1, FLOW_XON, FLOW_RTS };

static uint32_t flow_of(const struct termios2 *t)
{
    return t->c_cflag & CRTSCTS ? FLOW_RTS : t->c_iflag & IXON ? FLOW_XON : FLOW_NONE;
}

static void set_flow(struct termios2 *t, uint32_t value)
{
    if (value < FLOW_NONE || value > FLOW_RTS)
        return;
    t->c_cflag = (t->c_cflag & ~(tcflag_t)CRTSCTS) | (value == FLOW_RTS ? CRTSCTS : 0);
    t->c_iflag = (t->c_iflag & ~(tcflag_t)(IXON | IXOFF)) | (value == FLOW_XON ? IXON | IXOFF : 0);
}

/* A rate that has a name is set by it: who knows no others reads it so. */
static void set_baud(struct termios2 *t, uint32_t baud)
{
    unsigned code = BOTHER;
    (void)line_code_of(baud, &code);
    t->c_cflag = (t->c_cflag & ~(tcflag_t)(CBAUD | CBAUD << IBSHIFT)) | code;
    t->c_ispeed = t->c_ospeed = baud;
}

/* ---- lines of their own ---- */

static int bit_of(enum control_kind kind)
{
    return kind == CONTROL_DTR ? TIOCM_DTR : TIOCM_RTS;
}

static uint32_t switch_of(int fd, enum control_kind kind)
{
    int bits;
    return ioctl(fd, TIOCMGET, &bits) < 0 ? 0 : bits & bit_of(kind) ? SWITCH_ON : SWITCH_OFF;
}

static uint32_t modem_of(int fd)
{
    static const struct {
        int line;
        uint32_t bit;
    } rows[] = {{TIOCM_CAR, 0x80}, {TIOCM_RNG, 0x40}, {TIOCM_DSR, 0x20}, {TIOCM_CTS, 0x10}};
    int bits;
    uint32_t state = 0;
    if (ioctl(fd, TIOCMGET, &bits) < 0)
        return 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        state |= bits & rows[i].line ? rows[i].bit : 0;
    return state;
}

/* ---- all of them ---- */

uint32_t line_get(int fd, enum control_kind kind)
{
    struct winsize w;
    struct termios2 t;
    if (kind == CONTROL_WINDOW)
        return ioctl(fd, TIOCGWINSZ, &w) < 0 ? 0 : control_window(w.ws_col, w.ws_row).value;
    if (kind == CONTROL_DTR || kind == CONTROL_RTS)
        return switch_of(fd, kind);
    if (kind == CONTROL_MODEM_STATE)
        return modem_of(fd);
    if (ioctl(fd, TCGETS2, &t) < 0)
        return 0;
    return kind == CONTROL_BAUD ? t.c_ospeed : kind == CONTROL_FLOW ? flow_of(&t) : chosen(&t, kind);
}

static void set_window(int fd, struct control c)
{
    struct winsize w = {.ws_col = (unsigned short)control_columns(c), .ws_row = (unsigned short)control_rows(c)};
    (void)ioctl(fd, TIOCSWINSZ, &w);
}

void line_set(int fd, enum control_kind kind, uint32_t value)
{
    struct termios2 t;
    int bit = bit_of(kind);
    if (kind == CONTROL_WINDOW) {
        set_window(fd, (struct control){.value = value});
        return;
    }
    if (kind == CONTROL_DTR || kind == CONTROL_RTS) {
        (void)ioctl(fd, value == SWITCH_ON ? TIOCMBIS : TIOCMBIC, &bit);
        return;
    }
    if (ioctl(fd, TCGETS2, &t) < 0)
        return;
    if (kind == CONTROL_BAUD)
        set_baud(&t, value);
    else if (kind == CONTROL_FLOW)
        set_flow(&t, value);
    else
        choose(&t, kind, value);
    (void)ioctl(fd, TCSETS2, &t);
}

enum line_break line_break_as(int fd)
{
    struct termios2 t;
    if (ioctl(fd, TCGETS2, &t) < 0 || t.c_iflag & IGNBRK)
        return BREAK_IS_NOTHING;
    return t.c_iflag & BRKINT ? BREAK_IS_SIGNAL : t.c_iflag & PARMRK ? BREAK_IS_MARK : BREAK_IS_NUL;
}

bool line_is_tracked(int fd)
{
    struct termios2 t;
    return ioctl(fd, TCGETS2, &t) == 0 && t.c_lflag & EXTPROC;
}

int line_track(int fd)
{
    struct termios2 t;
    if (ioctl(fd, TCGETS2, &t) < 0)
        return -1;
    t.c_lflag |= EXTPROC;
    return ioctl(fd, TCSETS2, &t);
}
