/* SPDX-License-Identifier: GPL-2.0-or-later
 * Reading into an engine and writing out of it. Never waits. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "engine/relay/border.h"
#include "catena/diag.h"
#include "catena/wait.h"
#include "engine/relay/engine.h"
#include "engine/port/express.h"

enum { TAKES = 16 }; /* blocks of neighbours in one turn; signals and descriptors wait so long */

static bool at_border(const struct engine *e, int side)
{
    return e->border && e->border_side == side && !e->run->plan->border_inside;
}

static bool border_looks(const struct engine *e, int side)
{
    return at_border(e, side) && e->border->active;
}

/* ---- reading ---- */

bool engine_wants_room(const struct engine *e, int side)
{
    const struct engine_side *s = &e->side[side], *other = &e->side[!side];
    bool reads = other->port && engine_has_in(e, !side) && !engine_in_ended(e, !side);
    return engine_has_out(e, side) && !engine_out_shut(e, side) && !s->has_room && reads && !e->closing &&
           s->port;
}

/* What comes on a session's wire is its own talk, too, and has room in the session. */
bool engine_wants_input(const struct engine *e, int side)
{
    const struct engine_side *to = &e->side[!side];
    if (!engine_has_in(e, side) || engine_in_ended(e, side) || e->closing || !e->side[side].port ||
        buf_holds(stack_in(e, side)))
        return false;
    if (to->port && !to->has_room && !stack_wire(e, side))
        return false;
    return !lane_is_plain(e, side) || !engine_wants_output(e, !side);
}

enum {
    EIO_PAUSE_MS = 20,
    PROBE_MS = 1000, /* most have ended by then; whole seconds, so that many are looked at in one go */
};

int engine_end_of_input(struct engine *e, int side)
{
    struct engine_side *s = &e->side[side];
    if (s->port->flags & PORT_IGNORE_EOF) {
        s->look_again = wait_now() + 1000;
        return 0;
    }
    if (!(s->port->flags & PORT_JOINT)) {
        diag(DIAG_NOTICE, "socket %d (fd %d) is at EOF", side == LEFT ? 1 : 2, s->port->given[0]);
        run_child_eof(e->run, s->port->label);
        if (!e->run->settings->v1_name && !engine_out_shut(e, side)) /* else nothing is awaited there any more */
            s->probe_at = (wait_now() / PROBE_MS + 2) * PROBE_MS;
    }
    bool cut = s->port->flags & PORT_JOINT && atomic_load(&e->run->broken);
    stack_end(e, stack_seam(e, side), side, cut ? FLOW_CUT : FLOW_ENDED, "end of file");
    run_touch(e->run);
    return 1;
}

static void arrived(struct engine *e, int side, size_t n)
{
    const struct engine_side *s = &e->side[side];
    run_touch(e->run);
    if (at_border(e, side) && !border_looks(e, side))
        border_count(e->border, side, n);
    if (s->beyond && s->of_program[side])
        traffic_add(&s->beyond->out[side], n);
}

/* What the express way took, as a read gives it; -2: it is left, and the plain way has to look. It
 * cannot do everything and does not know an end from a reset, but an error it tells is told once. */
static ssize_t read_express(struct engine *e, int side)
{
    struct engine_lane *lane = &e->lane[side];
    if (!express_is_over(lane->express)) {
        ssize_t n = express_take(lane->express, e->side[side].port);
        if (n > 0 || (n < 0 && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS))
            return n;
    }
    lane_leave_express(lane);
    return -2;
}

/* How much of the room one read may fill. */
static size_t may_read(const struct engine *e, int side, size_t room)
{
    if (lane_takes_whole(e, side))
        return room;
    if (room > e->lane[side].block)
        room = e->lane[side].block;
    if (e->border && (at_border(e, side) || lane_is_plain(e, side))) /* what readbytes leaves is for others */
        room = border_may_read(e->border, side, room);
    return room;
}

