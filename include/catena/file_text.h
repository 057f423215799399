/* SPDX-License-Identifier: GPL-2.0-or-later
 * A small file of text that an address is to go by. */
#ifndef CATENA_FILE_TEXT_H
#define CATENA_FILE_TEXT_H

#include <stddef.h>

#include "catena/api.h"
#include "catena/err.h"

struct run;

/* All of it, at most so many bytes, with a NUL behind them; to be freed. It may be a FIFO: a signal ends the
 * wait. r NULL: what is no regular file is not read, and is empty. what: what it is, for messages. */
int file_text(const char *what, const char *path, size_t most, struct run *r, char **text, size_t *n,
              struct err *e) CATENA_API(file_text);

#endif
