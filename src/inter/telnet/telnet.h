/* SPDX-License-Identifier: GPL-2.0-or-later
 * A telnet connection, from either side: telnet.c moves the bytes, subnegotiation.c talks about terminals,
 * comport.c about serial lines (RFC 2217). */
#ifndef CATENA_TELNET_H
#define CATENA_TELNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/inter.h"
#include "inter/telnet/qmethod.h"

enum telnet_command {
    T_EOF = 236, T_SUSP, T_ABORT, T_EOR, T_SE, T_NOP, T_DM, T_BREAK, T_IP, T_AO, T_AYT, T_EC, T_EL, T_GA,
    T_SB, T_WILL, T_WONT, T_DO, T_DONT, T_IAC,
};
enum telnet_option {
    TO_BINARY = 0, TO_ECHO = 1, TO_SGA = 3, TO_TTYPE = 24, TO_NAWS = 31, TO_NEW_ENVIRON = 39, TO_CHARSET = 42,
    TO_COMPORT = 44,
};
enum { TELNET_OPTIONS = 256, SB_MOST = 1024 /* bytes of a subnegotiation */ };
enum telnet_side { US, HIM };

struct telnet_role {
    bool server, comport;
};

/* RFC 2217, by kind of control: what is under way. */
struct setting {
    uint32_t asked;   /* last, and not answered yet */
    unsigned pending; /* client: so many answers are owed */
    bool asks;        /* who is on the data side wants the answer */
    unsigned char form; /* server: how it was asked for: the value of SET-CONTROL that asks */
    int64_t until;    /* server: wait_now() when it is answered without the line's word; 0: nothing is owed */
};
struct comport {
    bool agreed, suspended;
    uint32_t masks[2]; /* server: which changes of the line's and the modem's state are told */
    struct setting set[CONTROL_KINDS];
};

struct telnet {
    const struct telnet_role *role;
    const struct addr *a;
    struct run *run;
    struct q q[TELNET_OPTIONS][2]; /* by enum telnet_side */
    struct buf say; /* commands, each whole, that go before any data */

    /* from the wire */
    unsigned char state, verb; /* enum parse; the command that waits for its option */
    unsigned char sb[SB_MOST];
    size_t nsb; /* more than SB_MOST: it is too long, and dropped */
    bool told_long;
    int64_t cr_until; /* a CR waits for what follows it, until then; 0 none */
    bool cr_given;    /* it did not wait, and half a line end may follow */
    struct control give; /* for the data side, once that has taken what came before */

    /* to the wire */
    int64_t hold_until; /* data wait until the peer has said if they are BINARY, or until then; 0 they do not */
    int64_t nul_until; /* a CR has gone, and until then it is open what follows it; 0 none */
    bool has_window;
    uint32_t window;

    /* the server's questions, before anything is opened behind it */
    bool begun, has_term, has_environment;
    int64_t ask_until;
    char term[64], user[64];

    struct comport line;
};

/* ---- telnet.c ---- */
bool telnet_on(const struct telnet *t, enum telnet_side side, unsigned option);
/* Asks for an option, or refuses to have it any more. */
void telnet_want(struct telnet *t, enum telnet_side side, unsigned option, bool on);
/* A whole subnegotiation, IACs doubled. */
void telnet_say(struct telnet *t, unsigned option, const void *data, size_t n);

/* ---- subnegotiation.c ---- */
void terminal_begin(struct telnet *t); /* what is wanted and granted */
void terminal_agreed(struct telnet *t, enum telnet_side side, unsigned option); /* it is on, or off */
void terminal_hear(struct telnet *t, unsigned option, const unsigned char *p, size_t n);
void terminal_window(struct telnet *t, uint32_t window);
bool terminal_knows(const struct telnet *t); /* nothing more is waited for */

/* ---- charset.c ---- */
int telnet_check(const struct addr *a, struct err *e);
int telnet_foresee(const struct addr *a, struct err *e);
int telnet_prepare(const struct addr *a, struct run *r, void **shared, struct err *e); /* session_ops.common */
void telnet_release(void *shared);

/* ---- comport.c ---- */
void comport_begin(struct telnet *t);
int comport_agreed(struct telnet *t, struct err *e); /* it is on, or off */
void comport_hear(struct telnet *t, const unsigned char *p, size_t n);
void comport_take(struct telnet *t, const struct control *c); /* from the data side */
int64_t comport_due(const struct telnet *t);
void comport_act(struct telnet *t); /* on what is due */
int comport_check(const struct addr *a, struct err *e);

#endif
