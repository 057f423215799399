/* SPDX-License-Identifier: GPL-2.0-or-later
 * STALL: reading gives no data and no end of file, writing is never possible. There is a pipe, but
 * only for the options to act on: the relay sees no descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/endpoint.h"

static ssize_t stall_read(struct port *p, void *buf, size_t cap)
{
    (void)p, (void)buf, (void)cap;
    errno = EAGAIN;
    return -1;
}

static ssize_t stall_write(struct port *p, const void *buf, size_t n)
{
    (void)p, (void)buf, (void)n;
    errno = EAGAIN;
    return -1;
}

static int stall_shutdown(struct port *p, struct err *e)
{
    (void)p, (void)e;
    return 0;
}

static int stall_open(const struct addr *a, struct run *r, void *state, struct port **out,
                      struct err *e)
{
    static const struct port_ops ops = {stall_read, stall_write, stall_shutdown};
    struct port *p;
    int fd[2];

    (void)state;
    if (pipe2(fd, O_CLOEXEC) < 0)
        return err_sys(e, "pipe2()");
    diag(DIAG_NOTICE, "stalling");
    if (endpoint_port(a, r, fd[0], fd[1], PORT_STALL, PORT_SHUT_NONE, &p, e) < 0)
        return -1;
    if (!port_wrap(&p, &ops, 0, e)) {
        port_close(p);
        return -1;
    }
    p->rfd = p->wfd = -1;
    *out = p;
    return 0;
}

static const struct endpoint_ops stall_ops = {.open = stall_open};

extern const struct form forms_stall[];
const struct form forms_stall[] = {
    {.keyword = "STALL", .left = CTX_RWB, .groups = GROUP_FD | GROUP_FIFO,
     .help = "never gives and never takes anything", .kind = FORM_ENDPOINT,
     .ops.endpoint = &stall_ops},
    {.keyword = NULL},
};
