/* SPDX-License-Identifier: GPL-2.0-or-later
 * Asking the helper: see lease.h. */
#include "preload/lease.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "preload/real.h"

static atomic_int lease = -1;
static atomic_ullong lease_inode; /* so that we know when a system call has closed it */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;
static bool quiet, within; /* another xiorun: a helper of our own would be none that goes through it */

/* ---- the lease we were left ---- */

static bool is_socket(int fd, unsigned long long inode)
{
    struct stat st;
    return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && (inode == 0 || st.st_ino == inode);
}

/* Whatever another thread was about there. */
static void in_child(void)
{
    starting = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

__attribute__((constructor)) static void begin(void)
{
    const char *left = getenv(PRELOAD_LEASE), *still = getenv("XIO_QUIET");
    int fd = -1;
    unsigned long long inode = 0;
    within = left && strstr(left, PRELOAD_WITHIN);
    if (left && sscanf(left, "%d:%llu", &fd, &inode) == 2 && is_socket(fd, inode)) {
        atomic_store(&lease_inode, inode);
        atomic_store(&lease, fd);
    }
    (void)pthread_atfork(NULL, NULL, in_child);
    quiet = still && *still && strcmp(still, "0") != 0;
}

bool lease_is(int fd)
{
    return fd >= 0 && fd == atomic_load_explicit(&lease, memory_order_relaxed);
}

int lease_number(void)
{
    return atomic_load_explicit(&lease, memory_order_relaxed);
}

/* ---- a helper of our own ---- */

/* The command lies beside us, or where both were installed. */
static bool find_command(char *path, size_t cap)
{
    static const char *const places[] = {"", XIORUN_FROM_LIBRARY};
    Dl_info us;
    if (!dladdr((void *)(uintptr_t)find_command, &us) || !us.dli_fname)
        return false;
    const char *slash = strrchr(us.dli_fname, '/');
    int n = slash ? (int)(slash - us.dli_fname) + 1 : 0;
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (snprintf(path, cap, "%.*s%sxiorun", n, us.dli_fname, places[i]) < (int)cap && access(path, X_OK) == 0)
            return true;
    }
    return false;
}

static bool is_ours(const char *variable)
{
    return strncmp(variable, "LD_PRELOAD=", 11) == 0 || strncmp(variable, PRELOAD_LEASE "=", sizeof PRELOAD_LEASE) == 0;
}

/* The helper goes without us. */
static char **environment_of_helper(void)
{
    size_t n = 0, k = 0;
    while (environ[n])
        n++;
    char **env = calloc(n + 1, sizeof *env);
    for (size_t i = 0; env && i < n; i++)
        if (!is_ours(environ[i]))
            env[k++] = environ[i];
    return env;
}

/* A child that nobody else gets to see: it makes no SIGCHLD, and its own child is a stranger. Nothing but
 * system calls here, as other threads may hold any lock. */
static pid_t bare_fork(void)
{
    return (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL); /* whose order differs by processors */
}

static void become_helper(const char *path, char *const *env, int fd, const char *number)
{
    char *const argv[] = {(char[]){"xiorun"}, (char[]){"--helper"}, (char *)(uintptr_t)number, NULL};
    sigset_t none;
    (void)syscall(SYS_setsid);
    (void)sigemptyset(&none);
    (void)syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
    (void)syscall(SYS_fcntl, fd, F_SETFD, 0);
    (void)syscall(SYS_execve, path, argv, env);
}

static bool start(const char *path, char *const *env, int theirs)
{
    char number[16];
    int status = 1;
    (void)snprintf(number, sizeof number, "%d", theirs);
    pid_t pid = bare_fork();
    if (pid == 0) {
        pid_t helper = bare_fork();
        if (helper == 0)
            become_helper(path, env, theirs, number);
        _exit(helper < 0);
    }
    while (pid > 0 && waitpid(pid, &status, __WALL) < 0 && errno == EINTR)
        ;
    return pid > 0 && status == 0;
}

static int start_helper(void)
{
    char path[PATH_MAX];
    int fd[2];
    char **env = environment_of_helper();
    if (within || !env || !find_command(path, sizeof path) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0) {
        free(env);
        return -1;
    }
    int ours = preload_put_high(fd[0]), theirs = preload_put_high(fd[1]);
    REAL(close)(fd[0]);
    REAL(close)(fd[1]);
    if (ours >= 0 && (theirs < 0 || !start(path, env, theirs))) {
        REAL(close)(ours);
        ours = -1;
    }
    if (theirs >= 0)
        REAL(close)(theirs);
    free(env);
    return ours;
}

