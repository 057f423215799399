/* SPDX-License-Identifier: GPL-2.0-or-later
 * The port of a datagram socket. Nothing here waits: packets that are not for us are thrown away
 * until one is, or until there is none. */
#include "endpoint/packet/dgram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "endpoint/options/opts_socket.h"
#include "endpoint/packet/ancillary.h"
#include "catena/diag.h"
#include "catena/plan.h"
#include "endpoint/netdev/frame.h"

enum {
    DROPS = 64,          /* packets thrown away before others get their turn */
    IP4_HEADER = 20,     /* bytes without options */
    IP4_HEADER_MAX = 60, /* ... with */
    OLD_ERRORS = 8,      /* errors of other packets that one write steps over */
};

/* ---- one packet ---- */

/* The options of an IPv4 header that has any stand in front of the data. */
static ssize_t strip_header(const unsigned char *header, unsigned char *buf, ssize_t n)
{
    size_t len = (size_t)(header[0] & 0x0f) * 4, left, options;

    if (n < IP4_HEADER || len < IP4_HEADER)
        return 0;
    left = (size_t)n - IP4_HEADER;
    options = len - IP4_HEADER < left ? len - IP4_HEADER : left;
    memmove(buf, buf + options, left - options);
    return (ssize_t)(left - options);
}

ssize_t dgram_receive(int fd, bool strip, void *buf, size_t cap, struct dgram_packet *p)
{
    unsigned char header[IP4_HEADER] = {0};
    struct iovec iov[2] = {{header, strip ? sizeof header : 0}, {buf, cap}};
    ssize_t n;

    memset(&p->from, 0, sizeof p->from);
    p->msg = (struct msghdr){.msg_name = &p->from.u, .msg_namelen = sizeof p->from.u,
                             .msg_iov = iov, .msg_iovlen = 2, .msg_control = p->control,
                             .msg_controllen = sizeof p->control};
    n = recvmsg(fd, &p->msg, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINVAL) /* where no descriptors can come, the flag is not known */
        n = recvmsg(fd, &p->msg, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0)
        return -1;
    ancillary_close_passed(&p->msg); /* here, for not every packet is used */
    p->from.len = p->msg.msg_namelen;
    size_t room = cap + iov[0].iov_len;
    p->cut = (size_t)n > room ? (size_t)n - room : 0;
    n -= (ssize_t)p->cut;
    return strip ? strip_header(header, buf, n) : n;
}

/* The side whose address that is. */
static int side_of(const struct run *r, const struct addr *a)
{
    const struct plan_end *right = &r->plan->end[RIGHT];

    return right->fwd->label == a->label || (right->back && right->back->label == a->label) ? RIGHT
                                                                                          : LEFT;
}

void dgram_count_cut(const struct addr *a, struct run *r, const struct dgram_packet *p, ssize_t n)
{
    char text[SOCKNAME_TEXT];

    if (p->cut == 0)
        return;
    diag_coded(DIAG_ERROR, ERR_TOO_LARGE, "packet from %s has been cut from %zu to %zd bytes",
               sockname_text(&p->from, text), (size_t)n + p->cut, n);
    run_lose(r, side_of(r, a), p->cut, NULL);
}

void dgram_drop_errors(int fd)
{
    int sys = errno, family = AF_UNIX;
    socklen_t n = sizeof family;
    struct dgram_packet p;
    unsigned char original[64];

    /* UNIX sockets have no error queue: asked for it, they would give the next packet. */
    (void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n);
    for (int i = 0; i < DROPS && family != AF_UNIX; i++) {
        struct iovec iov = {original, sizeof original};

        p.msg = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1, .msg_control = p.control,
                                .msg_controllen = sizeof p.control};
        if (recvmsg(fd, &p.msg, MSG_DONTWAIT | MSG_ERRQUEUE) < 0)
            break;
    }
    errno = sys;
}

bool dgram_is_old_news(int sys)
{
    switch (sys) {
    case ECONNREFUSED:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
    case EPROTO:
    case EMSGSIZE:
        return true;
    default:
        return false;
    }
}

