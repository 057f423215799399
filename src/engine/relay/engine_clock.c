/* SPDX-License-Identifier: GPL-2.0-or-later
 * What an engine does when nothing happens for some time: -t, -T, goodbyes, readers that take
 * nothing. The table below is the one of ARCHITECTURE.md, "The states of a flow". */
#include "catena/diag.h"
#include "catena/wait.h"
#include "engine/relay/engine.h"

enum {
    STALLED_MS = 10000, /* while closing: give up on a reader that takes nothing for so long */
    GOODBYE_MS = 2000,  /* one-way TLS: time for the peer to take everything and close */
    ENDLESS_MS = 500,   /* terminals, packet sockets, what others use, too, have no end to wait for */
    UNTOLD_MS = 10000,  /* a program on a terminal ends, but cannot be told that its input has */
};

enum state {
    OPEN,        /* none of its flows has ended */
    HALF_CLOSED, /* one of two has */
    GOODBYE,     /* all have, but the peer of a session owes its goodbye */
    CLOSING,     /* only what is ready is written */
};

static bool out_over(const struct engine *e, int side)
{
    return engine_out_shut(e, side) || stack_has_said_all(e, side);
}

static enum state state_of(const struct engine *e)
{
    int flows = 0, ended = 0;
    for (int i = 0; i < 2; i++) {
        flows += engine_has_out(e, i);
        ended += engine_has_out(e, i) && out_over(e, i);
    }
    return e->closing ? CLOSING : ended == 0 ? OPEN : ended < flows ? HALF_CLOSED : GOODBYE;
}

/* ---- how long each clock runs, in milliseconds; -1: it does not ---- */

static int64_t ms(double seconds)
{
    return seconds < 0 ? -1 : wait_ms(seconds);
}

static int64_t idle_ms(const struct engine *e)
{
    return e->border ? ms(e->run->settings->idle) : -1;
}

/* How long what comes from there is waited for where nothing will tell its end; -1: something will. */
static int64_t endless_ms(const struct port *p)
{
    if (p->flags & (PORT_ENDLESS | PORT_SHARED))
        return ENDLESS_MS;
    return !(p->flags & PORT_TTY) ? -1 : p->flags & PORT_PROGRAM_R ? UNTOLD_MS : ENDLESS_MS;
}

static int64_t linger_ms(const struct engine *e)
{
    int64_t t = ms(e->run->settings->linger);
    if (!e->border || t >= 0)
        return e->border ? t : -1;
    for (int i = 0; i < 2; i++)
        if (!out_over(e, !i) && endless_ms(e->side[i].port) >= 0)
            return endless_ms(e->side[i].port);
    return -1;
}

/* What waits for a slow reader is not the silence that -t is about. */
static int64_t unread_ms(const struct engine *e)
{
    int64_t t = linger_ms(e);
    bool waits = engine_wants_output(e, LEFT) || engine_wants_output(e, RIGHT);
    return t < 0 || !waits ? -1 : t > STALLED_MS ? t : STALLED_MS;
}

static int64_t goodbye_ms(const struct engine *e)
{
    int64_t t = ms(e->run->settings->linger);
    return !engine_awaits_goodbye(e) ? -1 : t >= 0 ? t : GOODBYE_MS;
}

static int64_t stalled_ms(const struct engine *e)
{
    (void)e;
    return STALLED_MS;
}

/* ---- what happens when it has run down ---- */

static void end_idle(struct engine *e)
{
    diag(DIAG_NOTICE, "inactivity timeout triggered");
    run_ends(e->run, END_IDLE);
    atomic_store(&e->run->stop, true);
    engine_drop(e);
}

static void end_other_flow(struct engine *e)
{
    diag(e->run->settings->v1_name ? DIAG_INFO : DIAG_NOTICE,
         "the other direction did not end in time, closing it");
    atomic_store(&e->run->cut[out_over(e, RIGHT) ? RIGHT : LEFT], true);
    atomic_store(&e->run->over, true);
    engine_start_closing(e);
}

/* All count from the last byte or end of a flow that any engine of the run has seen, or will have given out when
 * a layer that delays has kept it long enough, or from the beginning of the state, if that was later. The first
 * row of a state whose clock runs rules. */
