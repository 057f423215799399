/* SPDX-License-Identifier: GPL-2.0-or-later
 * SOCKETPAIR: an echo like the unnamed pipe, but one that keeps the boundaries of blocks. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/endpoint.h"
#include "catena/comm.h"
#include "catena/options.h"
#include "endpoint/options/opts_socket.h"

static int apply(const struct addr *a, const int fd[2], struct err *e)
{
    static const enum phase phases[] = {PHASE_PASTSOCKET, PHASE_PREBIND, PHASE_CONNECTED};

    for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++) {
        if (opts_apply(a, phases[i], fd[0], e) < 0 || opts_apply(a, phases[i], fd[1], e) < 0)
            return -1;
    }
    return 0;
}

static int socketpair_open(const struct addr *a, struct run *r, void *state, struct port **out,
                           struct err *e)
{
    int type = (int)opt_int(a, &opt_so_type, SOCK_DGRAM);
    int protocol = (int)opt_int(a, &opt_so_protocol, 0), family, fd[2];
    unsigned flags = type == SOCK_STREAM ? 0 : PORT_MSG;

    (void)state;
    if (comm_family(a, &family, e) < 0 || opts_apply(a, PHASE_PRESOCKET, -1, e) < 0 ||
        opts_apply(a, PHASE_SOCKET, -1, e) < 0)
        return -1;
    if (socketpair(family, type | SOCK_CLOEXEC, protocol, fd) < 0)
        return err_sys(e, "socketpair(%d, %d, %d)", family, type, protocol);
    diag(DIAG_NOTICE, "writing to and reading from a socket pair");
    if (apply(a, fd, e) < 0) {
        close(fd[0]);
        close(fd[1]);
        return -1;
    }
    if (type == SOCK_DGRAM) /* these do not tell each other about the end */
        flags |= PORT_ENDLESS;
    return endpoint_socket_port(a, r, fd[1], fd[0], flags,
                                type == SOCK_DGRAM ? PORT_SHUT_NONE : PORT_SHUT_CLOSE, out, e);
}

static const struct endpoint_ops socketpair_ops = {.open = socketpair_open};

extern const struct form forms_socketpair[];
const struct form forms_socketpair[] = {
    {
        .keyword = "SOCKETPAIR",
        .left = CTX_B,
        .right = RIGHT_NONE,
        .groups = GROUP_FD | GROUP_SOCKET,
        .help = "a pair of sockets to oneself: what is written can be read, block by block",
        .kind = FORM_ENDPOINT,
        .records = RECORDS_MANY,
        .ops.endpoint = &socketpair_ops,
    },
    {.keyword = NULL},
};
