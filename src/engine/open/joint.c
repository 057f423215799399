/* SPDX-License-Identifier: GPL-2.0-or-later
 * Joints and programs: see joint.h. */
#include "engine/open/joint.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include "engine/port/framed.h"
#include "engine/port/ring.h"

static bool is_program(const struct addr *a)
{
    return a && a->form->kind == FORM_PROGRAM;
}

/* The program whose side faces this joint; its data side obeys the option commtype. */
static const struct addr *facing(const struct plan_link *l, int side, bool *data)
{
    if (!l || l->fate != FATE_PROGRAM)
        return NULL;
    *data = l->wire != side;
    return is_program(l->fwd) ? l->fwd : l->back;
}

int joint_type(const struct plan *p, const struct plan_link *left, const struct plan_link *right,
               enum comm_type *type, struct err *e)
{
    bool ldata = false, rdata = false;
    const struct addr *l = facing(left, RIGHT, &ldata), *r = facing(right, LEFT, &rdata);
    if (comm_by_letter(p->settings->comm, type, e) < 0)
        return -1;
    const struct addr *a = r && rdata ? r : l && ldata ? l : NULL;
    return a ? comm_of_addr(a, *type, type, e) : 0;
}

bool joint_in_memory(const struct plan *p, const struct plan_link *left,
                     const struct plan_link *right)
{
    bool data;
    struct err ignored;
    enum comm_type type;
    if (facing(left, RIGHT, &data) || facing(right, LEFT, &data))
        return false;
    return !p->settings->comm_given || (comm_by_letter(p->settings->comm, &type, &ignored) == 0 &&
                                        (type == COMM_PTY || type == COMM_PTYS));
}

static const char *label_of(const struct station *s)
{
    return s && s->item->link ? s->item->link->fwd->label : "relay";
}

/* A station that is a program in one flow and an engine in the other takes both: the engine gets
 * the halves its flow needs. */
static bool wants_fds(const struct station *s)
{
    return s && s->program;
}

static int engine_port(const struct comm_info *info, struct comm_ends *ends,
                       const struct station *to, struct port **out, struct err *e)
{
    unsigned flags = info->flags | PORT_JOINT | (wants_fds(to) ? PORT_PROGRAM : 0U);
    struct comm_ends taken = *ends;
    *ends = (struct comm_ends){-1, -1};
    return port_open_fds(taken.rfd, taken.wfd, flags, info->shut, label_of(to), out, e);
}

/* The directions are two programs', or a program's and an engine's: who ends one of them must not
 * need the other's leave, nor share its O_NONBLOCK. */
static bool is_shared(const struct station *s)
{
    return wants_fds(s) && s->item->link->back;
}

static int make_ports(const struct line *l, struct station *outer, struct station *inner, int side,
                      struct port *ports[2], struct err *e)
{
    struct comm_ends a, b; /* b is the end for a program: with ptys it is the slave */
    enum comm_type type;
    const struct plan_link *links[2] = {outer->item->link, inner ? inner->item->link : NULL};
    const struct plan_link *left = links[side == LEFT ? 0 : 1], *right = links[side == LEFT ? 1 : 0];
    if (joint_in_memory(l->plan, left, right))
        return ring_pair(label_of(inner), label_of(outer), &ports[0], &ports[1], e);
    if (joint_type(l->plan, left, right, &type, e) < 0)
        return -1;
    if (is_shared(outer) || is_shared(inner))
        type = comm_info(type)->apart;
    if (comm_pair(type, &a, &b, e) < 0)
        return -1;
    struct comm_ends *of_outer = wants_fds(outer) ? &b : &a;
    struct comm_ends *of_inner = of_outer == &a ? &b : &a;
    const struct comm_info *info = comm_info(type);
    int rc = 0;
    if (wants_fds(outer)) {
        outer->ends[!side] = *of_outer;
        *of_outer = (struct comm_ends){-1, -1};
    } else {
        rc = engine_port(info, of_outer, inner, &ports[0], e);
    }
    if (rc == 0 && wants_fds(inner)) {
        inner->ends[side] = *of_inner;
        *of_inner = (struct comm_ends){-1, -1};
    } else if (rc == 0) {
        rc = engine_port(info, of_inner, outer, &ports[1], e);
    }
    comm_close(&a);
    comm_close(&b);
    if (rc < 0) {
        port_close(ports[0]);
        ports[0] = NULL;
    }
    return rc;
}

/* ---- records ---- */

/* The place behind the last of those that share that one's engine. */
static const struct plan_hop *hop_behind(const struct plan *p, const struct plan_item *it)
{
    size_t hop = it->hop;
    for (size_t i = 0; it->engine && i < p->nitems; i++)
        if (p->items[i].engine == it->engine && p->items[i].hop > hop)
            hop = p->items[i].hop;
    return &p->hops[hop];
}

/* A ring keeps blocks, and is told what they are; a stream gets frames. records: what the port is given, and
 * gives. */
