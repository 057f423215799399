/* SPDX-License-Identifier: GPL-2.0-or-later
 * Negotiating options: see qmethod.h. */
#include "inter/telnet/qmethod.h"

/* An answer to what was asked for. What is said against the rules (DONT is answered by WILL) ends as if the
 * peer had seen reason. */
static enum q_says answered(struct q *q, bool on)
{
    bool wanted = q->state == Q_WANT_YES, opposite = q->opposite;
    q->opposite = false;
    if (wanted == on && opposite) {
        q->state = wanted ? Q_WANT_NO : Q_WANT_YES;
        return wanted ? Q_OFF : Q_ON;
    }
    if (wanted == on)
        q->state = on ? Q_YES : Q_NO;
    else /* refused, though that is no longer what is wanted; or nonsense */
        q->state = !wanted && opposite ? Q_YES : Q_NO;
    return Q_SILENT;
}

enum q_says q_hear(struct q *q, bool on)
{
    if (!q_is_settled(q))
        return answered(q, on);
    if (on == (q->state == Q_YES))
        return Q_SILENT;
    if (on && !q->may)
        return Q_OFF;
    q->state = on ? Q_YES : Q_NO;
    return on ? Q_ON : Q_OFF;
}

enum q_says q_want(struct q *q, bool on)
{
    if (!q_is_settled(q)) {
        q->opposite = on != (q->state == Q_WANT_YES);
        return Q_SILENT;
    }
    if (on == (q->state == Q_YES))
        return Q_SILENT;
    q->state = on ? Q_WANT_YES : Q_WANT_NO;
    return on ? Q_ON : Q_OFF;
}