int dgram_let_in(const struct addr *a, struct run *r, const struct access *access, int fd,
                 const struct sockname *from)
{
    struct err e = {.kind = ERR_NONE};
    const char *why = "";
    char text[SOCKNAME_TEXT];
    int rc = access_check(access, a, r, fd, from, &why, &e);

    sockname_text(from, text);
    if (rc > 0) {
        diag(DIAG_INFO, "permitting packet from %s", text);
        return 1;
    }
    if (rc < 0)
        why = diag_words(&e);
    if (rc == 0 || !err_is_end(&e))
        diag_coded(DIAG_WARN, ERR_RANGE, "refusing packet from %s due to %s", text, why);
    return 0;
}

int dgram_admit(const struct addr *a, struct run *r, const struct access *access, int fd)
{
    struct sockname from = {.len = sizeof from.u};
    char byte;

    if (recvfrom(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK, &from.u.sa, &from.len) < 0)
        return -1;
    if (dgram_let_in(a, r, access, fd, &from) > 0)
        return 1;
    (void)recv(fd, &byte, 1, MSG_DONTWAIT);
    return 0;
}

bool dgram_has_header(const struct sock_kind *kind, int fd)
{
    struct sockname local;

    sockname_local(&local, fd);
    return kind->raw_ip && sockname_family(&local) == AF_INET && kind->protocol != IPPROTO_RAW;
}

bool dgram_has_rules(const struct access *access)
{
    return access->ranged || access->wrapped || access->lowport || access->sourceport >= 0;
}

int dgram_facts(struct run *r, const struct addr *who, const struct sockname *from, int fd,
                bool portless, struct err *e)
{
    struct sockname local;
    char text[SOCKNAME_TEXT];

    sockname_local(&local, fd);
    if (!portless)
        return sockname_facts(r, who, fd, from, &local, e);
    if (run_set_fact(r, who, "peeraddr", sockname_host(from, text), e) < 0)
        return -1;
    return run_set_fact(r, who, "sockaddr", sockname_host(&local, text), e);
}

/* ---- reading ---- */

static bool same_unix(const struct sockname *a, const struct sockname *b)
{
    const char *x = a->u.un.sun_path, *y = b->u.un.sun_path;

    if (x[0] != '\0' || y[0] != '\0')
        return strncmp(x, y, sizeof a->u.un.sun_path) == 0;
    return a->len == b->len && memcmp(x, y, sizeof a->u.un.sun_path) == 0;
}

static bool same_sender(const struct sockname *to, const struct sockname *from)
{
    unsigned char x[16], y[16];

    if (from->len == 0)
        return false;
    if (sockname_ip_bytes(to, x) && sockname_ip_bytes(from, y)) {
        int port = sockname_port(from); /* raw sockets know none */

        return memcmp(x, y, sizeof x) == 0 && (port == 0 || port == sockname_port(to));
    }
    if (sockname_family(to) != sockname_family(from))
        return false;
    if (sockname_family(to) == AF_UNIX)
        return same_unix(to, from);
    return to->len == from->len && memcmp(&to->u, &from->u, to->len) == 0;
}

/* Is the packet for us? Tells about it if so. */
static bool take(struct port *p, struct dgram *d, struct dgram_packet *packet, const void *data,
                 ssize_t n)
{
    char text[SOCKNAME_TEXT];
    struct err ignored;

    if (d->frames && frame_is_ours(&packet->from))
        return false;
    if (d->only_to && !same_sender(&d->to, &packet->from)) {
        /* a connected socket gets none: it came before it was */
        if (d->returns && backlog_give_back(d->back_fd, p->rfd, &packet->from, data, (size_t)n))
            return false;
        diag(d->connected ? DIAG_WARN : DIAG_INFO, "dropping packet from %s, which is not the peer",
             sockname_text(&packet->from, text));
        return false;
    }
    ancillary_report(d->run, d->addr, &packet->msg, d->facts);
    dgram_count_cut(d->addr, d->run, packet, n);
    if (diag_shows(DIAG_INFO))
        diag(DIAG_INFO, "received packet with %zd bytes from %s", n,
             sockname_text(&packet->from, text));
    if (!d->facts || memcmp(&d->last, &packet->from, sizeof d->last) == 0)
        return true;
    d->last = packet->from;
    (void)dgram_facts(d->run, d->addr, &packet->from, p->rfd, d->portless, &ignored);
    return true;
}

