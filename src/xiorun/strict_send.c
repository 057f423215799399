/* SPDX-License-Identifier: GPL-2.0-or-later
 * sendto(), sendmsg() and sendmmsg() for somebody else: see strict.h. Of a stream some is sent, as any send() may;
 * of many messages the first. Descriptors that a message carries are copied on the way. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "xiorun/strict.h"

enum { BYTES_MAX = 1 << 20, CONTROL_MAX = 4096, DESCRIPTORS_MAX = 253 };

struct message {
    struct msghdr header;
    struct sockaddr_storage name;
    struct iovec data;
    char control[CONTROL_MAX];
    int passed[DESCRIPTORS_MAX];
    size_t npassed;
};

/* ---- reading it ---- */

static void forget(struct message *m)
{
    for (size_t i = 0; i < m->npassed; i++)
        close(m->passed[i]);
    free(m->data.iov_base);
    free(m);
}

static int read_name(const struct call *c, struct message *m, uint64_t from, socklen_t len)
{
    if (!from || len == 0)
        return 0;
    if (len > sizeof m->name)
        return EINVAL;
    m->header.msg_name = &m->name;
    m->header.msg_namelen = len;
    return call_read(c, from, &m->name, len) ? 0 : EFAULT;
}

static int read_data(const struct call *c, struct message *m, const struct iovec *v, size_t n)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < n; i++)
        total = v[i].iov_len > BYTES_MAX - total ? BYTES_MAX : total + v[i].iov_len;
    m->data.iov_base = malloc(total + 1);
    m->data.iov_len = total;
    m->header.msg_iov = &m->data;
    m->header.msg_iovlen = 1;
    if (!m->data.iov_base)
        return ENOMEM;
    for (size_t i = 0; i < n && at < total; i++) {
        size_t some = v[i].iov_len < total - at ? v[i].iov_len : total - at;
        if (!call_read(c, (uint64_t)(uintptr_t)v[i].iov_base, (char *)m->data.iov_base + at, some))
            return EFAULT;
        at += some;
    }
    return 0;
}

/* Each number becomes that of a copy here. */
static int copy_descriptors(const struct call *c, struct message *m, struct cmsghdr *h)
{
    size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < n; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(h) + i * sizeof fd, sizeof fd);
        if (m->npassed == DESCRIPTORS_MAX || (fd = call_descriptor(c, fd)) < 0)
            return EBADF;
        m->passed[m->npassed++] = fd;
        memcpy(CMSG_DATA(h) + i * sizeof fd, &fd, sizeof fd);
    }
    return 0;
}

/* Who somebody is the kernel says itself: us, which is the same user. */
static int read_control(const struct call *c, struct message *m, const struct msghdr *from)
{
    bool credentials = false;
    int rc = 0;
    if (!from->msg_control || from->msg_controllen == 0)
        return 0;
    if (from->msg_controllen > sizeof m->control)
        return ENOBUFS;
    if (!call_read(c, (uint64_t)(uintptr_t)from->msg_control, m->control, from->msg_controllen))
        return EFAULT;
    m->header.msg_control = m->control;
    m->header.msg_controllen = from->msg_controllen;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(&m->header); h && rc == 0; h = CMSG_NXTHDR(&m->header, h)) {
        if (h->cmsg_len < CMSG_LEN(0) || h->cmsg_len > (size_t)(m->control + from->msg_controllen - (char *)h))
            return EINVAL;
        credentials |= h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_CREDENTIALS;
        if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
            rc = copy_descriptors(c, m, h);
    }
    if (credentials && m->npassed == 0)
        m->header.msg_control = NULL, m->header.msg_controllen = 0;
    return rc;
}

static int read_header(const struct call *c, struct message *m, uint64_t at)
{
    struct msghdr from;
    struct iovec v[64];
    if (!call_read(c, at, &from, sizeof from))
        return EFAULT;
    size_t n = from.msg_iovlen;
    if (n > IOV_MAX)
        return EMSGSIZE;
    n = n < 64 ? n : 64;
    if (!call_read(c, (uint64_t)(uintptr_t)from.msg_iov, v, n * sizeof *v))
        return EFAULT;
    int rc = read_name(c, m, (uint64_t)(uintptr_t)from.msg_name, from.msg_namelen);
    rc = rc ? rc : read_data(c, m, v, n);
    return rc ? rc : read_control(c, m, &from);
}

