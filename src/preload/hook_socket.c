/* SPDX-License-Identifier: GPL-2.0-or-later
 * The calls that make sockets, connect them and ask about them. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>

#include "preload/gate.h"
#include "preload/gate_address.h"
#include "preload/real.h"

static bool is_internet(int domain)
{
    return domain == AF_INET || domain == AF_INET6;
}

HOOK int socket(int domain, int type, int protocol)
{
    int fd = REAL(socket)(domain, type, protocol);
    struct slots_hold h;
    if (fd < 0 || !slots_ours() || (!is_internet(domain) && slots_peek(fd) == SLOT_NONE))
        return fd;
    slots_lock(&h);
    if (is_internet(domain))
        slot_made(fd, domain, type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC), protocol);
    else
        slot_drop(fd);
    slots_unlock(&h);
    return fd;
}

HOOK int connect(int fd, __CONST_SOCKADDR_ARG addr, socklen_t len)
{
    return gate_connect(fd, addr.__sockaddr__, len);
}

HOOK int __connect(int fd, const struct sockaddr *addr, socklen_t len); /* so some know it */
HOOK int __connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    return gate_connect(fd, addr, len);
}

/* ---- names ---- */

HOOK int getpeername(int fd, __SOCKADDR_ARG addr, socklen_t *restrict len)
{
    struct slots_hold h;
    union address target;
    if (slots_peek(fd) == SLOT_PENDING)
        gate_look(fd, false);
    slots_lock(&h);
    const struct slot *s = slots_peek(fd) > SLOT_FRESH ? slot_known(fd) : NULL;
    enum slot_state state = s ? (enum slot_state)atomic_load(&s->state) : SLOT_NONE;
    bool packets = s && s->type != SOCK_STREAM;
    bool connected = state == SLOT_SERVED && (!packets || s->told);
    if (s)
        target = s->target;
    slots_unlock(&h);
    if (!s)
        return REAL(getpeername)(fd, addr.__sockaddr__, len);
    if (!connected || !len || !addr.__sockaddr__) {
        errno = connected ? EFAULT : ENOTCONN;
        return -1;
    }
    address_give(&target, addr.__sockaddr__, len);
    return 0;
}

/* Of what is no socket of the Internet, or of the other family: one that might be. */
static union address some_name(int fd, int domain)
{
    struct stat st;
    uint16_t port = fstat(fd, &st) == 0 ? (uint16_t)(32768 + st.st_ino % 28000) : 32768;
    union address a = address_loopback(AF_INET, port);
    if (domain == AF_INET)
        return a;
    a = (union address){.in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT}};
    return a;
}

HOOK int getsockname(int fd, __SOCKADDR_ARG addr, socklen_t *restrict len)
{
    struct slots_hold h;
    union address own;
    socklen_t n = sizeof own;
    slots_lock(&h);
    const struct slot *s = slots_peek(fd) > SLOT_FRESH ? slot_known(fd) : NULL;
    int domain = s ? s->domain : 0;
    slots_unlock(&h);
    if (!s || !len || !addr.__sockaddr__)
        return REAL(getsockname)(fd, addr.__sockaddr__, len);
    if (REAL(getsockname)(fd, &own.any, &n) < 0 || own.any.sa_family != domain)
        own = some_name(fd, domain);
    address_give(&own, addr.__sockaddr__, len);
    return 0;
}

/* ---- options ---- */

static int give_number(int number, void *value, socklen_t *len)
{
    memcpy(value, &number, *len < sizeof number ? *len : sizeof number);
    if (*len > sizeof number)
        *len = sizeof number;
    return 0;
}

/* Under the lock. What another kind of descriptor would say otherwise. False: the system knows. */
static bool answer_option(struct slot *s, enum slot_state state, int level, int name, void *value, socklen_t *len)
{
    bool bare = state == SLOT_SERVED && s->bare;
    if (level == SOL_SOCKET && name == SO_ERROR && state == SLOT_FAILED && s->error)
        return give_number(s->error, value, len) == 0;
    if (level == SOL_SOCKET && name == SO_ERROR && state == SLOT_PENDING)
        return give_number(0, value, len) == 0;
    if (level == SOL_SOCKET && name == SO_DOMAIN)
        return give_number(s->domain, value, len) == 0;
    if (level == SOL_SOCKET && name == SO_TYPE)
        return give_number(s->type, value, len) == 0;
    if (level == SOL_SOCKET && name == SO_PROTOCOL)
        return give_number(s->protocol ? s->protocol : s->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP, value, len) == 0;
    if (level == SOL_SOCKET || bare || state == SLOT_FAILED)
        return false;
    memset(value, 0, *len); /* an option of TCP or IP where there is none: what was set, or off */
    for (const struct wish *w = s->wishes; w; w = w->next)
        if (w->level == level && w->name == name)
            memcpy(value, w->value, *len = w->len < *len ? w->len : *len);
    return true;
}

HOOK int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict len)
{
    struct slots_hold h;
    bool answered = false;
    if (slots_peek(fd) == SLOT_PENDING)
        gate_look(fd, false);
    if (slots_peek(fd) <= SLOT_FRESH || !value || !len)
        return REAL(getsockopt)(fd, level, name, value, len);
    slots_lock(&h);
    struct slot *s = slot_known(fd);
    enum slot_state state = s ? (enum slot_state)atomic_load(&s->state) : SLOT_NONE;
    if (s)
        answered = answer_option(s, state, level, name, value, len);
    if (answered && state == SLOT_FAILED && level == SOL_SOCKET && name == SO_ERROR) {
        s->error = 0;
        slot_moved(fd, s, SLOT_FRESH);
    }
    if (s && state == SLOT_SERVED && level == SOL_SOCKET && name == SO_ERROR)
        s->told = true;
    slots_unlock(&h);
    return answered ? 0 : REAL(getsockopt)(fd, level, name, value, len);
}

/* Until there is the end of a chain, it is remembered for that. */
HOOK int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
    struct slots_hold h;
    enum slot_state state = slots_peek(fd);
    if (state == SLOT_NONE)
        return REAL(setsockopt)(fd, level, name, value, len);
    slots_lock(&h);
    struct slot *s = slot_known(fd);
    state = s ? (enum slot_state)atomic_load(&s->state) : SLOT_NONE;
    bool gone = state == SLOT_PENDING || (state == SLOT_SERVED && !s->bare);
    if (s && (gone || state == SLOT_FRESH))
        slot_wish(s, level, name, value, len);
    slots_unlock(&h);
    if (gone && level != SOL_SOCKET)
        return 0;
    int rc = REAL(setsockopt)(fd, level, name, value, len);
    return gone && state == SLOT_PENDING ? 0 : rc;
}
