/* SPDX-License-Identifier: GPL-2.0-or-later
 * The table: see slots.h. It grows by rooms of the size of a page, and never shrinks. */
#include "preload/slots.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "preload/real.h"

enum { ROOM = 256, ROOMS = 4096, WISHES_MAX = 32, WATCHES_MAX = 16 };

static struct slot *_Atomic rooms[ROOMS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pid_t owner;
atomic_int slots_waiting;

/* ---- the lock ---- */

void slots_lock(struct slots_hold *h)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    memcpy(h->mask, &before, sizeof h->mask);
    pthread_mutex_lock(&lock);
}

void slots_unlock(const struct slots_hold *h)
{
    sigset_t before;
    int sys = errno;
    pthread_mutex_unlock(&lock);
    (void)sigemptyset(&before);
    memcpy(&before, h->mask, sizeof h->mask);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = sys;
}

static struct slots_hold over_fork; /* under the lock */

static void before_fork(void)
{
    struct slots_hold h;
    slots_lock(&h);
    over_fork = h;
}

static void in_parent(void)
{
    struct slots_hold h = over_fork;
    slots_unlock(&h);
}

static void in_child(void)
{
    owner = getpid();
    in_parent();
}

__attribute__((constructor)) static void begin(void)
{
    owner = getpid();
    (void)pthread_atfork(before_fork, in_parent, in_child);
}

bool slots_ours(void)
{
    return owner == 0 || getpid() == owner;
}

/* ---- finding ---- */

static struct slot *slot_at(int fd)
{
    struct slot *room = fd >= 0 && fd < ROOM * ROOMS ? atomic_load(&rooms[fd / ROOM]) : NULL;
    return room ? &room[fd % ROOM] : NULL;
}

static struct slot *make_room(int fd)
{
    struct slot *s = slot_at(fd);
    if (s || fd < 0 || fd >= ROOM * ROOMS)
        return s;
    atomic_store(&rooms[fd / ROOM], calloc(ROOM, sizeof *s));
    return slot_at(fd);
}

enum slot_state slots_peek(int fd)
{
    const struct slot *s = slot_at(fd);
    return s ? (enum slot_state)atomic_load_explicit(&s->state, memory_order_relaxed) : SLOT_NONE;
}

static uint64_t inode_of(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? st.st_ino : 0;
}

static bool waits(enum slot_state state)
{
    return state == SLOT_PENDING || state == SLOT_FAILED;
}

static void set_state(struct slot *s, enum slot_state state)
{
    int more = waits(state) - waits((enum slot_state)atomic_load(&s->state));
    atomic_store(&s->state, (uint8_t)state);
    atomic_fetch_add(&slots_waiting, more);
}

static void forget_wishes(struct slot *s)
{
    while (s->wishes) {
        struct wish *w = s->wishes;
        s->wishes = w->next;
        free(w);
    }
}

void slot_forget_watches(struct slot *s)
{
    while (s->watches) {
        struct watch *w = s->watches;
        s->watches = w->next;
        free(w);
    }
}

static void clear(struct slot *s)
{
    set_state(s, SLOT_NONE);
    forget_wishes(s);
    slot_forget_watches(s);
    *s = (struct slot){0};
}

struct slot *slot_known(int fd)
{
    struct slot *s = slot_at(fd);
    if (!s || atomic_load(&s->state) == SLOT_NONE)
        return NULL;
    if (s->inode == inode_of(fd))
        return s;
    if (slots_ours())
        clear(s);
    return NULL;
}

static int ask(int fd, int name)
{
    int value = -1;
    socklen_t len = sizeof value;
    return REAL(getsockopt)(fd, SOL_SOCKET, name, &value, &len) < 0 ? -1 : value;
}

void slot_made(int fd, int domain, int type, int protocol)
{
    struct slot *s = make_room(fd);
    if (!s)
        return;
    clear(s);
    s->domain = domain;
    s->type = type;
    s->protocol = protocol;
    s->inode = inode_of(fd);
    set_state(s, SLOT_FRESH);
}

struct slot *slot_of(int fd)
{
    struct slot *s = slot_known(fd);
    int domain = s ? 0 : ask(fd, SO_DOMAIN);
    if (s || (domain != AF_INET && domain != AF_INET6))
        return s;
    slot_made(fd, domain, ask(fd, SO_TYPE), ask(fd, SO_PROTOCOL));
    return slot_known(fd);
}

/* ---- changing ---- */

void slot_moved(int fd, struct slot *s, enum slot_state state)
{
    s->inode = inode_of(fd);
    set_state(s, state);
}

void slot_aim(struct slot *s, const union address *to)
{
    struct slots_hold h;
    slots_lock(&h);
    s->target = *to;
    s->told = false;
    slots_unlock(&h);
}

void slot_drop(int fd)
{
    struct slot *s = slot_at(fd);
    if (s && slots_ours())
        clear(s);
}

void slot_copy(int from, int to)
{
    const struct slot *s = slot_known(from);
    if (!slots_ours() || from == to)
        return;
    struct slot *copy = s ? make_room(to) : slot_at(to);
    if (copy)
        clear(copy);
    if (!s || !copy)
        return;
    copy->told = s->told;
    copy->bare = s->bare;
    copy->resolver = s->resolver;
    copy->port = s->port;
    copy->domain = s->domain;
    copy->type = s->type;
    copy->protocol = s->protocol;
    copy->error = s->error;
    copy->inode = s->inode;
    copy->target = s->target;
    for (const struct wish *w = s->wishes; w; w = w->next)
        slot_wish(copy, w->level, w->name, w->value, w->len);
    set_state(copy, (enum slot_state)atomic_load(&s->state));
}

/* In their order; what is set again takes its old place. */
void slot_wish(struct slot *s, int level, int name, const void *value, socklen_t len)
{
    struct wish **at = &s->wishes;
    int n = 0;
    while (*at && ((*at)->level != level || (*at)->name != name)) {
        at = &(*at)->next;
        n++;
    }
    if (!value || len > sizeof (*at)->value || n >= WISHES_MAX)
        return;
    if (!*at && !(*at = calloc(1, sizeof **at)))
        return;
    (*at)->level = level;
    (*at)->name = name;
    (*at)->len = len;
    memcpy((*at)->value, value, len);
}

void slot_watch(struct slot *s, int op, int epoll, const struct epoll_event *event)
{
    struct watch **at = &s->watches;
    int n = 0;
    while (*at && (*at)->epoll != epoll) {
        at = &(*at)->next;
        n++;
    }
    if (op == EPOLL_CTL_DEL) {
        struct watch *gone = *at;
        if (gone)
            *at = gone->next;
        free(gone);
        return;
    }
    if (!event || n >= WATCHES_MAX || (!*at && !(*at = calloc(1, sizeof **at))))
        return;
    (*at)->epoll = epoll;
    (*at)->event = *event;
}

int slots_pending(int *from, int *fds, int max)
{
    int n = 0, fd = *from;
    while (fd < ROOM * ROOMS && n < max) {
        const struct slot *room = atomic_load_explicit(&rooms[fd / ROOM], memory_order_relaxed);
        if (room && atomic_load_explicit(&room[fd % ROOM].state, memory_order_relaxed) == SLOT_PENDING)
            fds[n++] = fd;
        fd = room ? fd + 1 : (fd / ROOM + 1) * ROOM;
    }
    *from = fd;
    return n;
}
