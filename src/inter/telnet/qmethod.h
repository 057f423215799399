/* SPDX-License-Identifier: GPL-2.0-or-later
 * The Q method of RFC 1143: how two sides agree upon an option without ever going round in circles. One
 * struct for each option and side; pure. */
#ifndef CATENA_TELNET_QMETHOD_H
#define CATENA_TELNET_QMETHOD_H

#include <stdbool.h>

enum q_state { Q_NO, Q_YES, Q_WANT_NO, Q_WANT_YES };

struct q {
    unsigned char state; /* enum q_state */
    bool opposite;       /* when the answer comes, the other way round is asked for */
    bool may;            /* what the peer asks for is granted */
};

enum q_says { Q_SILENT, Q_ON, Q_OFF }; /* what is to be said: DO or WILL, DONT or WONT */

/* The peer has said DO or WILL, or DONT or WONT. */
enum q_says q_hear(struct q *q, bool on);
/* We want it. */
enum q_says q_want(struct q *q, bool on);
/* The peer owes no answer. */
static inline bool q_is_settled(const struct q *q) { return q->state == Q_NO || q->state == Q_YES; }

#endif
