/* SPDX-License-Identifier: GPL-2.0-or-later
 * Becoming a program: see launch.h. The relay may have threads, so between fork and exec nothing but
 * async-signal-safe calls is made: whatever needs memory is prepared before, and what goes wrong
 * travels as numbers through a pipe that a successful exec closes. Only when an option's own
 * function fails it is that function that words the message. */
#include "endpoint/program/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "catena/diag.h"
#include "catena/features.h"
#include "endpoint/options/opts_program.h"
#include "endpoint/options/opts_termios.h"

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

/* --- in the child ------------------------------------------------------------------------- */

static int fail(struct launch *l, enum launch_step step)
{
    l->report.step = step;
    l->report.sys = errno;
    return -1;
}

static void warn(struct launch *l, enum launch_step step)
{
    if (l->report_fd < 0)
        return;
    struct launch_report w = {.step = step, .sys = errno, .warning = true};

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

int launch_become(struct launch *l)
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

/* --- before the fork ---------------------------------------------------------------------- */

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

void launch_fini(struct launch *l)
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
        return err_set(e, ERR_BAD_VALUE, "netns: the name is too long");
    l->netns_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (l->netns_fd >= 0)
        return 0;
    (void)err_sys(e, "cannot open the network namespace \"%s\"", name);
    return err_call(e, "open(\"%s\")", path);
}

int launch_init(struct launch *l, const struct process *p, struct run *r, struct err *e)
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

/* --- afterwards --------------------------------------------------------------------------- */

const char *launch_text(const struct command *c, char text[static LAUNCH_TEXT])
{
    size_t at = 0;
    int n = snprintf(text, LAUNCH_TEXT, "\"%s\"", c->file);

    for (char **w = c->argv; n >= 0 && (at += (size_t)n) < LAUNCH_TEXT && *w; w++)
        n = snprintf(text + at, LAUNCH_TEXT - at, ", \"%s\"", *w);
    if (at >= LAUNCH_TEXT)
        memcpy(text + LAUNCH_TEXT - 4, "...", 4);
    return text;
}

/* execvp("tr", "tr", "a-z", "A-Z") */
static int exec_error(const struct command *c, int sys, struct err *e)
{
    char text[LAUNCH_TEXT];

    errno = sys;
    (void)err_sys(e, "cannot run \"%.300s\"", c->file);
    if (sys == ENOENT && !strchr(c->file, '/'))
        (void)err_hint(e, "no directory of PATH has it");
    return err_call(e, "execvp(%s)", launch_text(c, text));
}

static int step_failed(const struct launch_report *rep, struct err *e)
{
    errno = rep->sys;
    (void)err_sys(e, "%s", steps[rep->step].words);
    if (steps[rep->step].hint)
        (void)err_hint(e, steps[rep->step].hint);
    return err_call(e, "%s", steps[rep->step].call);
}

int launch_error(const struct process *p, const struct launch_report *rep, struct err *e)
{
    if (rep->step == STEP_EXEC)
        return exec_error(p->command, rep->sys, e);
    if (rep->step == STEP_OPTION) {
        *e = rep->err;
        return -1;
    }
    return step_failed(rep, e);
}
