/* SPDX-License-Identifier: GPL-2.0-or-later
 * A port that has some bytes to give and then is at its end: see given.h. */
#include "endpoint/base/given.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* A pipe with the bytes in it, if there is room for all of them; whether there was is *whole. */
static int filled_pipe(const void *data, size_t n, bool *whole, struct err *e)
{
    int fd[2];

    if (pipe2(fd, O_CLOEXEC) < 0)
        return err_sys(e, "pipe2()");
    int room = fcntl(fd[1], F_GETPIPE_SZ);
    ssize_t written = 0;
    *whole = room > 0 && n <= (size_t)room;
    if (*whole && n > 0)
        written = write(fd[1], data, n); /* never short: the pipe is empty and large enough */
    if (written < 0) {
        (void)err_sys(e, "write(%d, %zu bytes)", fd[1], n);
        close(fd[0]);
    }
    close(fd[1]);
    return written < 0 ? -1 : fd[0];
}

int given_nothing(struct err *e)
{
    bool whole;
    return filled_pipe("", 0, &whole, e);
}

int given_port(const struct addr *a, struct run *r, const void *data, size_t n, unsigned flags,
               struct port **out, struct err *e)
{
    struct port *p;
    bool whole;
    int fd = filled_pipe(data, n, &whole, e);

    if (fd < 0 || endpoint_port(a, r, fd, -1, flags, PORT_SHUT_NONE, &p, e) < 0)
        return -1;
    if (!whole && port_unread(p, data, n, e) < 0) {
        port_close(p);
        return -1;
    }
    *out = p;
    return 0;
}
