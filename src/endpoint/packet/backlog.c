/* SPDX-License-Identifier: GPL-2.0-or-later
 * Packets ahead of their clients: see backlog.h. */
#include "endpoint/packet/backlog.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "catena/diag.h"
#include "endpoint/packet/dgram.h"

enum {
    PACKET_MOST = 65536,   /* bytes of one */
    MOST = 32 << 20,       /* bytes of all; what comes then waits in the socket */
    SOCKET_ROOM = 4 << 20, /* bytes, asked for */
};

/* ---- the socket ---- */

static uint32_t drops_of(int fd)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t n = sizeof info;

    return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &n) < 0 ? 0 : info[SK_MEMINFO_DROPS];
}

static bool has_size_option(const struct addr *a)
{
    for (size_t i = 0; i < a->nopts; i++)
        if (strncmp(a->opts[i].desc->name, "so-rcvbuf", strlen("so-rcvbuf")) == 0)
            return true;
    return false;
}

/* While a client gets its process, those of many others have to fit. */
static void enlarge(const struct addr *a, int fd)
{
    int had = 0, wanted = SOCKET_ROOM;
    socklen_t n = sizeof had;

    if (has_size_option(a) || getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &had, &n) < 0 || had >= wanted)
        return;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &wanted, sizeof wanted) < 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &wanted, sizeof wanted);
}

/* Packets say which of our addresses they were sent to. */
static void ask_for_address(int fd)
{
    const int on = 1;

    if (setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on) < 0)
        (void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
}

static int watch(const struct backlog *b, int fd)
{
    struct epoll_event ev = {.events = EPOLLIN};

    return epoll_ctl(b->ready_fd, EPOLL_CTL_ADD, fd, &ev);
}

int backlog_init(struct backlog *b, const struct addr *a, int fd, struct err *e)
{
    *b = (struct backlog){.fd = fd, .back = {-1, -1}, .last = &b->first};
    b->ready_fd = epoll_create1(EPOLL_CLOEXEC);
    if (b->ready_fd < 0 ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, b->back) < 0 ||
        watch(b, fd) < 0 || watch(b, b->back[0]) < 0) {
        (void)err_sys(e, "cannot watch for clients");
        backlog_fini(b, false);
        return -1;
    }
    enlarge(a, fd);
    ask_for_address(fd);
    return 0;
}

/* The system drops packets without a word; only its count tells. */
static void tell_drops(struct backlog *b)
{
    uint32_t now = drops_of(b->fd);

    if (now == b->drops)
        return;
    diag(DIAG_WARN, "%u packets were lost: they came faster than clients can be served, and the "
                    "receive buffer was full (rcvbuf=<bytes> makes it larger, up to "
                    "net.core.rmem_max)", now - b->drops);
    b->drops = now;
}

/* ---- the packets ---- */

static bool same(const struct sockname *x, const struct sockname *y)
{
    return x->len == y->len && memcmp(&x->u, &y->u, x->len) == 0;
}

void packets_free(struct packet *p)
{
    for (struct packet *next; p != NULL; p = next) {
        next = p->next;
        free(p);
    }
}

void backlog_fini(struct backlog *b, bool forked)
{
    int *fds[] = {&b->ready_fd, &b->back[0], &b->back[1]};

    packets_free(b->first);
    b->first = NULL;
    b->last = &b->first;
    for (size_t i = 0; i < sizeof fds / sizeof fds[0] - forked; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

static int keep(struct backlog *b, const struct sockname *from, const struct sockname *at,
                const void *data, size_t n, struct err *e)
{
    struct packet *p = malloc(sizeof *p + n);

    if (!p)
        return err_nomem(e);
    p->next = NULL;
    p->from = *from;
    p->at = *at;
    p->n = n;
    memcpy(p->data, data, n);
    *b->last = p;
    b->last = &p->next;
    b->bytes += sizeof *p + n;
    return 0;
}

/* Errors on this socket are what earlier packets of ours have brought back: they say nothing about
 * the next one. Gives 1 to go on, 0, -1. */
static int no_packet(int fd, struct err *e)
{
    if (errno == EAGAIN) {
        dgram_drop_errors(fd);
        return 0;
    }
    if (errno == EINTR || dgram_is_old_news(errno))
        return 1;
    return err_sys(e, "recvmsg(%d)", fd);
}

/* What ask_for_address() has asked for. A group's address is none of ours. */
static void find_address(struct msghdr *msg, const struct sockname *from, struct sockname *at)
{
    *at = (struct sockname){.len = 0};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        struct in_pktinfo v4;
        struct in6_pktinfo v6;

        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            memcpy(&v4, CMSG_DATA(c), sizeof v4);
            sockname_wildcard(at, AF_INET);
            at->u.in4.sin_addr = v4.ipi_spec_dst;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            memcpy(&v6, CMSG_DATA(c), sizeof v6);
            if (IN6_IS_ADDR_MULTICAST(&v6.ipi6_addr))
                continue;
            sockname_wildcard(at, AF_INET6);
            at->u.in6.sin6_addr = v6.ipi6_addr;
            if (IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr))
                at->u.in6.sin6_scope_id = from->u.in6.sin6_scope_id;
        }
    }
}

