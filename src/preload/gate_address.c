/* SPDX-License-Identifier: GPL-2.0-or-later
 * See gate_address.h. */
#include "preload/gate_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "preload/real.h"

socklen_t address_length(const union address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof a->in6 : sizeof a->in;
}

bool address_take(const struct sockaddr *addr, socklen_t len, union address *out)
{
    if (!addr || len < sizeof out->in || (addr->sa_family != AF_INET && addr->sa_family != AF_INET6))
        return false;
    *out = (union address){.any.sa_family = addr->sa_family};
    size_t n = address_length(out);
    if (len < n) /* RFC 2133 had it shorter, without the scope */
        n = len;
    memcpy(out, addr, n);
    return true;
}

void address_tell(const union address *a, struct preload_request *q)
{
    bool mapped = a->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr);
    q->version = a->any.sa_family == AF_INET || mapped ? 4 : 6;
    q->port = ntohs(a->any.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
    if (a->any.sa_family == AF_INET) {
        memcpy(q->addr, &a->in.sin_addr, 4);
        return;
    }
    q->scope = a->in6.sin6_scope_id;
    memcpy(q->addr, (const char *)&a->in6.sin6_addr + (mapped ? 12 : 0), mapped ? 4 : 16);
}

union address address_loopback(int domain, uint16_t port)
{
    static const unsigned char mapped[16] = {[10] = 255, 255, 127, 0, 0, 1};
    union address a = {0};
    a.any.sa_family = (sa_family_t)domain;
    if (domain == AF_INET6) {
        memcpy(&a.in6.sin6_addr, mapped, sizeof mapped);
        a.in6.sin6_port = htons(port);
    } else {
        a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        a.in.sin_port = htons(port);
    }
    return a;
}

void address_give(const union address *a, struct sockaddr *out, socklen_t *len)
{
    socklen_t full = address_length(a);
    if (out)
        memcpy(out, a, *len < full ? *len : full);
    *len = full;
}

bool address_same(const union address *a, const union address *b)
{
    return a->any.sa_family == b->any.sa_family && memcmp(a, b, address_length(a)) == 0;
}

/* ---- past the helper ---- */

static struct addrinfo *look_up(const char *name, int family)
{
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM,
                                   .ai_flags = family == AF_INET6 ? AI_V4MAPPED | AI_ALL : 0};
    struct addrinfo *found = NULL;
    return REAL(getaddrinfo)(name, NULL, &hints, &found) == 0 ? found : NULL;
}

static void put_port(struct sockaddr *a, const union address *from)
{
    union address to;
    if (a->sa_family == AF_INET6) {
        memcpy(&to, a, sizeof to.in6);
        to.in6.sin6_port = from->in6.sin6_port;
        memcpy(a, &to, sizeof to.in6);
    } else {
        memcpy(&to, a, sizeof to.in);
        to.in.sin_port = from->in.sin_port;
        memcpy(a, &to, sizeof to.in);
    }
}

int address_connect(int fd, const union address *to, socklen_t len, const char *name)
{
    if (!*name)
        return REAL(connect)(fd, &to->any, len);
    struct addrinfo *all = look_up(name, to->any.sa_family);
    int rc = -1;
    errno = EHOSTUNREACH;
    for (struct addrinfo *a = all; a && rc < 0; a = a->ai_next) {
        put_port(a->ai_addr, to);
        rc = REAL(connect)(fd, a->ai_addr, a->ai_addrlen);
        if (rc < 0 && (errno == EINPROGRESS || errno == EINTR || errno == EALREADY))
            break;
    }
    int sys = errno;
    if (all)
        freeaddrinfo(all);
    errno = sys;
    return rc;
}

bool address_resolve(const char *name, union address *inout)
{
    if (!*name)
        return true;
    struct addrinfo *all = look_up(name, inout->any.sa_family);
    if (!all)
        return false;
    put_port(all->ai_addr, inout);
    memcpy(inout, all->ai_addr, all->ai_addrlen);
    freeaddrinfo(all);
    return true;
}
