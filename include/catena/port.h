/* SPDX-License-Identifier: GPL-2.0-or-later
 * A port is one opened handle or one side of an engine: something to read, write, shut down and
 * close, and what to poll for. Owned by exactly one engine (or by the opening code); not
 * thread-safe. The common port is a pair of descriptors with a policy for end of file and shutdown.
 *
 * Reading and writing never block. A read gives exactly one of
 *   so many bytes;  0: the end, or, if port.blank is set, an empty message, or what port.control says;
 *   EAGAIN (later): nothing is there, so wait for rfd to be readable;
 *   EINTR (again): there may be more, so read again without waiting. What an outsider sent and is not for
 *       us is that, and so is having dealt with enough of it that others are to have their turn;
 *   EMSGSIZE: the next message has port.need bytes, more than there is room for, and is still there;
 *   another errno: a failure.
 * A write that finds no room gives EAGAIN (wait for wfd to be writable) or ENOBUFS.
 *
 * A layer over a port (port_wrap) is a port, too. What it does not do itself its inner port does, and
 * what is to be seen of that one (descriptors, flags, labels, more to read) is to be seen of it. The two
 * halves of a dual address are one port by such a layer over both (port_join). */
#ifndef CATENA_PORT_H
#define CATENA_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "catena/api.h"
#include "catena/buf.h"
#include "catena/err.h"

struct addr;
struct run;
struct port;

struct port_ops {
    ssize_t (*read)(struct port *, void *buf, size_t cap);
    /* Short counts are normal. ENOBUFS: there is no room, and poll() will not tell when there is. */
    ssize_t (*write)(struct port *, const void *buf, size_t n);
    int (*shutdown)(struct port *, struct err *);               /* no more writes */
    void (*close)(struct port *);                               /* releases all but the port itself */
    /* These may be NULL. */
    /* Instead of read and write, for a neighbour in the same process: whole blocks change hands.
     * take: b is empty, and is then the next block. give: b is then another buffer, empty and no
     * smaller. Results as of read and write; an empty message is marked as one in b. */
    ssize_t (*take)(struct port *, struct buf *b);
    ssize_t (*give)(struct port *, struct buf *b);
    /* Takes what travels beside the data (control.h). Gives 0, also for what it cannot do, or -1: EAGAIN and
     * ENOBUFS as of write. Without it such are dropped. */
    int (*control)(struct port *, const struct control *);
    void (*stop_reading)(struct port *); /* nothing more will be read */
    /* For a port whose descriptor only says "look again": is there something to read, or room to
     * write? If not, rfd becomes readable when that changes, or when the neighbour closes. */
    bool (*ready)(struct port *, bool in, bool out);
    void (*settle)(struct port *); /* see port_settle() */
    /* read and write say EAGAIN only when the descriptor has said so itself: what comes afterwards is
     * an edge. What drops or holds back something must not claim that. */
    bool edges;
};

enum port_shut {      /* what shutting down the write side does */
    PORT_SHUT_NONE,   /* nothing: files, terminals, stdio */
    PORT_SHUT_DOWN,   /* shutdown(2) SHUT_WR */
    PORT_SHUT_CLOSE,  /* close the write descriptor */
    PORT_SHUT_NULL,   /* write an empty block */
};

/* Those about writing are in the upper half; all others are about reading, or about closing, which each
 * half of a dual does by itself. */
enum port_flags {
    PORT_MSG_R = 1 << 0,      /* one read is one message, and is to stay one */
    PORT_EIO_EOF = 1 << 1,    /* EIO on read is end of file (pty masters) */
    PORT_IGNORE_EOF = 1 << 2, /* at end of file wait a second and look again */
    PORT_NULL_EOF = 1 << 3,   /* an empty message is end of file */
    PORT_SOCKET_R = 1 << 4,   /* rfd is a socket: recv MSG_DONTWAIT */
    PORT_TTY = 1 << 5,        /* reads from a terminal */
    PORT_STALL_R = 1 << 6,    /* never readable */
    PORT_OWN_R = 1 << 7,      /* rfd is closed with the port; set by port_open_fds */
    PORT_ENDLESS = 1 << 8,    /* what it reads from may have no end of file: packets of anybody */
    PORT_PROGRAM_R = 1 << 9,  /* comes from a program, whose exit status says if an early end is an error */
    PORT_LONG_R = 1 << 10,    /* its messages may be longer than an IP packet: each is asked first */
    PORT_SPLIT_R = 1 << 11,   /* what of a message does not fit one read comes with the next */
    PORT_BORROWED = 1 << 12,  /* descriptors came with the process: never closed nor shut down */
    PORT_END_CLOSE = 1 << 13, /* at the end just close: no shutdown, no SIGTERM */
    PORT_JOINT = 1 << 14,     /* leads to a neighbouring engine or program of the same run */
    PORT_SHUT_BOTH = 1 << 15, /* close: shutdown(SHUT_RDWR) first, as v1 does for sockets */
    PORT_SHARED = 1 << 16,    /* others go on with what it leads to: no shutdown, no settings restored */
    PORT_EMPTY_R = 1 << 17,   /* an empty message is one, and no end */
    PORT_SEALED = 1 << 18,    /* its messages are a session's: none is cut, and an empty one is no end */

