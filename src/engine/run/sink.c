/* SPDX-License-Identifier: GPL-2.0-or-later
 * Where dumps and taps are written: see catena/sink.h. */
#include "catena/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/run.h"
#include "catena/wait.h"

enum { HOW = O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK };
static const double LOOK_AGAIN = 0.1; /* seconds */

/* One that nobody reads yet is waited for; for sockets and devices ENXIO is the last word. */
static bool is_fifo(const char *path)
{
    struct stat st;
    bool fifo = stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
    errno = ENXIO;
    return fifo;
}

int sink_open(struct sink *s, struct run *r, const char *what, const char *name, struct err *e)
{
    struct stat st;
    *s = (struct sink){.run = r, .fd = -1};
    if (!name)
        return 0;
    while ((s->fd = open(name, HOW | O_CLOEXEC, 0644)) < 0 && errno == ENXIO && is_fifo(name))
        if (wait_seconds(r, LOOK_AGAIN, e) < 0)
            return -1;
    if (s->fd < 0) {
        *s = SINK_NONE;
        return err_sys(e, "cannot open %s \"%s\"", what, name);
    }
    if (fstat(s->fd, &st) < 0 || S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(s->fd))
        r->sinks_wait = true;
    return 0;
}

void sink_close(struct sink *s)
{
    if (s->fd >= 0)
        close(s->fd);
    *s = SINK_NONE;
}

void sink_write(struct sink *s, const void *data, size_t n)
{
    const char *p = data;
    struct err e;
    if (s->fd < 0)
        diag_data(p, n);
    while (s->fd >= 0 && n > 0 && !s->run->ended_signal) {
        ssize_t w = write(s->fd, p, n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0 && errno == EAGAIN) {
            if (wait_fd(s->run, s->fd, POLLOUT, -1, &e) < 0)
                return; /* the driver is told as well */
            continue;
        }
        if (w < 0) {
            (void)err_sys(&e, "a dump cannot be written");
            (void)err_call(&e, "write(%d, %zu bytes)", s->fd, n);
            run_fail(s->run, &e);
            sink_close(s);
            return;
        }
        p += w;
        n -= (size_t)w;
    }
}
