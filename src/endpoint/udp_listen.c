/* SPDX-License-Identifier: GPL-2.0-or-later
 * UDP as if it had connections. A client's socket is connected. A server's becomes so with the
 * first packet, which stays in it, and another one is bound for the next client. An empty packet is
 * the end of file. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/wait.h"
#include "dgram.h"
#include "inet.h"
#include "inet_dgram.h"

/* ---- client ---- */

static int connect_open(const struct addr *a, struct run *r, void *state, struct port **out,
                        struct err *e)
{
    const struct sock_kind *kind = a->form->arg;
    const struct dgram how = {.connected = true};
    struct names targets = {0};
    struct inet_local local = {0};
    int port, fd = -1;

    (void)state;
    if (resolve_port(r, a->params[1], kind->type, &port, e) == 0 &&
        inet_targets(a, r, kind, port, &targets, &local, e) == 0)
        fd = sock_connect_any(a, r, kind, &targets, inet_bind_local, &local, e);
    names_fini(&targets);
    names_fini(&local.names);
    if (fd < 0 || sock_is_connected(a, r, fd, e) < 0)
        return -1;
    return dgram_port(a, r, kind, fd, &how, out, e);
}

/* ---- server ---- */

struct listener {
    int fd; /* -1: it has become a connection */
    bool many;
    struct sock_kind kind;
    struct sockname name; /* bound to; a port 0 has become a number */
    struct access access;
    bool checked;
};

static int udp_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    const struct opt *backlog = opt_find(a, OPT_BACKLOG);
    struct listener *l;

    if (backlog != NULL && !backlog->sloppy)
        return err_at(e, backlog->at, "option \"%s\" could not be used: packets wait in the socket's "
                                      "buffer (rcvbuf)", backlog->desc->name);
    l = calloc(1, sizeof *l);
    if (l == NULL)
        return err_nomem(e);
    l->kind = *(const struct sock_kind *)a->form->arg;
    l->many = endpoint_serves_many(r, a);
    l->kind.reuseaddr = l->many;
    if (l->many && opt_find(a, OPT_REUSEADDR) == NULL)
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
    *state = l;
    return 0;
}

static void udp_unlisten(const struct addr *a, void *state, bool forked)
{
    struct listener *l = state;

    (void)a;
    (void)forked;
    if (l->fd >= 0)
        close(l->fd);
    free(l);
}

/* Another socket like the first one. */
static int bind_again(const struct addr *a, struct run *r, const struct listener *l,
                      struct err *e)
{
    int fd = sock_open(a, r, &l->kind, sockname_family(&l->name), true, e);

    if (fd >= 0 && (sock_bind(a, fd, &l->name, e) < 0 || opts_apply(a, PHASE_LISTEN, fd, e) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Sees to it that there is a socket for new clients. Clients of before may hold all there is. */
static int be_bound(const struct addr *a, struct run *r, struct listener *l, struct err *e)
{
    while (l->fd < 0 && (l->fd = bind_again(a, r, l, e)) < 0) {
        if (!l->many || wait_for_more(r, e) < 0)
            return -1;
    }
    return 0;
}

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

/* Makes the listening socket the client's: what the client has sent since then waits in it. The
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
    l->fd = l->many ? bind_again(a, r, l, &later) : -1; /* what is wrong is told by be_bound() */
    return 0;
}

/* Makes a port of the client's socket, which it takes. */
static int make_port(const struct addr *a, struct run *r, const struct listener *l, int fd,
                     const struct dgram *how, struct port **out, struct err *e)
{
    struct sockname local;

    sockname_local(&local, fd);
    if (sockname_facts(r, &how->to, &local, e) == 0 && opts_apply(a, PHASE_ACCEPT, fd, e) == 0 &&
        opts_apply(a, PHASE_PASTACCEPT, fd, e) == 0 && opts_apply(a, PHASE_CONNECTED, fd, e) == 0)
        return dgram_port(a, r, &l->kind, fd, how, out, e);
    close(fd);
    return -1;
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
        if (be_bound(a, r, l, e) < 0)
            return -1;
        diag(DIAG_NOTICE, "listening on %s", sockname_text(&l->name, text));
        if (next_client(a, r, l, deadline, &how.to, e) < 0)
            return -1;
        diag(DIAG_NOTICE, "accepting UDP connection from %s", sockname_text(&how.to, text));
        sockname_meet(r, l->fd, &how.to);
        if (take_client(a, r, l, &how.to, &fd, e) == 0 &&
            make_port(a, r, l, fd, &how, out, e) == 0)
            return 0;
        if (!l->many || err_is_end(e))
            return -1;
        run_warn_lost(r, e, "; still listening");
    }
}

const struct endpoint_ops udp_connect_ops = {.open = connect_open};
const struct endpoint_ops udp_listen_ops = {
    .listen = udp_listen,
    .open = udp_accept,
    .unlisten = udp_unlisten,
};