static ssize_t read_plain(struct engine *e, int side, struct err *err)
{
    struct engine_side *s = &e->side[side];
    struct buf *b = stack_in(e, side);
    unsigned char *at;
    if (s->port->ops->take)
        return s->port->ops->take(s->port, b);
    for (size_t need = lane_room(e, side);; need = s->port->need) {
        if (lane_make_room(e, side, b, need, err) < 0) {
            /* the message would be the next one again */
            stack_end(e, stack_seam(e, side), side, FLOW_CUT, "a message is too long");
            return -2;
        }
        size_t room = may_read(e, side, buf_room(b, &at));
        ssize_t n = port_read(s->port, at, room);
        if (n < 0 && errno == EMSGSIZE && s->port->need > room)
            continue;
        if (n == 0 && s->port->control.kind) {
            b->control = s->port->control;
            s->port->control.kind = CONTROL_NONE;
            return 0;
        }
        bool blank = n == 0 && s->port->blank;
        b->record = blank || (n > 0 && s->port->flags & PORT_MSG_R);
        if (n <= 0)
            return n;
        buf_commit(b, (size_t)n);
        lane_learn(e, side, (size_t)n, room);
        return (ssize_t)lane_cut(e, side, b);
    }
}

int engine_read(struct engine *e, int side, struct err *err)
{
    struct engine_side *s = &e->side[side];
    ssize_t n = e->lane[side].express ? read_express(e, side) : -2;
    if (n == -2)
        n = read_plain(e, side, err);
    if (n == -2)
        return -1;
    if (n > 0 || (n == 0 && buf_holds(stack_in(e, side)))) {
        s->looked_last = false;
        if (!stack_in(e, side)->control.kind)
            arrived(e, side, (size_t)n);
        return 1;
    }
    if (n == 0)
        return engine_end_of_input(e, side);
    if (errno == EINTR)
        return ENGINE_AGAIN;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        if (s->port->eio_until)
            s->look_again = wait_now() + EIO_PAUSE_MS;
        return 0;
    }
    if (errno == ECONNREFUSED && engine_has_out(e, side) && engine_out_shut(e, side))
        return engine_end_of_input(e, side); /* it has gone at our last word, without its own */
    /* On a joint that is the neighbour's end: it speaks for itself, and what it did not take is
     * counted when we write. After a cool write it is the same news once more. */
    if (errno == ECONNRESET && s->port->flags & PORT_PROGRAM_R) {
        run_lose(e->run, !side, 0, s->port->label);
        if (e->run->settings->v1_name)
            diag(DIAG_WARN, "%s: read(%d): Connection reset by peer", s->port->label,
                 s->port->given[0]);
        return engine_end_of_input(e, side);
    }
    if (errno == ECONNRESET &&
        (s->port->flags & PORT_JOINT || (s->port->flags & PORT_COOL_WRITE && s->gone)))
        return engine_end_of_input(e, side);
    stack_end(e, stack_seam(e, side), side, FLOW_CUT, "reading failed");
    if (s->port->why)
        return *err = *s->port->why, -1;
    (void)err_sys(err, "%s: reading failed", s->port->label);
    return err_call(err, "read(%d)", s->port->given[0]);
}

/* ---- writing ---- */

size_t engine_waiting(const struct engine *e, int side)
{
    const struct express *x = e->lane[!side].express;
    return stack_out(e, side)->len + (x ? x->held : 0);
}

size_t engine_owed(const struct engine *e, int side)
{
    const struct express *x = e->lane[!side].express;
    const struct port *from = e->side[!side].port;
    return stack_held(e, !side) + (x ? x->held : 0) + (x && from ? express_left(x, from) : 0);
}

/* The source is a file and the kernel takes from it as it gives. */
static bool is_direct(const struct engine *e, int side)
{
    const struct express *x = e->lane[!side].express;
    return x && x->direct && !e->closing && !engine_in_ended(e, !side);
}

