/* SPDX-License-Identifier: GPL-2.0-or-later
 * Digest (RFC 7616, and RFC 2069 for proxies without qop): proving to know a password without saying it. */
#ifndef CATENA_INTER_HTTP_DIGEST_H
#define CATENA_INTER_HTTP_DIGEST_H

#include "catena/buf.h"
#include "catena/err.h"
#include "inter/proxy/http_challenge.h"

struct digest_answer {
    const char *user, *password;
    const char *method, *uri;
    const char *cnonce;
    unsigned count; /* of requests with this nonce, this one included */
};
/* Appends the value of the field, from "Digest " on. */
int digest_write(const struct digest_challenge *c, const struct digest_answer *w, struct buf *out, struct err *e);

enum { CNONCE_SIZE = 33 };
int digest_make_cnonce(char to[CNONCE_SIZE], struct err *e);

#endif
