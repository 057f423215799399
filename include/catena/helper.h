/* SPDX-License-Identifier: GPL-2.0-or-later
 * A helper is a program that answers lines with lines, for somebody who talks to a peer meanwhile. It lives as long as
 * that dialog; it never sees the peer's connection. */
#ifndef CATENA_HELPER_H
#define CATENA_HELPER_H

#include <stdint.h>

#include "catena/api.h"
#include "catena/buf.h"
#include "catena/err.h"

struct helper;
struct run;

enum { HELPER_LINE_MAX = 65536 }; /* bytes of an answer */

/* The shell runs the command, with the environment of all programs; stderr is ours. */
int helper_start(struct run *r, const char *command, struct helper **out, struct err *e) CATENA_API(helper_start);
/* Sends a line, which has no line feed, and gives the answer, NUL-terminated, until the next question. deadline:
 * wait_now() milliseconds, -1 none. */
int helper_ask(struct helper *h, const char *line, const char **answer, int64_t deadline, struct err *e)
    CATENA_API(helper_ask);
/* It sees the end of its input, has a moment to end, and is collected. NULL is fine. */
void helper_end(struct helper *h) CATENA_API(helper_end);

#endif
