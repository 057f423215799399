/* SPDX-License-Identifier: GPL-2.0-or-later
 * A connection whose records the kernel seals: see catena/seal.h. Data are written as ever; a record that is no data
 * says so beside it. */
#include "catena/seal.h"

#include <errno.h>
#include <linux/tls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catena/port.h"

enum { ALERT = 21, HANDSHAKE = 22 }; /* types of records, RFC 8446 5.1 */

static int refused(struct err *e, const char *protocol)
{
    switch (errno) {
    case ENOENT:
        return err_set(e, ERR_ABSENT, "the kernel has no \"%s\" for TCP; as root, 'modprobe %s' loads it", protocol,
                       protocol);
    case ENOTCONN: return err_set(e, ERR_REFUSED, "the peer has closed its side already");
    default: return err_sys(e, "the kernel refuses \"%s\"", protocol);
    }
}

/* A socket without a connection is told so, where the kernel knows what it is asked for. */
int seal_possible(const char *protocol, struct err *e)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return 0; /* whoever connects will learn it */
    int rc = setsockopt(fd, IPPROTO_TCP, TCP_ULP, protocol, (socklen_t)strlen(protocol));
    if (rc < 0 && errno != ENOTCONN)
        (void)refused(e, protocol);
    else
        rc = 0;
    close(fd);
    return rc;
}

static int put_record(struct port *p, unsigned char type, const void *bytes, size_t n)
{
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof type)];
    } beside = {.room = {0}};
    struct iovec v = {(void *)(uintptr_t)bytes, n};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = beside.room, .msg_controllen = sizeof beside.room};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_TLS;
    c->cmsg_type = TLS_SET_RECORD_TYPE;
    c->cmsg_len = CMSG_LEN(sizeof type);
    *CMSG_DATA(c) = type;
    return sendmsg(p->wfd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 0;
}

static int sealed_control(struct port *p, const struct control *c)
{
    static const unsigned char key_update[] = {24, 0, 0, 1, 0}; /* RFC 8446 4.6.3, update_not_requested */
    const unsigned char alert[] = {(unsigned char)(c->value >> 8), (unsigned char)c->value};
    switch (c->kind) {
    case CONTROL_ALERT: return put_record(p, ALERT, alert, sizeof alert);
    case CONTROL_NEW_KEYS: return put_record(p, HANDSHAKE, key_update, sizeof key_update);
    default: return 0;
    }
}

static bool is_tcp(const struct port *p)
{
    int protocol = 0;
    socklen_t len = sizeof protocol;
    while (p->ops->write == port_inner_write)
        p = p->inner[1];
    return p->ops->write == port_fd_write && p->flags & PORT_SOCKET_W &&
           getsockopt(p->wfd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == IPPROTO_TCP;
}

int port_seal(struct port **p, const struct seal *how, struct err *e)
{
    static const struct port_ops ops = {.control = sealed_control};
    bool again = (*p)->ops->control == sealed_control;
    if (!is_tcp(*p))
        return err_set(e, ERR_OTHER, "what is below is no TCP connection");
    if (!again && setsockopt((*p)->wfd, IPPROTO_TCP, TCP_ULP, how->protocol, (socklen_t)strlen(how->protocol)) < 0)
        return refused(e, how->protocol);
    if (!again && !port_wrap(p, &ops, 0, e)) /* before: nothing may fail once it seals */
        return -1;
    if (setsockopt((*p)->wfd, SOL_TLS, TLS_TX, how->keys, (socklen_t)how->size) < 0)
        return err_sys(e, "the kernel does not take these keys");
    return 0;
}