    PORT_ORDINARY = 1 << 19,  /* a stream socket that was made here, and whose close never waits */

    PORT_COOL_WRITE = 1 << 20, /* EPIPE and ECONNRESET on write are a notice */
    PORT_SOCKET_W = 1 << 21,   /* wfd is a socket: send MSG_DONTWAIT|MSG_NOSIGNAL */
    PORT_SLOW_W = 1 << 22,     /* wfd may block although polled: write at most PIPE_BUF after POLLOUT */
    PORT_OWN_W = 1 << 23,      /* wfd is closed with the port */
    PORT_FINAL_W = 1 << 24,    /* a reader of wfd that has gone does not come back: pipes, connections */
    PORT_MSG_W = 1 << 25,      /* one write is one message */
    PORT_STALL_W = 1 << 26,    /* never writable */
    PORT_PROGRAM_W = 1 << 27,  /* leads to a program */
    PORT_EMPTY_W = 1 << 28,    /* an empty message can be written, and is not taken for an end */
    PORT_WRITES = 0x1ff00000,

    PORT_MSG = PORT_MSG_R | PORT_MSG_W,
    PORT_STALL = PORT_STALL_R | PORT_STALL_W,
    PORT_PROGRAM = PORT_PROGRAM_R | PORT_PROGRAM_W,
};

struct port {
    const struct port_ops *ops;
    int rfd, wfd; /* -1: that direction does not exist; may be the same */
    int given[2]; /* the descriptors as they came, for messages: rfd and wfd may be private reopenings */
    unsigned flags;
    enum port_shut shut;
    struct buf pending; /* bytes read too far by a negotiation; delivered first */
    const char *label;  /* borrowed from the addr; for messages */
    const char *wlabel; /* ... about writing: the other half of a dual */
    void *state;        /* what ops need besides */
    struct port *inner[2]; /* of a layer: what it reads from and writes to, mostly the same */
    double sitout_eio;  /* seconds that EIO on a pty is tolerated, 0 = not */
    int64_t eio_until;  /* wait_now(): it is being tolerated until then; 0 it is not */
    bool gone;          /* the neighbour has closed (set by ready) */
    bool due;           /* the neighbour may sleep although it has something to do */
    bool heard_end, told_end; /* a socket: its end of file was read, it was shut down for writing */
    bool more;          /* there is more to read, whatever poll() says */
    bool blank;         /* the 0 that read has given was an empty message */
    struct control control; /* ... was this; whoever takes it sets .kind to 0 */
    const struct err *why; /* a read or write has failed, and whose it was, in words; NULL: errno says it. Borrowed */
    size_t need;        /* bytes of the message that read gave EMSGSIZE for */
    int notice_fd;      /* readable: read has something to give that the other descriptors do not tell of. Owned;
                           -1 none */
    int writer_fd;      /* readable: whoever writes here has ended; what is left then ends at EAGAIN.
                           Owned; -1 none. For what knows no end of file by itself */
};

/* Makes a port over descriptors it now owns (closes them also on failure). Looks at what they are
 * and prepares them for reading and writing without blocking; descriptors marked PORT_BORROWED keep
 * their mode, since others share it. label is borrowed. */
int port_open_fds(int rfd, int wfd, unsigned flags, enum port_shut shut, const char *label,
                  struct port **out, struct err *e) CATENA_API(port_open_fds);
