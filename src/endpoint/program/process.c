/* SPDX-License-Identifier: GPL-2.0-or-later
 * Starting programs. The relay may have threads, so between fork and exec nothing but
 * async-signal-safe calls is made: whatever needs memory is prepared before, and what goes wrong
 * travels as numbers through a pipe that a successful exec closes. Only when an option's own
 * function fails it is that function that words the message. */
#include "endpoint/program/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/options.h"
#include "endpoint/options/apply.h"
#include "catena/diag.h"
#include "catena/family.h"
#include "catena/reaper.h"
#include "catena/wait.h"
#include "endpoint/options/opts_program.h"
#include "endpoint/options/opts_termios.h"

enum step {
    STEP_OPTION, /* worded by the option itself */
    STEP_NETNS,
    STEP_CHDIR,
    STEP_DUP,
    STEP_CLOSE,
    STEP_CTTY,
    STEP_EXEC,
};

static const struct {
    const char *words, *call, *hint;
} steps[] = {
    [STEP_NETNS] = {"cannot enter the program's network namespace", "setns()", NULL},
    [STEP_CHDIR] = {"cannot change to the program's directory", "chdir()", NULL},
    [STEP_DUP] = {"cannot pass descriptors to the program", "dup2()", NULL},
    [STEP_CLOSE] = {"cannot keep descriptors from the program", "close_range()", NULL},
    [STEP_CTTY] = {"the terminal cannot be the program's own", "ioctl(TIOCSCTTY)",
                   "this takes option setsid"},
};

struct report { /* at most PIPE_BUF bytes, so it arrives whole */
    enum step step;
    int sys;
    bool warning; /* the program runs all the same */
    struct err err;
};
_Static_assert(sizeof(struct report) <= 4096, "a report must be written in one piece");

/* PATH, a user's LOGNAME, USER, HOME and SHELL, and the SHELL of an option. */
enum { ENV_OVERRIDES = 6 };

/* All that the child needs. */
struct launch {
    const struct process *p;
    struct addr addr; /* p's, without option ctty, which may fail */
    struct opt *opts; /* owned; of addr */
    char **env, **shown; /* shown: owned copy of the run's environment */
    char *owned[ENV_OVERRIDES]; /* what is overridden in env */
    int null_fd, netns_fd;
    int report_fd; /* -1: no child, the process itself is replaced */
    struct report report;
};

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

/* --- in the child ------------------------------------------------------------------------- */

static int fail(struct launch *l, enum step step)
{
    l->report.step = step;
    l->report.sys = errno;
    return -1;
}

static void warn(struct launch *l, enum step step)
{
    if (l->report_fd < 0)
        return;
    struct report w = {.step = step, .sys = errno, .warning = true};

    (void)!write(l->report_fd, &w, sizeof w);
}

static void default_signals(void)
{
    struct sigaction sa = {.sa_handler = SIG_DFL};

    for (int n = 1; n < NSIG; n++)
        (void)sigaction(n, &sa, NULL); /* EINVAL for KILL, STOP and libc's own */
}

/* CLOEXEC instead of closing at once: the report pipe lives until exec. */
static int mark_range(unsigned from, unsigned to)
{
    if (from > to || close_range(from, to, CLOSE_RANGE_CLOEXEC) == 0)
        return 0;
    if (errno != ENOSYS && errno != EINVAL && errno != EPERM)
        return -1;
    struct rlimit limit; /* an older kernel, or a sandbox */

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
        return -1;
    for (unsigned fd = from; fd <= to && fd < limit.rlim_cur; fd++)
        (void)fcntl((int)fd, F_SETFD, FD_CLOEXEC);
    return 0;
}

static int mark_others(const struct process *p)
{
    unsigned next = STDERR_FILENO + 1;

    for (size_t i = 0; i < p->nlanes; i++) {
        unsigned to = (unsigned)p->lanes[i].to;

        if (to < next)
            continue;
        if (to > next && mark_range(next, to - 1) < 0)
            return -1;
        next = to + 1;
    }
    return mark_range(next, ~0U);
}

/* A copy that no lane will overwrite. */
static int move_away(const struct process *p, int fd)
{
    int base = p->nlanes ? p->lanes[p->nlanes - 1].to + 1 : 0;

    return fcntl(fd, F_DUPFD_CLOEXEC, base > STDERR_FILENO ? base : STDERR_FILENO + 1);
}

