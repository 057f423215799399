/* SPDX-License-Identifier: GPL-2.0-or-later
 * EXEC, SYSTEM and SHELL as endpoints: a program at the end of a chain, joined by a socketpair,
 * pipes, a pseudo terminal or any other communication type; or, with nofork, in the relay's own
 * place. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catena/options.h"
#include "endpoint/options/opts_program.h"
#include "endpoint/options/opts_pty.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/program/argv.h"
#include "catena/diag.h"
#include "catena/endpoint.h"
#include "catena/comm.h"
#include "endpoint/program/process.h"
#include "endpoint/terminal/pty.h"

/* Between the relay and the program. */
struct joint {
    struct comm_ends relay, program;
    enum comm_type type;
    enum port_shut shut;
    unsigned flags;
    char tty[PTY_NAME_MAX]; /* the terminal that is the program's end, or "" */
};

/* The common case, which alone has types and protocols to choose from. */
static int open_socketpair(const struct addr *a, struct joint *j, struct err *e)
{
    int type = (int)opt_int(a, &opt_so_type, SOCK_STREAM);
    int protocol = (int)opt_int(a, &opt_so_protocol, 0);
    int domain, fd[2];

    if (comm_family(a, &domain, e) < 0)
        return -1;
    if (socketpair(domain, type | SOCK_CLOEXEC, protocol, fd) < 0)
        return err_sys(e, "socketpair(%d, %d, %d)", domain, type, protocol);
    j->relay = (struct comm_ends){fd[0], fd[0]};
    j->program = (struct comm_ends){fd[1], fd[1]};
    if (type != SOCK_STREAM)
        j->flags |= PORT_MSG;
    return 0;
}

/* Options pty and commtype=pty differ: the first is a terminal as a user has it, the second a
 * channel that changes nothing. */
static int open_pty(const struct addr *a, struct joint *j, struct err *e)
{
    struct pty p;

    if (pty_open(&p, opt_find(a, &opt_commtype) != NULL, e) < 0)
        return -1;
    j->relay = (struct comm_ends){p.master, p.master};
    j->program = (struct comm_ends){p.slave, p.slave};
    memcpy(j->tty, p.name, sizeof j->tty);
    return 0;
}

static void drop(int *fd, int other)
{
    if (*fd >= 0 && *fd != other)
        close(*fd);
    *fd = -1;
}

/* Unidirectional use: what is not needed of both ends does not exist. */
static void keep_wanted(enum ctx left, struct joint *j)
{
    if (left == CTX_W) {
        drop(&j->relay.rfd, j->relay.wfd);
        drop(&j->program.wfd, j->program.rfd);
    } else if (left == CTX_R) {
        drop(&j->relay.wfd, j->relay.rfd);
        drop(&j->program.rfd, j->program.wfd);
    }
}

/* Only the common case looks at these. */
static int check_types(const struct addr *a, enum comm_type type, struct err *e)
{
    static const struct option_desc *const rows[] = {&opt_pf, &opt_so_type, &opt_so_protocol};

    for (size_t i = 0; type != COMM_SOCKETPAIR && i < sizeof rows / sizeof rows[0]; i++) {
        const struct opt *o = opt_find(a, rows[i]);
        if (o)
            return err_at(e, o->at, "option \"%s\" could not be used: the program is joined by %s, "
                                    "not by a socketpair", o->desc->name, comm_info(type)->name);
    }
    return 0;
}

/* A number for a stream that is not there. */
static int check_direction(const struct addr *a, struct err *e)
{
    const struct opt *o = a->left == CTX_W   ? opt_find(a, &opt_left_out)
                          : a->left == CTX_R ? opt_find(a, &opt_left_in)
                                             : NULL;

    if (!o)
        return 0;
    return err_at(e, o->at, "option \"%s\" is useless here: nothing is %s the program", o->desc->name,
                  a->left == CTX_W ? "read from" : "written to");
}

