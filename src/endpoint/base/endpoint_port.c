/* SPDX-License-Identifier: GPL-2.0-or-later
 * How every endpoint's open() ends: descriptors become a port, the options of the address for a
 * descriptor act, its policies go into the port. Also: file system entries to remove at the end. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/endpoint.h"
#include "catena/options.h"
#include "catena/plan.h"
#include "endpoint/options/opts_appl.h"
#include "endpoint/options/opts_fd.h"
#include "endpoint/options/opts_pty.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/options/opts_transport.h"
#include "endpoint/options/opts_unix.h"
#include "endpoint/terminal/tty_port.h"

bool endpoint_serves_many(const struct run *r, const struct addr *a)
{
    for (int side = 0; side < 2; side++) {
        const struct plan_end *end = &r->plan->end[side];
        if (end->back || end->fwd->label != a->label)
            continue;
        const struct opt *fork = plan_chain_opt(r->plan, side, &opt_fork);
        const struct opt *thread = plan_chain_opt(r->plan, side, &opt_thread);
        return (fork && fork->v.i != 0) || (thread && thread->v.i != 0);
    }
    return false;
}

/* ---- terminals get their settings back ---- */

struct terminal {
    int fd; /* a descriptor of our own: the port's may be closed by then */
    struct termios saved;
};

static void terminal_close(struct port *p)
{
    struct terminal *t = p->state;
    if (!(p->flags & PORT_SHARED))
        (void)tcsetattr(t->fd, TCSANOW, &t->saved);
    close(t->fd);
    port_inner_close(p);
}

static int save_terminal(struct port **p, int fd, struct err *e)
{
    static const struct port_ops ops = {.close = terminal_close};
    struct terminal saved = {.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)}, *t = NULL;
    if (saved.fd < 0 || tcgetattr(saved.fd, &saved.saved) < 0)
        (void)err_sys(e, "tcgetattr(%d)", fd);
    else
        t = port_wrap(p, &ops, sizeof *t, e);
    if (t)
        *t = saved;
    else if (saved.fd >= 0)
        close(saved.fd);
    return t ? 0 : -1;
}

/* ---- policies ---- */

static void take_policies(const struct addr *a, struct port *p)
{
    static const struct {
        const struct option_desc *row;
        unsigned flag;
    } flags[] = {{&opt_ignoreeof, PORT_IGNORE_EOF},
                 {&opt_null_eof, PORT_NULL_EOF},
                 {&opt_cool_write, PORT_COOL_WRITE},
                 {&opt_end_close, PORT_END_CLOSE}};
    static const struct {
        const struct option_desc *row;
        enum port_shut how;
    } shuts[] = {{&opt_shut_none, PORT_SHUT_NONE},
                 {&opt_shut_down, PORT_SHUT_DOWN},
                 {&opt_shut_close, PORT_SHUT_CLOSE},
                 {&opt_shut_null, PORT_SHUT_NULL}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (opt_true(a, flags[i].row))
            p->flags |= flags[i].flag;
    /* others may share the connection, or the program: an end would be theirs, too */
    if (p->flags & PORT_END_CLOSE)
        p->shut = PORT_SHUT_NONE;
    for (size_t i = 0; i < a->nopts; i++) /* the last one given wins */
        for (size_t k = 0; k < sizeof shuts / sizeof shuts[0]; k++)
            if (option_is(a->opts[i].desc, shuts[k].row))
                p->shut = shuts[k].how;
    if (opt_find(a, &opt_shut_none))
        p->flags &= ~(unsigned)PORT_SHUT_BOTH;
    p->sitout_eio = opt_time(a, &opt_sitout_eio, 0);
}

/* Options for a descriptor act on both, where there are two. */
static int apply(const struct addr *a, struct run *r, enum phase phase, int rfd, int wfd,
                 struct err *e)
{
    int first = rfd >= 0 ? rfd : wfd;
    if (opts_apply_in(a, r, phase, first, e) < 0)
        return -1;
    return wfd >= 0 && wfd != first ? opts_apply_in(a, r, phase, wfd, e) : 0;
}

/* What came open, or is no socket of our making, is behind all the stages that a socket goes
 * through from socket() to accept(): their options act now, or fail on what is no socket. */
static int apply_socket_stages(const struct addr *a, struct run *r, int rfd, int wfd,
                               struct err *e)
{
    static const enum phase stages[] = {PHASE_PASTSOCKET, PHASE_PREBIND,   PHASE_PASTBIND,
                                        PHASE_LISTEN,     PHASE_CONNECT,   PHASE_CONNECTED,
                                        PHASE_ACCEPT,     PHASE_PASTACCEPT};
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (apply(a, r, stages[i], rfd, wfd, e) < 0)
            return -1;
    return 0;
}

/* Those that say how the socket is to be made, or where to find the peer, come too late. */
static bool makes_socket(const struct addr *a, const struct option_desc *d)
{
    static const struct option_desc *const making[] = {
        &opt_bind, &opt_bind_tempname, &opt_sourceport, &opt_lowport, &opt_connect_timeout,
        &opt_tightsocklen, &opt_pf, &opt_so_type, &opt_so_protocol,
    };
    bool resolver = d->groups == (GROUP_IP4 | GROUP_IP6) && !d->apply; /* res-*, ai-* */
    /* rules for peers, whose range may be a name */
    if (a->form->ops.endpoint->listen &&
        (resolver || option_is(d, &opt_sourceport) || option_is(d, &opt_lowport)))
        return false;
    if (resolver)
        return true;
    size_t n = sizeof making / sizeof making[0];
    if (a->form->groups & GROUP_EXEC) /* chooses its pair of sockets by the last three */
        n -= 3;
    for (size_t i = 0; i < n; i++)
        if (option_is(d, making[i]))
            return true;
    return false;
}

int endpoint_check_making(const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        if (!makes_socket(a, o->desc))
            continue;
        (void)err_at(e, o->at, "option \"%s\" could not be used: no socket is made here",
                     o->desc->name);
        if (!o->sloppy)
            return -1;
        diag_err(DIAG_ERROR, e);
    }
    return 0;
}