/* What came before this port was there. */
static ssize_t read_ahead(struct port *p, struct dgram *d, void *buf, size_t cap)
{
    struct packet *packet = d->ahead;
    size_t n = packet->n < cap ? packet->n : cap;

    memcpy(buf, packet->data, n);
    d->ahead = packet->next;
    p->more = d->ahead != NULL;
    free(packet);
    if (n > 0 || !(p->flags & PORT_SEALED))
        return (ssize_t)n;
    errno = EINTR;
    return -1;
}

/* The kernel tells news of the peer before the packets that it had sent until then. True: there may be
 * some, and errno comes later. */
static bool news_can_wait(struct port *p, struct dgram *d)
{
    if (d->news == 0 && d->connected && errno != EMSGSIZE && dgram_is_old_news(errno)) {
        d->news = errno;
        p->more = true;
        return true;
    }
    if (errno == EAGAIN && d->news != 0) {
        errno = d->news;
        p->more = false;
    }
    return false;
}

static ssize_t dgram_read(struct port *p, void *buf, size_t cap)
{
    struct dgram *d = p->state;
    struct dgram_packet packet;

    p->blank = false;
    if (d->ahead)
        return read_ahead(p, d, buf, cap);
    if (d->nothing_more)
        return 0;
    for (int i = 0; i < DROPS; i++) {
        int admitted = d->checked ? dgram_admit(d->addr, d->run, &d->access, p->rfd) : 1;
        ssize_t n = admitted <= 0 ? admitted : port_message_fits(p, cap);

        if (n == 0 && admitted > 0)
            n = dgram_receive(p->rfd, d->strip, buf, cap, &packet);
        if (n < 0 && errno == EAGAIN)
            dgram_drop_errors(p->rfd);
        if (n < 0 && news_can_wait(p, d))
            continue;
        if (n < 0)
            return -1;
        if (admitted == 0 || !take(p, d, &packet, buf, n))
            continue;
        if (d->vlan)
            n = frame_put_tag(&packet.msg, buf, n, cap);
        p->blank = n == 0 && p->flags & PORT_EMPTY_R;
        if (n > 0 || (d->connected && !(p->flags & PORT_SEALED)) || p->flags & (PORT_NULL_EOF | PORT_EMPTY_R))
            return n;
    }
    errno = EINTR; /* others are to have their turn, and there may be more */
    return -1;
}

/* ---- writing and ending ---- */

static ssize_t send_packet(const struct dgram *d, int fd, const void *buf, size_t n)
{
    const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    return d->to.len > 0 ? sendto(fd, buf, n, flags, &d->to.u.sa, d->to.len)
                         : send(fd, buf, n, flags);
}

static ssize_t dgram_write(struct port *p, const void *buf, size_t n)
{
    const struct dgram *d = p->state;
    ssize_t sent = send_packet(d, p->wfd, buf, n);

    /* An unconnected socket serves many peers: the error may be what an earlier packet to another one
     * brought back. Reporting it has cleared it. */
    for (int i = 0; i < OLD_ERRORS && sent < 0 && errno == ECONNREFUSED && !d->connected; i++)
        sent = send_packet(d, p->wfd, buf, n);
    /* poll() does not know whether a receiver that we are not connected to has room. */
    if (sent < 0 && errno == EAGAIN && sockname_family(&d->to) == AF_UNIX)
        errno = ENOBUFS;
    return sent;
}

