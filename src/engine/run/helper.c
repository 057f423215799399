/* SPDX-License-Identifier: GPL-2.0-or-later
 * Helper programs: see catena/helper.h. One socket is their input and output. */
#include "catena/helper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/family.h"
#include "catena/reaper.h"
#include "catena/run.h"
#include "catena/wait.h"

enum { PARTING_MS = 500 };

struct helper {
    struct run *run;
    pid_t pid;
    int fd, pidfd; /* pidfd -1: not to be had */
    struct buf in;
    size_t told; /* bytes of the last answer, which are still in `in` */
};

/* ---- in the child ---- */

/* Nothing but calls that are safe between fork and exec. */
static void become(const char *command, int fd, char **env)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    const char *const argv[] = {"sh", "-c", command, NULL};
    sigset_t none;
    for (int n = 1; n < NSIG; n++)
        (void)sigaction(n, &usual, NULL);
    (void)setpgid(0, 0); /* what the keyboard says is for us */
    if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
        return;
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    environ = env;
    (void)execvp("/bin/sh", (char *const *)(uintptr_t)argv);
}

/* ---- starting and ending ---- */

static int spawn(struct helper *h, const char *command, int fd, struct err *e)
{
    sigset_t all, old;
    char **env = run_environment(h->run, e);
    if (!env)
        return -1;
    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    h->pid = reaper_fork(h->run->reaper, NULL, NULL, &h->pidfd);
    if (h->pid == 0) {
        become(command, fd, env);
        _exit(127);
    }
    int sys = errno;
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    run_free_environment(env);
    errno = sys;
    return h->pid < 0 ? err_sys(e, "fork()") : 0;
}

int helper_start(struct run *r, const char *command, struct helper **out, struct err *e)
{
    int fds[2];
    struct helper *h = calloc(1, sizeof *h);
    *out = NULL;
    if (!h)
        return err_nomem(e);
    *h = (struct helper){.run = r, .fd = -1, .pidfd = -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
        free(h);
        return err_sys(e, "socketpair()");
    }
    h->fd = fds[0];
    int rc = spawn(h, command, fds[1], e);
    close(fds[1]);
    if (rc < 0) {
        close(h->fd);
        free(h);
        return -1;
    }
    diag(DIAG_INFO, "the helper is process %ld", (long)h->pid);
    *out = h;
    return 0;
}

void helper_end(struct helper *h)
{
    if (!h)
        return;
    close(h->fd);
    if (h->pidfd < 0 || wait_rest(h->run, h->pidfd, wait_now() + PARTING_MS) <= 0)
        family_signal(h->pid, true, SIGKILL);
    reaper_await(h->run->reaper, h->pid);
    if (h->pidfd >= 0)
        close(h->pidfd);
    if (h->in.p)
        explicit_bzero(h->in.p, h->in.cap);
    buf_fini(&h->in);
    free(h);
}

/* ---- talking ---- */

static int await(struct helper *h, short events, int64_t deadline, struct err *e)
{
    int rc = wait_fd(h->run, h->fd, events, deadline, e);
    return rc == 0 ? err_set(e, ERR_TIMEOUT, "the helper does not answer in time") : rc < 0 ? -1 : 0;
}

static int send_all(struct helper *h, const char *text, size_t n, int64_t deadline, struct err *e)
{
    while (n > 0) {
        if (await(h, POLLOUT, deadline, e) < 0)
            return -1;
        ssize_t done = send(h->fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0 && errno != EAGAIN && errno != EINTR)
            return errno == EPIPE ? err_set(e, ERR_PROGRAM, "the helper has ended") : err_sys(e, "writing to the helper");
        text += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
    return 0;
}

/* More of the answer. */
static int receive(struct helper *h, int64_t deadline, struct err *e)
{
    unsigned char *at;
    if (h->in.len == h->in.cap && h->in.cap >= HELPER_LINE_MAX)
        return err_set(e, ERR_PROTOCOL, "the helper's answer has more than %d bytes", HELPER_LINE_MAX);
    if (h->in.len == h->in.cap && buf_grow(&h->in, h->in.cap ? 2 * h->in.cap : 1024) < 0)
        return err_nomem(e);
    size_t room = buf_room(&h->in, &at);
    if (await(h, POLLIN, deadline, e) < 0)
        return -1;
    ssize_t n = recv(h->fd, at, room, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno == ECONNRESET))
        return err_set(e, ERR_PROGRAM, "the helper has ended without an answer");
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return err_sys(e, "reading the helper's answer");
    buf_commit(&h->in, n > 0 ? (size_t)n : 0);
    return 0;
}

int helper_ask(struct helper *h, const char *line, const char **answer, int64_t deadline, struct err *e)
{
    unsigned char *nl = NULL;
    buf_consume(&h->in, h->told);
    h->told = 0;
    if (send_all(h, line, strlen(line), deadline, e) < 0 || send_all(h, "\n", 1, deadline, e) < 0)
        return -1;
    while (h->in.len == 0 || !(nl = memchr(buf_data(&h->in), '\n', h->in.len)))
        if (receive(h, deadline, e) < 0)
            return -1;
    *nl = '\0';
    h->told = (size_t)(nl - buf_data(&h->in)) + 1;
    *answer = (const char *)buf_data(&h->in);
    if (h->told > 1 && nl[-1] == '\r')
        nl[-1] = '\0';
    return 0;
}
