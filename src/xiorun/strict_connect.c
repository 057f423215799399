/* SPDX-License-Identifier: GPL-2.0-or-later
 * connect() for somebody else: see strict.h. It comes back when the chain is open, also where the program would
 * not wait: so it need not be told later. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "xiorun/strict.h"

union name {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
    struct sockaddr_storage all;
};

/* ---- what it is about ---- */

/* False: no address of the Internet. */
static bool describe(const struct call *c, const union name *n, socklen_t len, bool packets, struct preload_request *q)
{
    bool six = n->any.sa_family == AF_INET6 && len >= sizeof n->in6 - sizeof n->in6.sin6_scope_id;
    if (!six && (n->any.sa_family != AF_INET || len < sizeof n->in))
        return false;
    call_describe(c, q);
    bool mapped = six && IN6_IS_ADDR_V4MAPPED(&n->in6.sin6_addr);
    q->packets = packets;
    q->version = six && !mapped ? 6 : 4;
    q->port = ntohs(six ? n->in6.sin6_port : n->in.sin_port);
    q->scope = six ? n->in6.sin6_scope_id : 0;
    if (six)
        memcpy(q->addr, (const char *)&n->in6.sin6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
    else
        memcpy(q->addr, &n->in.sin_addr, 4);
    return true;
}

static bool is_resolver(const struct helper *h, const struct preload_request *q)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};
    return q->packets && q->version == 4 && q->port == h->resolver && memcmp(q->addr, loopback, 4) == 0;
}

static void put_resolver(const struct helper *h, union name *n, socklen_t *len)
{
    static const uint8_t mapped[16] = {[10] = 255, 255, 127, 0, 0, 1};
    if (n->any.sa_family == AF_INET6) {
        *len = sizeof n->in6;
        memcpy(&n->in6.sin6_addr, mapped, sizeof mapped);
        n->in6.sin6_port = htons(h->resolver);
    } else {
        n->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        n->in.sin_port = htons(h->resolver);
    }
}

/* v: what to do; THEN_DIRECT is as the name says now. */
static struct verdict decide(const struct call *c, const struct preload_request *q, struct target *t, union name *n, socklen_t *len)
{
    if (is_resolver(c->helper, q))
        return (struct verdict){THEN_DIRECT, 0, NULL};
    if (!helper_target(c->helper, q, t)) {
        helper_say(q, t, "an address that stands for no name");
        return (struct verdict){THEN_REFUSE, EHOSTUNREACH, NULL};
    }
    struct verdict v = helper_decide(c->helper, q, t);
    if (v.then == THEN_RESOLVE) {
        put_resolver(c->helper, n, len);
        v.then = THEN_DIRECT;
    }
    return v;
}

int strict_packet(const struct call *c, void *addr, socklen_t *len)
{
    struct preload_request q;
    struct target t;
    if (!describe(c, addr, *len, true, &q))
        return EAFNOSUPPORT;
    struct verdict v = decide(c, &q, &t, addr, len);
    return v.then == THEN_DIRECT ? 0 : v.then == THEN_CHAIN ? ENETUNREACH : v.error;
}

/* ---- through a chain ---- */

/* What the program may have set by then. */
static void carry_options(int from, int to)
{
    static const struct {
        int level, name;
    } carried[] = {
        {SOL_SOCKET, SO_KEEPALIVE}, {SOL_SOCKET, SO_LINGER}, {SOL_SOCKET, SO_RCVTIMEO}, {SOL_SOCKET, SO_SNDTIMEO},
        {SOL_SOCKET, SO_OOBINLINE}, {IPPROTO_TCP, TCP_NODELAY}, {IPPROTO_TCP, TCP_KEEPIDLE}, {IPPROTO_TCP, TCP_KEEPINTVL},
        {IPPROTO_TCP, TCP_KEEPCNT}, {IPPROTO_TCP, TCP_USER_TIMEOUT},
    };
    int mode = fcntl(from, F_GETFL), own = fcntl(to, F_GETFL);
    if (mode >= 0 && own >= 0 && (mode ^ own) & O_NONBLOCK)
        (void)fcntl(to, F_SETFL, own ^ O_NONBLOCK);
    for (size_t i = 0; i < sizeof carried / sizeof carried[0]; i++) {
        char value[16];
        socklen_t len = sizeof value;
        if (getsockopt(from, carried[i].level, carried[i].name, value, &len) == 0)
            (void)setsockopt(to, carried[i].level, carried[i].name, value, len);
    }
}

struct waiting {
    struct call call;
    int copy;
};

static void tell_caller(void *arg, int fd, int error)
{
    struct waiting *w = arg;
    if (fd >= 0) {
        carry_options(w->copy, fd);
        if (!call_replace(&w->call, (int)w->call.args[0], fd))
            error = ECONNABORTED;
    }
    close(w->copy);
    call_give(&w->call, 0, error);
    free(w);
}

static void open_chain(const struct call *c, int copy, const struct preload_request *q, const struct target *t, const char *chain)
{
    struct waiting *w = malloc(sizeof *w);
    if (!w) {
        close(copy);
        call_give(c, 0, ENOMEM);
        return;
    }
    *w = (struct waiting){*c, copy};
    opening_begin(c->helper, q, t, chain, tell_caller, w);
}

/* ---- the call ---- */

bool strict_stand_there(const struct call *c, void *name, socklen_t *len)
{
    union name *n = name;
    const size_t head = offsetof(struct sockaddr_un, sun_path);
    if (n->any.sa_family != AF_UNIX || *len <= head || !n->un.sun_path[0])
        return true;
    bool absolute = n->un.sun_path[0] == '/';
    if (!call_stand_there(c, absolute))
        return false;
    if (absolute) { /* from its root, which is here */
        memmove(n->un.sun_path, n->un.sun_path + 1, *len - head - 1);
        (*len)--;
    }
    return true;
}

static bool is_connected(int fd)
{
    union name peer;
    socklen_t len = sizeof peer;
    return getpeername(fd, &peer.any, &len) == 0;
}

static void connect_copy(const struct call *c, int copy, const union name *n, socklen_t len)
{
    int rc = connect(copy, &n->any, len), sys = errno;
    close(copy);
    call_give(c, 0, rc < 0 ? sys : 0);
}

void strict_connect(struct call *c)
{
    union name n = {0};
    socklen_t len = (socklen_t)c->args[2], size = sizeof(int);
    struct preload_request q;
    struct target t = {0};
    int type = 0, copy = len > sizeof n ? -1 : call_descriptor(c, (int)c->args[0]);
    if (copy < 0 || getsockopt(copy, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || !call_read(c, c->args[1], &n, len)) {
        call_give(c, 0, copy < 0 ? (len > sizeof n ? EINVAL : errno) : type ? EFAULT : ENOTSOCK);
        if (copy >= 0)
            close(copy);
        return;
    }
    bool stream = type == SOCK_STREAM;
    if (!describe(c, &n, len, !stream, &q) || (stream && is_connected(copy))) {
        if (strict_stand_there(c, &n, &len)) {
            connect_copy(c, copy, &n, len);
        } else {
            close(copy);
            call_give(c, 0, EACCES);
        }
        return;
    }
    struct verdict v = decide(c, &q, &t, &n, &len);
    if (v.then == THEN_DIRECT) {
        connect_copy(c, copy, &n, len);
    } else if (v.then == THEN_CHAIN) {
        open_chain(c, copy, &q, &t, v.chain);
    } else {
        close(copy);
        call_give(c, 0, v.error);
    }
}
