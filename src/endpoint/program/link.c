/* SPDX-License-Identifier: GPL-2.0-or-later
 * Programs as inter addresses. EXEC and SYSTEM give a program two sides, 0 and 1 towards its data
 * and 3 and 4 towards its wire; EXEC1 and SYSTEM1 put a filter with one input and one output into
 * one direction. */
#include <unistd.h>

#include "catena/inter.h"
#include "catena/run.h"
#include "endpoint/options/opts_program.h"
#include "endpoint/program/argv.h"
#include "endpoint/program/process.h"

/* A direction that is not used is at end of file for the program (0) or goes nowhere (1); higher
 * numbers are simply closed. Not so when an option moved the side elsewhere: then they are left as
 * they are. */
static void fill_standard(struct process *p, int in, int out)
{
    const struct addr *a = p->addr;

    if (opt_find(a, &opt_left_fd))
        return;
    if (in < 0 && !opt_find(a, &opt_left_in))
        process_lane(p, -1, STDIN_FILENO);
    if (out < 0 && !opt_find(a, &opt_left_out))
        process_lane(p, -1, STDOUT_FILENO);
}

/* Terminal options hold for a program that talks over terminals. */
static int set_terminals(const struct addr *a, const int fd[2], struct process *p, struct err *e)
{
    for (int i = 0; i < 2; i++) {
        if (fd[i] < 0 || !isatty(fd[i]))
            continue;
        p->tty = fd[i];
        if (opts_apply_termios(a, fd[i], e) < 0)
            return -1;
    }
    return 0;
}

static int spawn(struct process *p, struct run *r, int in, int out, struct err *e)
{
    process_stderr(p, out >= 0 ? out : STDERR_FILENO);
    if (set_terminals(p->addr, (const int[2]){in, out}, p, e) < 0)
        return -1;
    return process_spawn(p, r, e);
}

static int two_sided_spawn(const struct addr *a, struct run *r, const struct program_fds *f,
                           struct err *e)
{
    struct command c;
    struct process p;
    int rc = -1;

    if (command_init(&c, a, e) < 0)
        return -1;
    process_init(&p, a, &c, false);
    fill_standard(&p, f->data_in, f->data_out);
    if (process_side(&p, PROCESS_LEFT, f->data_in, f->data_out, e) == 0 &&
        process_side(&p, PROCESS_RIGHT, f->wire_in, f->wire_out, e) == 0)
        rc = spawn(&p, r, f->data_in, f->data_out, e);
    command_fini(&c);
    return rc;
}

static int one_way_spawn(const struct addr *a, struct run *r, const struct program_fds *f,
                         struct err *e)
{
    struct command c;
    struct process p;
    int in = f->data_in >= 0 ? f->data_in : f->wire_in;
    int out = f->wire_out >= 0 ? f->wire_out : f->data_out;
    int rc = -1;

    if (command_init(&c, a, e) < 0)
        return -1;
    process_init(&p, a, &c, false);
    if (process_side(&p, PROCESS_LEFT, in, out, e) == 0)
        rc = spawn(&p, r, in, out, e);
    command_fini(&c);
    return rc;
}

static const struct program_ops two_sided = {.spawn = two_sided_spawn};
static const struct program_ops one_way = {.one_way = true, .spawn = one_way_spawn};

#define FORM(name, params_, left_, ops_, command, ...)                                             \
    {.keyword = name, .params = params_, .min_params = 1, .max_params = 1, .left = (left_),        \
     .right = RIGHT_MIRROR, .groups = EXEC_GROUPS, .check = process_check,                         \
     .foresee = command_foresee, .show = command_show, .kind = FORM_PROGRAM,                       \
     .ops.program = &(ops_), .arg = &(command), .help = __VA_ARGS__}

extern const struct form forms_exec_inter[];
const struct form forms_exec_inter[] = {
    FORM("EXEC", ":<command-line>", CTX_RWB, two_sided, command_exec,
         "a program between its descriptors 0, 1 (left) and 3, 4 (right)", .aliases = "EXEC2"),
    FORM("SYSTEM", ":<shell-command>", CTX_RWB, two_sided, command_system,
         "a shell command between its descriptors 0, 1 (left) and 3, 4 (right)",
         .aliases = "SYSTEM2"),
    FORM("EXEC1", ":<command-line>", CTX_W, one_way, command_exec,
         "a filter program for one direction, from its descriptor 0 to its 1"),
    FORM("SYSTEM1", ":<shell-command>", CTX_W, one_way, command_system,
         "a shell command as a filter for one direction, from its descriptor 0 to its 1"),
    {0},
};
