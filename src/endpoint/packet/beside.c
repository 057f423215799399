/* SPDX-License-Identifier: GPL-2.0-or-later
 * Packets beside a connection: see beside.h. The connection has nothing to say any more but its end, which is heard
 * when there are no packets, and now and then while there are. */
#include "catena/beside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "catena/addr.h"
#include "catena/diag.h"
#include "endpoint/packet/dgram.h"

enum {
    DROPS = 64, /* packets of others before the rest of the line gets its turn */
    LOOK = 64,  /* packets between two looks at the connection */
};

struct beside {
    struct port *control;
    struct sockname peer; /* whose packets are taken; len 0: the socket is connected to him */
    bool pinned;          /* his port is known */
    bool over;            /* the connection has ended */
    unsigned since;       /* packets, since it was looked at */
};

static bool serves(const struct beside *b) { return b->peer.len > 0; }

/* ---- addresses ---- */

static void unmap(struct sockname *n)
{
    struct sockname plain = {.len = sizeof plain.u.in4};
    if (sockname_family(n) != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&n->u.in6.sin6_addr))
        return;
    plain.u.in4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = n->u.in6.sin6_port};
    memcpy(&plain.u.in4.sin_addr, n->u.in6.sin6_addr.s6_addr + 12, 4);
    *n = plain;
}

int beside_addresses(int fd, struct sockname *local, struct sockname *peer, struct err *e)
{
    unsigned char ignored[16];
    sockname_local(local, fd);
    sockname_peer(peer, fd);
    if (!sockname_ip_bytes(local, ignored) || !sockname_ip_bytes(peer, ignored))
        return err_set(e, ERR_UNFIT, "packets beside the connection need one that goes over IP");
    unmap(local);
    unmap(peer);
    return 0;
}

/* ---- the connection ---- */

/* What is said there is nothing that anybody waits for. When it has ended nothing is sent any more, either, which the
 * engine learns as of other sockets. */
static bool is_over(struct port *p)
{
    struct beside *b = p->state;
    char some[256];
    b->since = 0;
    for (int i = 0; i < DROPS && b->control && !b->over; i++) {
        ssize_t n = port_read(b->control, some, sizeof some);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        b->over = n <= 0;
        if (b->over)
            (void)shutdown(p->rfd, SHUT_RDWR); /* what is not connected says ENOTCONN, and does it all the same */
    }
    return b->over;
}

int beside_keep(struct port *p, struct port *control, struct err *e)
{
    struct beside *b = p->state;
    b->control = control;
    p->notice_fd = fcntl(control->rfd, F_DUPFD_CLOEXEC, 3);
    return p->notice_fd < 0 ? err_sys(e, "fcntl(%d, F_DUPFD)", control->rfd) : 0;
}

/* ---- the port ---- */

/* The first packet of the peer tells his port. */
static bool is_his(struct beside *b, const struct sockname *from)
{
    unsigned char his[16], theirs[16];
    char text[SOCKNAME_TEXT];
    bool same = sockname_ip_bytes(&b->peer, his) && sockname_ip_bytes(from, theirs) && memcmp(his, theirs, sizeof his) == 0;
    if (same && !b->pinned) {
        b->peer = *from;
        b->pinned = true;
        diag(DIAG_INFO, "packets of the client come from %s", sockname_text(from, text));
    }
    same = same && sockname_port(&b->peer) == sockname_port(from);
    if (!same)
        diag(DIAG_INFO, "dropping packet from %s, which is not the client", sockname_text(from, text));
    return same;
}

static ssize_t beside_read(struct port *p, void *buf, size_t cap)
{
    struct beside *b = p->state;
    for (int i = 0; i < DROPS; i++) {
        struct sockname from = {.len = sizeof from.u};
        if (++b->since >= LOOK && is_over(p))
            return 0;
        ssize_t n = port_message_fits(p, cap);
        if (n == 0)
            n = recvfrom(p->rfd, buf, cap, MSG_DONTWAIT, &from.u.sa, &from.len);
        if (n < 0 && errno == EAGAIN && is_over(p))
            return 0;
        if (n < 0 && errno == EAGAIN) {
            dgram_drop_errors(p->rfd);
            errno = EAGAIN;
        }
        if (n < 0 && errno != EMSGSIZE && dgram_is_old_news(errno))
            continue;
        if (n < 0 || (n > 0 && (!serves(b) || is_his(b, &from))))
            return n;
    }
    errno = EINTR;
    return -1;
}

