/* SPDX-License-Identifier: GPL-2.0-or-later
 * From the text of an EXEC, SYSTEM or SHELL address to what is executed. Pure but for $SHELL, and
 * for command_foresee(). */
#ifndef CATENA_ENDPOINT_ARGV_H
#define CATENA_ENDPOINT_ARGV_H

#include "catena/addr.h"
#include "catena/err.h"

/* Splits a command line at blanks, with a round of quoting of its own. Gives a NULL-terminated
 * array of at least one word; free() gives all of it back. */
int argv_split(const char *line, char ***argv, struct err *e);

/* How the parameter of an address is run; what form.arg of program addresses points to. */
enum command_style { COMMAND_EXEC, COMMAND_SYSTEM, COMMAND_SHELL };
extern const enum command_style command_exec, command_system, command_shell;

struct command {
    const char *file; /* what is executed: a path, or a name looked up in PATH */
    char **argv;
    const char *system; /* the text of a SYSTEM address; NULL: another one */
    const char *shell; /* SHELL as the program is to see it; NULL: as it is */
    char **words, *name;
};

/* Gives the command of a program address; command_fini() frees it (a zeroed one too). */
int command_init(struct command *c, const struct addr *a, struct err *e);
void command_fini(struct command *c);
/* form.foresee: is the program there? Where another directory or user counts that is not known. */
int command_foresee(const struct addr *a, struct err *e);
/* The groups of their options. */
#define EXEC_GROUPS                                                                                \
    (GROUP_FD | GROUP_FIFO | GROUP_SOCKET | GROUP_EXEC | GROUP_FORK | GROUP_TERMIOS | GROUP_PTY |  \
     GROUP_PARENT | GROUP_UNIX)
/* form.show: what is executed, word by word. */
void command_show(const struct addr *a, FILE *f);

#endif