ssize_t port_read(struct port *p, void *buf, size_t cap);
/* The next read gives something without a look at the descriptor. */
static inline bool port_has_more(const struct port *p)
{
    while (p && !p->more && p->pending.len == 0)
        p = p->inner[0];
    return p;
}
/* The bytes that have been read too far. */
size_t port_held(const struct port *p);
ssize_t port_write(struct port *p, const void *buf, size_t n);
/* Hands it a control; 0 also where nobody takes such. */
int port_control(struct port *p, const struct control *c);
int port_shutdown(struct port *p, struct err *e);
/* Can it be read or written without looking at its descriptors? To be called before they are waited
 * for, with what will be waited for. */
bool port_ready(struct port *p, bool in, bool out);
/* Will poll() tell when it can be written? Not where there is nothing to write to, or only a descriptor
 * opened for reading: writing says at once what it has to say. */
bool port_awaits_room(const struct port *p);
/* Does it do to be told once of what is new, until it says EAGAIN? It must not block without being asked
 * before, either, as what came with the process may. */
static inline bool port_lives_with_edges(const struct port *p)
{
    return p->ops->edges && p->flags & (PORT_SOCKET_R | PORT_OWN_R);
}
/* Its engine is going to sleep: if the port is due, the neighbour must not. */
void port_settle(struct port *p);
/* The most bytes that one message written to it may have, for messages about EMSGSIZE; 0 not known. */
size_t port_message_most(const struct port *p);
/* The most bytes of one that the system need not cut into pieces on its way; 0 not known. */
size_t port_message_whole(const struct port *p);
/* What to wait for at rfd (and at wfd, if that is the same). */
short port_events(const struct port *p, bool in, bool out);
/* Both directions lead to the same peer, by one descriptor or by copies of it (a socket as stdio). */
bool port_is_one(const struct port *p);
void port_close(struct port *p) CATENA_API(port_close); /* NULL is fine */
/* Its close() may wait: it lingers (SO_LINGER), or drains a terminal. */
bool port_close_may_wait(const struct port *p);
/* Closes without a word to the peer (no shutdown): a forked child goes on with the connection. */
void port_abandon(struct port *p); /* NULL is fine */
/* Others use it at the same time (forked children, what the first chain has opened), or will: neither
 * the end of one of them nor its close is to be theirs. */
void port_share(struct port *p); /* NULL is fine */
/* Nothing more will be read: whoever writes to us learns it (EPIPE). */
void port_stop_reading(struct port *p);
/* Lays a layer over *p, a port of descriptors, and *p is the layer then. Gives its state, so large and all
 * zero, which is freed with the port; NULL without memory: *p is as it was. What ops leaves out of the
 * first four is the inner port's; a close of its own calls port_inner_close(). */
void *port_wrap(struct port **p, const struct port_ops *ops, size_t size, struct err *e);
/* One port that reads from one and writes to another, both of descriptors; takes both, also on
 * failure. */
int port_join(struct port *read, struct port *write, struct port **out, struct err *e);
/* Its other end has gone as far as poll() knows: the error that a write would give; 0 none, or it is
 * not known. */
int port_write_error(const struct port *p);
/* Bytes that were written, and of which its other end has not said that it has them; 0 also where nobody knows. */
size_t port_unheard(const struct port *p);
/* It has said its end some time ago, and may have gone for good: the system is to find out, if it can. */
void port_probe(const struct port *p);
/* Puts bytes in front of what is read next; of a port of messages, one message. */
int port_unread(struct port *p, const void *data, size_t n, struct err *e) CATENA_API(port_unread);

/* The defaults, for ops that override only some. */
ssize_t port_fd_read(struct port *p, void *buf, size_t cap) CATENA_API(port_fd_read);
/* For a read of a message socket: 0, or -1 and errno, EMSGSIZE as read gives it. Who reads a part of a
 * message loses the rest. */
int port_message_fits(struct port *p, size_t cap) CATENA_API(port_message_fits);
ssize_t port_fd_write(struct port *p, const void *buf, size_t n) CATENA_API(port_fd_write);
int port_fd_shutdown(struct port *p, struct err *e) CATENA_API(port_fd_shutdown);
void port_fd_close(struct port *p) CATENA_API(port_fd_close);
/* The same for layers: what the inner port does. */
ssize_t port_inner_read(struct port *p, void *buf, size_t cap);
ssize_t port_inner_write(struct port *p, const void *buf, size_t n);
int port_inner_control(struct port *p, const struct control *c);
int port_inner_shutdown(struct port *p, struct err *e);
void port_inner_close(struct port *p);
/* Is reading from one and writing to the other what port_fd_read() and port_fd_write() do? */
bool port_is_bare(const struct port *from, const struct port *to);

#endif
