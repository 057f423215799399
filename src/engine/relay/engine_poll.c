/* SPDX-License-Identifier: GPL-2.0-or-later
 * An engine in a thread of its own: waits for its two ports, the clock, a signal or a stop request. */
#include <errno.h>
#include <poll.h>

#include "catena/wait.h"
#include "engine/relay/engine.h"
#include "engine/run/signals.h"

/* Four for the ports, then whoever writes to them, then what concerns the run. */
enum { POLL_LR, POLL_LW, POLL_RR, POLL_RW, POLL_WRITERS, POLL_SIGNAL = POLL_WRITERS + 2, POLL_STOP,
       POLL_BROKEN, POLL_N };

/* Something can be done at that side without waiting for a descriptor. */
static bool is_ready(const struct engine *e, int side)
{
    const struct engine_side *s = &e->side[side];
    return s->port && port_ready(s->port, engine_wants_input(e, side) && !s->look_again,
                                 engine_may_write(e, side) || engine_wants_room(e, side));
}

static void interests(const struct engine *e, struct pollfd fds[POLL_N])
{
    for (int i = 0; i < 2; i++) {
        const struct engine_side *s = &e->side[i];
        bool in = engine_wants_input(e, i) && !s->look_again;
        bool out = engine_may_write(e, i) || engine_wants_room(e, i);
        bool watch = out || (s->has_out && !s->out_shut && !s->gone);
        bool one = s->port->rfd == s->port->wfd;
        fds[2 * i] = (struct pollfd){.fd = in || (one && watch) ? s->port->rfd : -1,
                                     .events = port_events(s->port, in, one && out)};
        fds[2 * i + 1] = (struct pollfd){.fd = watch && !one ? s->port->wfd : -1,
                                         .events = (short)(out ? POLLOUT : 0)};
        fds[POLL_WRITERS + i] =
            (struct pollfd){.fd = in ? s->port->writer_fd : -1, .events = POLLIN};
    }
    fds[POLL_BROKEN] = (struct pollfd){.fd = e->told_broken ? -1 : e->run->broken_fd,
                                       .events = POLLIN};
    fds[POLL_SIGNAL] = (struct pollfd){.fd = e->threaded ? -1 : e->run->signal_fd, .events = POLLIN};
    fds[POLL_STOP] = (struct pollfd){.fd = e->stop_fd, .events = POLLIN};
}

/* The codecs whose input ran dry hold nothing back, however busy the other direction is. */
static int release_idle(struct engine *e, const struct pollfd fds[POLL_N], struct err *err)
{
    for (int i = 0; i < 2; i++) {
        if (!engine_idle_due(e, i) || fds[2 * i].revents & POLLIN)
            continue;
        if (transform_idle(e, i, err) < 0)
            return -1;
    }
    return 0;
}

/* The signal came while the border waited for its dump. */
static bool was_signalled(const struct engine *e)
{
    return !e->threaded && e->run->ended_signal;
}

static int poll_timeout(const struct engine *e)
{
    int64_t deadline = engine_deadline(e), now = deadline < 0 ? 0 : wait_now();
    if (is_ready(e, LEFT) || is_ready(e, RIGHT) || engine_idle_due(e, LEFT) ||
        engine_idle_due(e, RIGHT) || was_signalled(e))
        return 0;
    return deadline < 0                ? -1
           : deadline <= now           ? 0
           : deadline - now > 1000000  ? 1000000
                                       : (int)(deadline - now);
}

/* Those that matter alone: poll() takes no more entries than there may be descriptors. */
static int poll_used(struct pollfd fds[POLL_N], int timeout)
{
    struct pollfd used[POLL_N];
    nfds_t n = 0;
    for (int i = 0; i < POLL_N; i++)
        if (fds[i].fd >= 0)
            used[n++] = fds[i];
    int rc = poll(used, n, timeout);
    n = 0;
    for (int i = 0; i < POLL_N; i++)
        if (fds[i].fd >= 0)
            fds[i].revents = rc > 0 ? used[n++].revents : 0;
    return rc;
}

/* Gives what poll() gave, but -1 only on a real failure. */
static int wait_ports(struct engine *e, struct pollfd fds[POLL_N])
{
    interests(e, fds);
    engine_rest(e);
    int timeout = poll_timeout(e), n = 0;
    /* a neighbour is woken for little only when nothing more comes at once */
    bool due = timeout != 0 && (e->side[LEFT].port->due || e->side[RIGHT].port->due);
    if (due && (n = poll_used(fds, 0)) == 0) {
        port_settle(e->side[LEFT].port);
        port_settle(e->side[RIGHT].port);
    }
    if (n == 0)
        n = poll_used(fds, timeout);
    if (n < 0 && errno == EINTR)
        return 0;
    engine_end_pauses(e);
    /* a handshake is late however much comes */
    int64_t deadline = n == 0 || engine_shakes_hands(e) ? engine_deadline(e) : -1;
    if (deadline >= 0 && wait_now() >= deadline)
        engine_act_on_time(e);
    return n;
}

static const short ENDED = POLLERR | POLLHUP | POLLNVAL;

static short write_events(const struct engine *e, int side, const struct pollfd fds[POLL_N])
{
    const struct port *p = e->side[side].port;
    return fds[2 * side + (p->rfd != p->wfd)].revents;
}

static void look_for_room(struct engine *e, const struct pollfd fds[POLL_N])
{
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        if (engine_wants_room(e, i))
            s->has_room = s->port->ops->ready
                              ? s->port->ops->ready(s->port, false, true)
                              : (write_events(e, i, fds) & (POLLOUT | ENDED)) != 0;
    }
}

static void take_ports(struct engine *e, const struct pollfd fds[POLL_N], struct err *err)
{
    look_for_room(e, fds);
    for (int i = 0; i < 2; i++) {
        struct engine_side *s = &e->side[i];
        short r = fds[2 * i].revents;
        if (write_events(e, i, fds) & ENDED || s->port->gone)
            s->gone = true;
        bool writer_ended = fds[POLL_WRITERS + i].revents != 0;
        if (!engine_wants_input(e, i) || s->look_again ||
            (!(r & (POLLIN | ENDED)) && !port_has_more(s->port) &&
             !s->port->ops->ready && !writer_ended))
            continue;
        int rc = engine_read(e, i, err);
        if (rc < 0)
            engine_failed(e, err);
        else if (rc == 0 && writer_ended)
            (void)engine_end_of_input(e, i);
    }
}

/* The stop request of the run, or a signal. Gives false when the loop is to end. */
static bool go_on(struct engine *e, const struct pollfd fds[POLL_N])
{
    if (was_signalled(e) || (fds[POLL_SIGNAL].revents && signals_take(e->run))) {
        run_cut(e->run);
        engine_drop(e);
        atomic_store(&e->run->stop, true);
        return false;
    }
    if (fds[POLL_BROKEN].revents)
        engine_take_no_more(e);
    if (fds[POLL_STOP].revents) {
        run_ends(e->run, END_STOPPED);
        engine_drop(e);
        return false;
    }
    return true;
}

void engine_relay(struct engine *e)
{
    struct err err;
    while (!engine_work(e, &err)) {
        struct pollfd fds[POLL_N] = {{0}};
        int rc = wait_ports(e, fds);
        if (rc < 0) {
            (void)err_sys(&err, "poll()");
            engine_failed(e, &err);
            break;
        }
        if (!go_on(e, fds))
            break;
        take_ports(e, fds, &err);
        if (!e->closing && release_idle(e, fds, &err) < 0)
            engine_failed(e, &err);
    }
    engine_close(e);
}