bool engine_wants_output(const struct engine *e, int side)
{
    const struct engine_side *s = &e->side[side];
    const struct express *x = e->lane[!side].express;
    return s->out == OUT_OPEN && s->port &&
           (buf_holds(stack_out(e, side)) || (x && (x->held > 0 || is_direct(e, side))));
}

bool engine_may_write(const struct engine *e, int side)
{
    return engine_wants_output(e, side) && !e->side[side].write_again;
}

void engine_end_flow_to(struct engine *e, int side)
{
    e->side[side].out = OUT_SHUT;
    run_touch(e->run);
    lane_leave_express(&e->lane[!side]);
    stack_refuse(e, stack_seam(e, side), !side);
}

void engine_count_lost(struct engine *e, int side)
{
    const struct port *p = e->side[side].port;
    const char *program = p && p->flags & PORT_PROGRAM_W ? p->wlabel : NULL;
    size_t n = engine_owed(e, side);
    /* other engines may hold what it does not want, when this one holds nothing */
    if (n > 0 || (program && !engine_out_ended(e, side)))
        run_lose(e->run, !side, n, program);
}

enum { LIMIT_TEXT = 64 };

/* For a message of n bytes that is too long. */
static void say_limit(const struct port *p, size_t n, char text[static LIMIT_TEXT])
{
    size_t most = port_message_most(p);
    text[0] = '\0';
    if (most > 0 && most < n)
        (void)snprintf(text, LIMIT_TEXT, " where a message has at most %zu", most);
}

static int write_failed(struct engine *e, int side, struct err *err)
{
    struct engine_side *s = &e->side[side];
    int sys = errno;
    bool peer_gone = sys == EPIPE || sys == ECONNRESET;
    bool joint = s->port->flags & PORT_JOINT, cool = s->port->flags & PORT_COOL_WRITE;
    size_t n = engine_waiting(e, side);
    /* v1 takes it for an error, whatever the program's status, but on a pipe */
    bool pipe = s->port->flags & PORT_FINAL_W && !(s->port->flags & PORT_SOCKET_W);
    bool program = s->port->flags & PORT_PROGRAM_W && (!e->run->settings->v1_name || pipe) && !cool;
    bool hung_up = sys == EIO && s->port->flags & PORT_TTY;
    if ((joint && peer_gone) || (program && (peer_gone || hung_up))) {
        /* the neighbour has ended; if it failed it says so itself, else the count tells */
        struct err ignored;
        engine_count_lost(e, side);
        engine_end_flow_to(e, side);
        (void)port_shutdown(s->port, &ignored); /* or goes on, and waits for the end of its input */
        return 0;
    }
    engine_end_flow_to(e, side);
    char limit[LIMIT_TEXT] = "";
    if (sys == EMSGSIZE)
        say_limit(s->port, n, limit);
    errno = sys;
    if (s->port->why)
        *err = *s->port->why;
    else if (n > 0)
        (void)err_sys(err, "%s: writing %zu bytes%s failed", s->port->wlabel, n, limit);
    else
        (void)err_sys(err, "%s: nobody reads there any more", s->port->wlabel);
    if (!s->port->why)
        (void)err_call(err, "write(%d, %zu bytes)", s->port->given[1], n);
    if (peer_gone && cool) {
        diag_err(DIAG_NOTICE, err);
        atomic_store(&e->run->cut[!side], true);
        s->gone = true;
        return 0;
    }
    return -1;
}

/* Something is there, or the end: what comes of it tells more. */
static bool has_input(const struct engine *e, int side)
{
    const struct engine_side *s = &e->side[side];
    struct pollfd pfd = {.events = POLLIN};
    if (!s->port || engine_in_ended(e, side) || buf_holds(stack_in(e, side)) || port_ready(s->port, true, false))
        return true;
    pfd.fd = s->port->rfd;
    return !s->port->ops->ready && poll(&pfd, 1, 0) > 0;
}

