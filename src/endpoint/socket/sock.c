/* SPDX-License-Identifier: GPL-2.0-or-later
 * The life of a socket. Nothing here knows an address family; see inet.c and unix.c for those. */
#include "endpoint/socket/sock.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/options.h"
#include "catena/wait.h"
#include "endpoint/options/apply.h"
#include "endpoint/options/opts_listen.h"
#include "endpoint/options/opts_socket.h"

enum {
    BACKLOG = 5,        /* connections, as the manual says */
    BUSY_WAIT_MS = 10,  /* between attempts at a UNIX listener whose backlog is full */
    PAUSE_MAX_MS = 1000 /* between failing accept() calls */
};

static int64_t deadline_after(double seconds)
{
    return wait_now() + wait_ms(seconds);
}

/* The options of several phases, one after the other. */
static int apply_phases(const struct addr *a, const enum phase *phases, size_t n, int fd,
                        struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        if (opts_apply(a, phases[i], fd, e) < 0)
            return -1;
    }
    return 0;
}
#define APPLY(a, fd, e, ...)                                                                       \
    apply_phases(a, (const enum phase[]){__VA_ARGS__},                                             \
                 sizeof((const enum phase[]){__VA_ARGS__}) / sizeof(enum phase), fd, e)

static const char *socket_name(const struct sock_kind *kind, int family)
{
    if (kind->name)
        return kind->name;
    switch (family) {
    case AF_INET:
        return "IPv4";
    case AF_INET6:
        return "IPv6";
    case AF_UNIX:
        return "UNIX domain";
    case AF_PACKET:
        return "packet";
    default:
        return "such";
    }
}

static int set_reuseaddr(const struct addr *a, int fd, struct err *e)
{
    int on = 1;

    if (opt_find(a, &opt_reuseaddr))
        return 0;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
        return err_sys(e, "setsockopt(%d, SO_REUSEADDR)", fd);
    return 0;
}

/* Nagle's algorithm would hold a record back until the peer, who waits for it, acknowledges. */
static int set_prompt(int fd, struct err *e)
{
    int on = 1;

    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0)
        return err_sys(e, "setsockopt(%d, TCP_NODELAY)", fd);
    return 0;
}

/* The system keeps who has connected and says nothing, for a second, which his time to speak then follows. So hardly
 * anybody has to be waited for by a thread. */
static void wait_for_words(int fd)
{
    int seconds = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof seconds);
}

/* Who waits for others connects to nobody; with DTLS it is the time for the handshake. */
static int check_passive(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_connect_timeout);

    if (!o || o->sloppy || a->form->groups & GROUP_OPENSSL ||
        !(a->form->groups & GROUP_LISTEN))
        return 0;
    return err_at(e, o->at, "option \"%s\" could not be used: nothing is connected here",
                  o->desc->name);
}