static int still_there(void)
{
    int fd = atomic_load(&lease);
    return fd >= 0 && is_socket(fd, atomic_load(&lease_inode)) ? fd : -1;
}

static int get_lease(void)
{
    struct stat st;
    int fd = still_there();
    if (fd >= 0)
        return fd;
    pthread_mutex_lock(&starting);
    if ((fd = still_there()) < 0) {
        fd = start_helper();
        if (fd >= 0 && fstat(fd, &st) == 0)
            atomic_store(&lease_inode, st.st_ino);
        atomic_store(&lease, fd);
    }
    pthread_mutex_unlock(&starting);
    return fd;
}

/* ---- asking ---- */

static bool send_with(int to, const void *data, size_t n, int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof fd)];
    } control = {0};
    struct iovec v = {(void *)(uintptr_t)data, n};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    ssize_t sent;
    while ((sent = REAL(sendmsg)(to, &m, MSG_NOSIGNAL)) < 0 && errno == EINTR)
        ;
    return sent == (ssize_t)n;
}

static int tell(const char *text, int error)
{
    if (!quiet && REAL(write)(2, text, strlen(text)) < 0)
        errno = 0;
    errno = error;
    return -1;
}

/* Whoever has lost the helper gets no connections; nothing ever goes another way. */
static int tell_lost(void)
{
    return tell("xiorun: " PRELOAD_LIBRARY ": there is no helper to open the chain\n", ECONNREFUSED);
}

/* The way needs a descriptor, or two. */
static int tell_full(int error)
{
    return tell(error == ENFILE ? "xiorun: " PRELOAD_LIBRARY ": no more descriptors can be open on this system\n"
                                : "xiorun: " PRELOAD_LIBRARY ": the program can open no more descriptors (RLIMIT_NOFILE)\n",
                error);
}

static bool is_full(void)
{
    return errno == EMFILE || errno == ENFILE;
}

/* So that a descriptor cannot be written to until the helper has emptied the other end (gate.h). */
static void fill(int fd)
{
    const int least = 1;
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    (void)REAL(setsockopt)(fd, SOL_SOCKET, SO_SNDBUF, &least, sizeof least);
    for (int i = 0; i < 64 && REAL(poll)(&p, 1, 0) > 0; i++)
        (void)REAL(send)(fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int lease_ask(struct preload_request *q)
{
    int fd[2], to;
    errno = 0;
    to = get_lease();
    q->magic = PRELOAD_MAGIC;
    q->quiet = quiet;
    q->pid = getpid();
    (void)snprintf(q->program, sizeof q->program, "%s", program_invocation_short_name);
    if (to < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) < 0)
        return is_full() ? tell_full(errno) : tell_lost();
    if (q->ask == ASK_OPEN)
        fill(fd[0]);
    bool sent = send_with(to, q, sizeof *q, fd[1]);
    REAL(close)(fd[1]);
    if (sent)
        return fd[0];
    REAL(close)(fd[0]);
    return tell_lost();
}

static void take_descriptors(struct msghdr *m, int given[2])
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        size_t n = c->cmsg_type == SCM_RIGHTS ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
        for (size_t i = 0; i < n; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
            if (i < 2)
                given[i] = fd;
            else
                REAL(close)(fd);
        }
    }
}

/* When the helper closes its end with something unread there, that is told first, as an error. */
int lease_answer(int fd, int flags, struct preload_answer *a, int given[2])
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec v = {a, sizeof *a};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    given[0] = given[1] = -1;
    ssize_t n = REAL(recvmsg)(fd, &m, flags | MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == ECONNRESET)
        n = REAL(recvmsg)(fd, &m, flags | MSG_CMSG_CLOEXEC);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n > 0)
        take_descriptors(&m, given);
    if (n == sizeof *a && a->magic == PRELOAD_MAGIC && !(m.msg_flags & MSG_CTRUNC))
        return 1;
    bool full = n > 0 && m.msg_flags & MSG_CTRUNC;
    for (int i = 0; i < 2; i++)
        if (given[i] >= 0)
            REAL(close)(given[i]);
    errno = ECONNREFUSED;
    return full ? tell_full(EMFILE) : -1;
}

bool lease_question(struct preload_request *q, struct preload_answer *a)
{
    int given[2], rc, fd = lease_ask(q);
    if (fd < 0)
        return false;
    while ((rc = lease_answer(fd, 0, a, given)) == 0)
        ;
    REAL(close)(fd);
    return rc > 0;
}