static int keep_records(struct port **p, bool given, bool gives, struct err *e)
{
    if ((*p)->ops->take)
        (*p)->flags |= given ? PORT_MSG_W | PORT_EMPTY_W : 0U;
    else if (given || gives)
        return port_frame(p, gives, given, e);
    return 0;
}

int joint_make(struct line *l, struct station *outer, struct station *inner, int side,
               struct port *ports[2], struct err *e)
{
    if (make_ports(l, outer, inner, side, ports, e) < 0)
        return -1;
    if (!ports[0] || !ports[1])
        return 0; /* a program knows no records */
    const bool *records = hop_behind(l->plan, side == LEFT ? outer->item : inner->item)->records;
    if (keep_records(&ports[0], records[side], records[!side], e) == 0 &&
        keep_records(&ports[1], records[!side], records[side], e) == 0)
        return 0;
    for (int i = 0; i < 2; i++) {
        port_close(ports[i]);
        ports[i] = NULL;
    }
    return -1;
}

/* ---- what an engine only listens to ---- */

int joint_face(struct station *s, int side, struct port **out, struct err *e)
{
    struct comm_ends ends[2];
    const struct comm_info *info = comm_info(COMM_SOCKETPAIR);
    if (comm_pair(COMM_SOCKETPAIR, &ends[0], &ends[1], e) < 0)
        return -1;
    int rc = engine_port(info, &ends[0], NULL, &s->engine.side[!side].port, e);
    if (rc == 0)
        rc = engine_port(info, &ends[1], s, out, e);
    comm_close(&ends[0]);
    comm_close(&ends[1]);
    return rc;
}

/* ---- programs ---- */

static int spawn(struct line *l, const struct addr *a, const struct program_fds *fds, struct err *e)
{
    if (ERR_ASKED(e, a->form->ops.program->spawn(a, l->run, fds, e)) < 0)
        return err_wrap(e, "%s", a->label);
    return 0;
}

static int keep(int fd, struct err *e)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return copy < 0 ? err_sys(e, "fcntl(%d, F_DUPFD)", fd) : copy;
}

/* The flow that is not the program's is the station's engine's: from -> to. */
static int engine_beside(struct station *s, int from, struct err *e)
{
    int to = !from;
    int rfd = keep(s->ends[from].rfd, e), wfd = rfd < 0 ? -1 : keep(s->ends[to].wfd, e);
    const char *label = label_of(s);
    if (wfd < 0) {
        if (rfd >= 0)
            close(rfd);
        return -1;
    }
    if (port_open_fds(rfd, -1, PORT_JOINT | PORT_EIO_EOF, PORT_SHUT_NONE, label,
                      &s->engine.side[from].port, e) < 0) {
        close(wfd);
        return -1;
    }
    return port_open_fds(-1, wfd, PORT_JOINT, PORT_SHUT_CLOSE, label, &s->engine.side[to].port, e);
}

/* A half of a dual has one flow, used in its own forward direction. A program with two sides gets it
 * under the numbers of that direction and, so that filters do as well (exec:unix2dos%exec:dos2unix),
 * as its standard input and output. */
static struct program_fds filter_fds(const struct addr *a, int in, int out)
{
    bool two_sided = is_program(a) && !a->form->ops.program->one_way;
    return (struct program_fds){in, two_sided ? out : -1, -1, out};
}

static int spawn_dual(struct line *l, struct station *s, struct err *e)
{
    const struct plan_link *k = s->item->link;
    int data = !k->wire, wire = k->wire;
    struct program_fds there = filter_fds(k->fwd, s->ends[data].rfd, s->ends[wire].wfd);
    struct program_fds back = filter_fds(k->back, s->ends[wire].rfd, s->ends[data].wfd);
    if (is_program(k->fwd) && spawn(l, k->fwd, &there, e) < 0)
        return -1;
    if (is_program(k->back) && spawn(l, k->back, &back, e) < 0)
        return -1;
    if (!is_program(k->fwd))
        return engine_beside(s, data, e);
    return is_program(k->back) ? 0 : engine_beside(s, wire, e);
}

static int spawn_single(struct line *l, struct station *s, struct err *e)
{
    const struct plan_link *k = s->item->link;
    int data = !k->wire, wire = k->wire;
    bool there = data == LEFT ? k->to_right : k->to_left;
    bool back = data == LEFT ? k->to_left : k->to_right;
    struct program_fds fds = {there ? s->ends[data].rfd : -1, back ? s->ends[data].wfd : -1,
                              back ? s->ends[wire].rfd : -1, there ? s->ends[wire].wfd : -1};
    return spawn(l, k->fwd, &fds, e);
}

int joint_spawn(struct line *l, struct station *s, struct err *e)
{
    int rc = s->item->link->back ? spawn_dual(l, s, e) : spawn_single(l, s, e);
    comm_close(&s->ends[LEFT]);
    comm_close(&s->ends[RIGHT]);
    return rc;
}
