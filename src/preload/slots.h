/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is known of the process's sockets, by descriptor. A number may be closed and taken anew where no hook
 * sees it (fclose(), posix_spawn()), so a slot holds the inode of its socket, and is that of no other. */
#ifndef CATENA_PRELOAD_SLOTS_H
#define CATENA_PRELOAD_SLOTS_H

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum slot_state {
    SLOT_NONE,
    SLOT_FRESH,   /* not connected */
    SLOT_PENDING, /* its chain is being opened; the descriptor is a gate (gate.h) */
    SLOT_FAILED,  /* that came to nothing; the descriptor is a fresh socket, error waits to be asked for */
    SLOT_SERVED,  /* the descriptor is the end of a chain */
};

union address {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* An option that the program has set, for the descriptor that is to come. */
struct wish {
    struct wish *next;
    int level, name;
    socklen_t len;
    char value[16];
};

/* Who waits for it by epoll. */
struct watch {
    struct watch *next;
    int epoll;
    struct epoll_event event;
};

struct slot {
    _Atomic(uint8_t) state;
    bool told;      /* the program knows that it is connected */
    bool bare;      /* the end of the chain is a socket of the Internet, with all its options */
    bool resolver;  /* of packets: another one answers in the place of the target, a name server */
    uint16_t port;  /* its */
    int domain, type, protocol;
    int error;
    uint64_t inode;
    union address target;
    struct wish *wishes;
    struct watch *watches;
};

/* Signals wait while the lock is held: handlers come here, too. */
struct slots_hold {
    unsigned long mask[2];
};
void slots_lock(struct slots_hold *h);
void slots_unlock(const struct slots_hold *h);

/* Pending or failed ones; 0 is what costs nothing. */
extern atomic_int slots_waiting;

/* The state of a descriptor as far as can be told without a call. */
enum slot_state slots_peek(int fd);

/* Under the lock. That of a socket of the Internet; what is not known yet becomes known. NULL: it is none, or
 * there is no memory. */
struct slot *slot_of(int fd);
/* That of a socket that is known already; NULL: none. */
struct slot *slot_known(int fd);
/* What socket() has made. */
void slot_made(int fd, int domain, int type, int protocol);
/* Its descriptor is another one now. */
void slot_moved(int fd, struct slot *s, enum slot_state state);
void slot_drop(int fd);
/* Where it is to lead; takes the lock. */
void slot_aim(struct slot *s, const union address *to);
void slot_copy(int from, int to);
void slot_wish(struct slot *s, int level, int name, const void *value, socklen_t len);
void slot_watch(struct slot *s, int op, int epoll, const struct epoll_event *event);
void slot_forget_watches(struct slot *s);
/* Those that are pending, at most max, from *from on, which goes on. */
int slots_pending(int *from, int *fds, int max);

/* Is this a process with memory of its own? (The child of vfork() closes descriptors of its own in its parent's.) */
bool slots_ours(void);

#endif
