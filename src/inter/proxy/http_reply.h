/* SPDX-License-Identifier: GPL-2.0-or-later
 * The answer of an HTTP/1 proxy to CONNECT. */
#ifndef CATENA_INTER_HTTP_REPLY_H
#define CATENA_INTER_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/addr.h"
#include "catena/wire.h"
#include "inter/proxy/http_challenge.h"

struct http_reply {
    int status;
    char shown[128]; /* status and what is said with it, in printable characters */
    struct challenges challenges; /* of 407 */
    bool closes;     /* the connection leads no further behind it */
    bool chunked;
    uint64_t length; /* of what follows the head */
};

/* Reads up to the end of the head, past those that only announce another one (1xx); of a refusal but 407 no more than
 * its first line. */
int http_reply_read(struct http_reply *r, const struct addr *a, struct wire *w, struct err *e);
/* What follows the head of a 407. Gives 1 when the connection can take another request, 0 when not, -1. */
int http_reply_skip(struct http_reply *r, const struct addr *a, struct wire *w, struct err *e);
enum err_kind http_status_kind(int status); /* of a refusal */
void http_reply_fini(struct http_reply *r);

#endif