/* known: the address that the socket is bound to; NULL: packets say it. */
static int take_all(struct backlog *b, int fd, const struct sockname *known, void *room,
                    struct err *e)
{
    struct dgram_packet p;
    struct sockname at;
    int count = 0;

    while (b->bytes < MOST && count < BACKLOG_GULP) {
        ssize_t n = dgram_receive(fd, false, room, PACKET_MOST, &p);
        int rc = n < 0 ? no_packet(fd, e) : 1;

        if (rc <= 0)
            return rc < 0 ? -1 : count;
        if (n < 0)
            continue;
        if (known)
            at = *known;
        else
            find_address(&p.msg, &p.from, &at);
        if (keep(b, &p.from, &at, room, (size_t)n, e) < 0)
            return -1;
        count++;
    }
    return count;
}

/* ---- what got into the wrong socket ---- */

struct returned { /* in front of a packet that comes back */
    struct sockname from, at;
};

bool backlog_give_back(int back_fd, int fd, const struct sockname *from, const void *data, size_t n)
{
    struct returned head = {.from = *from};
    struct iovec iov[] = {{&head, sizeof head}, {(void *)(uintptr_t)data, n}};
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

    sockname_local(&head.at, fd);
    return sendmsg(back_fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

static bool was_seated(const struct backlog *b, const struct sockname *from)
{
    size_t n = b->nseated < BACKLOG_SEATED ? b->nseated : BACKLOG_SEATED;

    for (size_t i = 0; i < n; i++)
        if (same(&b->seated[i], from))
            return true;
    return false;
}

/* A sender that has got a socket since then must not get another one. */
static int take_returned(struct backlog *b, void *room, struct err *e)
{
    struct returned head;
    char text[SOCKNAME_TEXT];

    for (;;) {
        struct iovec iov[] = {{&head, sizeof head}, {room, PACKET_MOST}};
        struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
        ssize_t n = recvmsg(b->back[0], &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

        if (n < (ssize_t)sizeof head)
            return 0;
        n -= (ssize_t)sizeof head;
        if (was_seated(b, &head.from))
            diag(DIAG_WARN, "a packet of %zd bytes from %s was lost: it came while its connection was made",
                 n, sockname_text(&head.from, text));
        else if (keep(b, &head.from, &head.at, room, (size_t)n, e) < 0)
            return -1;
    }
}

/* ---- in and out ---- */

int backlog_gather(struct backlog *b, struct err *e)
{
    void *room = malloc(PACKET_MOST);
    int count = !room ? err_nomem(e) : take_all(b, b->fd, NULL, room, e);

    if (count >= 0 && take_returned(b, room, e) < 0)
        count = -1;
    free(room);
    tell_drops(b);
    return count;
}

int backlog_drain(struct backlog *b, int fd, const struct sockname *at, struct err *e)
{
    void *room = malloc(PACKET_MOST);
    int count = !room ? err_nomem(e) : take_all(b, fd, at, room, e);

    free(room);
    return count;
}

struct packet *backlog_seat(struct backlog *b, const struct sockname *from)
{
    struct packet *taken = NULL, **last = &taken, **at = &b->first;

    while (*at) {
        struct packet *p = *at;

        if (!same(&p->from, from)) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        b->bytes -= sizeof *p + p->n;
        p->next = NULL;
        *last = p;
        last = &p->next;
    }
    b->last = at;
    b->seated[b->nseated++ % BACKLOG_SEATED] = *from;
    return taken;
}