/* Before he has sent anything nobody knows where to; and where he has gone nobody listens. */
static ssize_t beside_write(struct port *p, const void *buf, size_t n)
{
    struct beside *b = p->state;
    if (b->over) {
        errno = EPIPE;
        return -1;
    }
    if (serves(b) && !b->pinned)
        return (ssize_t)n;
    const struct sockaddr *to = serves(b) ? &b->peer.u.sa : NULL;
    ssize_t sent = -1;
    for (int i = 0; i < 2 && sent < 0; i++) {
        sent = sendto(p->wfd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL, to, serves(b) ? b->peer.len : 0);
        if (sent < 0 && !(dgram_is_old_news(errno) && errno != EMSGSIZE))
            break;
    }
    return sent < 0 && errno != EMSGSIZE && dgram_is_old_news(errno) ? (ssize_t)n : sent;
}

/* A client goes on with its answers; a server has none any more, which the connection tells. */
static int beside_shutdown(struct port *p, struct err *e)
{
    const struct beside *b = p->state;
    return serves(b) && b->control && !b->over ? port_shutdown(b->control, e) : 0;
}

static void beside_close(struct port *p)
{
    struct beside *b = p->state;
    port_fd_close(p);
    port_close(b->control);
    free(b);
    p->state = NULL;
}

static const struct port_ops beside_ops = {beside_read, beside_write, beside_shutdown, beside_close};

/* Takes the descriptor. */
static int make(const struct addr *a, int fd, unsigned flags, const struct sockname *peer, struct port **out, struct err *e)
{
    struct beside *b = calloc(1, sizeof *b);
    if (!b) {
        close(fd);
        return err_nomem(e);
    }
    if (port_open_fds(fd, fd, flags | PORT_MSG | PORT_COOL_WRITE, PORT_SHUT_NONE, a->label, out, e) < 0) {
        free(b);
        return -1;
    }
    if (peer)
        b->peer = *peer;
    (*out)->ops = &beside_ops;
    (*out)->state = b;
    return 0;
}

static int udp_socket(const struct sockname *like, struct err *e)
{
    int fd = socket(sockname_family(like), SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd < 0 ? err_sys(e, "socket() for UDP") : fd;
}

int beside_connect(const struct addr *a, const struct sockname *to, struct port **out, struct err *e)
{
    char text[SOCKNAME_TEXT];
    int fd = udp_socket(to, e);
    if (fd < 0)
        return -1;
    if (connect(fd, &to->u.sa, to->len) < 0) {
        (void)err_sys(e, "UDP to %s", sockname_name(to, text));
        close(fd);
        return -1;
    }
    return make(a, fd, PORT_ENDLESS, NULL, out, e);
}

/* The search begins anywhere: a port that was left a moment ago may still get what was for somebody else. */
static int bind_one(int fd, struct sockname *at, struct beside_ports ports, struct err *e)
{
    char text[SOCKNAME_TEXT];
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    int n = ports.last - ports.first + 1, from = (int)(now.tv_nsec / 1000 % n);
    for (int i = 0; i < n; i++) {
        sockname_set_port(at, ports.first + (from + i) % n);
        if (bind(fd, &at->u.sa, at->len) == 0)
            return 0;
        if (errno != EADDRINUSE)
            return err_sys(e, "UDP at %s", sockname_name(at, text));
    }
    sockname_set_port(at, 0);
    return err_set(e, ERR_BUSY, "UDP at %s: all of the ports %d to %d are taken", sockname_name(at, text), ports.first,
                   ports.last);
}

int beside_await(const struct addr *a, struct sockname *at, struct beside_ports ports, const struct sockname *peer,
                 struct port **out, struct err *e)
{
    int fd = udp_socket(at, e);
    if (fd < 0)
        return -1;
    if (bind_one(fd, at, ports, e) < 0) {
        close(fd);
        return -1;
    }
    sockname_local(at, fd);
    return make(a, fd, 0, peer, out, e);
}