static int dgram_shutdown(struct port *p, struct err *e)
{
    const struct dgram *d = p->state;
    int rc = port_fd_shutdown(p, e);

    if (rc < 0 && d->connected && e->sys == ECONNREFUSED)
        return 0; /* nobody is there any more to learn about the end */
    return rc;
}

static void dgram_close(struct port *p)
{
    struct dgram *d = p->state;

    port_fd_close(p);
    packets_free(d->ahead);
    free(d);
    p->state = NULL;
}

static const struct port_ops dgram_ops = {dgram_read, dgram_write, dgram_shutdown, dgram_close};

/* ---- making ---- */

/* Is an empty packet one? Ordered so (null-eof=0); or if it goes into a frame and is no end by custom. */
static bool takes_empty(const struct addr *a, const struct run *r, const struct dgram *how)
{
    const struct opt *o = opt_find(a, &opt_null_eof);

    return o ? !o->v.i : !how->connected && r->plan->framed[side_of(r, a)];
}

int dgram_port(const struct addr *a, struct run *r, const struct sock_kind *kind, int fd,
               const struct dgram *how, struct port **out, struct err *e)
{
    struct dgram *d = malloc(sizeof *d);
    struct port *p = NULL;
    bool writes = a->left == CTX_W || (a->left == CTX_B && (a->form->left & ~CTX_R) != 0);
    unsigned flags = kind->flags | PORT_MSG | (how->nothing_more ? 0U : PORT_ENDLESS) |
                     (takes_empty(a, r, how) ? PORT_EMPTY_R : 0U);

    if (!d) {
        packets_free(how->ahead);
        close(fd);
        return err_nomem(e);
    }
    if (endpoint_socket_port(a, r, a->left == CTX_W ? -1 : fd, writes ? fd : -1, flags, kind->shut,
                             &p, e) < 0) {
        packets_free(how->ahead);
        free(d);
        return -1;
    }
    *d = *how;
    sockname_meet(r, fd, d->to.len > 0 ? &d->to : NULL);
    d->run = r;
    d->addr = a;
    p->ops = &dgram_ops;
    p->state = d;
    p->more = d->ahead != NULL;
    *out = p;
    return 0;
}

/* What a socket that is not connected has in common with one that was. */
static int prepared(const struct addr *a, int fd, const struct sock_kind *kind, struct dgram *d,
                    struct err *e)
{
    d->strip = dgram_has_header(kind, fd);
    d->portless = kind->type == SOCK_RAW;
    if (opts_apply(a, PHASE_CONNECTED, fd, e) == 0)
        return 0;
    close(fd);
    return -1;
}

int dgram_sender(const struct addr *a, struct run *r, const struct sock_kind *kind, int fd,
                 const struct sockname *to, const struct access *access, bool from_all,
                 struct port **out, struct err *e)
{
    struct dgram d = {.to = *to, .only_to = !from_all};
    struct sockname local;
    char text[SOCKNAME_TEXT];

    if (access) {
        d.access = *access;
        d.checked = dgram_has_rules(access);
    }
    sockname_local(&local, fd);
    diag(DIAG_NOTICE, "successfully prepared local socket %s", sockname_text(&local, text));
    diag(DIAG_INFO, "sending to %s", sockname_text(to, text));
    return prepared(a, fd, kind, &d, e) < 0 ? -1 : dgram_port(a, r, kind, fd, &d, out, e);
}

int dgram_receiver(const struct addr *a, struct run *r, const struct sock_kind *kind, int fd,
                   const struct access *access, struct port **out, struct err *e)
{
    struct dgram d = {.access = *access, .facts = true};
    struct sockname local;
    char text[SOCKNAME_TEXT];

    d.checked = dgram_has_rules(access);
    sockname_local(&local, fd);
    diag(DIAG_NOTICE, "receiving socket bound to %s", sockname_text(&local, text));
    return prepared(a, fd, kind, &d, e) < 0 ? -1 : dgram_port(a, r, kind, fd, &d, out, e);
}