int engine_notice_gone(struct engine *e, int side, struct err *err)
{
    struct engine_side *s = &e->side[side];
    bool program = s->port && s->port->flags & PORT_PROGRAM_W;
    if (!s->port || !engine_has_out(e, side) || engine_out_shut(e, side) || engine_out_ended(e, side) ||
        engine_wants_output(e, side))
        return 0;
    if (engine_has_in(e, side) && (program || port_is_one(s->port)))
        return 0; /* its end of file comes, or an answer */
    if (has_input(e, !side))
        return 0;
    if (program) {
        run_lose(e->run, !side, 0, s->port->wlabel);
        engine_end_flow_to(e, side);
        return 0;
    }
    errno = port_write_error(s->port);
    return errno ? write_failed(e, side, err) : 0;
}

/* A session has said goodbye itself. Below it nothing ends before the other direction has ended, too, or,
 * one-way, its peer has said goodbye: many a proxy takes half a close for a whole one. */
static bool fin_waits(const struct engine *e, int side)
{
    const struct layer *l = stack_wire(e, side);
    return l && !l->session->bare_end && !layer_to(e, l, side)->end[side] && !engine_in_ended(e, side);
}

static int shut(struct engine *e, int side, struct err *err)
{
    struct engine_side *s = &e->side[side];
    if (!engine_out_shut(e, side))
        run_touch(e->run);
    if (e->border)
        run_ends(e->run, side == RIGHT ? END_LEFT : END_RIGHT);
    s->out = fin_waits(e, side) ? OUT_FIN_DUE : OUT_SHUT;
    if (s->out == OUT_FIN_DUE)
        return 0;
    if (port_shutdown(s->port, err) < 0)
        return err_wrap(err, "%s", s->port->wlabel);
    if (s->port->rfd < 0 && !(s->port->flags & PORT_STALL_R)) /* shut-close on one descriptor for both ways */
        stack_end(e, stack_seam(e, side), side, FLOW_ENDED, "its descriptor has been closed");
    return 0;
}

enum { FULL_MS = 2 }; /* between tries to write, where poll() does not tell when there is room */

/* Nothing is to be tried yet. */
static bool is_full(struct engine_side *s)
{
    if (s->write_again && wait_now() >= s->write_again)
        s->write_again = 0;
    return s->write_again != 0;
}

static void sent(struct engine *e, int side, size_t n)
{
    const struct engine_side *s = &e->side[side];
    run_touch(e->run);
    if (at_border(e, side) && !border_looks(e, side))
        border_count(e->border, !side, n);
    if (s->beyond && s->of_program[!side])
        traffic_add(&s->beyond->in[!side], n);
}

/* The express way gives. Whatever does not work or ends is left to the plain way, which finds the
 * same and can tell it. Gives 0 also when it has been left, -1. */
static int flush_express(struct engine *e, int side, bool *moved, struct err *err)
{
    struct engine_lane *lane = &e->lane[!side];
    struct express *x = lane->express;
    ssize_t n = express_give(x, e->side[!side].port, e->side[side].port);
    if (n > 0) {
        sent(e, side, (size_t)n);
        stack_passed(e, !side, (size_t)n);
        if (x->direct && at_border(e, !side))
            border_count(e->border, !side, (size_t)n);
        *moved |= !x->direct; /* a file is endless: the loop looks around between chunks */
        return 0;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0 && !x->direct && (errno == EPIPE || errno == ECONNRESET))
        return write_failed(e, side, err);
    if (express_recall(x, stack_out(e, side)) < 0) {
        engine_count_lost(e, side);
        engine_end_flow_to(e, side);
        return err_nomem(err);
    }
    lane_leave_express(lane);
    lane->settled = true; /* not again */
    *moved = true;
    return 0;
}

