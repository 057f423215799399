/* SPDX-License-Identifier: GPL-2.0-or-later
 * Starting programs: which descriptors they get, and their way into the run. */
#include "endpoint/program/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "catena/options.h"
#include "catena/diag.h"
#include "catena/family.h"
#include "catena/reaper.h"
#include "catena/wait.h"
#include "endpoint/options/apply.h"
#include "endpoint/options/opts_program.h"
#include "endpoint/program/launch.h"

void process_init(struct process *p, const struct addr *a, const struct command *c, bool endpoint)
{
    *p = (struct process){.addr = a, .command = c, .tty = -1, .endpoint = endpoint};
}

/* Kept in the order of `to`, so that the gaps between them are easily closed. */
void process_lane(struct process *p, int from, int to)
{
    size_t i = p->nlanes;

    if (i == PROCESS_LANES_MAX)
        return; /* four directions and stderr: never */
    for (; i > 0 && p->lanes[i - 1].to > to; i--)
        p->lanes[i] = p->lanes[i - 1];
    p->lanes[i] = (struct lane){from, to};
    p->nlanes++;
}

static const struct side {
    const struct option_desc *fd, *in, *out;
    int default_in, default_out;
} sides[] = {
    [PROCESS_LEFT] = {&opt_left_fd, &opt_left_in, &opt_left_out, 0, 1},
    [PROCESS_RIGHT] = {&opt_right_fd, &opt_right_in, &opt_right_out, 3, 4},
};

static int check_number(const struct addr *a, const struct option_desc *row, struct err *e)
{
    const struct opt *o = opt_find(a, row);

    if (!o || (o->v.i >= 0 && o->v.i <= USHRT_MAX))
        return 0;
    return err_at(e, o->at, "option \"%s\": %lld is no descriptor number; 0 to %d are",
                  o->desc->name, o->v.i, USHRT_MAX);
}

int process_check(const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < sizeof sides / sizeof sides[0]; i++)
        if (check_number(a, sides[i].fd, e) < 0 || check_number(a, sides[i].in, e) < 0 ||
            check_number(a, sides[i].out, e) < 0)
            return -1;
    return 0;
}

int process_side(struct process *p, enum process_side side, int in, int out, struct err *e)
{
    const struct side *s = &sides[side];
    const struct addr *a = p->addr;
    const struct opt *fd = opt_find(a, s->fd);

    if (check_number(a, s->fd, e) < 0 || check_number(a, s->in, e) < 0 ||
        check_number(a, s->out, e) < 0)
        return -1;
    if (fd && in >= 0 && out >= 0 && in != out)
        return err_at(e, fd->at, "option \"%s\": the communication environment provides two "
                      "different FDs; communication types socketpair, tcp and pty have one",
                      fd->desc->name);
    if (fd) {
        process_lane(p, in >= 0 ? in : out, (int)fd->v.i);
        return 0;
    }
    if (in >= 0)
        process_lane(p, in, (int)opt_int(a, s->in, s->default_in));
    if (out >= 0)
        process_lane(p, out, (int)opt_int(a, s->out, s->default_out));
    return 0;
}

void process_stderr(struct process *p, int from)
{
    if (opt_true(p->addr, &opt_stderr))
        process_lane(p, from, STDERR_FILENO);
}

/* --- starting ----------------------------------------------------------------------------- */

/* Waits until the child has become the program (the pipe ends) or says why it did not. */
static int await_exec(const struct process *p, struct run *r, int fd, struct err *e)
{
    for (;;) {
        struct launch_report rep;

        if (wait_fd(r, fd, POLLIN, -1, e) < 0)
            return -1;
        ssize_t n = read(fd, &rep, sizeof rep);

        if (n == 0)
            return 0;
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n != sizeof rep)
            return err_sys(e, "starting \"%s\"", p->command->file);
        (void)launch_error(p, &rep, e);
        if (!rep.warning)
            return -1;
        diag_err(DIAG_WARN, e);
    }
}

static unsigned passed_signals(const struct addr *a)
{
    return (opt_true(a, &opt_sighup) ? 1U << SIGHUP : 0) |
           (opt_true(a, &opt_sigint) ? 1U << SIGINT : 0) |
           (opt_true(a, &opt_sigquit) ? 1U << SIGQUIT : 0);
}

/* The child inherits a mask that keeps our handlers from running in it. */
static pid_t fork_child(struct launch *l, struct run *r, int *pidfd)
{
    sigset_t all, old;

    sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    pid_t pid = reaper_fork(r->reaper, NULL, NULL, pidfd);

    if (pid == 0) {
        launch_become(l);
        (void)!write(l->report_fd, &l->report, sizeof l->report);
        _exit(1);
    }
    int sys = errno;

    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = sys;
    return pid;
}

enum { END_TIMEOUT_S = 10 };

