/* SPDX-License-Identifier: GPL-2.0-or-later
 * POSIX message queues. A queue's descriptor can be polled, but its messages have calls of their
 * own: one message is one read, one block written is one message. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/options.h"
#include "catena/wait.h"
#include "endpoint/file/file.h"
#include "endpoint/base/given.h"
#include "endpoint/options/opts_file.h"
#include "endpoint/options/opts_posixmq.h"

struct queue { /* state of a port, and of RECEIVE while it waits for messages */
    mqd_t fd;
    const char *name;
    unsigned priority; /* of what is sent */
    bool once;         /* one message is read, then comes the end */
    bool whole;        /* no option -b: messages stay whole */
    size_t size;       /* bytes that a message may have */
    char *message;     /* room for one */
};

/* ---- opening ---- */

static long system_default(const char *file, long otherwise)
{
    char path[64];
    long value = otherwise;

    (void)snprintf(path, sizeof path, "/proc/sys/fs/mqueue/%s", file);
    FILE *f = fopen(path, "re");
    if (f) {
        if (fscanf(f, "%ld", &value) != 1)
            value = otherwise;
        (void)fclose(f);
    }
    return value;
}

static int unlink_queue(const char *name, struct err *e)
{
    if (mq_unlink(name) < 0 && errno != ENOENT) {
        (void)err_sys(e, "cannot remove the message queue \"%s\"", name);
        return err_call(e, "mq_unlink(\"%s\")", name);
    }
    return 0;
}

static mqd_t call_mq_open(const struct addr *a, struct err *e)
{
    const struct opt *many = opt_find(a, &opt_mq_maxmsg), *large = opt_find(a, &opt_mq_msgsize);
    const char *name = a->params[0];
    /* without waiting, whatever the user says of opening */
    int flags = file_flags(a, O_CREAT) | O_NONBLOCK;
    struct mq_attr attr = {0};
    mqd_t fd;

    if (many || large) {
        attr.mq_maxmsg = many ? (long)many->v.i : system_default("msg_default", 10);
        attr.mq_msgsize = large ? (long)large->v.i : system_default("msgsize_default", 8192);
    }
    fd = mq_open(name, flags, file_mode(a, 0666), many != NULL || large ? &attr : NULL);
    if (fd == (mqd_t)-1 && errno == EINVAL && name[0] != '/') {
        (void)err_sys(e, "cannot open the message queue \"%s\"", name);
        (void)err_hint(e, "the name of a queue begins with /");
        return err_call(e, "mq_open(\"%s\")", name);
    }
    if (fd == (mqd_t)-1) {
        (void)err_sys(e, "cannot open the message queue \"%s\"", name);
        return err_call(e, "mq_open(\"%s\", 0%o, 0%03o)", name,
                        (unsigned)flags & ~(unsigned)O_CLOEXEC, (unsigned)file_mode(a, 0666));
    }
    return fd;
}

/* What was asked for has no effect on a queue that was there. */
static void compare(const struct opt *asked, long got)
{
    if (asked && asked->v.i != got)
        diag(DIAG_WARN, "requested %s=%lld, but result is %ld", asked->desc->name, asked->v.i, got);
}

static int flush_queue(struct queue *q, struct err *e)
{
    size_t dropped = 0;

    while (mq_receive(q->fd, q->message, q->size, NULL) >= 0)
        dropped++;
    if (errno == EBADF) { /* opened for writing only: another descriptor reads */
        mqd_t fd = mq_open(q->name, O_RDONLY | O_NONBLOCK);
        if (fd == (mqd_t)-1)
            return err_sys(e, "posixmq-flush: mq_open(\"%s\")", q->name);
        while (mq_receive(fd, q->message, q->size, NULL) >= 0)
            dropped++;
        (void)mq_close(fd);
    }
    if (errno != EAGAIN)
        return err_sys(e, "posixmq-flush: mq_receive(%d)", q->fd);
    diag(DIAG_INFO, "%zu messages dropped from queue \"%s\"", dropped, q->name);
    return 0;
}

static void queue_free(struct queue *q)
{
    free(q->message);
    free(q);
}

/* The part that takes no descriptor yet: attributes, room for a message, emptying. */
static int queue_init(const struct addr *a, struct queue *q, struct err *e)
{
    struct mq_attr attr;

    if (mq_getattr(q->fd, &attr) < 0)
        return err_sys(e, "mq_getattr(%d)", q->fd);
    compare(opt_find(a, &opt_mq_maxmsg), attr.mq_maxmsg);
    compare(opt_find(a, &opt_mq_msgsize), attr.mq_msgsize);
    q->size = (size_t)attr.mq_msgsize;
    q->message = malloc(q->size);
    if (!q->message)
        return err_nomem(e);
    return opt_true(a, &opt_mq_flush) ? flush_queue(q, e) : 0;
}

static struct queue *queue_open(const struct addr *a, struct run *r, struct err *e)
{
    struct queue *q = calloc(1, sizeof *q);
    const char *name = a->params[0];
    bool early = opt_true(a, &opt_unlink_early) || opt_true(a, &opt_unlink);

