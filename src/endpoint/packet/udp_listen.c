/* SPDX-License-Identifier: GPL-2.0-or-later
 * UDP as if it had connections. A client's socket is connected. A server's becomes so with the
 * first packet, which stays in it; where many are served it stays as it is, and each client gets
 * another one and what it has sent before. An empty packet is the end of file. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/options.h"
#include "catena/plan.h"
#include "catena/wait.h"
#include "endpoint/options/opts_listen.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/packet/dgram.h"
#include "endpoint/socket/inet.h"
#include "endpoint/packet/inet_dgram.h"

/* ---- client ---- */

static int connect_open(const struct addr *a, struct run *r, void *state, struct port **out,
                        struct err *e)
{
    const struct dgram how = {.connected = true};
    int fd = inet_connected(a, r, e);

    (void)state;
    if (fd < 0 || sock_is_connected(a, r, fd, e) < 0)
        return -1;
    return dgram_port(a, r, a->form->arg, fd, &how, out, e);
}

/* ---- server ---- */

struct listener {
    int fd; /* -1: it has become a connection */
    bool many;
    struct sock_kind kind;
    struct sockname name; /* bound to; a port 0 has become a number */
    struct access access;
    bool checked;
    bool in_place; /* it becomes the client's itself, with all that is in it */
    struct backlog backlog;
};

/* A program that takes the place of this process reads its client's first packet from the socket. */
static bool hands_over(const struct run *r)
{
    return opt_true(r->plan->end[RIGHT].fwd, &opt_nofork);
}

static int udp_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    const struct opt *backlog = opt_find(a, &opt_backlog);
    struct listener *l;

    if (backlog && !backlog->sloppy)
        return err_at(e, backlog->at, "option \"%s\" could not be used: packets wait in the socket's "
                                      "buffer (rcvbuf)", backlog->desc->name);
    l = calloc(1, sizeof *l);
    if (!l)
        return err_nomem(e);
    l->kind = *(const struct sock_kind *)a->form->arg;
    l->many = endpoint_serves_many(r, a);
    l->kind.reuseaddr = l->many;
    if (l->many && !opt_find(a, &opt_reuseaddr))
        diag(DIAG_INFO, "SO_REUSEADDR is set, for the sockets of clients share the port");
    l->fd = inet_bound(a, r, &l->kind, a->params[0], &l->access, e);
    if (l->fd < 0 || opts_apply(a, PHASE_LISTEN, l->fd, e) < 0) {
        if (l->fd >= 0)
            close(l->fd);
        free(l);
        return -1;
    }
    sockname_local(&l->name, l->fd);
    l->checked = dgram_has_rules(&l->access);
    l->in_place = !l->many || hands_over(r);
    if (!l->in_place && backlog_init(&l->backlog, a, l->fd, e) < 0) {
        close(l->fd);
        free(l);
        return -1;
    }
    *state = l;
    return 0;
}

static void udp_unlisten(const struct addr *a, void *state, bool forked)
{
    struct listener *l = state;

    (void)a;
    if (l->fd >= 0)
        close(l->fd);
    if (!l->in_place)
        backlog_fini(&l->backlog, forked);
    free(l);
}