/* By order; one that makes itself a group has its reasons. */
static bool leads_group(const struct addr *a)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];

        if ((o->desc->apply == apply_setsid && o->v.i != 0) ||
            (o->desc->apply == apply_setpgid && (o->v.i == 0 || o->v.i == 1)))
            return true;
    }
    return false;
}

static enum child_role role_of(const struct process *p)
{
    if (!p->endpoint)
        return CHILD_LINK;
    if (opt_true(p->addr, &opt_end_close))
        return CHILD_KEPT;
    return p->addr->left == CTX_W ? CHILD_SINK : CHILD_ENDPOINT;
}

static int enter_child(const struct process *p, struct run *r, pid_t pid, int pidfd, struct err *e)
{
    struct child c = {
        .pid = pid,
        .pidfd = pidfd,
        .label = p->addr->label,
        .system = p->command->system,
        .role = role_of(p),
        .passes = passed_signals(p->addr),
        .end_timeout =
            opt_time(p->addr, &opt_end_timeout, r->settings->v1_name ? -1 : END_TIMEOUT_S),
        .leads = leads_group(p->addr),
        .on_tty = p->tty >= 0,
    };

    return run_add_child(r, &c, e);
}

static void remove_child(const struct process *p, struct run *r, pid_t pid, int pidfd)
{
    family_signal(pid, leads_group(p->addr), SIGKILL); /* it may be the program already */
    reaper_await(r->reaper, pid);
    if (pidfd >= 0)
        close(pidfd);
}

/* Gives the child, and a descriptor of it or -1, once it has become the program. */
static pid_t start(const struct process *p, struct run *r, int *pidfd, struct err *e)
{
    struct launch l;
    int fd[2] = {-1, -1};
    pid_t started = -1;

    *pidfd = -1;
    if (launch_init(&l, p, r, e) < 0)
        return -1;
    if (pipe2(fd, O_CLOEXEC) < 0) {
        err_sys(e, "pipe2()");
        goto out;
    }
    l.report_fd = fd[1];
    if (diag_shows(DIAG_DEBUG)) /* the child itself is silent */
        diag(DIAG_DEBUG, "execvp(%s)", launch_text(p->command, (char[LAUNCH_TEXT]){0}));
    pid_t pid = fork_child(&l, r, pidfd);

    close(fd[1]);
    if (pid < 0) {
        err_sys(e, "fork()");
        goto out;
    }
    if (await_exec(p, r, fd[0], e) == 0)
        started = pid;
    else
        remove_child(p, r, pid, *pidfd);
out:
    if (fd[0] >= 0)
        close(fd[0]);
    launch_fini(&l);
    return started;
}

int process_spawn(const struct process *p, struct run *r, struct err *e)
{
    int pidfd;
    pid_t pid = start(p, r, &pidfd, e);

    if (pid < 0)
        return -1;
    if (enter_child(p, r, pid, pidfd, e) < 0) {
        remove_child(p, r, pid, pidfd);
        return -1;
    }
    diag(DIAG_NOTICE, "forked off child process %ld", (long)pid);
    return 0;
}

/* What comes from the keyboard is the program's alone, as system(3) has it. The signals are blocked,
 * and a blocked one is kept even when it is ignored. */
static void leave_keyboard(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t keys;

    sigemptyset(&keys);
    sigaddset(&keys, SIGINT);
    sigaddset(&keys, SIGQUIT);
    (void)sigaction(SIGINT, &ignore, NULL);
    (void)sigaction(SIGQUIT, &ignore, NULL);
    (void)pthread_sigmask(SIG_UNBLOCK, &keys, NULL);
}

int process_call(const struct process *p, struct run *r, int *status, struct err *e)
{
    siginfo_t end = {0};
    struct err ignored;
    int pidfd;

    leave_keyboard(); /* before the program can be there */
    pid_t pid = start(p, r, &pidfd, e);

    if (pid < 0)
        return -1;
    if (pidfd < 0)
        (void)err_sys(e, "pidfd_open(%ld)", (long)pid);
    while (pidfd >= 0 && reaper_status(r->reaper, pid, &end) == 0) {
        if (wait_fd(r, pidfd, POLLIN, -1, e) < 0)
            break;
    }
    if (end.si_pid == 0) { /* whoever ends the run ends its program */
        (void)enter_child(p, r, pid, pidfd, &ignored);
        return -1;
    }
    close(pidfd);
    *status = end.si_code == CLD_EXITED ? end.si_status : 128 + end.si_status;
    return 0;
}

int process_replace(const struct process *p, struct run *r, struct err *e)
{
    struct launch l;

    if (launch_init(&l, p, r, e) < 0)
        return -1;
    char **own = environ;
    enum diag_level level = diag_set_level(DIAG_NOTICE);

    launch_become(&l);
    environ = own;
    (void)diag_set_level(level);
    launch_error(p, &l.report, e);
    launch_fini(&l);
    return -1;
}
