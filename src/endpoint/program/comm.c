/* SPDX-License-Identifier: GPL-2.0-or-later
 * The communication types as a table, and how each is made. */
#include "catena/comm.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "endpoint/options/opts_program.h"
#include "endpoint/options/opts_pty.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/terminal/pty.h"

static const struct comm_info infos[COMM_COUNT] = {
    [COMM_SOCKETPAIRS] = {"S", "socketpairs", COMM_SOCKETPAIRS, PORT_SHUT_DOWN, 0},
    [COMM_SOCKETPAIR] = {"s", "socketpair", COMM_SOCKETPAIRS, PORT_SHUT_DOWN, 0},
    [COMM_PIPES] = {"pP", "pipes", COMM_PIPES, PORT_SHUT_CLOSE, 0},
    [COMM_PTYS] = {"Y", "ptys", COMM_PTYS, PORT_SHUT_CLOSE, PORT_EIO_EOF},
    [COMM_PTY] = {"y", "pty", COMM_PTYS, PORT_SHUT_NONE, PORT_EIO_EOF},
    [COMM_TCP] = {"t", "tcp", COMM_TCPS, PORT_SHUT_DOWN, 0},
    [COMM_TCPS] = {"", NULL, COMM_TCPS, PORT_SHUT_DOWN, 0},
};

const struct comm_info *comm_info(enum comm_type type)
{
    return &infos[type];
}

bool comm_is_one_fd(enum comm_type type)
{
    return infos[type].apart != type;
}

int comm_by_letter(char letter, enum comm_type *out, struct err *e)
{
    for (int i = 0; i < COMM_COUNT; i++) {
        if (letter && strchr(infos[i].letters, letter)) {
            *out = (enum comm_type)i;
            return 0;
        }
    }
    return err_set(e, ERR_BAD_VALUE, "bad chain communication type \"%c\"; known are S (socketpairs), "
                   "s (socketpair), p (pipes), Y (ptys), y (pty), t (tcp)", letter);
}

int comm_by_name(const char *name, enum comm_type *out, struct err *e)
{
    for (int i = 0; i < COMM_COUNT; i++) {
        if (infos[i].name && strcmp(name, infos[i].name) == 0) {
            *out = (enum comm_type)i;
            return 0;
        }
    }
    return err_set(e, ERR_BAD_VALUE, "bad communication type \"%s\"; known are socketpairs, "
                   "socketpair, pipes, ptys, pty, tcp", name);
}

int comm_of_addr(const struct addr *a, enum comm_type otherwise, enum comm_type *out, struct err *e)
{
    *out = otherwise;
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        const struct option_desc *d = o->desc;

        if (option_is(d, &opt_pipes))
            *out = o->v.i ? COMM_PIPES : otherwise;
        if (option_is(d, &opt_pty) || option_is(d, &opt_openpty) || option_is(d, &opt_ptmx))
            *out = o->v.i ? COMM_PTY : otherwise;
        if (option_is(d, &opt_commtype) && comm_by_name(o->v.s, out, e) < 0) {
            e->where = o->at;
            return -1;
        }
    }
    return 0;
}

static int make_socketpair(int fd[2], struct err *e)
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
        return err_sys(e, "socketpair()");
    return 0;
}

static int make_pipe(int fd[2], struct err *e)
{
    if (pipe2(fd, O_CLOEXEC) < 0)
        return err_sys(e, "pipe2()");
    return 0;
}

static int make_pty(int fd[2], struct err *e)
{
    struct pty p;

    if (pty_open(&p, true, e) < 0)
        return -1;
    fd[0] = p.master;
    fd[1] = p.slave;
    return 0;
}

/* Accepts until the connection is the one this process made: the port is open to others, too. */
static int accept_own(int listener, int client, struct err *e)
{
    struct sockaddr_in own, peer;
    socklen_t n = sizeof own;

    if (getsockname(client, (struct sockaddr *)&own, &n) < 0)
        return err_sys(e, "getsockname()");
    for (;;) {
        n = sizeof peer;
        int fd = accept4(listener, (struct sockaddr *)&peer, &n, SOCK_CLOEXEC);

        if (fd < 0)
            return err_sys(e, "accept()");
        if (peer.sin_port == own.sin_port && peer.sin_addr.s_addr == own.sin_addr.s_addr)
            return fd;
        close(fd);
    }
}

static int make_tcp(int fd[2], struct err *e)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t n = sizeof at;
    const int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = -1;

    fd[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fd[1] = -1;
    if (listener < 0 || fd[0] < 0 || bind(listener, (struct sockaddr *)&at, n) < 0 ||
        listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *)&at, &n) < 0 ||
        connect(fd[0], (struct sockaddr *)&at, n) < 0) {
        err_sys(e, "TCP connection over loopback");
        goto out;
    }
    fd[1] = accept_own(listener, fd[0], e);
    if (fd[1] < 0)
        goto out;
    for (int i = 0; i < 2; i++)
        (void)setsockopt(fd[i], IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    rc = 0;
out:
    if (listener >= 0)
        close(listener);
    if (rc < 0 && fd[0] >= 0)
        close(fd[0]);
    return rc;
}

/* Each gives two descriptors. Where an end is two of them, it is called for each direction, and
 * the reader has the first and the writer the second. (With ptys the writer then has the slave:
 * what was written to a slave survives its closing, while closing a master throws away what the
 * slave has not read yet.) */
static int (*const makers[COMM_COUNT])(int fd[2], struct err *e) = {
    [COMM_SOCKETPAIRS] = make_socketpair, [COMM_SOCKETPAIR] = make_socketpair,
    [COMM_PIPES] = make_pipe,             [COMM_PTYS] = make_pty,
    [COMM_PTY] = make_pty,                [COMM_TCP] = make_tcp,
    [COMM_TCPS] = make_tcp,
};

/* pf= is a number here: no other family than UNIX makes pairs, but the system may say so. */
int comm_family(const struct addr *a, int *family, struct err *e)
{
    const struct opt *pf = opt_find(a, &opt_pf);
    char *end;

    *family = AF_UNIX;
    if (!pf)
        return 0;
    *family = (int)strtol(pf->v.s, &end, 0);
    if (end == pf->v.s || *end != '\0')
        return err_at(e, pf->at, "protocol family \"%.60s\" makes no pairs of sockets; 1 does",
                      pf->v.s);
    return 0;
}

int comm_pair(enum comm_type type, struct comm_ends *a, struct comm_ends *b, struct err *e)
{
    int fd[2];

    *a = *b = (struct comm_ends){-1, -1};
    if (makers[type](fd, e) < 0)
        return -1;
    if (comm_is_one_fd(type)) {
        *a = (struct comm_ends){fd[0], fd[0]};
        *b = (struct comm_ends){fd[1], fd[1]};
        return 0;
    }
    b->rfd = fd[0];
    a->wfd = fd[1];
    if (makers[type](fd, e) < 0) {
        comm_close(a);
        comm_close(b);
        return -1;
    }
    a->rfd = fd[0];
    b->wfd = fd[1];
    return 0;
}

void comm_close(struct comm_ends *end)
{
    if (end->rfd >= 0)
        close(end->rfd);
    if (end->wfd >= 0 && end->wfd != end->rfd)
        close(end->wfd);
    *end = (struct comm_ends){-1, -1};
}