    if (!q) {
        (void)err_nomem(e);
        return NULL;
    }
    diag(DIAG_NOTICE, "opening POSIX message queue \"%s\" for %s", name, file_purpose(a->left));
    q->name = name;
    q->priority = (unsigned)opt_int(a, &opt_mq_priority, 0);
    q->fd = early && unlink_queue(name, e) < 0 ? -1 : call_mq_open(a, e);
    if (q->fd < 0) {
        queue_free(q);
        return NULL;
    }
    if (queue_init(a, q, e) == 0 &&
        (!opt_true(a, &opt_unlink_late) || unlink_queue(name, e) == 0) &&
        (!opt_true(a, &opt_unlink_close) || endpoint_remove_queue_at_exit(r, name, e) == 0))
        return q;
    (void)mq_close(q->fd);
    queue_free(q);
    return NULL;
}

/* ---- the port ---- */

/* The next message, its bytes, or -1. An empty one would be an end of file: look for another. */
static ssize_t take_message(struct queue *q)
{
    unsigned priority = 0;
    ssize_t n = mq_receive(q->fd, q->message, q->size, &priority);

    if (n == 0 && !q->once) {
        errno = EINTR;
        return -1;
    }
    if (n >= 0)
        diag(DIAG_INFO, "received message of %zd bytes with priority %u from queue \"%s\"", n,
             priority, q->name);
    return n;
}

/* The one message has been read: what is left is the end. */
static void exhaust(struct port *p, struct queue *q)
{
    struct err e;
    int fd = given_nothing(&e);

    if (fd < 0)
        return; /* no descriptor left: the end will not be seen, as without o-nonblock */
    (void)mq_close(q->fd);
    q->fd = -1;
    p->rfd = fd;
}

static ssize_t queue_read(struct port *p, void *buf, size_t cap)
{
    struct queue *q = p->state;
    struct err e;
    ssize_t n;

    if (q->fd < 0)
        return 0;
    if (q->whole && q->size > cap) {
        p->need = q->size;
        errno = EMSGSIZE;
        return -1;
    }
    n = take_message(q);
    if (n < 0)
        return -1;
    size_t taken = (size_t)n < cap ? (size_t)n : cap;
    memcpy(buf, q->message, taken);
    if (taken < (size_t)n) { /* block size -b: the rest comes as another block */
        diag(DIAG_NOTICE, "message of %zd bytes does not fit a block of %zu and is split", n, cap);
        if (port_unread(p, q->message + taken, (size_t)n - taken, &e) < 0) {
            errno = ENOMEM;
            return -1;
        }
    }
    if (q->once)
        exhaust(p, q);
    return (ssize_t)taken;
}

static ssize_t queue_write(struct port *p, const void *buf, size_t n)
{
    const struct queue *q = p->state;

    if (mq_send(q->fd, buf, n, q->priority) == 0)
        return (ssize_t)n;
    if (errno == EMSGSIZE)
        diag(DIAG_WARN, "queue \"%s\" takes messages of up to %zu bytes, not of %zu", q->name,
             q->size, n);
    return -1;
}

static void queue_close(struct port *p)
{
    queue_free(p->state);
    port_fd_close(p);
}

static const struct port_ops queue_port_ops = {queue_read, queue_write, port_fd_shutdown,
                                               queue_close};

/* Nobody knows who put the message there. */
static void meet(struct run *r, const struct queue *q)
{
    char text[NAME_MAX + 16];

    (void)snprintf(text, sizeof text, "queue \"%.255s\"", q->name);
    run_meet(r, text);
}

/* Takes the queue. */
static int queue_port(const struct addr *a, struct run *r, struct queue *q, struct port **out,
                      struct err *e)
{
    struct port *p;
    int flags;

    if (endpoint_port(a, r, a->left == CTX_W ? -1 : q->fd, a->left == CTX_R ? -1 : q->fd,
                      PORT_MSG | PORT_SPLIT_R, PORT_SHUT_NONE, &p, e) < 0) {
        queue_free(q);
        return -1;
    }
    meet(r, q);
    p->ops = &queue_port_ops;
    p->state = q;
    q->whole = !r->settings->block_given;
    flags = fcntl(q->fd, F_GETFL);
    if (flags < 0 || fcntl(q->fd, F_SETFL, flags | O_NONBLOCK) < 0) { /* o-nonblock=0 had its say */
        (void)err_sys(e, "fcntl(%d, F_SETFL, O_NONBLOCK)", q->fd);
        port_close(p);
        return -1;
    }
    *out = p;
    return 0;
}

static int open_queue(const struct addr *a, struct run *r, void *state, struct port **out,
                      struct err *e)
{
    struct queue *q = queue_open(a, r, e);

    (void)state;
    return !q ? -1 : queue_port(a, r, q, out, e);
}

/* ---- RECEIVE ---- */