static const struct clock {
    enum state state;
    int64_t (*limit)(const struct engine *e);
    void (*act)(struct engine *e);
} clocks[] = {
    {OPEN, idle_ms, end_idle},
    {HALF_CLOSED, unread_ms, engine_drop},
    {HALF_CLOSED, linger_ms, end_other_flow},
    {HALF_CLOSED, idle_ms, end_idle},
    {GOODBYE, goodbye_ms, engine_start_closing},
    {CLOSING, stalled_ms, engine_drop},
};

static const struct clock *ruling(const struct engine *e)
{
    enum state now = state_of(e);
    if (e->proving && now != CLOSING) /* it has no more than one side yet */
        return NULL;
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++)
        if (clocks[i].state == now && clocks[i].limit(e) >= 0)
            return &clocks[i];
    return NULL;
}

static bool parts(const struct engine *e)
{
    return !e->proving && state_of(e) == GOODBYE && engine_awaits_goodbye(e);
}

/* What a peer that owes its goodbye still has to say is for nobody, and does not hold us up for ever. */
static int64_t parting_ends(const struct engine *e)
{
    int64_t t = ms(e->run->settings->linger);
    return e->parting_since + (t >= 0 ? t : STALLED_MS);
}

/* While it closes, what layers keep has that long in all: a slow line may have much more. */
static int64_t runs_down(const struct engine *e, const struct clock *c)
{
    if (e->closing && (stack_delays(e, LEFT) || stack_delays(e, RIGHT)))
        return e->closing_since + c->limit(e);
    int64_t since = run_silent_since(e->run);
    if (e->closing && e->closing_since > since)
        since = e->closing_since;
    int64_t end = since + c->limit(e);
    return e->parting_since > 0 && parting_ends(e) < end ? parting_ends(e) : end;
}

/* ---- the handshake, beside all these: however much comes, it has to be over in time ---- */

static int64_t shake_until(const struct engine *e)
{
    return engine_shakes_hands(e) ? e->shake_until : -1;
}

static void end_handshake(struct engine *e)
{
    if (e->proving || atomic_load(&e->run->transferring))
        engine_peer_is_late(e);
    else /* who opens the line has a clock of his own, and pauses between attempts */
        engine_await_peer(e);
}

/* ---- the pauses of ignoreeof and the like ---- */

static void sooner(int64_t *deadline, int64_t t)
{
    if (t >= 0 && (*deadline < 0 || t < *deadline))
        *deadline = t;
}

int64_t engine_deadline(struct engine *e)
{
    if (!parts(e))
        e->parting_since = 0;
    else if (e->parting_since == 0)
        e->parting_since = wait_now();
    const struct clock *c = ruling(e);
    int64_t deadline = c ? runs_down(e, c) : -1, shake = shake_until(e);
    sooner(&deadline, shake);
    sooner(&deadline, stack_due(e)); /* nothing to act on: whoever wakes lets the layers step */
    for (int i = 0; i < 2; i++) {
        const struct engine_side *s = &e->side[i];
        sooner(&deadline, s->look_again ? s->look_again : -1);
        sooner(&deadline, s->probe_at ? s->probe_at : -1);
        sooner(&deadline, s->write_again && engine_wants_output(e, i) ? s->write_again : -1);
    }
    return deadline;
}

void engine_end_pauses(struct engine *e)
{
    int64_t now = wait_now();
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        if (s->look_again && now >= s->look_again)
            s->look_again = 0;
        if (s->write_again && now >= s->write_again)
            s->write_again = 0;
        if (s->probe_at && now >= s->probe_at) {
            s->probe_at = 0;
            if (s->port)
                port_probe(s->port);
        }
    }
}

/* Before the end a side that pauses is looked at once more. True: there is one to look at. */
static bool last_look(struct engine *e)
{
    bool any = false;
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        bool pauses = s->look_again || (s->port && s->port->flags & PORT_IGNORE_EOF);
        if (!pauses || s->looked_last || !engine_wants_input(e, i))
            continue;
        s->look_again = 0;
        s->looked_last = any = true;
    }
    return any;
}

void engine_act_on_time(struct engine *e)
{
    engine_end_pauses(e);
    if (shake_until(e) >= 0 && wait_now() >= shake_until(e))
        end_handshake(e);
    const struct clock *c = ruling(e);
    if (c && wait_now() >= runs_down(e, c) && !last_look(e))
        c->act(e);
}