/* One write: gives what it took, -1 and errno. An empty message goes only where it can be told from an end. */
static ssize_t put_out(const struct engine *e, int side, struct buf *b)
{
    struct port *p = e->side[side].port;
    if (p->ops->give)
        return p->ops->give(p, b);
    if (b->control.kind) {
        int rc = port_control(p, &b->control);
        if (rc == 0)
            buf_consume(b, 0);
        return rc;
    }
    bool nothing = b->len == 0 && !(p->flags & PORT_EMPTY_W);
    size_t portion = p->flags & PORT_MSG_W ? stack_portion(e, b) : b->len;
    ssize_t n = nothing ? 0 : port_write(p, b->len > 0 ? buf_data(b) : (const unsigned char *)"", portion);
    if (n > 0 || (n == 0 && b->len == 0))
        buf_consume(b, (size_t)n);
    return n;
}

/* What came as a packet gets lost where none so large can be sent, and nothing else does. A session's packets are
 * what it made of a stream, which then has a gap; and v1 ends. */
static bool drop_packet(struct engine *e, int side, struct buf *b)
{
    struct engine_side *s = &e->side[side];
    bool of_packets = b->record && s->port->flags & PORT_SOCKET_W && !(s->port->flags & PORT_SEALED);
    if (errno != EMSGSIZE || !of_packets || e->run->settings->v1_name)
        return false;
    char limit[LIMIT_TEXT];
    say_limit(s->port, b->len, limit);
    diag(s->told_dropped ? DIAG_NOTICE : DIAG_WARN, "%s: a packet of %zu bytes has been dropped%s: message too long",
         s->port->wlabel, b->len, limit);
    s->told_dropped = true;
    buf_consume(b, b->len);
    return true;
}

static int flush(struct engine *e, int side, bool *moved, struct err *err)
{
    struct engine_side *s = &e->side[side];
    struct buf *b = stack_out(e, side);
    if (s->out == OUT_FIN_DUE && !fin_waits(e, side))
        return shut(e, side, err);
    if (!engine_has_out(e, side) || engine_out_shut(e, side)) {
        *moved |= buf_holds(b);
        buf_consume(b, b->len);
        return 0;
    }
    if (e->lane[!side].express && !buf_holds(b) && engine_wants_output(e, side))
        return flush_express(e, side, moved, err);
    while (buf_holds(b)) {
        if (is_full(s))
            return 0;
        bool counts = !b->control.kind;
        ssize_t n = put_out(e, side, b);
        if (n < 0 && (errno == EINTR || drop_packet(e, side, b)))
            continue;
        if (n < 0 && errno == ENOBUFS) {
            s->write_again = wait_now() + FULL_MS;
            return 0;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return 0;
        if (n < 0)
            return write_failed(e, side, err);
        *moved = true;
        if (counts)
            sent(e, side, (size_t)n);
    }
    if (engine_out_ended(e, side) && engine_waiting(e, side) == 0 && !e->closing) {
        *moved = true;
        return shut(e, side, err);
    }
    return 0;
}

/* A neighbour's next block costs no system call. */
static int take(struct engine *e, int side, unsigned *most, bool *moved, struct err *err)
{
    if (!e->side[side].port->ops->take || *most == 0 || !engine_wants_input(e, side))
        return 0;
    int rc = engine_read(e, side, err);
    if (rc > 0) {
        --*most;
        *moved = true;
    }
    return rc;
}

int engine_turn(struct engine *e, struct err *err)
{
    return engine_turn_until(e, -1, err);
}

int engine_turn_until(struct engine *e, int64_t until, struct err *err)
{
    unsigned most = TAKES;
    e->has_more = false;
    for (bool moved = true; moved;) {
        if (until >= 0 && e->has_more && wait_now() >= until)
            return 0;
        moved = false;
        if (stack_step(e, &moved, err) < 0)
            return -1;
        for (int side = LEFT; side <= RIGHT; side++)
            if (e->side[side].port && (flush(e, side, &moved, err) < 0 ||
                                       take(e, side, &most, &moved, err) < 0))
                return -1;
        e->has_more = moved;
    }
    return 0;
}