/* What is about a terminal, or about a neighbour, that the program does not have. */
static int check_useless(const struct addr *a, enum comm_type type, struct err *e)
{
    static const struct {
        const struct option_desc *row;
        bool with_pty; /* of use then */
        const char *why;
    } rows[] = {
        {&opt_pty_link, true, "it is about the program's terminal; give \"pty\" too"},
        {&opt_sitout_eio, true, "it is about the program's terminal; give \"pty\" too"},
        {&opt_track_line, true, "it is about the program's terminal; give \"pty\" too"},
        {&opt_pty_wait_slave, false, "the program itself opens its terminal"},
        {&opt_pty_interval, false, "the program itself opens its terminal"},
        {&opt_right_fd, false, "a program at the end of a chain has nothing on its right"},
        {&opt_right_in, false, "a program at the end of a chain has nothing on its right"},
        {&opt_right_out, false, "a program at the end of a chain has nothing on its right"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct opt *o = opt_find(a, rows[i].row);

        if (o && !o->sloppy && !(rows[i].with_pty && type == COMM_PTY))
            return err_at(e, o->at, "option \"%s\" could not be used: %s", o->desc->name, rows[i].why);
    }
    return 0;
}

/* With nofork there is no joint. */
static int check(const struct addr *a, struct err *e)
{
    enum comm_type type;
    struct command c;
    int domain, rc = command_init(&c, a, e);

    command_fini(&c);
    if (rc < 0 || process_check(a, e) < 0 || check_direction(a, e) < 0)
        return -1;
    if (opt_true(a, &opt_nofork))
        return 0;
    return comm_of_addr(a, COMM_SOCKETPAIR, &type, e) < 0 || check_types(a, type, e) < 0 ||
                   check_useless(a, type, e) < 0 ||
                   comm_family(a, &domain, e) < 0
               ? -1
               : 0;
}

static int joint_open(const struct addr *a, struct joint *j, struct err *e)
{
    int rc;

    *j = (struct joint){.relay = {-1, -1}, .program = {-1, -1}};
    if (comm_of_addr(a, COMM_SOCKETPAIR, &j->type, e) < 0 || check_types(a, j->type, e) < 0)
        return -1;
    j->shut = comm_info(j->type)->shut;
    j->flags = comm_info(j->type)->flags | PORT_PROGRAM;
    if (j->type == COMM_SOCKETPAIR)
        rc = open_socketpair(a, j, e);
    else if (j->type == COMM_PTY)
        rc = open_pty(a, j, e);
    else
        rc = comm_pair(j->type, &j->relay, &j->program, e);
    if (rc == 0)
        keep_wanted(a->left, j);
    return rc;
}

static int spawn(const struct addr *a, struct run *r, const struct command *c,
                 const struct joint *j, struct err *e)
{
    const struct comm_ends *end = &j->program;
    struct process p;

    process_init(&p, a, c, true);
    p.placed = run_may_change_process(r); /* otherwise the program alone goes there */
    if (process_side(&p, PROCESS_LEFT, end->rfd, end->wfd, e) < 0)
        return -1;
    process_stderr(&p, end->wfd >= 0 ? end->wfd : STDOUT_FILENO);
    if (*j->tty)
        p.tty = end->rfd >= 0 ? end->rfd : end->wfd;
    return process_spawn(&p, r, e);
}

/* A program that loses its terminal complains of it on standard error: it is asked to end first. */
struct terminal_end {
    struct run *run;
};

static void terminal_end_close(struct port *port)
{
    struct terminal_end *t = port->state;

    if (!(port->flags & PORT_END_CLOSE))
        run_end_child(t->run, port->label);
    port_inner_close(port);
}

static int attach_tty(const struct addr *a, struct run *r, const char *name, struct port **port,
                      struct err *e)
{
    static const struct port_ops ops = {.close = terminal_end_close};
    struct terminal_end *t = port_wrap(port, &ops, sizeof *t, e);

    if (!t)
        return -1;
    t->run = r;
    if (pty_link(name, a, r, e) < 0)
        return -1;
    diag(DIAG_NOTICE, "PTY is %s", name);
    return 0;
}

static int exec_open(const struct addr *a, struct run *r, void *state, struct port **out,
                     struct err *e)
{
    struct command c;
    struct joint j;
    struct port *port = NULL;
    int rc = -1;

    (void)state;
    if (command_init(&c, a, e) < 0)
        return -1;
    if (joint_open(a, &j, e) < 0)
        goto out;
    /* before the program starts, so that it finds everything set */
    if (endpoint_port(a, r, j.relay.rfd, j.relay.wfd, j.flags, j.shut, &port, e) == 0 &&
        (!*j.tty || attach_tty(a, r, j.tty, &port, e) == 0))
        rc = spawn(a, r, &c, &j, e);
    if (rc == 0 && port->flags & PORT_MSG_R) /* packets have no end: the program's is it */
        port->writer_fd = run_watch_child(r, a->label);
    comm_close(&j.program);
out:
    command_fini(&c);
    if (rc == 0)
        *out = port;
    else
        port_close(port);
    return rc;
}

/* The program takes the descriptors over and expects them to block. */
static int make_blocking(int fd, struct err *e)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || ((flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0))
        return err_sys(e, "fcntl(%d, F_SETFL)", fd);
    return 0;
}

