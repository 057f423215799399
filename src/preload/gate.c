/* SPDX-License-Identifier: GPL-2.0-or-later
 * Gates: see gate.h. */
#include "preload/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "preload/gate_address.h"
#include "preload/gate_open.h"
#include "preload/lease.h"
#include "preload/packets.h"
#include "preload/real.h"

enum { AT_ONCE = 128 }; /* on stacks that may be small */

/* ---- one descriptor in the place of another ---- */

/* Under the lock. Whoever waits by epoll goes on to wait: there it is known by the file, not the number. */
static bool install(int fd, int from, struct slot *s, enum slot_state state)
{
    int mode = REAL(fcntl)(fd, F_GETFL), own = REAL(fcntl)(from, F_GETFL);
    int cloexec = REAL(fcntl)(fd, F_GETFD) & FD_CLOEXEC ? O_CLOEXEC : 0;
    if (mode >= 0 && own >= 0 && (mode ^ own) & O_NONBLOCK)
        (void)REAL(fcntl)(from, F_SETFL, own ^ O_NONBLOCK);
    for (const struct watch *w = s->watches; w; w = w->next)
        (void)REAL(epoll_ctl)(w->epoll, EPOLL_CTL_DEL, fd, NULL);
    bool done = REAL(dup3)(from, fd, cloexec) >= 0;
    for (const struct watch *w = s->watches; w; w = w->next) {
        struct epoll_event e = state == SLOT_PENDING ? gate_event(w->event) : w->event;
        (void)REAL(epoll_ctl)(w->epoll, EPOLL_CTL_ADD, fd, &e);
    }
    REAL(close)(from);
    if (done)
        slot_moved(fd, s, state);
    return done;
}

/* Under the lock. */
void gate_serve(int fd, int from, struct slot *s)
{
    int domain = 0;
    socklen_t len = sizeof domain;
    s->bare = REAL(getsockopt)(from, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain != AF_UNIX;
    for (const struct wish *w = s->wishes; w; w = w->next)
        (void)REAL(setsockopt)(from, w->level, w->name, w->value, w->len);
    (void)install(fd, from, s, SLOT_SERVED);
    slot_forget_watches(s);
}

/* Under the lock. What the system leaves after such a failure can be connected anew. */
static void fail(int fd, struct slot *s, int error)
{
    int fresh = REAL(socket)(s->domain, s->type | SOCK_CLOEXEC, s->protocol);
    for (const struct wish *w = s->wishes; w && fresh >= 0; w = w->next)
        (void)REAL(setsockopt)(fresh, w->level, w->name, w->value, w->len);
    if (fresh >= 0)
        (void)install(fd, fresh, s, SLOT_FAILED);
    s->error = error ? error : ECONNREFUSED;
}

/* The association is dissolved: a fresh socket takes its place, with what was set. */
static int disconnect(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct slots_hold h;
    int rc = 1, sys = errno;
    slots_lock(&h);
    struct slot *s = slots_peek(fd) > SLOT_FRESH ? slot_known(fd) : NULL;
    int fresh = s ? REAL(socket)(s->domain, s->type | SOCK_CLOEXEC, s->protocol) : -1;
    if (s)
        rc = fresh < 0 ? -1 : 0;
    for (const struct wish *w = s ? s->wishes : NULL; w && fresh >= 0; w = w->next)
        (void)REAL(setsockopt)(fresh, w->level, w->name, w->value, w->len);
    if (fresh >= 0 && !install(fd, fresh, s, SLOT_FRESH))
        rc = -1;
    if (rc == 0) {
        s->told = s->resolver = s->bare = false;
        s->error = 0;
    }
    sys = rc < 0 ? errno : sys;
    slots_unlock(&h);
    errno = sys;
    return rc == 1 ? REAL(connect)(fd, addr, len) : rc;
}

/* Under the lock. answered: as lease_answer() has it. */
static void take(int fd, struct slot *s, int answered, const struct preload_answer *a, const int given[2])
{
    if (answered > 0 && a->verdict == SAYS_OPEN && given[0] >= 0)
        gate_serve(fd, given[0], s);
    else
        fail(fd, s, answered > 0 ? a->error : errno);
    if (answered > 0 && given[1] >= 0)
        REAL(close)(given[1]);
}

void gate_look(int fd, bool wait)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct preload_answer a;
    struct slots_hold h;
    int given[2], sys = errno;
    if (wait)
        (void)REAL(poll)(&p, 1, -1);
    slots_lock(&h);
    struct slot *s = slot_known(fd);
    if (s && atomic_load(&s->state) == SLOT_PENDING && slots_ours()) {
        int answered = lease_answer(fd, MSG_PEEK | MSG_DONTWAIT, &a, given);
        if (answered != 0)
            take(fd, s, answered, &a, given);
    }
    slots_unlock(&h);
    errno = sys;
}

