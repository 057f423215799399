/* SPDX-License-Identifier: GPL-2.0-or-later
 * Opening chains for others, each in a thread that stays until its line has ended. */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xio.h>

#include "xiorun/helper.h"

enum { STACK = 128 * 1024 };

struct opening {
    struct helper *helper;
    struct preload_request request;
    struct target target;
    const char *chain;
    opening_told *tell;
    void *arg;
    atomic_int line;    /* that is hung up when the line has ended; -1 while it is opened, and where there is none */
};

/* ---- words ---- */

/* The few that programs know to handle. */
static int errno_of(const struct xio_error *e)
{
    if (e->sys == EMFILE || e->sys == ENFILE)
        return ENFILE;
    switch (e->kind) {
    case XIO_TIMEOUT:
    case XIO_NOBODY: return ETIMEDOUT;
    case XIO_UNREACHABLE: return e->sys == ENETUNREACH ? ENETUNREACH : EHOSTUNREACH;
    case XIO_NO_NAME: return EHOSTUNREACH;
    default: return ECONNREFUSED;
    }
}

/* A line that fails later, while somebody has it. */
static void log_line(void *arg, int level, const char *text)
{
    const struct opening *o = arg;
    struct pollfd p = {.fd = atomic_load(&o->line)};
    if (level <= XIO_LOG_ERROR && p.fd >= 0 && poll(&p, 1, 0) == 0)
        helper_say(&o->request, &o->target, text);
}

/* ---- opening ---- */

static void fail(struct opening *o, const char *text, int error)
{
    helper_say(&o->request, &o->target, text);
    o->tell(o->arg, -1, error);
}

static bool carries_packets(int fd)
{
    int type = 0;
    socklen_t len = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type != SOCK_STREAM;
}

const char *opening_complaint(const char *chain)
{
    static const char *const facts[] = {"host", "name", "port", "1", NULL};
    char *modules = helper_modules();
    struct xio_opts opts = {.size = sizeof opts, .flags = O_RDWR, .facts = facts, .detach = 1, .log_level = XIO_LOG_ERROR, .modules = modules};
    int rc = xiocheck(chain, &opts);
    free(modules);
    return rc < 0 ? xioerror(NULL)->text : NULL;
}

static struct xio *open_it(struct opening *o)
{
    char host[sizeof o->target.host + 2], port[8];
    const char *const facts[] = {"host", host, "port", port, NULL};
    struct xio_opts opts = {.size = sizeof opts, .flags = O_RDWR, .facts = facts, .detach = 1, .log = log_line, .log_arg = o,
                            .log_level = XIO_LOG_ERROR, .modules = o->helper->modules};
    (void)snprintf(host, sizeof host, o->target.version == 6 ? "[%s]" : "%s", o->target.host);
    (void)snprintf(port, sizeof port, "%u", o->target.port);
    struct xio *x = xioopen_opts(o->chain, &opts);
    if (!x)
        fail(o, xioerror(NULL)->text, errno_of(xioerror(NULL)));
    return x;
}

static void count(struct helper *h, int more)
{
    pthread_mutex_lock(&h->lock);
    h->lines += (unsigned)more;
    (void)pthread_cond_signal(&h->ended);
    pthread_mutex_unlock(&h->lock);
}

static void see_to_its_end(struct opening *o, struct xio *x, int line)
{
    struct pollfd p = {.fd = line};
    while (line >= 0 && poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
    atomic_store(&o->line, -1);
    (void)xioclose(x);
}

static void *open_for(void *arg)
{
    struct opening *o = arg;
    struct xio *x = open_it(o);
    int fd = x ? xiodetach(x) : -1, line = x ? xiofd(x) : -1;
    count(o->helper, 1);
    if (x && o->target.packets != carries_packets(fd)) {
        fail(o, o->target.packets ? "the chain carries no packets" : "the chain carries packets, and no stream", ENETUNREACH);
    } else if (x) {
        atomic_store(&o->line, line);
        o->tell(o->arg, fd, 0);
    }
    if (fd >= 0)
        close(fd);
    if (x)
        see_to_its_end(o, x, line);
    count(o->helper, -1);
    free(o);
    return NULL;
}

void opening_begin(struct helper *h, const struct preload_request *q, const struct target *t, const char *chain,
                   opening_told *tell, void *arg)
{
    struct opening *o = malloc(sizeof *o);
    pthread_attr_t attr;
    pthread_t thread;
    if (!o) {
        tell(arg, -1, ECONNREFUSED);
        return;
    }
    *o = (struct opening){.helper = h, .request = *q, .target = *t, .chain = chain, .tell = tell, .arg = arg, .line = -1};
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int rc = pthread_create(&thread, &attr, open_for, o);
    (void)pthread_attr_destroy(&attr);
    if (rc != 0) {
        fail(o, "no thread can be started to open the chain", ECONNREFUSED);
        free(o);
    }
}