/* SYSTEM calls its shell, which so has this process for a parent; the others become their program. */
static int exec_replace(const struct addr *a, struct run *r, struct port *left, int *status,
                        struct err *e)
{
    struct command c;
    struct process p;
    int rfd = a->left == CTX_R ? -1 : left->rfd;
    int wfd = a->left == CTX_W ? -1 : left->wfd;
    int rc = -1;

    if (port_held(left) > 0)
        return err_set(e, ERR_OTHER, "nofork: %zu bytes have already been read from %s and "
                       "would be lost", port_held(left), left->label);
    if (command_init(&c, a, e) < 0)
        return -1;
    process_init(&p, a, &c, true);
    if ((rfd < 0 || make_blocking(rfd, e) == 0) && (wfd < 0 || make_blocking(wfd, e) == 0) &&
        process_side(&p, PROCESS_LEFT, rfd, wfd, e) == 0) {
        process_stderr(&p, wfd >= 0 ? wfd : STDOUT_FILENO);
        rc = c.system ? process_call(&p, r, status, e) : process_replace(&p, r, e);
    }
    command_fini(&c);
    return rc;
}

/* A program on a terminal. */
static unsigned controls(const struct addr *a)
{
    enum comm_type type;
    struct err ignored;
    bool terminal = comm_of_addr(a, COMM_SOCKETPAIR, &type, &ignored) == 0 && type == COMM_PTY;
    if (!terminal || opt_true(a, &opt_nofork))
        return CONTROLS_NONE;
    return opt_true(a, &opt_track_line) ? CONTROLS_TAKES | CONTROLS_GIVES : CONTROLS_TAKES;
}

static const struct endpoint_ops exec_ops = {.open = exec_open, .replace = exec_replace};

#define FORM(name, params_, least, groups_, command, ...)                                          \
    {.keyword = name, .params = params_, .min_params = least, .max_params = 1, .left = CTX_RWB,    \
     .groups = (groups_), .check = check, .controls = controls,                                    \
     .foresee = command_foresee, .show = command_show, .kind = FORM_ENDPOINT,                      \
     .ops.endpoint = &exec_ops, .arg = &(command), .help = __VA_ARGS__}

extern const struct form forms_exec[];
const struct form forms_exec[] = {
    FORM("EXEC", ":<command-line>", 1, EXEC_GROUPS, command_exec,
         "a program, started without a shell, on its standard input and output", .aliases = "EXEC2"),
    FORM("SYSTEM", ":<shell-command>", 1, EXEC_GROUPS, command_system,
         "a command of the system's shell, on its standard input and output", .aliases = "SYSTEM2"),
    FORM("SHELL", "[:<shell-command>]", 0, EXEC_GROUPS | GROUP_SHELL, command_shell,
         "the user's shell ($SHELL), or a command of it"),
    {0},
};