static int read_message(const struct call *c, struct message *m)
{
    const uint64_t *a = c->args;
    if (c->nr != SYS_sendto)
        return read_header(c, m, a[1]);
    const struct iovec v = {(void *)(uintptr_t)a[1], (size_t)a[2]};
    int rc = read_name(c, m, a[4], (socklen_t)a[5]);
    return rc ? rc : read_data(c, m, &v, 1);
}

static int flags_of(const struct call *c)
{
    return (int)(c->nr == SYS_sendmsg ? c->args[2] : c->args[3]);
}

/* ---- where it goes ---- */

static int number(int fd, int name)
{
    int value = 0;
    socklen_t len = sizeof value;
    return getsockopt(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

/* A stream that opens with its first bytes is the program's to open another way. */
static int check_way(const struct call *c, int fd, struct message *m)
{
    int domain = number(fd, SO_DOMAIN);
    if (domain < 0)
        return ENOTSOCK;
    if (domain != AF_INET && domain != AF_INET6)
        return 0;
    if (number(fd, SO_TYPE) == SOCK_STREAM) {
        m->header.msg_name = NULL;
        m->header.msg_namelen = 0;
        return flags_of(c) & MSG_FASTOPEN ? EOPNOTSUPP : 0;
    }
    if (m->header.msg_name && m->name.ss_family == AF_UNSPEC && domain == AF_INET) /* as the system takes it */
        m->name.ss_family = AF_INET;
    if (!m->header.msg_name || m->name.ss_family == AF_UNSPEC)
        return m->header.msg_name ? EAFNOSUPPORT : 0;
    return strict_packet(c, &m->name, &m->header.msg_namelen);
}

/* ---- sending ---- */

static void give(const struct call *c, ssize_t sent, int sys)
{
    unsigned len = (unsigned)sent;
    if (sent >= 0 && c->nr == SYS_sendmmsg) {
        bool told = call_write(c, c->args[1] + offsetof(struct mmsghdr, msg_len), &len, sizeof len);
        call_give(c, 1, told ? 0 : EFAULT);
        return;
    }
    if (sent < 0 && sys == EPIPE && !(flags_of(c) & MSG_NOSIGNAL) && call_waits(c))
        (void)syscall(SYS_tkill, c->pid, SIGPIPE);
    call_give(c, sent, sent < 0 ? sys : 0);
}

static bool names_a_file(const struct message *m)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&m->name;
    return m->header.msg_name && un->sun_family == AF_UNIX && un->sun_path[0];
}

/* waits: in a thread that may. False: it would have to. */
static bool send_it(struct call *c, bool waits)
{
    struct message *m = calloc(1, sizeof *m);
    int fd = m ? call_descriptor(c, (int)c->args[0]) : -1;
    int rc = !m ? ENOMEM : fd < 0 ? errno : c->nr == SYS_sendmmsg && c->args[2] == 0 ? EINVAL : read_message(c, m);
    bool done = true;
    rc = rc ? rc : check_way(c, fd, m);
    if (rc == 0 && names_a_file(m) && !waits) {
        done = false;
    } else if (rc == 0 && names_a_file(m) && !strict_stand_there(c, &m->name, &m->header.msg_namelen)) {
        rc = EACCES;
    } else if (rc == 0) {
        bool may = waits && !(fcntl(fd, F_GETFL) & O_NONBLOCK);
        int flags = (flags_of(c) & ~MSG_FASTOPEN) | MSG_NOSIGNAL | (may ? 0 : MSG_DONTWAIT);
        ssize_t sent = sendmsg(fd, &m->header, flags);
        int sys = errno;
        bool later = sent < 0 && sys == EAGAIN && !waits && !(flags_of(c) & MSG_DONTWAIT) && !(fcntl(fd, F_GETFL) & O_NONBLOCK);
        if (later)
            done = false;
        else
            give(c, sent, sys);
    }
    if (rc)
        call_give(c, 0, rc);
    if (fd >= 0)
        close(fd);
    if (m)
        forget(m);
    return done;
}

static void send_later(struct call *c)
{
    (void)send_it(c, true);
}

void strict_send(struct call *c)
{
    if (!send_it(c, false))
        call_go_on(c, send_later);
}
