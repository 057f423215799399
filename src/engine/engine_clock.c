/* SPDX-License-Identifier: GPL-2.0-or-later
 * What an engine does when nothing happens for some time: -t, -T, readers that take nothing. */
#include "catena/diag.h"
#include "catena/wait.h"
#include "engine.h"

enum {
    STALLED_MS = 10000, /* while closing: give up on a reader that takes nothing for so long */
    GOODBYE_MS = 2000,  /* one-way TLS: time for the peer to take everything and close */
    ENDLESS_MS = 500,   /* terminals and packet sockets, which have no end, are not waited for */
};

static void sooner(int64_t *deadline, int64_t t)
{
    if (*deadline < 0 || t < *deadline)
        *deadline = t;
}

static bool one_flow_ended(const struct engine *e)
{
    return e->side[LEFT].out_shut != e->side[RIGHT].out_shut && e->side[LEFT].has_out &&
           e->side[RIGHT].has_out;
}

/* Milliseconds after the last byte at which the half-closed run ends, -1 never. */
static int64_t linger_ms(const struct engine *e)
{
    double t = e->run->settings->linger;
    if (t >= 0)
        return (int64_t)(t * 1000);
    for (int i = 0; i < 2; i++)
        if (!e->side[!i].out_shut && e->side[i].port->flags & (PORT_TTY | PORT_ENDLESS))
            return ENDLESS_MS;
    return -1;
}

/* How long a session's peer may take for its goodbye. */
static int64_t goodbye_ms(const struct engine *e)
{
    double linger = e->run->settings->linger;
    return linger >= 0 ? (int64_t)(linger * 1000) : GOODBYE_MS;
}

int64_t engine_deadline(const struct engine *e)
{
    int64_t deadline = -1, active = atomic_load_explicit(&e->run->last_activity, memory_order_relaxed);
    for (int i = 0; i < 2; i++)
        if (e->side[i].look_again)
            sooner(&deadline, e->side[i].look_again);
    if (e->closing)
        sooner(&deadline, (e->closing_since > active ? e->closing_since : active) + STALLED_MS);
    if (e->side[LEFT].out_shut && e->side[RIGHT].out_shut && engine_awaits_goodbye(e))
        sooner(&deadline, active + goodbye_ms(e));
    if (!e->border || e->closing)
        return deadline;
    if (one_flow_ended(e) && linger_ms(e) >= 0)
        sooner(&deadline, active + linger_ms(e));
    if (e->run->settings->idle >= 0)
        sooner(&deadline, active + (int64_t)(e->run->settings->idle * 1000));
    return deadline;
}

void engine_end_pauses(struct engine *e)
{
    for (int i = 0; i < 2; i++)
        if (e->side[i].look_again && wait_now() >= e->side[i].look_again)
            e->side[i].look_again = 0;
}

/* A deadline has passed: which? */
void engine_act_on_time(struct engine *e)
{
    int64_t now = wait_now();
    int64_t quiet = now - atomic_load_explicit(&e->run->last_activity, memory_order_relaxed);
    engine_end_pauses(e);
    if (e->closing) {
        if (quiet >= STALLED_MS && now - e->closing_since >= STALLED_MS)
            engine_drop(e);
        return;
    }
    if (e->side[LEFT].out_shut && e->side[RIGHT].out_shut && engine_awaits_goodbye(e)) {
        if (quiet >= goodbye_ms(e))
            engine_start_closing(e);
        return;
    }
    if (!e->border)
        return;
    if (e->run->settings->idle >= 0 && quiet >= (int64_t)(e->run->settings->idle * 1000)) {
        diag(DIAG_NOTICE, "inactivity timeout triggered");
        atomic_store(&e->run->stop, true);
        engine_drop(e);
    } else if (one_flow_ended(e) && linger_ms(e) >= 0 && quiet >= linger_ms(e)) {
        diag(DIAG_INFO, "the other direction did not end in time, closing it");
        atomic_store(&e->run->cut[e->side[RIGHT].out_shut ? RIGHT : LEFT], true);
        atomic_store(&e->run->over, true);
        engine_start_closing(e);
    }
}
