/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls that wait for an answer: see strict.h. */
#include "xiorun/strict.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { STACK = 256 * 1024 };

/* ---- one call ---- */

bool call_waits(const struct call *c)
{
    uint64_t id = c->id;
    return ioctl(c->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

void call_give(const struct call *c, int64_t value, int error)
{
    struct seccomp_notif_resp r = {.id = c->id, .val = error ? 0 : value, .error = -error};
    (void)ioctl(c->listener, SECCOMP_IOCTL_NOTIF_SEND, &r); /* it may be gone */
}

/* As the caller has it in its table. */
static bool is_cloexec(const struct call *c, int fd)
{
    char path[64], line[128];
    unsigned long flags = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", (int)c->pid, fd);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "flags: %lo", &flags) == 1)
            break;
    if (f)
        (void)fclose(f);
    return flags & O_CLOEXEC;
}

bool call_replace(const struct call *c, int fd, int by)
{
    struct seccomp_notif_addfd a = {.id = c->id, .flags = SECCOMP_ADDFD_FLAG_SETFD, .srcfd = (uint32_t)by,
                                    .newfd = (uint32_t)fd, .newfd_flags = is_cloexec(c, fd) ? O_CLOEXEC : 0};
    return ioctl(c->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a) >= 0;
}

/* A pidfd is that of a process, not of a thread. */
static pid_t process_of(pid_t thread)
{
    char path[64], line[128];
    int pid = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)thread);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "Tgid: %d", &pid) == 1)
            break;
    if (f)
        (void)fclose(f);
    return pid;
}

int call_descriptor(const struct call *c, int fd)
{
    int process = (int)syscall(SYS_pidfd_open, process_of(c->pid), 0);
    int copy = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, fd, 0);
    int sys = errno;
    if (process >= 0)
        close(process);
    if (copy >= 0 && !call_waits(c)) { /* who knows whose it was */
        close(copy);
        copy = -1;
        sys = ESRCH;
    }
    errno = sys;
    return copy;
}

bool call_read(const struct call *c, uint64_t from, void *to, size_t n)
{
    struct iovec here = {to, n}, there = {(void *)(uintptr_t)from, n};
    return n == 0 || (process_vm_readv(c->pid, &here, 1, &there, 1, 0) == (ssize_t)n && call_waits(c));
}

bool call_write(const struct call *c, uint64_t to, const void *from, size_t n)
{
    struct iovec here = {(void *)(uintptr_t)from, n}, there = {(void *)(uintptr_t)to, n};
    return call_waits(c) && process_vm_writev(c->pid, &here, 1, &there, 1, 0) == (ssize_t)n;
}

void call_describe(const struct call *c, struct preload_request *q)
{
    char path[64];
    const char *still = getenv("XIO_QUIET");
    *q = (struct preload_request){.ask = ASK_OPEN, .pid = process_of(c->pid), .quiet = still && *still && strcmp(still, "0") != 0};
    (void)snprintf(path, sizeof path, "/proc/%d/comm", (int)c->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && read(fd, q->program, sizeof q->program - 1) < 0)
        q->program[0] = '\0';
    q->program[strcspn(q->program, "\n")] = '\0';
    if (fd >= 0)
        close(fd);
}

bool call_stand_there(const struct call *c, bool absolute)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)c->pid, absolute ? "root" : "cwd");
    return unshare(CLONE_FS) == 0 && chdir(path) == 0 && call_waits(c);
}

/* ---- threads ---- */

struct errand {
    struct call call;
    void (*how)(struct call *c);
};

static void *run_errand(void *arg)
{
    struct errand *e = arg;
    e->how(&e->call);
    free(e);
    return NULL;
}

static bool start(void *(*f)(void *), void *arg)
{
    pthread_attr_t attr;
    pthread_t thread;
    (void)pthread_attr_init(&attr);
    (void)pthread_attr_setstacksize(&attr, STACK);
    (void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    bool started = pthread_create(&thread, &attr, f, arg) == 0;
    (void)pthread_attr_destroy(&attr);
    return started;
}

void call_go_on(const struct call *c, void (*how)(struct call *c))
{
    struct errand *e = malloc(sizeof *e);
    if (e)
        *e = (struct errand){*c, how};
    if (e && start(run_errand, e))
        return;
    free(e);
    call_give(c, 0, ENOMEM);
}

/* ---- all of them ---- */

static void take(struct call *c)
{
    if (c->nr == SYS_connect)
        call_go_on(c, strict_connect);
    else
        strict_send(c);
}

struct desk {
    struct helper *helper;
    int listener;
    size_t size;
};

static void *serve(void *arg)
{
    const struct desk *d = arg;
    struct seccomp_notif *n = calloc(1, d->size);
    while (n) {
        memset(n, 0, d->size);
        if (ioctl(d->listener, SECCOMP_IOCTL_NOTIF_RECV, n) < 0) {
            if (errno == EINTR || errno == ENOENT) /* the caller was gone before we came */
                continue;
            break;
        }
        struct call c = {d->helper, d->listener, n->id, (pid_t)n->pid, n->data.nr, {0}};
        for (int i = 0; i < 6; i++)
            c.args[i] = n->data.args[i];
        take(&c);
    }
    free(n);
    return NULL;
}

/* Where it can, it misses the call that is not there. */
bool strict_can_replace(int listener)
{
    struct seccomp_notif_addfd a = {.flags = SECCOMP_ADDFD_FLAG_SETFD, .srcfd = (uint32_t)listener};
    return ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &a) < 0 && errno == ENOENT;
}

int strict_begin(struct helper *h, int listener)
{
    static struct desk d;
    struct seccomp_notif_sizes sizes;
    if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        return -1;
    size_t size = sizes.seccomp_notif > sizeof(struct seccomp_notif) ? sizes.seccomp_notif : sizeof(struct seccomp_notif);
    d = (struct desk){h, listener, size};
    return start(serve, &d) ? 0 : -1;
}