static int make_port(const struct addr *a, struct run *r, int rfd, int wfd, unsigned flags,
                     enum port_shut shut, bool own_socket, struct port **out, struct err *e)
{
    struct port *p;
    if (a->sealed && shut == PORT_SHUT_NULL)
        shut = PORT_SHUT_NONE;
    flags |= a->sealed ? PORT_SEALED : 0U;
    /* options see the descriptors as they are, not a private reopening of them */
    bool terminal = opts_have_termios(a) && isatty(rfd >= 0 ? rfd : wfd);

    if (port_open_fds(rfd, wfd, flags, shut, a->label, &p, e) < 0)
        return -1;
    take_policies(a, p);
    if ((terminal && save_terminal(&p, rfd >= 0 ? rfd : wfd, e) < 0) ||
        (!own_socket &&
         (endpoint_check_making(a, e) < 0 || apply_socket_stages(a, r, rfd, wfd, e) < 0)) ||
        apply(a, r, PHASE_FD, rfd, wfd, e) < 0 ||
        opts_apply_termios(a, rfd >= 0 ? rfd : wfd, e) < 0 ||
        apply(a, r, PHASE_LATE, rfd, wfd, e) < 0 || tty_port(&p, a, r, e) < 0) {
        port_close(p);
        return -1;
    }
    *out = p;
    return 0;
}

int endpoint_port(const struct addr *a, struct run *r, int rfd, int wfd, unsigned flags,
                  enum port_shut shut, struct port **out, struct err *e)
{
    return make_port(a, r, rfd, wfd, flags, shut, false, out, e);
}

int endpoint_socket_port(const struct addr *a, struct run *r, int rfd, int wfd, unsigned flags,
                         enum port_shut shut, struct port **out, struct err *e)
{
    return make_port(a, r, rfd, wfd, flags, shut, true, out, e);
}

/* Takes the text. Opened again and again there is one removal, of the entry made last. */
static int remember_removal(struct run *r, struct removal m, struct err *e)
{
    size_t i = 0;
    pthread_mutex_lock(&r->lock);
    while (i < r->nremovals && strcmp(r->removals[i].what, m.what) != 0)
        i++;
    bool known = i < r->nremovals;
    struct removal *more =
        known ? r->removals : reallocarray(r->removals, r->nremovals + 1, sizeof *more);
    if (more) {
        char *unused = known ? more[i].what : NULL;
        r->removals = more;
        r->removals[i] = m;
        r->nremovals += !known;
        m.what = unused;
    }
    pthread_mutex_unlock(&r->lock);
    free(m.what);
    return more ? 0 : err_nomem(e);
}

static int remember_path(struct run *r, const char *path, struct err *e)
{
    char cwd[PATH_MAX] = "";
    struct removal m;
    struct stat st;
    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : err_sys(e, "lstat(\"%s\")", path);
    if (path[0] != '/' && !getcwd(cwd, sizeof cwd))
        return err_sys(e, "getcwd()");
    m = (struct removal){.dev = st.st_dev, .ino = st.st_ino};
    if (asprintf(&m.what, "%s%s%s", cwd, path[0] == '/' ? "" : "/", path) < 0)
        return err_nomem(e);
    return remember_removal(r, m, e);
}

/* What cannot be remembered is removed at once: its address fails and nobody would do it later. */
int endpoint_remove_at_exit(struct run *r, const char *path, struct err *e)
{
    int rc = remember_path(r, path, e);
    if (rc < 0)
        (void)unlink(path);
    return rc;
}

int endpoint_remove_queue_at_exit(struct run *r, const char *name, struct err *e)
{
    struct removal m = {0};
    if (asprintf(&m.what, RUN_QUEUE "%s", name) < 0)
        return err_nomem(e);
    return remember_removal(r, m, e);
}
