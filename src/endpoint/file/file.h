/* SPDX-License-Identifier: GPL-2.0-or-later
 * Opening entries of the file system, shared by OPEN, CREATE, GOPEN and PIPE. */
#ifndef CATENA_FILE_H
#define CATENA_FILE_H

#include "catena/endpoint.h"

/* unlink-early, unlink and the *-early options: before the entry is opened. */
int file_before(const struct addr *a, const char *path, struct err *e);
/* The open(2) flags the address asks for, with the access mode of its context. */
int file_flags(const struct addr *a, int base);
/* The mode of a new entry: option perm, else otherwise. */
mode_t file_mode(const struct addr *a, mode_t otherwise);
/* open(2); what may block (FIFOs) does so where a signal can end it. Gives the descriptor. */
int file_open(struct run *r, const char *path, int flags, mode_t mode, struct err *e);
/* unlink-late now, unlink-close at the end (otherwise: what the address does by itself). */
int file_after(const struct addr *a, struct run *r, const char *path, bool remove_at_close,
               struct err *e);
/* "regular file", "named pipe" ...; "undef" where there is nothing. */
const char *file_kind(const char *path);
/* Options for terminals are for a terminal that is there. */
int file_check_terminal(const struct addr *a, const char *path, struct err *e);
const char *file_purpose(enum ctx c);

#endif