static int open_socket(const struct addr *a, struct run *r, const struct sock_kind *kind, int family, bool passive,
                       int flags, struct err *e)
{
    int type = (int)opt_int(a, &opt_so_type, kind->type);
    int protocol = (int)opt_int(a, &opt_so_protocol, kind->protocol);
    int fd;

    if ((passive && check_passive(a, e) < 0) || APPLY(a, -1, e, PHASE_PRESOCKET, PHASE_SOCKET) < 0)
        return -1;
    fd = socket(family, type | SOCK_CLOEXEC | flags, protocol);
    if (fd < 0) {
        (void)err_sys(e, "the system gives no %s socket", socket_name(kind, family));
        return err_call(e, "socket(%d, %d, %d)", family, type, protocol);
    }
    if (passive && a->heard_first && protocol == IPPROTO_TCP)
        wait_for_words(fd);
    if ((a->prompt && protocol == IPPROTO_TCP && set_prompt(fd, e) < 0) ||
        opts_apply_in(a, r, PHASE_PASTSOCKET, fd, e) < 0 ||
        (passive && kind->reuseaddr && set_reuseaddr(a, fd, e) < 0) ||
        opts_apply(a, PHASE_PREBIND, fd, e) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int sock_open(const struct addr *a, struct run *r, const struct sock_kind *kind, int family, bool passive, struct err *e)
{
    return open_socket(a, r, kind, family, passive, 0, e);
}

/* What nobody could end may as well be waited for in the call. */
static bool connects_in_call(const struct addr *a, const struct run *r)
{
    return a->nopts == 0 && !wait_may_end(r);
}

/* Options see it as it is made otherwise. */
int sock_open_to_connect(const struct addr *a, struct run *r, const struct sock_kind *kind, int family, struct err *e)
{
    int flags = a->nopts > 0 || connects_in_call(a, r) ? 0 : SOCK_NONBLOCK;
    return open_socket(a, r, kind, family, false, flags, e);
}

/* The way out, where there is one; after a failed bind() or listen(). */
static const char *bind_remedy(int fd, const struct sockname *name, int sys)
{
    int port = sockname_port(name), reuses = 0;
    socklen_t len = sizeof reuses;

    if (sys == EACCES && port > 0 && port < IPPORT_RESERVED)
        return "ports below 1024 need root or the capability net_bind_service";
    if (sys == EADDRNOTAVAIL && port >= 0)
        return "no interface of this host has that address";
    if (sys != EADDRINUSE || port < 0)
        return NULL;
    (void)getsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuses, &len);
    return reuses ? "another socket has it"
                  : "another socket has it, or had it a moment ago: then option reuseaddr helps";
}

static int bind_failed(const struct addr *a, int fd, const struct sockname *name, struct err *e)
{
    bool listens = a->form->kind == FORM_ENDPOINT && a->form->ops.endpoint->listen;
    char text[SOCKNAME_TEXT];
    const char *remedy;

    (void)err_sys(e, "cannot %s %s", listens ? "listen on" : "use the local address",
                  sockname_name(name, text));
    remedy = bind_remedy(fd, name, e->sys);
    if (remedy)
        (void)err_hint(e, remedy);
    return err_call(e, "bind(%d, {%s}, %u)", fd, sockname_text(name, text), (unsigned)name->len);
}

int sock_bind(const struct addr *a, int fd, const struct sockname *name, struct err *e)
{
    struct sockname got;
    char text[SOCKNAME_TEXT];

    if (opts_apply(a, PHASE_BIND, fd, e) < 0)
        return -1;
    if (bind(fd, &name->u.sa, name->len) < 0)
        return bind_failed(a, fd, name, e);
    sockname_local(&got, fd); /* port 0 has become a number */
    diag(DIAG_DEBUG, "bind(%d, {%s}, %u)", fd, sockname_text(&got, text), (unsigned)name->len);
    return opts_apply(a, PHASE_PASTBIND, fd, e);
}

/* Waits for the outcome of a connect() under way; 0, or -1 with errno, or -2 with e filled. */
static int connect_outcome(struct run *r, int fd, int64_t deadline, struct err *e)
{
    int error = 0, rc = wait_fd(r, fd, POLLOUT, deadline, e);
    socklen_t len = sizeof error;

    if (rc < 0)
        return -2;
    if (rc == 0)
        error = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        return -1;
    errno = error;
    return error == 0 ? 0 : -1;
}

/* Of a UNIX socket: its queue is full, or was while a signal came. That is not on its way, but has to be tried again. */
static bool is_busy(void)
{
    return errno == EAGAIN || errno == EINTR;
}

/* A UNIX domain socket does not wait for room in the backlog when it may not block. Gives as above. */
static int connect_busy(struct run *r, int fd, const struct sockname *to, int64_t deadline,
                        struct err *e)
{
    for (;;) {
        int64_t until = wait_now() + BUSY_WAIT_MS;

        if (deadline >= 0 && until > deadline) {
            errno = ETIMEDOUT;
            return -1;
        }
        if (wait_fd(r, -1, 0, until, e) < 0)
            return -2;
        if (connect(fd, &to->u.sa, to->len) == 0)
            return 0;
        if (!is_busy())
            return -1;
    }
}

static void connect_failed(int fd, const struct sockname *to, struct err *e)
{
    char text[SOCKNAME_TEXT];

    (void)err_sys(e, "cannot connect to %s", sockname_name(to, text));
    (void)err_call(e, "connect(%d, %s, %u)", fd, sockname_text(to, text), (unsigned)to->len);
}

int sock_connect(const struct addr *a, struct run *r, int fd, const struct sockname *to,
                 struct err *e)
{
    double timeout = opt_time(a, &opt_connect_timeout, 0);
    int64_t deadline = timeout > 0 ? deadline_after(timeout) : -1;
    int mode = a->nopts > 0 ? fcntl(fd, F_GETFL) : O_RDWR, rc; /* as it was made, unless options say otherwise */

    if (opts_apply(a, PHASE_CONNECT, fd, e) < 0)
        return -1;
    if (mode < 0 || (a->nopts > 0 && fcntl(fd, F_SETFL, mode | O_NONBLOCK) < 0))
        return err_sys(e, "fcntl(%d, F_SETFL)", fd);
    rc = connect(fd, &to->u.sa, to->len);
    if (rc < 0 && sockname_family(to) == AF_UNIX && is_busy())
        rc = connect_busy(r, fd, to, deadline, e);
    else if (rc < 0 && (errno == EINPROGRESS || errno == EINTR))
        rc = connect_outcome(r, fd, deadline, e);
    if (rc == -1) /* an interruption has its own words, and its kind ends the retries */
        connect_failed(fd, to, e);
    else if (rc == 0 && !connects_in_call(a, r) && fcntl(fd, F_SETFL, mode) < 0)
        rc = err_sys(e, "fcntl(%d, F_SETFL)", fd);
    return rc == 0 ? 0 : -1;
}

static int connect_one(const struct addr *a, struct run *r, const struct sock_kind *kind,
                       const struct sockname *to, sock_bind_fn *bind_it, const void *arg,
                       struct err *e)
{
    char text[SOCKNAME_TEXT];
    int fd;

    if (diag_shows(DIAG_NOTICE))
        diag(DIAG_NOTICE, "opening connection to %s", sockname_text(to, text));
    fd = sock_open_to_connect(a, r, kind, sockname_family(to), e);
    if (fd < 0)
        return -1;
    if ((bind_it && bind_it(a, fd, to, arg, e) < 0) || sock_connect(a, r, fd, to, e) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int sock_connect_any(const struct addr *a, struct run *r, const struct sock_kind *kind,
                     const struct names *targets, sock_bind_fn *bind_it, const void *arg,
                     struct err *e)
{
    int fd = -1;

    for (size_t i = 0; i < targets->n && fd < 0; i++) {
        if (i > 0)
            diag_coded(DIAG_NOTICE, err_code_of(e), "%s; trying the next address", diag_words(e));
        fd = connect_one(a, r, kind, &targets->v[i], bind_it, arg, e);
        if (fd < 0 && err_is_end(e))
            break;
    }
    return fd;
}

/* What the port would have to ask the system of each connection is known of the address: that it is a
 * stream, and that nobody has asked its close to wait. */
static unsigned ordinary(const struct addr *a, const struct sock_kind *kind)
{
    if (kind->type != SOCK_STREAM)
        return 0;
    for (size_t i = 0; i < a->nopts; i++) {
        const struct option_desc *d = a->opts[i].desc;
        if (option_is(d, &opt_so_type) || option_is(d, &opt_so_linger) || d->apply == apply_any_sockopt_bin ||
            d->apply == apply_any_sockopt_int || d->apply == apply_any_sockopt_string)
            return 0;
    }
    return PORT_ORDINARY;
}

/* Hands a descriptor over, with the directions that are wanted. */
static int sock_port(const struct addr *a, struct run *r, const struct sock_kind *kind, int fd,
                     struct port **out, struct err *e)
{
    return endpoint_socket_port(a, r, a->left == CTX_W ? -1 : fd, a->left == CTX_R ? -1 : fd,
                                kind->flags | ordinary(a, kind), kind->shut, out, e);
}

int sock_is_connected(const struct addr *a, struct run *r, int fd, struct err *e)
{
    struct sockname local, peer;
    char text[SOCKNAME_TEXT];

    bool asked = diag_shows(DIAG_NOTICE) || run_wants_facts(r);

    sockname_meet(r, fd, NULL);
    if (asked) {
        sockname_local(&local, fd);
        sockname_peer(&peer, fd);
        diag(DIAG_NOTICE, "successfully connected from local address %s",
             sockname_text(&local, text));
    }
    if (opts_apply(a, PHASE_CONNECTED, fd, e) == 0 &&
        (!asked || sockname_facts_connected(r, a, fd, &peer, &local, e) == 0))
        return 0;
    close(fd);
    return -1;
}

int sock_connected(const struct addr *a, struct run *r, const struct sock_kind *kind, int fd,
                   struct port **out, struct err *e)
{
    return sock_is_connected(a, r, fd, e) < 0 ? -1 : sock_port(a, r, kind, fd, out, e);
}

static int listen_failed(int fd, int backlog, struct err *e)
{
    struct sockname local;
    char text[SOCKNAME_TEXT];
    const char *remedy;
    int sys = errno;

    sockname_local(&local, fd);
    errno = sys;
    (void)err_sys(e, "cannot listen on %s", sockname_name(&local, text));
    remedy = bind_remedy(fd, &local, e->sys);
    if (remedy)
        (void)err_hint(e, remedy);
    return err_call(e, "listen(%d, %d)", fd, backlog);
}

int sock_listen(const struct addr *a, const struct sock_kind *kind, int fd,
                const struct access *access, void **state, struct err *e)
{
    struct sock_listener *l = calloc(1, sizeof *l);
    int backlog = (int)opt_int(a, &opt_backlog, BACKLOG), mode = fcntl(fd, F_GETFL), rc = 0;

    if (!l)
        rc = err_nomem(e);
    else if (opts_apply(a, PHASE_LISTEN, fd, e) < 0)
        rc = -1;
    /* Not to hang in accept() when a connection has gone again. */
    else if (mode < 0 || fcntl(fd, F_SETFL, mode | O_NONBLOCK) < 0)
        rc = err_sys(e, "fcntl(%d, F_SETFL)", fd);
    else if (listen(fd, backlog) < 0)
        rc = listen_failed(fd, backlog, e);
    if (rc < 0) {
        close(fd);
        free(l);
        return -1;
    }
    *l = (struct sock_listener){.fd = fd, .kind = kind, .access = *access};
    *state = l;
    return 0;
}

void sock_unlisten(const struct addr *a, void *state, bool forked)
{
    struct sock_listener *l = state;

    (void)a;
    (void)forked;
    close(l->fd);
    free(l);
}

int sock_waits_at(const void *state)
{
    const struct sock_listener *l = state;

    return l->fd;
}

int64_t sock_accept_deadline(const struct addr *a)
{
    double timeout = opt_time(a, &opt_accept_timeout, 0);

    return timeout > 0 ? deadline_after(timeout) : -1;
}

int sock_timed_out(struct err *e)
{
    struct err why;
    errno = ETIMEDOUT;
    (void)err_sys(&why, "accept");
    (void)err_reword(&why, "accept: nobody came within accept-timeout");
    diag_err(DIAG_WARN, &why);
    return err_set(e, ERR_NOBODY, "no connection within accept-timeout");
}

/* Errors that say something about the moment or the peer, not about the listening socket. */
static bool accept_may_recover(int error)
{
    switch (error) {
    case EBADF:
    case EFAULT:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP:
        return false;
    default:
        return true;
    }
}

/* One accepted connection, whoever made it: the descriptor, or -1. */
static int accept_next(struct run *r, int fd, int64_t deadline, struct sockname *peer,
                       struct err *e)
{
    int64_t pause = BUSY_WAIT_MS;

    for (;;) {
        int rc = wait_fd(r, fd, POLLIN, deadline, e);

        if (rc < 0)
            return -1;
        if (rc == 0)
            return sock_timed_out(e);
        memset(peer, 0, sizeof *peer);
        peer->len = sizeof peer->u;
        rc = accept4(fd, &peer->u.sa, &peer->len, SOCK_CLOEXEC);
        if (rc >= 0)
            return rc;
        if (errno == EAGAIN || errno == EINTR)
            continue;
        err_sys(e, "cannot accept a connection");
        err_call(e, "accept(%d)", fd);
        if (!accept_may_recover(e->sys))
            return -1;
        diag_coded(DIAG_WARN, err_code_of(e), "%s; still listening", diag_words(e));
        pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
        if (wait_fd(r, -1, 0, wait_now() + pause, e) < 0)
            return -1;
    }
}

/* 1 to be served, 0 refused. A check that cannot be made lets nobody in. */
static int admit(const struct addr *a, struct run *r, const struct sock_listener *l, int fd,
                 const struct sockname *peer, struct err *e)
{
    const char *why = "";
    char text[SOCKNAME_TEXT];
    int rc = access_check(&l->access, a, r, fd, peer, &why, e);

    if (rc <= 0 || diag_shows(DIAG_INFO))
        sockname_text(peer, text);
    if (rc > 0)
        diag(DIAG_INFO, "permitting connection from %s", text);
    else if (rc == 0)
        diag_coded(DIAG_WARN, ERR_RANGE, "refusing connection from %s due to %s", text, why);
    else if (!err_is_end(e)) {
        diag_coded(DIAG_WARN, err_code_of(e), "refusing connection from %s: %s", text, diag_words(e));
        rc = 0;
    }
    return rc;
}

/* One that has nothing to do with the listener any more: takes the descriptor. */
static void drop_connection(int fd)
{
    shutdown(fd, SHUT_RDWR);
    close(fd);
}

FRAME_APART static void say_accepting(const struct sockname *peer, const struct sockname *local)
{
    char from[SOCKNAME_TEXT], on[SOCKNAME_TEXT];
    diag(DIAG_NOTICE, "accepting connection from %s on %s", sockname_text(peer, from),
         sockname_text(local, on));
}

FRAME_APART static void say_listening(int fd)
{
    struct sockname local;
    char text[SOCKNAME_TEXT];
    sockname_local(&local, fd);
    diag(DIAG_NOTICE, "listening on %s", sockname_text(&local, text));
}

/* As admit(), with the log line that names both ends, which go into the run's facts. */
static int receive(const struct addr *a, struct run *r, const struct sock_listener *l, int fd,
                   const struct sockname *peer, struct err *e)
{
    struct sockname local;
    int rc;

    bool asked = diag_shows(DIAG_NOTICE) || run_wants_facts(r);

    if (asked)
        sockname_local(&local, fd);
    if (diag_shows(DIAG_NOTICE))
        say_accepting(peer, &local);
    rc = admit(a, r, l, fd, peer, e);
    if (rc <= 0)
        return rc;
    sockname_meet(r, fd, peer);
    if ((asked && sockname_facts(r, a, fd, peer, &local, e) < 0) ||
        (l->inherited && (opts_apply_in(a, r, PHASE_PASTSOCKET, fd, e) < 0 ||
                          APPLY(a, fd, e, PHASE_PREBIND, PHASE_PASTBIND) < 0)) ||
        APPLY(a, fd, e, PHASE_ACCEPT, PHASE_PASTACCEPT, PHASE_CONNECTED) < 0)
        return -1;
    return 1;
}

/* Waits for a connection and makes a port of it: 1, or 0 refused, or -1. *lost: it is this
 * connection that has failed, not the listener. */
static int serve_next(const struct addr *a, struct run *r, const struct sock_listener *l,
                      int64_t deadline, struct port **out, bool *lost, struct err *e)
{
    struct sockname peer;
    int fd = accept_next(r, l->fd, deadline, &peer, e), rc;

    *lost = fd >= 0;
    if (fd < 0)
        return -1;
    rc = receive(a, r, l, fd, &peer, e);
    if (rc > 0)
        return sock_port(a, r, l->kind, fd, out, e) < 0 ? -1 : 1;
    drop_connection(fd);
    return rc;
}

int sock_accept(const struct addr *a, struct run *r, void *state, struct port **out, struct err *e)
{
    const struct sock_listener *l = state;
    int64_t deadline = sock_accept_deadline(a);
    bool lost;
    int rc;

    for (;;) {
        if (diag_shows(DIAG_NOTICE))
            say_listening(l->fd);
        rc = serve_next(a, r, l, deadline, out, &lost, e);
        if (rc > 0)
            return 0;
        if (rc == 0)
            continue;
        if (!lost || err_is_end(e) || !endpoint_serves_many(r, a))
            return -1;
        run_warn_lost(r, e, "; still listening");
    }
}
