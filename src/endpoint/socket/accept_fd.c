/* SPDX-License-Identifier: GPL-2.0-or-later
 * ACCEPT-FD: a listening socket that came with the process, as systemd and inetd pass them. From
 * there on as the LISTEN addresses. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "endpoint/socket/sock.h"

static const struct sock_kind stream = {.flags = PORT_SHUT_BOTH, .shut = PORT_SHUT_DOWN};

static int number(const struct addr *a, int *fd, struct err *e)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(a->params[0], &end, 0);
    if (end == a->params[0] || *end != '\0' || errno != 0 || n < 0 || n > INT_MAX)
        return err_at(e, a->param_at[0], "\"%.60s\" is not the number of a file descriptor",
                      a->params[0]);
    *fd = (int)n;
    return 0;
}

static int check(const struct addr *a, struct err *e)
{
    int fd;

    return number(a, &fd, e) < 0 ? -1 : range_check(a, AF_UNSPEC, e);
}

/* The number of a listening socket. */
static int parse(const struct addr *a, int *fd, struct err *e)
{
    int listening = 0;
    socklen_t len = sizeof listening;

    if (number(a, fd, e) < 0)
        return -1;
    if (getsockopt(*fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0)
        return err_sys(e, "file descriptor %d is no socket that listens", *fd);
    if (!listening)
        return err_set(e, ERR_OTHER,
                       "file descriptor %d is a socket, but nobody has called listen() for it",
                       *fd);
    return 0;
}

static int accept_fd_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    struct sock_listener *l;
    struct access access;
    struct sockname local;
    int fd = -1, mode, family;

    if (parse(a, &fd, e) < 0 || endpoint_check_making(a, e) < 0)
        return -1;
    sockname_local(&local, fd);
    family = sockname_family(&local);
    if (family == AF_INET6)
        family = AF_UNSPEC; /* it may serve both versions, so the range may be of either */
    if (access_init(a, r, family, &access, e) < 0)
        return -1;
    l = calloc(1, sizeof *l);
    if (!l)
        return err_nomem(e);
    mode = fcntl(fd, F_GETFL);
    /* Programs do not inherit it. Not to hang in accept() when a connection has gone again. */
    if (mode < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
        fcntl(fd, F_SETFL, mode | O_NONBLOCK) < 0) {
        free(l);
        return err_sys(e, "fcntl(%d)", fd);
    }
    *l = (struct sock_listener){.fd = fd, .kind = &stream, .access = access, .inherited = true,
                                .blocking = !(mode & O_NONBLOCK)};
    *state = l;
    return 0;
}

/* Who passed it to us, and whoever is started with it next, waits in accept() as before. */
static void accept_fd_unlisten(const struct addr *a, void *state, bool forked)
{
    const struct sock_listener *l = state;
    int mode = forked || !l->blocking ? -1 : fcntl(l->fd, F_GETFL);

    if (mode >= 0)
        (void)fcntl(l->fd, F_SETFL, mode & ~O_NONBLOCK);
    sock_unlisten(a, state, forked);
}

static const struct endpoint_ops accept_fd_ops = {
    .listen = accept_fd_listen,
    .open = sock_accept,
    .unlisten = accept_fd_unlisten,
    .waits_at = sock_waits_at,
};

extern const struct form forms_accept_fd[];
const struct form forms_accept_fd[] = {
    {
        .keyword = "ACCEPT-FD",
        .aliases = "ACCEPT",
        .params = ":<fdnum>",
        .min_params = 1,
        .max_params = 1,
        .left = CTX_RWB,
        .right = RIGHT_NONE,
        .groups = GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_RANGE | GROUP_UNIX |
                  GROUP_IP4 | GROUP_IP6 | GROUP_UDP | GROUP_TCP | GROUP_SCTP | GROUP_DCCP |
                  GROUP_UDPLITE,
        .help = "accepts a connection on a listening socket the program was started with",
        .check = check,
        .kind = FORM_ENDPOINT,
        .role = ROLE_SERVER,
        .admits = access_admits,
        .gives = GIVES_PEER " peerpid peeruid",
        .records = RECORDS_EITHER,
        .ops.endpoint = &accept_fd_ops,
    },
    {.keyword = NULL},
};
