/* SPDX-License-Identifier: GPL-2.0-or-later
 * The calls that move data. While no connection is on its way they cost one look at a number; where a packet or
 * the first bytes of a connection name an address, that goes the way of connect(). */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "preload/gate.h"
#include "preload/gate_address.h"
#include "preload/packets.h"
#include "preload/real.h"

/* ---- taking ---- */

HOOK ssize_t read(int fd, void *buf, size_t n)
{
    return gate_is_open(fd) ? REAL(read)(fd, buf, n) : -1;
}

HOOK ssize_t readv(int fd, const struct iovec *v, int n)
{
    return gate_is_open(fd) ? REAL(readv)(fd, v, n) : -1;
}

HOOK ssize_t recv(int fd, void *buf, size_t n, int flags)
{
    return gate_is_open(fd) ? REAL(recv)(fd, buf, n, flags) : -1;
}

static ssize_t receive_from(int fd, void *buf, size_t n, int flags, struct sockaddr *from, socklen_t *len)
{
    socklen_t cap = from && len ? *len : 0;
    ssize_t got = gate_is_open(fd) ? REAL(recvfrom)(fd, buf, n, flags, from, len) : -1;
    if (got >= 0)
        packets_from(fd, from, cap, len);
    return got;
}

HOOK ssize_t recvfrom(int fd, void *restrict buf, size_t n, int flags, __SOCKADDR_ARG from, socklen_t *restrict len)
{
    return receive_from(fd, buf, n, flags, from.__sockaddr__, len);
}

HOOK ssize_t recvmsg(int fd, struct msghdr *m, int flags)
{
    socklen_t cap = m && m->msg_name ? m->msg_namelen : 0;
    ssize_t got = gate_is_open(fd) ? REAL(recvmsg)(fd, m, flags) : -1;
    if (got >= 0)
        packets_from(fd, m->msg_name, cap, &m->msg_namelen);
    return got;
}

/* What a program that was built with _FORTIFY_SOURCE calls; the bounds are its compiler's business. */
HOOK ssize_t __read_chk(int fd, void *buf, size_t n, size_t cap);
HOOK ssize_t __read_chk(int fd, void *buf, size_t n, size_t cap)
{
    return read(fd, buf, n < cap ? n : cap);
}

HOOK ssize_t __recv_chk(int fd, void *buf, size_t n, size_t cap, int flags);
HOOK ssize_t __recv_chk(int fd, void *buf, size_t n, size_t cap, int flags)
{
    return recv(fd, buf, n < cap ? n : cap, flags);
}

HOOK ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t cap, int flags, struct sockaddr *from, socklen_t *len);
HOOK ssize_t __recvfrom_chk(int fd, void *buf, size_t n, size_t cap, int flags, struct sockaddr *from, socklen_t *len)
{
    return receive_from(fd, buf, n < cap ? n : cap, flags, from, len);
}

/* ---- giving ---- */

HOOK ssize_t write(int fd, const void *buf, size_t n)
{
    return gate_is_open(fd) ? REAL(write)(fd, buf, n) : -1;
}

HOOK ssize_t writev(int fd, const struct iovec *v, int n)
{
    return gate_is_open(fd) ? REAL(writev)(fd, v, n) : -1;
}

HOOK ssize_t send(int fd, const void *buf, size_t n, int flags)
{
    return gate_is_open(fd) ? REAL(send)(fd, buf, n, flags) : -1;
}

HOOK ssize_t sendfile(int to, int from, off_t *at, size_t n)
{
    return gate_is_open(to) ? REAL(sendfile)(to, from, at, n) : -1;
}

HOOK ssize_t sendfile64(int to, int from, off64_t *at, size_t n)
{
    return gate_is_open(to) ? REAL(sendfile64)(to, from, at, n) : -1;
}

HOOK int shutdown(int fd, int how)
{
    return gate_is_open(fd) ? REAL(shutdown)(fd, how) : -1;
}

/* Is it a stream? Of packets of IPv4 an address is that, as for the system, also where it names no family. */
static bool is_stream(int fd, union address *named)
{
    struct slots_hold h;
    slots_lock(&h);
    const struct slot *s = slot_of(fd);
    bool stream = s && s->type == SOCK_STREAM;
    if (s && !stream && s->domain == AF_INET && named->any.sa_family == AF_UNSPEC)
        named->any.sa_family = AF_INET;
    slots_unlock(&h);
    return stream;
}

/* To an address. False: it fails, errno says why. Else *m is to be sent as it then is. */
static bool sends_to(int fd, struct msghdr *m, int *flags, union address *to)
{
    bool connected = true;
    union address named = {0};
    if (m->msg_namelen >= sizeof named.any.sa_family)
        memcpy(&named, m->msg_name, m->msg_namelen < sizeof named ? m->msg_namelen : sizeof named);
    bool stream = is_stream(fd, &named);
    if (!address_take(&named.any, m->msg_namelen, to))
        return true;
    if (stream) {
        if (*flags & MSG_FASTOPEN && gate_connect(fd, m->msg_name, m->msg_namelen) < 0)
            return false;
        *flags &= ~MSG_FASTOPEN;
    } else if (!packets_to(fd, to, &connected)) {
        return false;
    }
    m->msg_name = connected ? NULL : to;
    m->msg_namelen = connected ? 0 : address_length(to);
    return true;
}

HOOK ssize_t sendto(int fd, const void *buf, size_t n, int flags, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
    struct msghdr m = {.msg_name = (void *)(uintptr_t)addr.__sockaddr__, .msg_namelen = len};
    union address to;
    if (!gate_is_open(fd) || (m.msg_name && !sends_to(fd, &m, &flags, &to)))
        return -1;
    return REAL(sendto)(fd, buf, n, flags, m.msg_name, m.msg_namelen);
}

HOOK ssize_t sendmsg(int fd, const struct msghdr *m, int flags)
{
    union address to;
    if (!gate_is_open(fd))
        return -1;
    if (!m || !m->msg_name)
        return REAL(sendmsg)(fd, m, flags);
    struct msghdr really = *m;
    return sends_to(fd, &really, &flags, &to) ? REAL(sendmsg)(fd, &really, flags) : -1;
}

/* One after the other, if one of them names an address. */
HOOK int sendmmsg(int fd, struct mmsghdr *v, unsigned n, int flags)
{
    bool named = false;
    unsigned i = 0;
    if (!gate_is_open(fd))
        return -1;
    for (unsigned k = 0; k < n; k++)
        named |= v[k].msg_hdr.msg_name != NULL;
    if (!named)
        return REAL(sendmmsg)(fd, v, n, flags);
    for (; i < n; i++) {
        ssize_t sent = sendmsg(fd, &v[i].msg_hdr, flags);
        if (sent < 0)
            break;
        v[i].msg_len = (unsigned)sent;
    }
    return i > 0 || n == 0 ? (int)i : -1;
}