static int place_lanes(struct launch *l, int *tty)
{
    const struct process *p = l->p;
    int from[PROCESS_LANES_MAX];

    if (l->report_fd >= 0) {
        int moved = move_away(p, l->report_fd);

        if (moved < 0)
            return -1;
        l->report_fd = moved;
    }
    if (*tty >= 0 && (*tty = move_away(p, *tty)) < 0)
        return -1;
    for (size_t i = 0; i < p->nlanes; i++) {
        from[i] = move_away(p, p->lanes[i].from < 0 ? l->null_fd : p->lanes[i].from);
        if (from[i] < 0)
            return -1;
    }
    for (size_t i = 0; i < p->nlanes; i++) {
        if (dup2(from[i], p->lanes[i].to) < 0)
            return -1;
    }
    return 0;
}

/* Where the program lives, as far as the address says. */
static int take_place(struct launch *l)
{
    const struct opt *mask = opt_find(&l->addr, &opt_umask);
    const char *dir = opt_string(&l->addr, &opt_chdir, NULL);

    if (l->p->placed)
        return 0;
    if (l->netns_fd >= 0 && setns(l->netns_fd, CLONE_NEWNET) < 0)
        return fail(l, STEP_NETNS);
    if (dir && chdir(dir) < 0)
        return fail(l, STEP_CHDIR);
    if (mask)
        (void)umask((mode_t)mask->v.i);
    return 0;
}

static int apply_phase(struct launch *l, enum phase phase)
{
    if (opts_apply(&l->addr, phase, STDIN_FILENO, &l->report.err) == 0)
        return 0;
    l->report.step = STEP_OPTION;
    return -1;
}

/* Without it the program runs as well, only signals from the keyboard do not reach it. */
static void take_tty(struct launch *l, int tty)
{
    if (opt_true(l->p->addr, &opt_ctty) && ioctl(tty, TIOCSCTTY, 0) < 0)
        warn(l, STEP_CTTY);
}

/* Returns only on failure; the report says why. */
static int become_program(struct launch *l)
{
    int tty = l->p->tty;
    sigset_t none;

    if (diag_shows(DIAG_INFO)) /* calls are not told: the log may be moved, and locked */
        (void)diag_set_level(DIAG_NOTICE);
    default_signals();
    if (take_place(l) < 0 || apply_phase(l, PHASE_EARLY) < 0)
        return -1;
    if (place_lanes(l, &tty) < 0)
        return fail(l, STEP_DUP);
    /* LATE is the relay's, for its own descriptor; of a program's address, what changes the process
     * takes place in LATE2 */
    if (apply_phase(l, PHASE_PASTFORK) < 0 || apply_phase(l, PHASE_LATE2) < 0)
        return -1;
    take_tty(l, tty);
    if (apply_phase(l, PHASE_PREEXEC) < 0)
        return -1;
    if (mark_others(l->p) < 0)
        return fail(l, STEP_CLOSE);
    sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    environ = l->env;
    execvp(l->p->command->file, l->p->command->argv);
    return fail(l, STEP_EXEC);
}

/* --- before and after --------------------------------------------------------------------- */

/* Replaces or adds NAME=value in env, which has room for it. */
static int env_override(char **env, const char *name, const char *value, char **owned,
                        struct err *e)
{
    size_t n = strlen(name), i = 0;

    if (!value)
        return 0;
    if (asprintf(owned, "%s=%s", name, value) < 0) {
        *owned = NULL;
        return err_nomem(e);
    }
    while (env[i] && !(strncmp(env[i], name, n) == 0 && env[i][n] == '='))
        i++;
    env[i] = *owned;
    return 0;
}

static void launch_fini(struct launch *l)
{
    if (l->null_fd >= 0)
        close(l->null_fd);
    if (l->netns_fd >= 0)
        close(l->netns_fd);
    run_free_environment(l->shown);
    free(l->env);
    free(l->opts);
    for (size_t i = 0; i < ENV_OVERRIDES; i++)
        free(l->owned[i]);
}

static int copy_addr(struct launch *l, struct err *e)
{
    const struct addr *a = l->p->addr;

    l->addr = *a;
    l->addr.nopts = 0;
    l->addr.opts = l->opts = calloc(a->nopts + 1, sizeof *l->opts);
    if (!l->opts)
        return err_nomem(e);
    for (size_t i = 0; i < a->nopts; i++) {
        if (!option_is(a->opts[i].desc, &opt_ctty))
            l->opts[l->addr.nopts++] = a->opts[i];
    }
    return 0;
}

static int override_environment(struct launch *l, struct err *e)
{
    const struct opt *su = opt_find(&l->addr, &opt_su);
    const struct user_ids none = {.name = NULL}, *u = su && su->v.ids ? su->v.ids : &none;
    const struct {
        const char *name, *value;
    } overrides[ENV_OVERRIDES] = {
        {"PATH", opt_string(&l->addr, &opt_path, NULL)},
        {"LOGNAME", u->name},
        {"USER", u->name},
        {"HOME", u->home},
        {"SHELL", u->shell},
        {"SHELL", l->p->command->shell},
    };

    for (size_t i = 0; i < ENV_OVERRIDES; i++)
        if (env_override(l->env, overrides[i].name, overrides[i].value, &l->owned[i], e) < 0)
            return -1;
    return 0;
}