static int receive_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    struct queue *q = queue_open(a, r, e);

    if (!q)
        return -1;
    q->once = true;
    *state = q;
    if (opts_apply_in(a, r, PHASE_FD, q->fd, e) == 0 && opts_apply(a, PHASE_LATE, q->fd, e) == 0)
        return 0;
    (void)mq_close(q->fd);
    queue_free(q);
    return -1;
}

static void receive_unlisten(const struct addr *a, void *state, bool forked)
{
    struct queue *q = state;

    (void)a, (void)forked;
    if (q->fd >= 0)
        (void)mq_close(q->fd);
    queue_free(q);
}

/* With o-nonblock it is the relay that waits, so that -T can end it. */
static int receive_later(const struct addr *a, struct run *r, const struct queue *from,
                         struct port **out, struct err *e)
{
    struct queue *q = calloc(1, sizeof *q);

    if (!q)
        return err_nomem(e);
    *q = *from;
    q->message = malloc(q->size);
    q->fd = !q->message ? -1 : fcntl(from->fd, F_DUPFD_CLOEXEC, 3);
    if (q->fd >= 0)
        return queue_port(a, r, q, out, e);
    (void)(!q->message ? err_nomem(e) : err_sys(e, "dup(%d)", from->fd));
    queue_free(q);
    return -1;
}

static int receive_open(const struct addr *a, struct run *r, void *state, struct port **out,
                        struct err *e)
{
    struct queue *q = state;
    bool many = opt_true(a, &opt_fork) || opt_true(a, &opt_thread);
    unsigned flags = PORT_MSG_R | (r->settings->block_given ? PORT_SPLIT_R : 0U);

    if (!many && file_flags(a, 0) & O_NONBLOCK)
        return receive_later(a, r, q, out, e);
    diag(DIAG_NOTICE, "waiting for a message in queue \"%s\"", q->name);
    for (;;) {
        ssize_t n = take_message(q);

        if (n >= 0) {
            meet(r, q);
            return given_port(a, r, q->message, (size_t)n, flags, out, e);
        }
        if (errno != EAGAIN && errno != EINTR)
            return err_sys(e, "mq_receive(%d)", q->fd);
        if (wait_fd(r, q->fd, POLLIN, -1, e) < 0)
            return -1;
    }
}

/* ---- forms ---- */

/* The short keyword is for one direction; both at once must be meant. */
static int check_direction(const struct addr *a, struct err *e)
{
    if (a->left != CTX_B || strcasecmp(a->keyword, "POSIXMQ") != 0)
        return 0;
    return err_at(e, a->at, "POSIXMQ is for one direction (-u or -U); to write to a queue and read "
                            "from it again use POSIXMQ-BIDIRECTIONAL");
}

/* Nothing tells when a queue that may not be read could be read: the relay would wait for ever. */
static int check_write(const struct addr *a, struct err *e)
{
    if (a->left != CTX_R)
        return 0;
    return err_at(e, a->at, "is used read-only here, but supports only write-only; to read "
                            "messages use POSIXMQ-READ or POSIXMQ-RECEIVE");
}

static const struct endpoint_ops queue_ops = {.open = open_queue};
static const struct endpoint_ops receive_ops = {
    .listen = receive_listen,
    .open = receive_open,
    .unlisten = receive_unlisten,
};

#define GROUPS (GROUP_FD | GROUP_NAMED | GROUP_OPEN | GROUP_RETRY | GROUP_POSIXMQ)
#define QUEUE                                                                                      \
    .params = ":<mqname>", .min_params = 1, .max_params = 1, .kind = FORM_ENDPOINT

extern const struct form forms_posixmq[];
const struct form forms_posixmq[] = {
    {.keyword = "POSIXMQ-BIDIRECTIONAL", .aliases = "POSIXMQ", QUEUE, .left = CTX_RWB,
     .groups = GROUPS, .help = "writes to a POSIX message queue and reads from it",
     .check = check_direction, .records = RECORDS_MANY, .ops.endpoint = &queue_ops},
    {.keyword = "POSIXMQ-READ", QUEUE, .left = CTX_R, .groups = GROUPS,
     .help = "reads all messages of a POSIX message queue", .records = RECORDS_MANY,
     .ops.endpoint = &queue_ops},
    {.keyword = "POSIXMQ-RECEIVE", .aliases = "POSIXMQ-RECV", QUEUE, .left = CTX_R,
     .groups = GROUPS | GROUP_CHILD, .help = "reads one message of a POSIX message queue",
     .records = RECORDS_ONE, .ops.endpoint = &receive_ops},
    {.keyword = "POSIXMQ-SEND", QUEUE, .left = CTX_W, .groups = GROUPS | GROUP_CHILD,
     .help = "writes messages to a POSIX message queue", .check = check_write,
     .records = RECORDS_MANY, .ops.endpoint = &queue_ops},
    {.keyword = "POSIXMQ-WRITE", QUEUE, .left = CTX_W, .groups = GROUPS | GROUP_CHILD,
     .help = "writes messages to a POSIX message queue", .check = check_write,
     .records = RECORDS_MANY, .ops.endpoint = &queue_ops},
    {.keyword = NULL},
};
