/* SPDX-License-Identifier: GPL-2.0-or-later
 * The kernel's own ways between two descriptors: see express.h. Which pairs get one was settled by
 * measurement (bench/): splice(2) through a large pipe for TCP sources and straight from a pipe
 * that is full, sendfile(2) and copy_file_range(2) for files. UNIX sockets as sources are faster
 * copied. */
#include "engine/port/express.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIPE_SIZE = 1 << 20,  /* bytes; what every user may have by default, see pipe(7) */
    PIPE_LEAST = 1 << 18, /* with less the detour costs more than a copy */
    CHUNK = 1 << 20,      /* bytes in one call; the other direction and signals wait so long */
    SMALL = 8192,         /* a take below this does not pay */
    SMALL_MOST = 16,      /* so many of them in a row and the flow is another one now */
};

/* ---- what a port is ---- */

enum kind { KIND_OTHER, KIND_TCP, KIND_SOCKET, KIND_PIPE, KIND_FILE };

static enum kind kind_of(int fd)
{
    struct stat st;
    int type = 0, domain = 0;
    socklen_t n = sizeof type;
    if (fd < 0 || fstat(fd, &st) < 0)
        return KIND_OTHER;
    if (S_ISREG(st.st_mode))
        return st.st_size > 0 ? KIND_FILE : KIND_OTHER; /* those of /proc have no size */
    if (S_ISFIFO(st.st_mode))
        return KIND_PIPE;
    if (!S_ISSOCK(st.st_mode) || getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) < 0 ||
        type != SOCK_STREAM)
        return KIND_OTHER;
    n = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0)
        return KIND_OTHER;
    return domain == AF_INET || domain == AF_INET6 ? KIND_TCP : KIND_SOCKET;
}

static bool never_blocks(int fd, bool ours)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || flags & O_NONBLOCK)
        return flags >= 0;
    /* sockets are used with MSG_DONTWAIT; splice() needs the flag, which others must not notice */
    return ours && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

/* ---- making ---- */

static ssize_t by_sendfile(int from, int to, size_t most)
{
    return sendfile(to, from, NULL, most);
}

static ssize_t by_copy_range(int from, int to, size_t most)
{
    return copy_file_range(from, NULL, to, NULL, most, 0);
}

static bool open_pipe(struct express *x)
{
    if (pipe2(x->pipe, O_CLOEXEC | O_NONBLOCK) < 0) {
        x->pipe[0] = x->pipe[1] = -1;
        return false;
    }
    (void)fcntl(x->pipe[1], F_SETPIPE_SZ, PIPE_SIZE); /* users have a limit over all their pipes */
    return fcntl(x->pipe[1], F_GETPIPE_SZ) >= PIPE_LEAST;
}

struct express *express_new(const struct port *from, const struct port *to)
{
    const unsigned odd_r = PORT_MSG_R | PORT_IGNORE_EOF | PORT_NULL_EOF | PORT_EIO_EOF | PORT_STALL_R;
    const unsigned odd_w = PORT_MSG_W | PORT_SLOW_W | PORT_STALL_W;
    struct stat st;
    enum kind f = kind_of(from->rfd);
    enum kind t = fstat(to->wfd, &st) == 0 && S_ISREG(st.st_mode) ? KIND_FILE : kind_of(to->wfd);
    if (t == KIND_OTHER || f == KIND_OTHER || f == KIND_SOCKET || port_has_more(from))
        return NULL;
    if (!port_is_bare(from, to) || from->flags & odd_r || to->flags & odd_w)
        return NULL;
    if ((f != KIND_FILE && !never_blocks(from->rfd, from->flags & PORT_OWN_R)) ||
        (t != KIND_FILE && !never_blocks(to->wfd, to->flags & PORT_OWN_W)))
        return NULL;
    struct express *x = malloc(sizeof *x);
    if (!x)
        return NULL;
    *x = (struct express){.pipe = {-1, -1}, .source_is_pipe = f == KIND_PIPE};
    if (f == KIND_FILE)
        x->direct = t == KIND_FILE ? by_copy_range : by_sendfile;
    else if (f == KIND_PIPE)
        x->pipe[0] = from->rfd;
    else if (!open_pipe(x)) {
        express_free(x);
        return NULL;
    }
    return x;
}

void express_free(struct express *x)
{
    for (int i = 0; x && !x->source_is_pipe && i < 2; i++)
        if (x->pipe[i] >= 0)
            close(x->pipe[i]);
    free(x);
}

/* ---- moving ---- */

/* What the source's pipe holds is as good as taken. */
static ssize_t look_into(const struct port *from)
{
    int n = 0;
    return ioctl(from->rfd, FIONREAD, &n) < 0 ? -1 : n;
}

ssize_t express_take(struct express *x, const struct port *from)
{
    ssize_t n = x->source_is_pipe
                    ? look_into(from)
                    : splice(from->rfd, NULL, x->pipe[1], NULL, PIPE_SIZE, SPLICE_F_NONBLOCK);
    if (n > 0) {
        x->held += (size_t)n;
        x->small = n < SMALL ? x->small + 1 : 0;
    }
    return n;
}

ssize_t express_give(struct express *x, const struct port *from, const struct port *to)
{
    if (x->direct)
        return x->direct(from->rfd, to->wfd, CHUNK);
    ssize_t n = splice(x->pipe[0], NULL, to->wfd, NULL, x->held, SPLICE_F_NONBLOCK);
    if (n > 0) {
        x->held -= (size_t)n;
    } else if (n < 0 && errno == EAGAIN && x->source_is_pipe) {
        ssize_t still = look_into(from); /* others may read from it, too; what is new is for later */
        if (still < (ssize_t)x->held)
            x->held = still > 0 ? (size_t)still : 0;
        errno = EAGAIN;
    }
    return n;
}

int express_recall(struct express *x, struct buf *to)
{
    if (x->source_is_pipe)
        x->held = 0; /* it is still there for the plain way */
    if (buf_grow(to, to->len + x->held) < 0)
        return -1;
    while (x->held > 0) {
        unsigned char *at;
        size_t room = buf_room(to, &at);
        ssize_t n = read(x->pipe[0], at, room < x->held ? room : x->held);
        if (n <= 0)
            return -1;
        buf_commit(to, (size_t)n);
        x->held -= (size_t)n;
    }
    return 0;
}

size_t express_left(const struct express *x, const struct port *from)
{
    struct stat st;
    off_t at = x->direct ? lseek(from->rfd, 0, SEEK_CUR) : -1;
    return at >= 0 && fstat(from->rfd, &st) == 0 && st.st_size > at ? (size_t)(st.st_size - at) : 0;
}

bool express_is_over(const struct express *x)
{
    return x->small > SMALL_MOST && x->held == 0;
}