void gates_look(void)
{
    int fds[AT_ONCE], from = 0, n, sys = errno;
    struct pollfd p[AT_ONCE];
    while ((n = slots_pending(&from, fds, AT_ONCE)) > 0) {
        for (int i = 0; i < n; i++)
            p[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
        int ready = REAL(poll)(p, (nfds_t)n, 0);
        for (int i = 0; i < n && ready > 0; i++)
            if (p[i].revents)
                gate_look(fds[i], false);
    }
    errno = sys;
}

bool gate_stops(int fd)
{
    enum slot_state state = slots_peek(fd);
    struct slots_hold h;
    bool stops = false;
    if (state != SLOT_PENDING && state != SLOT_FAILED)
        return false;
    if (state == SLOT_PENDING)
        gate_look(fd, !(REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK));
    slots_lock(&h);
    struct slot *s = slot_known(fd);
    state = s ? (enum slot_state)atomic_load(&s->state) : SLOT_NONE;
    if (state == SLOT_PENDING) {
        errno = EAGAIN;
        stops = true;
    } else if (s && state == SLOT_FAILED && s->error) {
        errno = s->error;
        s->error = 0;
        slot_moved(fd, s, SLOT_FRESH);
        stops = true;
    }
    int sys = errno;
    slots_unlock(&h);
    errno = sys;
    return stops;
}

/* ---- connecting ---- */

/* What waits for sending waits for this, too. */
static void take_timeout(int fd, int answers)
{
    char time[sizeof(struct timeval)];
    socklen_t len = sizeof time;
    if (REAL(getsockopt)(fd, SOL_SOCKET, SO_SNDTIMEO, time, &len) == 0)
        (void)REAL(setsockopt)(answers, SOL_SOCKET, SO_RCVTIMEO, time, len);
}

/* From now on it is on its way. */
static int go_on_by_gate(int fd, struct slot *s, int answers, int sys)
{
    struct slots_hold h;
    slots_lock(&h);
    bool done = install(fd, answers, s, SLOT_PENDING);
    slots_unlock(&h);
    errno = done ? sys : EBADF;
    return -1;
}

static int wait_for_it(int fd, struct slot *s, int answers)
{
    struct preload_answer a;
    struct slots_hold h;
    int given[2];
    take_timeout(fd, answers);
    int answered = lease_answer(answers, 0, &a, given);
    if (answered == 0)
        return go_on_by_gate(fd, s, answers, errno == EINTR ? EINTR : EINPROGRESS);
    int sys = errno;
    REAL(close)(answers);
    if (answered < 0 || a.verdict != SAYS_OPEN || given[0] < 0) {
        errno = answered < 0 ? sys : a.error;
        return -1;
    }
    slots_lock(&h);
    gate_serve(fd, given[0], s);
    s->told = true;
    slots_unlock(&h);
    if (given[1] >= 0)
        REAL(close)(given[1]);
    return 0;
}

int gate_open(const struct slot *s, const union address *to, struct preload_answer *a)
{
    struct preload_request q = {.ask = ASK_OPEN, .packets = s->type != SOCK_STREAM};
    int given[2], rc, answers;
    address_tell(to, &q);
    if ((answers = lease_ask(&q)) < 0)
        return -1;
    while ((rc = lease_answer(answers, 0, a, given)) == 0)
        ;
    if (rc > 0 && a->verdict == SAYS_OPENING)
        return answers;
    if (rc < 0)
        *a = (struct preload_answer){.verdict = SAYS_FAILED, .error = errno};
    REAL(close)(answers);
    errno = a->error;
    return -1;
}

static int connect_stream(int fd, struct slot *s, const union address *to, socklen_t len)
{
    struct preload_answer a = {.verdict = SAYS_FAILED};
    int answers = gate_open(s, to, &a);
    if (answers < 0)
        return a.verdict == SAYS_DIRECT ? address_connect(fd, to, len, a.name) : -1;
    slot_aim(s, to);
    if (REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK)
        return go_on_by_gate(fd, s, answers, EINPROGRESS);
    return wait_for_it(fd, s, answers);
}

/* ---- connect(), by what is known of the socket ---- */

/* 1: it is to be begun. Otherwise what connect() gives. Under the lock. */
static int by_state(int fd, struct slot *s, int *sys)
{
    union address peer;
    socklen_t len = sizeof peer;
    switch ((enum slot_state)atomic_load(&s->state)) {
    case SLOT_PENDING:
        *sys = EALREADY;
        return -1;
    case SLOT_SERVED:
        *sys = EISCONN;
        if (s->told)
            return -1;
        s->told = true;
        return 0;
    case SLOT_FAILED:
        *sys = s->error;
        s->error = 0;
        slot_moved(fd, s, SLOT_FRESH);
        return *sys ? -1 : 1;
    case SLOT_FRESH:
    case SLOT_NONE:
        break;
    }
    *sys = EISCONN;
    return REAL(getpeername)(fd, &peer.any, &len) == 0 ? -1 : 1;
}

int gate_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    union address to;
    struct slots_hold h;
    int rc = 1, sys = errno;
    if (addr && len >= sizeof addr->sa_family && addr->sa_family == AF_UNSPEC)
        return disconnect(fd, addr, len);
    if (!address_take(addr, len, &to))
        return REAL(connect)(fd, addr, len);
    if (slots_peek(fd) == SLOT_PENDING)
        gate_look(fd, !(REAL(fcntl)(fd, F_GETFL) & O_NONBLOCK));
    slots_lock(&h);
    struct slot *s = slot_of(fd);
    if (s && s->type == SOCK_STREAM)
        rc = by_state(fd, s, &sys);
    slots_unlock(&h);
    errno = sys;
    if (rc != 1)
        return rc;
    errno = 0;
    rc = !s                      ? REAL(connect)(fd, addr, len)
         : s->type == SOCK_STREAM ? connect_stream(fd, s, &to, len)
                                 : packets_connect(fd, s, &to, len);
    if (rc == 0)
        errno = sys;
    return rc;
}
