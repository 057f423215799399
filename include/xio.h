/* SPDX-License-Identifier: GPL-2.0-or-later
 * libxio: an address chain as a handle that is read, written, shut down and closed like a file. The manual
 * is xio(3); what stands in chains says catena-addresses(7). */
#ifndef XIO_H
#define XIO_H

#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#define XIO_OTHERWISE(value) = value
#else
#define XIO_OTHERWISE(value)
#endif

struct xio; /* a handle: a number that looks like a pointer; one that is closed is known as such */

/* What can be made of a failure without reading its text. More may come. */
enum xio_kind {
    XIO_OK,
    XIO_USAGE,       /* the chain, or the call, is wrong */
    XIO_REFUSED,     /* the other side said no, or was gone again at once */
    XIO_UNREACHABLE, /* no way leads there */
    XIO_TIMEOUT,     /* no answer in time */
    XIO_ABSENT,      /* what was named is not there: a path, a device, an address of this host */
    XIO_BUSY,        /* taken, or used up, for now */
    XIO_NO_NAME,     /* nobody has that name */
    XIO_DENIED,      /* not permitted, not trusted */
    XIO_UNFIT,       /* what somebody has told cannot stand where it is needed */
    XIO_PROTOCOL,    /* a peer broke the rules, truncation included */
    XIO_OTHER,
    XIO_STOPPED,     /* it was closed meanwhile */
    XIO_NOBODY       /* nobody came within accept-timeout */
};

struct xio_error {
    enum xio_kind kind;
    int sys;               /* as errno */
    size_t offset, length; /* the piece of the chain it is about, in bytes; length 0: none of it */
    char text[1024];       /* a sentence for people */
};

/* As syslog(3) counts, from the worst on. */
enum xio_level { XIO_LOG_ERROR = 3, XIO_LOG_WARNING = 4, XIO_LOG_NOTICE = 5, XIO_LOG_INFO = 6, XIO_LOG_DEBUG = 7 };

/* What is 0 is as xioopen() has it. */
struct xio_opts {
    size_t size;    /* sizeof(struct xio_opts), always */
    int flags;      /* O_RDONLY, O_WRONLY or O_RDWR, with O_NONBLOCK, O_CLOEXEC: as xioopen() */
    int background; /* not 0: the handle is given at once, and the line opened behind it */
    int deadline;   /* milliseconds in which it has to be open; 0: no limit but those of the addresses */
    int linger;     /* milliseconds that xioclose() waits while nothing moves of what was written; 0: 10000 */
    int idle;       /* milliseconds without a byte after which the line ends; 0: never */
    int log_level;  /* the most talkative level wanted; 0: XIO_LOG_WARNING */
    void (*log)(void *arg, int level, const char *text); /* by any thread, by several at a time */
    void *log_arg;
    char *const *environment; /* what addresses and programs see of it, copied; NULL: the process's own */
    size_t block;   /* bytes of a stream that are read at once, at most */
    size_t message; /* bytes of a message, at most */
    size_t threads; /* at work for the handle, at most */
    const char *const *facts; /* what {host} and the like stand for: names and values in turn, then NULL; copied */
    int detach;     /* not 0: xiodetach() is going to be called */
    const char *modules; /* contributed addresses to be known, too: files and directories, with colons; NULL: none */
};

/* Opens a chain; NULL: xioerror(NULL) and errno say why. flags may be left out: O_RDWR. */
struct xio *xioopen(const char *chain, int flags XIO_OTHERWISE(O_RDWR));
struct xio *xioopen_opts(const char *chain, const struct xio_opts *opts);
/* Could that be opened, as far as its text tells? Opens nothing, and gives 0, or -1 as xioopen() gives NULL. */
int xiocheck(const char *chain, const struct xio_opts *opts);
/* As read(2), write(2) and shutdown(2). A line that has broken is no end of file, but an error. */
ssize_t xioread(struct xio *h, void *buf, size_t n);
ssize_t xiowrite(struct xio *h, const void *buf, size_t n);
int xioshutdown(struct xio *h, int how XIO_OTHERWISE(SHUT_WR));
/* Waits for what was written to have left. -1: something was lost, or the line has failed before. */
int xioclose(struct xio *h);

/* The handle as one descriptor, for poll() and all that; the handle's own, so neither to be closed nor
 * replaced. Of a listener: readable, when somebody has come. */
int xiofd(struct xio *h);
/* Gives the descriptor away: it is the caller's, to be used, passed on and closed. The handle is left to wait
 * for its end: xiofd() is then -1, or gives what poll() finds hung up (POLLHUP) when nobody has the descriptor
 * any more, or the line has ended; xioclose() is due then. */
int xiodetach(struct xio *h);
/* What is known of the other end: "peeraddr", "openssl_x509_subject"; NULL: nothing. Good until xioclose(). */
const char *xiofact(struct xio *h, const char *name);
/* What the handle's line has failed of, or, of NULL, what the last call of this thread that failed has. Never
 * NULL; good until the next failure in this thread, or the next question about a handle. */
const struct xio_error *xioerror(struct xio *h);

/* A chain that waits for clients: once, and then a handle for each. */
struct xio *xiolisten(const char *chain, const struct xio_opts *opts XIO_OTHERWISE(NULL));
struct xio *xioaccept(struct xio *listener);

/* Relays between two handles, or a handle and a chain, until both directions have ended. */
int xiorelay(struct xio *a, struct xio *b, const struct xio_opts *opts XIO_OTHERWISE(NULL));
int xiorelayto(struct xio *a, const char *chain, const struct xio_opts *opts XIO_OTHERWISE(NULL));

#ifdef __cplusplus
}
#else
#define xioopen(...) XIO_OPEN_(__VA_ARGS__, O_RDWR, 0)
#define XIO_OPEN_(chain, flags, ...) (xioopen)(chain, flags)
#endif
#undef XIO_OTHERWISE

#endif
