/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a descriptor or a path is, as text: used by filan and by -D. The analysis asks and does not
 * change: no byte is taken from anybody. (The one exception is the kernel's: reading SO_ERROR, for
 * ERROR=, clears it.) No state, so any thread may call. What the system does not tell is left
 * out. */
#ifndef CATENA_ANALYZE_H
#define CATENA_ANALYZE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "catena/err.h"

/* --- long form ------------------------------------------------------------------------------- */

/* raw: times in seconds and devices as one number. */
void analyze_header(FILE *f, bool raw);
/* One line, ended. False, and nothing printed, if fd is not open. */
bool analyze_fd(FILE *f, int fd, bool raw);
/* The same for a path; its descriptor number is -1. follow: a symbolic link's target. */
int analyze_path(FILE *f, const char *path, bool follow, bool raw, struct err *e);

/* --- brief form: type and name --------------------------------------------------------------- */

enum brief { BRIEF_SIMPLE, BRIEF_BOTH_ENDS }; /* -s, -S */

/* As above. width > 0: the number of the descriptor stands in front, so many columns wide. */
bool analyze_fd_brief(FILE *f, int fd, enum brief how, int width);
int analyze_path_brief(FILE *f, const char *path, bool follow, struct err *e);

/* --- pieces, each of them blank-separated KEY=value items ------------------------------------- */

const char *analyze_type(mode_t mode); /* file dir socket symlink pipe chrdev blkdev undef */
void analyze_socket(FILE *f, int fd);
void analyze_terminal(FILE *f, int fd);
/* Size of the terminal's window, a line of its own. Nothing if it has none. */
void analyze_window(FILE *f, int fd);

/* A name from outside: nothing in it can act on a terminal. */
void analyze_name(FILE *f, const char *name);

#endif