/* Another socket like the first one, bound to that address. */
static int bind_again(const struct addr *a, struct run *r, const struct listener *l,
                      const struct sockname *at, struct err *e)
{
    int fd = sock_open(a, r, &l->kind, sockname_family(&l->name), true, e);

    if (fd >= 0 && (sock_bind(a, fd, at, e) < 0 || opts_apply(a, PHASE_LISTEN, fd, e) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Sees to it that there is a socket for new clients. Clients of before may hold all there is. */
static int be_bound(const struct addr *a, struct run *r, struct listener *l, struct err *e)
{
    while (l->fd < 0 && (l->fd = bind_again(a, r, l, &l->name, e)) < 0) {
        if (!l->many || wait_for_more(r, e) < 0)
            return -1;
    }
    return 0;
}

/* ---- one client, in the listening socket ---- */

/* Waits for a packet of somebody who may come in, and leaves it where it is. */
static int next_client(const struct addr *a, struct run *r, const struct listener *l,
                       int64_t deadline, struct sockname *peer, struct err *e)
{
    char byte;

    for (;;) {
        int rc = wait_fd(r, l->fd, POLLIN, deadline, e);

        if (rc < 0)
            return -1;
        if (rc == 0)
            return sock_timed_out(e);
        rc = l->checked ? dgram_admit(a, r, &l->access, l->fd) : 1;
        memset(peer, 0, sizeof *peer);
        peer->len = sizeof peer->u;
        if (rc > 0 &&
            recvfrom(l->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK, &peer->u.sa, &peer->len) >= 0)
            return 0;
        dgram_drop_errors(l->fd);
    }
}

/* Makes the listening socket the client's, gives 1 or -1: what the client has sent since then waits in it. The
 * one for new clients follows at once; made before, it would get packets of this client. */
static int take_client(const struct addr *a, struct run *r, struct listener *l,
                       const struct sockname *peer, int *fd, struct err *e)
{
    struct err later;
    char text[SOCKNAME_TEXT], byte;

    if (connect(l->fd, &peer->u.sa, peer->len) < 0) {
        err_sys(e, "cannot connect to %s", sockname_name(peer, text));
        err_call(e, "connect(%d)", l->fd);
        (void)recv(l->fd, &byte, 1, MSG_DONTWAIT); /* its packet would be the next one again */
        return -1;
    }
    *fd = l->fd;
    l->fd = l->many ? bind_again(a, r, l, &l->name, &later) : -1; /* what is wrong is told by be_bound() */
    return 1;
}

/* ---- each client in a socket of its own ---- */

enum {
    BURST = 8,       /* packets at once that others follow */
    BURST_MS = 2,    /* they do so within that time */
    BURST_MOST = 50, /* times that is waited for before somebody is served */
    DRAINS = 4,      /* times that a new socket is looked into, as long as there is something */
};

/* Takes what has come for new clients. To serve one takes time in which the socket can overflow, so
 * when many come together all of them are taken first. */
static int gather(struct run *r, struct listener *l, struct err *e)
{
    for (int i = 0; i < BURST_MOST; i++) {
        int n = backlog_gather(&l->backlog, e), rc = 0;

        if (n >= BURST && n < BACKLOG_GULP)
            rc = wait_fd(r, l->fd, POLLIN, wait_now() + BURST_MS, e);
        if (n < 0 || rc < 0)
            return -1;
        if (rc == 0)
            break;
    }
    return 0;
}

/* Who has waited longest. */
static int await_client(struct run *r, struct listener *l, int64_t deadline, struct err *e)
{
    for (;;) {
        int rc = gather(r, l, e) < 0 ? -1 : 1;

        if (rc > 0 && l->backlog.first)
            return 0;
        if (rc > 0)
            rc = wait_fd(r, l->backlog.ready_fd, POLLIN, deadline, e);
        if (rc <= 0)
            return rc < 0 ? -1 : sock_timed_out(e);
    }
}

/* A socket beside the listening one, bound to the address that the client knows: connect() would
 * move one that is bound to any, and the kernel does not find sockets while they are moved. Clients of
 * before may hold all there is. */
static int client_socket(const struct addr *a, struct run *r, const struct listener *l,
                         struct sockname *at, struct err *e)
{
    int fd;

    if (at->len == 0)
        *at = l->name;
    sockname_set_port(at, sockname_port(&l->name));
    while ((fd = bind_again(a, r, l, at, e)) < 0)
        if (wait_for_more(r, e) < 0)
            return -1;
    return fd;
}

/* What a new socket has got before it was connected is taken back. First come those that were there
 * before it was, and last those that came meanwhile, so that each sender's keep their order. */
static int connect_client(const struct addr *a, struct run *r, struct listener *l, int fd,
                          const struct sockname *at, const struct sockname *peer, struct err *e)
{
    char text[SOCKNAME_TEXT];

    if (backlog_gather(&l->backlog, e) < 0)
        return -1;
    if (connect(fd, &peer->u.sa, peer->len) < 0)
        return err_sys(e, "connect(%d, %s)", fd, sockname_text(peer, text));
    for (int i = 0, n = 1; i < DRAINS && n > 0; i++) /* some may still be on their way into it */
        if ((n = backlog_drain(&l->backlog, fd, at, e)) < 0 || backlog_gather(&l->backlog, e) < 0)
            return -1;
    return !l->checked || dgram_let_in(a, r, &l->access, fd, peer) > 0;
}

/* Gives the next client a socket and all that it has sent so far: 1; 0 it may not come in; -1. */
static int seat_client(const struct addr *a, struct run *r, struct listener *l, struct dgram *how,
                       int *fd, struct err *e)
{
    struct sockname at = l->backlog.first->at;
    int rc = -1;

    how->to = l->backlog.first->from;
    *fd = client_socket(a, r, l, &at, e);
    if (*fd >= 0)
        rc = connect_client(a, r, l, *fd, &at, &how->to, e);
    how->ahead = backlog_seat(&l->backlog, &how->to);
    how->returns = true;
    how->back_fd = l->backlog.back[1];
    if (rc > 0)
        return 1;
    packets_free(how->ahead);
    if (*fd >= 0)
        close(*fd);
    return rc;
}

/* Makes a port of the client's socket, which it takes. */
static int make_port(const struct addr *a, struct run *r, const struct listener *l, int fd,
                     const struct dgram *how, struct port **out, struct err *e)
{
    struct sockname local;

    sockname_local(&local, fd);
    if (sockname_facts(r, a, fd, &how->to, &local, e) == 0 &&
        opts_apply(a, PHASE_ACCEPT, fd, e) == 0 && opts_apply(a, PHASE_PASTACCEPT, fd, e) == 0 &&
        opts_apply(a, PHASE_CONNECTED, fd, e) == 0)
        return dgram_port(a, r, &l->kind, fd, how, out, e);
    packets_free(how->ahead);
    close(fd);
    return -1;
}

static int await(const struct addr *a, struct run *r, struct listener *l, int64_t deadline,
                 struct sockname *peer, struct err *e)
{
    char text[SOCKNAME_TEXT];

    if (l->in_place && be_bound(a, r, l, e) < 0)
        return -1;
    diag(DIAG_NOTICE, "listening on %s", sockname_text(&l->name, text));
    return l->in_place ? next_client(a, r, l, deadline, peer, e)
                       : await_client(r, l, deadline, e);
}

static int udp_accept(const struct addr *a, struct run *r, void *state, struct port **out,
                      struct err *e)
{
    struct listener *l = state;
    struct dgram how = {.connected = true, .only_to = true};
    int64_t deadline = sock_accept_deadline(a);
    char text[SOCKNAME_TEXT];
    int fd;

    for (;;) {
        if (await(a, r, l, deadline, &how.to, e) < 0)
            return -1;
        int rc = l->in_place ? take_client(a, r, l, &how.to, &fd, e)
                             : seat_client(a, r, l, &how, &fd, e);
        if (rc > 0) {
            diag(DIAG_NOTICE, "accepting UDP connection from %s", sockname_text(&how.to, text));
            sockname_meet(r, fd, &how.to);
            if (make_port(a, r, l, fd, &how, out, e) == 0)
                return 0;
            rc = -1;
        }
        if (rc < 0 && (!l->many || err_is_end(e)))
            return -1;
        if (rc < 0)
            run_warn_lost(r, e, "; still listening");
    }
}

const struct endpoint_ops udp_connect_ops = {.open = connect_open};
const struct endpoint_ops udp_listen_ops = {
    .listen = udp_listen,
    .open = udp_accept,
    .unlisten = udp_unlisten,
};
