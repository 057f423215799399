/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a meter says, in words: pure. */
#ifndef CATENA_INTER_READING_H
#define CATENA_INTER_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { READING_MAX = 1024 }; /* bytes of a text */

struct reading {
    const char *label, *peer; /* who says it; whom the connection is with, or NULL */
    double seconds, lately;   /* since the beginning, since the last reading */
    bool end;                 /* it is the last one */
    struct reading_flow {
        bool is; /* there is such a flow */
        uint64_t bytes, before;
        uint64_t size; /* all of it; 0 not known */
    } flow[2]; /* to the right, to the left */
};

/* Each gives the length; without a newline. */
size_t reading_line(const struct reading *r, char out[READING_MAX]);
size_t reading_json(const struct reading *r, char out[READING_MAX]);
/* At most so many columns wide. */
size_t reading_bar(const struct reading *r, size_t columns, char out[READING_MAX]);
/* "700M" and the like; k, M, G and T are powers of 1024. False: it is nothing of the kind. */
bool reading_size(const char *text, uint64_t *out);

#endif
