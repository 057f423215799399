/* SPDX-License-Identifier: GPL-2.0-or-later
 * The head of an HTTP/1.1 message, as a handshake needs it: read into a bounded buffer, never beyond its end. */
#ifndef CATENA_INTER_WS_HEAD_H
#define CATENA_INTER_WS_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/buf.h"
#include "catena/err.h"

enum {
    HEAD_MAX = 16384, /* bytes */
    FIELDS_MAX = 100,
};

struct head {
    struct buf text; /* what has come of it */
    char *line;      /* the first one; all are NUL-terminated once it is parsed */
    struct field {
        const char *name, *value;
    } field[FIELDS_MAX];
    size_t nfields;
};

/* Takes from in what belongs to the head. 1: it is there and has been parsed; 0: more has to come; -1: it is
 * none, or *too_large. */
int head_take(struct head *h, struct buf *in, bool *too_large, struct err *e);
void head_fini(struct head *h);
/* The value of a field; NULL if there is none. *n: how many fields have that name. */
const char *head_field(const struct head *h, const char *name, size_t *n);
/* Does a field of that name, a list with commas, have that word? In any case. */
bool head_has_word(const struct head *h, const char *name, const char *word);

/* The next element of a list with commas, from *p on: its length, without blanks around it; 0: the end. */
size_t list_next(const char **p, const char **element);
bool is_token(const char *s, size_t n); /* RFC 9110, 5.6.2 */

#endif
