/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for addresses that run a program. */
#include "endpoint/options/apply.h"

NAMED_OPTION(opt_commtype, "commtype", NULL, GROUP_FORK, BIGEN, STRING,
             "what the left descriptors are made of: "
             "socketpairs, socketpair, pipes, ptys, pty, tcp");
NAMED_OPTION(opt_dash, "dash", "login", GROUP_EXEC, PREEXEC, BOOL,
             "put a dash before the program's name, as for login shells");
NAMED_OPTION(opt_end_timeout, "end-timeout", "endtimeout", GROUP_FORK, PASTFORK, TIMEVAL,
             "seconds a program may go on when nobody talks to it any more, default 10");
NAMED_OPTION(opt_left_fd, "leftfd", "left", GROUP_FORK, PASTBIGEN, INT,
             "one descriptor for both directions to the left");
NAMED_OPTION(opt_left_in, "leftin", "leftinfd", GROUP_FORK, PASTBIGEN, INT,
             "descriptor for reading from the left, instead of 0");
NAMED_OPTION(opt_left_out, "leftout", "leftoutfd", GROUP_FORK, PASTBIGEN, INT,
             "descriptor for writing to the left, instead of 1");
NAMED_OPTION(opt_nofork, "nofork", NULL, GROUP_FORK, BIGEN, BOOL,
             "the program takes the place of the relay");
NAMED_OPTION(opt_path, "path", NULL, GROUP_EXEC, PREEXEC, STRING,
             "where to search the program, instead of $PATH");
NAMED_OPTION(opt_pipes, "pipes", NULL, GROUP_FORK, BIGEN, BOOL, "communicate over two pipes");
NAMED_OPTION(opt_pty, "pty", NULL, GROUP_FORK, BIGEN, BOOL, "communicate over a pseudo terminal");
NAMED_OPTION(opt_right_fd, "rightfd", "right", GROUP_FORK, PASTBIGEN, INT,
             "one descriptor for both directions to the right");
NAMED_OPTION(opt_right_in, "rightinfd", "rightin", GROUP_FORK, PASTBIGEN, INT,
             "descriptor for reading from the right, instead of 3");
NAMED_OPTION(opt_right_out, "rightoutfd", "rightout", GROUP_FORK, PASTBIGEN, INT,
             "descriptor for writing to the right, instead of 4");
NAMED_OPTION(opt_shell, "shell", NULL, GROUP_SHELL, PREEXEC, STRING,
             "shell to run, instead of $SHELL");
NAMED_OPTION(opt_sighup, "sighup", NULL, GROUP_PARENT, LATE, CONST,
             "pass SIGHUP on to the program");
NAMED_OPTION(opt_sigint, "sigint", NULL, GROUP_PARENT, LATE, CONST,
             "pass SIGINT on to the program");
NAMED_OPTION(opt_sigquit, "sigquit", NULL, GROUP_PARENT, LATE, CONST,
             "pass SIGQUIT on to the program");
NAMED_OPTION(opt_stderr, "stderr", NULL, GROUP_FORK, PASTFORK, BOOL,
             "the program's error output goes where its output goes");

OPTION_TABLE(program) = {
    &opt_commtype, &opt_dash, &opt_end_timeout,
    OPTION("fdin", NULL, GROUP_FORK, PASTBIGEN, USHORT,
           "number of the descriptor the program reads, instead of 0", .same_as = &opt_left_in),
    OPTION("fdout", NULL, GROUP_FORK, PASTBIGEN, USHORT,
           "number of the descriptor the program writes, instead of 1", .same_as = &opt_left_out),
    &opt_left_fd, &opt_left_in, &opt_left_out, &opt_nofork, &opt_path, &opt_pipes, &opt_pty,
    &opt_right_fd, &opt_right_in, &opt_right_out,
    OPTION("setpgid", "pgid", GROUP_FORK, LATE, INT,
           "join this process group; 0, 1 or no value: lead a new one",
           .apply = apply_setpgid),
    &opt_shell, &opt_sighup, &opt_sigint, &opt_sigquit, &opt_stderr,
    OPTIONS_END,
};
