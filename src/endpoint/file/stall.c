/* SPDX-License-Identifier: GPL-2.0-or-later
 * STALL: reading gives no data and no end of file, writing is never possible. There is a pipe, but
 * only for the options to act on: the relay sees no descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

static void stall_close(struct port *p)
{
    int *fd = p->state;

    p->rfd = fd[0];
    p->wfd = fd[1];
    free(fd);
    port_fd_close(p);
}

static const struct port_ops stall_port_ops = {stall_read, stall_write, stall_shutdown,
                                               stall_close};

static int stall_open(const struct addr *a, struct run *r, void *state, struct port **out,
                      struct err *e)
{
    int *fd = calloc(2, sizeof *fd);
    struct port *p;

    (void)state;
    if (fd == NULL)
        return err_nomem(e);
    if (pipe2(fd, O_CLOEXEC) < 0) {
        free(fd);
        return err_sys(e, "pipe2()");
    }
    diag(DIAG_NOTICE, "stalling");
    if (endpoint_port(a, r, fd[0], fd[1], PORT_STALL, PORT_SHUT_NONE, &p, e) < 0) {
        free(fd);
        return -1;
    }
    p->ops = &stall_port_ops;
    p->state = fd;
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
