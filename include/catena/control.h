/* SPDX-License-Identifier: GPL-2.0-or-later
 * What travels beside the data: the size of a window, a break, the settings and lines of a serial
 * port. A control goes in order with the data, the way they flow, as the mark of a buffer that is
 * otherwise empty (struct buf); so it passes seams, rings and threads as blocks do. Who knows nothing
 * of controls lets them pass, behind what he has made of the data before; who neither takes nor passes
 * them (a socket, a pipe, a program) drops them. */
#ifndef CATENA_CONTROL_H
#define CATENA_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

enum control_kind {
    CONTROL_NONE, /* no mark */
    CONTROL_WINDOW,      /* value: columns << 16 | rows */
    CONTROL_BREAK,       /* enum control_break */
    /* Settings of a line. Numbers are those of RFC 2217, 0 only asks. */
    CONTROL_BAUD,        /* bits per second */
    CONTROL_DATA,        /* bits of a character: 5 to 8 */
    CONTROL_PARITY,      /* 1 none, 2 odd, 3 even, 4 mark, 5 space */
    CONTROL_STOP,        /* 1 one bit, 2 two, 3 one and a half */
    CONTROL_FLOW,        /* who sends is held back: 1 by nothing, 2 by XON and XOFF, 3 by RTS and CTS */
    CONTROL_DTR,         /* enum control_switch */
    CONTROL_RTS,
    CONTROL_LINE_STATE,  /* bits as NOTIFY-LINESTATE has them */
    CONTROL_MODEM_STATE, /* bits as NOTIFY-MODEMSTATE has them */
    CONTROL_PURGE,       /* bits: 1 what the line has received, 2 what it has yet to send */
    /* Of a session that is sealed below (seal.h), to the port of its wire. */
    CONTROL_ALERT,       /* level << 8 | description */
    CONTROL_NEW_KEYS,    /* what follows has others, which the session tells next */
    CONTROL_KINDS
};

enum control_break { BREAK_ASK, BREAK_ON, BREAK_OFF, BREAK_USUAL /* on for a quarter of a second */ };
enum control_switch { SWITCH_ASK, SWITCH_ON, SWITCH_OFF };

struct control {
    unsigned char kind; /* enum control_kind */
    bool asks;          /* whoever carries it out is to tell what is so now, by one of the same kind */
    uint32_t value;
};

static inline struct control control_window(unsigned columns, unsigned rows)
{
    return (struct control){CONTROL_WINDOW, false, (columns & 0xffffU) << 16 | (rows & 0xffffU)};
}
static inline unsigned control_columns(struct control c) { return c.value >> 16; }
static inline unsigned control_rows(struct control c) { return c.value & 0xffffU; }

/* What an endpoint does with them (struct form.controls). */
enum form_controls {
    CONTROLS_NONE,
    CONTROLS_TAKES = 1,
    CONTROLS_GIVES = 2,
    CONTROLS_PERHAPS = 4, /* if it turns out to be a terminal */
};

#endif
