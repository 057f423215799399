/* SPDX-License-Identifier: GPL-2.0-or-later
 * Requests to an HTTP proxy (RFC 9112): taken apart, and written as their target wants them. Strict where two
 * readers could take a request for two different ones. Pure. */
#ifndef CATENA_INTER_HTTP_REQUEST_H
#define CATENA_INTER_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/buf.h"
#include "catena/err.h"
#include "inter/proxy/rules.h"

enum { HTTP_HEAD_MAX = 65536 }; /* bytes of a request line and all its fields */

struct http_text { /* borrows */
    const char *s;
    size_t n;
};

struct http_request {
    struct http_text method, path; /* path: as in the request, may begin with '?' or be empty */
    struct http_text authority;    /* <host>[:<port>] as in the request */
    char host[RULE_HOST_MAX + 1];  /* IPv6 in brackets */
    int port;
    bool tunnel;     /* CONNECT */
    int minor;       /* HTTP/1.<minor> */
    bool ends;       /* nothing is to come behind it on this connection */
    bool chunked;    /* its body, else .length bytes */
    uint64_t length;
    bool counted;            /* OPTIONS or TRACE with Max-Forwards: */
    uint32_t forwards;       /* so many proxies may pass it on; 0: we answer it */
    struct http_text login;      /* of Proxy-Authorization; s NULL: there is none */
    struct http_text nominated;  /* what Connection names */
};

/* How many bytes the head has that begins there, with its empty line; 0: its end is not there yet. looked: so many
 * bytes were seen before. */
size_t http_head_length(const char *data, size_t n, size_t looked);
/* Errors are ERR_PROTOCOL, and say it so that the client may be told. */
int http_request_parse(const char *head, size_t n, struct http_request *q, struct err *e);
/* Appends to out, which grows, the head for the target: in origin form, with its own Host, and without what is
 * between the client and this proxy. */
int http_request_rewrite(const char *head, size_t n, const struct http_request *q, struct buf *out, struct err *e);
/* "Basic ...": user and password, in room, which has to be wiped; false: it is none. */
struct http_login {
    char text[1024];
    const char *user, *password;
    size_t nuser, npassword;
};
bool http_login_decode(const struct http_text *credentials, struct http_login *out);

#endif