static int copy_environment(struct launch *l, struct run *r, struct err *e)
{
    size_t n = 0;

    l->shown = run_environment(r, e);
    if (!l->shown)
        return -1;
    while (l->shown[n])
        n++;
    l->env = calloc(n + ENV_OVERRIDES + 1, sizeof *l->env);
    if (!l->env)
        return err_nomem(e);
    memcpy(l->env, l->shown, n * sizeof *l->env);
    return override_environment(l, e);
}

static int open_netns(struct launch *l, struct run *r, struct err *e)
{
    const char *name = opt_string(&l->addr, &opt_netns, NULL);
    char path[PATH_MAX];

    if (!name || l->p->placed)
        return 0;
    run_experimental(r, "option \"netns\"");
    if ((size_t)snprintf(path, sizeof path, "/run/netns/%s", name) >= sizeof path)
        return err_set(e, ERR_USAGE, "netns: the name is too long");
    l->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (l->netns_fd >= 0)
        return 0;
    (void)err_sys(e, "cannot open the network namespace \"%s\"", name);
    return err_call(e, "open(\"%s\")", path);
}

static int launch_init(struct launch *l, const struct process *p, struct run *r, struct err *e)
{
    const struct opt *ctty = opt_find(p->addr, &opt_ctty);

    *l = (struct launch){.p = p, .null_fd = -1, .netns_fd = -1, .report_fd = -1};
    if (ctty && ctty->v.i && p->tty < 0)
        return err_at(e, ctty->at, "option \"%s\" needs a terminal for the program: give \"pty\" "
                      "too", ctty->desc->name);
    l->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (l->null_fd < 0)
        return err_sys(e, "open(\"/dev/null\")");
    if (copy_addr(l, e) == 0 && copy_environment(l, r, e) == 0 && open_netns(l, r, e) == 0)
        return 0;
    launch_fini(l);
    return -1;
}

enum { EXEC_TEXT = 512 };

/* "tr", "tr", "a-z", "A-Z" */
static const char *exec_text(const struct command *c, char text[static EXEC_TEXT])
{
    size_t at = 0;
    int n = snprintf(text, EXEC_TEXT, "\"%s\"", c->file);

    for (char **w = c->argv; n >= 0 && (at += (size_t)n) < EXEC_TEXT && *w; w++)
        n = snprintf(text + at, EXEC_TEXT - at, ", \"%s\"", *w);
    if (at >= EXEC_TEXT)
        memcpy(text + EXEC_TEXT - 4, "...", 4);
    return text;
}

/* execvp("tr", "tr", "a-z", "A-Z") */
static int exec_error(const struct command *c, int sys, struct err *e)
{
    char text[EXEC_TEXT];

    errno = sys;
    (void)err_sys(e, "cannot run \"%.300s\"", c->file);
    if (sys == ENOENT && !strchr(c->file, '/'))
        (void)err_hint(e, "no directory of PATH has it");
    return err_call(e, "execvp(%s)", exec_text(c, text));
}

static int step_failed(const struct report *rep, struct err *e)
{
    errno = rep->sys;
    (void)err_sys(e, "%s", steps[rep->step].words);
    if (steps[rep->step].hint)
        (void)err_hint(e, steps[rep->step].hint);
    return err_call(e, "%s", steps[rep->step].call);
}

static int report_error(const struct process *p, const struct report *rep, struct err *e)
{
    if (rep->step == STEP_EXEC)
        return exec_error(p->command, rep->sys, e);
    if (rep->step == STEP_OPTION) {
        *e = rep->err;
        return -1;
    }
    return step_failed(rep, e);
}

/* Waits until the child has become the program (the pipe ends) or says why it did not. */
static int await_exec(const struct process *p, struct run *r, int fd, struct err *e)
{
    for (;;) {
        struct report rep;

        if (wait_fd(r, fd, POLLIN, -1, e) < 0)
            return -1;
        ssize_t n = read(fd, &rep, sizeof rep);

        if (n == 0)
            return 0;
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n != sizeof rep)
            return err_sys(e, "starting \"%s\"", p->command->file);
        if (!rep.warning)
            return report_error(p, &rep, e);
        (void)step_failed(&rep, e);
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
        become_program(l);
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
        diag(DIAG_DEBUG, "execvp(%s)", exec_text(p->command, (char[EXEC_TEXT]){0}));
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

    become_program(&l);
    environ = own;
    (void)diag_set_level(level);
    report_error(p, &l.report, e);
    launch_fini(&l);
    return -1;
}
