/* SPDX-License-Identifier: GPL-2.0-or-later
 * Where dumps and taps are written: see catena/sink.h. */
#include "catena/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
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

static void look_at(struct sink *s)
{
    struct stat st;
    bool known = fstat(s->fd, &st) == 0;
    s->pipe = known && S_ISFIFO(st.st_mode);
    if (!known || s->pipe || S_ISSOCK(st.st_mode) || isatty(s->fd))
        s->run->sinks_wait = true;
}

static int open_as(struct sink *s, struct run *r, const char *what, const char *name, mode_t mode,
                   struct err *e)
{
    *s = (struct sink){.run = r, .fd = -1, .what = what};
    if (!name)
        return 0;
    while ((s->fd = open(name, HOW | O_CLOEXEC, mode)) < 0 && errno == ENXIO && is_fifo(name))
        if (wait_seconds(r, LOOK_AGAIN, e) < 0)
            return -1;
    if (s->fd < 0) {
        *s = SINK_NONE;
        return err_sys(e, "cannot open %s \"%s\"", what, name);
    }
    look_at(s);
    return 0;
}

int sink_open(struct sink *s, struct run *r, const char *what, const char *name, struct err *e)
{
    return open_as(s, r, what, name, 0644, e);
}

int sink_open_private(struct sink *s, struct run *r, const char *what, const char *name, struct err *e)
{
    return open_as(s, r, what, name, 0600, e);
}

int sink_copy(struct sink *to, const struct sink *from, struct run *r, struct err *e)
{
    *to = (struct sink){.run = r, .what = from->what, .fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0)};
    if (to->fd < 0) {
        *to = SINK_NONE;
        return err_sys(e, "dup()");
    }
    look_at(to);
    return 0;
}

int sink_borrow(struct sink *s, struct run *r, int fd, struct err *e)
{
    *s = (struct sink){.run = r, .fd = -1};
    if (fd == STDERR_FILENO)
        return 0;
    int mode = fcntl(fd, F_GETFL);
    s->fd = mode < 0 || (mode & O_ACCMODE) == O_RDONLY ? -2 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (s->fd >= 0)
        return 0;
    *s = SINK_NONE;
    if (mode >= 0)
        errno = EBADF;
    return err_sys(e, "descriptor %d cannot be written", fd);
}

bool sink_is_new(const struct sink *s)
{
    struct stat st;
    return fstat(s->fd, &st) == 0 && st.st_size == 0;
}

bool sink_holds(const struct sink *s, off_t at, void *to, size_t n)
{
    char name[64];
    struct stat st;
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", s->fd);
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return false;
    bool known = fstat(fd, &st) == 0 && (at >= 0 || (at += st.st_size) >= 0);
    bool whole = known && pread(fd, to, n, at) == (ssize_t)n;
    close(fd);
    return whole;
}

void sink_close(struct sink *s)
{
    if (s->fd >= 0)
        close(s->fd);
    *s = SINK_NONE;
}

static void failed(struct sink *s, size_t n)
{
    struct err e;
    (void)err_sys(&e, "%s cannot be written", s->what ? s->what : "a dump");
    (void)err_call(&e, "write(%d, %zu bytes)", s->fd < 0 ? STDERR_FILENO : s->fd, n);
    run_fail(s->run, &e);
    sink_close(s);
}

/* Version 1 takes no notice. */
static void tell(struct sink *s, const char *p, size_t n)
{
    if (diag_data(p, n) < 0 && !s->run->settings->v1_name)
        failed(s, n);
}

/* What was written of it is taken off the pieces. */
static void shorten(struct iovec **v, int *n, size_t w)
{
    while (*n > 0 && w >= (*v)->iov_len) {
        w -= (*v)->iov_len;
        ++*v;
        --*n;
    }
    if (*n > 0) {
        (*v)->iov_base = (char *)(*v)->iov_base + w;
        (*v)->iov_len -= w;
    }
}

void sink_put(struct sink *s, struct iovec *v, int n)
{
    struct err e;
    for (int i = 0; s->fd == -1 && i < n; i++)
        tell(s, v[i].iov_base, v[i].iov_len);
    while (s->fd >= 0 && n > 0) {
        ssize_t w = writev(s->fd, v, n);
        bool full = w < 0 && errno == EAGAIN;
        if (w >= 0)
            shorten(&v, &n, (size_t)w);
        else if (!full && errno != EINTR)
            failed(s, v->iov_len);
        if (full && (s->run->ended_signal || wait_fd(s->run, s->fd, POLLOUT, -1, &e) < 0))
            return; /* the driver is told as well */
    }
}

void sink_write(struct sink *s, const void *data, size_t n)
{
    struct iovec v = {.iov_base = (void *)(uintptr_t)data, .iov_len = n};
    sink_put(s, &v, n > 0);
}

static int fd_of(const struct sink *s)
{
    return s->fd == -1 && !diag_is_taken() ? STDERR_FILENO : s->fd;
}

void sink_offer(struct sink *s, const char *data, size_t n)
{
    struct pollfd pfd = {.fd = fd_of(s), .events = POLLOUT};
    if (pfd.fd >= 0 && poll(&pfd, 1, 0) <= 0)
        return;
    if (s->fd >= 0 && write(s->fd, data, n) < 0)
        return;
    if (s->fd == -1)
        (void)diag_data(data, n);
}

int sink_columns(const struct sink *s)
{
    struct winsize size = {0};
    int fd = fd_of(s);
    if (fd < 0 || !isatty(fd))
        return 0;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}
