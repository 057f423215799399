/* SPDX-License-Identifier: GPL-2.0-or-later
 * See packets.h. */
#include "preload/packets.h"

#include <errno.h>
#include <string.h>

#include "preload/gate_address.h"
#include "preload/gate_open.h"
#include "preload/lease.h"
#include "preload/real.h"

/* ---- through a chain ---- */

static bool take_chain(int fd, struct slot *s, int answers)
{
    struct preload_answer a;
    struct slots_hold h;
    int given[2], rc;
    while ((rc = lease_answer(answers, 0, &a, given)) == 0)
        ;
    int sys = errno;
    REAL(close)(answers);
    if (rc < 0 || a.verdict != SAYS_OPEN || given[0] < 0) {
        errno = rc < 0 ? sys : a.error;
        return false;
    }
    slots_lock(&h);
    gate_serve(fd, given[0], s);
    s->told = true;
    slots_unlock(&h);
    if (given[1] >= 0)
        REAL(close)(given[1]);
    return true;
}

/* ---- questions to a name server ---- */

static void note_resolver(int fd, struct slot *s, const union address *to, uint16_t port, bool told)
{
    struct slots_hold h;
    slots_lock(&h);
    s->target = *to;
    s->resolver = true;
    s->port = port;
    s->told = told;
    s->bare = true;
    slot_moved(fd, s, SLOT_SERVED);
    slots_unlock(&h);
}

/* A socket that is for IPv6 alone is replaced. */
static int connect_resolver(int fd, struct slot *s, const union address *to, uint16_t port)
{
    union address there = address_loopback(s->domain, port);
    struct slots_hold h;
    int other = -1;
    if (REAL(connect)(fd, &there.any, address_length(&there)) < 0) {
        there = address_loopback(AF_INET, port);
        other = REAL(socket)(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (other < 0 || REAL(connect)(other, &there.any, address_length(&there)) < 0) {
            if (other >= 0)
                REAL(close)(other);
            return -1;
        }
        slots_lock(&h);
        gate_serve(fd, other, s);
        slots_unlock(&h);
    }
    note_resolver(fd, s, to, port, true);
    return 0;
}

/* ---- the calls ---- */

int packets_connect(int fd, struct slot *s, const union address *to, socklen_t len)
{
    struct preload_answer a = {.verdict = SAYS_FAILED};
    int answers = gate_open(s, to, &a);
    if (answers >= 0) {
        slot_aim(s, to);
        return take_chain(fd, s, answers) ? 0 : -1;
    }
    if (a.verdict == SAYS_RESOLVER)
        return connect_resolver(fd, s, to, a.port);
    return a.verdict == SAYS_DIRECT ? address_connect(fd, to, len, a.name) : -1;
}

bool packets_to(int fd, union address *to, bool *connected)
{
    struct preload_answer a = {.verdict = SAYS_FAILED};
    struct slots_hold h;
    *connected = false;
    slots_lock(&h);
    struct slot *s = slot_of(fd);
    bool known = s && atomic_load(&s->state) == SLOT_SERVED && address_same(&s->target, to);
    bool other = s && atomic_load(&s->state) == SLOT_SERVED && !s->resolver && !known;
    slots_unlock(&h);
    if (!s)
        return true;
    if (other) { /* its chain leads elsewhere */
        errno = ENETUNREACH;
        return false;
    }
    if (known) {
        *connected = !s->resolver || s->told;
        *to = s->resolver ? address_loopback(s->domain, s->port) : *to;
        return true;
    }
    int answers = gate_open(s, to, &a);
    if (answers >= 0) {
        slot_aim(s, to);
        return *connected = take_chain(fd, s, answers);
    }
    if (a.verdict == SAYS_RESOLVER) {
        note_resolver(fd, s, to, a.port, false);
        *to = address_loopback(s->domain, a.port);
        return true;
    }
    return a.verdict == SAYS_DIRECT && address_resolve(a.name, to);
}

void packets_from(int fd, struct sockaddr *from, socklen_t cap, socklen_t *len)
{
    struct slots_hold h;
    union address was;
    if (slots_peek(fd) != SLOT_SERVED || !from || cap == 0)
        return;
    slots_lock(&h);
    const struct slot *s = slot_known(fd);
    bool ours = s && s->type != SOCK_STREAM &&
                (!s->bare || (s->resolver && address_take(from, *len, &was)));
    if (ours && s->resolver) {
        union address there = address_loopback(was.any.sa_family, s->port);
        ours = address_same(&was, &there);
    }
    if (ours)
        was = s->target;
    slots_unlock(&h);
    if (ours) {
        *len = cap;
        address_give(&was, from, len);
    }
}
