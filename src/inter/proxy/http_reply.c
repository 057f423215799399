/* SPDX-License-Identifier: GPL-2.0-or-later
 * Reading a proxy's answer: see http_reply.h. All of it is bounded, whatever it says of itself. */
#include "inter/proxy/http_reply.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inter/proxy/opts_proxy.h"
#include "inter/proxy/target.h"

enum {
    LINE_MAX_BYTES = 8192,
    HEADER_MAX_BYTES = 65536, /* of all heads together, and of a body that is skipped */
};

/* One line of the reply, without carriage returns if they are to be ignored. *total counts down
 * what the reply may still have. */
static int read_line(const struct addr *a, char *line, size_t *total, struct wire *w, struct err *e)
{
    size_t n;

    if (wire_read_line(w, line, LINE_MAX_BYTES, e) < 0)
        return -1;
    n = strlen(line) + 2;
    if (n > *total)
        return err_set(e, ERR_PROTOCOL, "the reply's header has more than %d bytes",
                       HEADER_MAX_BYTES);
    *total -= n;
    if (opt_true(a, &opt_ignorecr)) {
        char *to = line;

        for (const char *from = line; *from != '\0'; from++)
            if (*from != '\r')
                *to++ = *from;
        *to = '\0';
    }
    return 0;
}

/* "HTTP/1.x NNN text", with blanks as RFC 9112 allows a reader to take them: one or more, or tabs.
 * Gives NNN and where it stands, or -1. */
static int parse_status(const char *line, const char **at)
{
    static const char blanks[] = " \t";
    int status = 0;

    if (strncmp(line, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)line[7]))
        return -1;
    const char *code = line + 8 + strspn(line + 8, blanks);
    if (code == line + 8)
        return -1;
    for (int i = 0; i < 3; i++) {
        if (!isdigit((unsigned char)code[i]))
            return -1;
        status = status * 10 + (code[i] - '0');
    }
    if (strcspn(code + 3, blanks) != 0)
        return -1;
    *at = code;
    return status;
}

static bool list_has(const char *list, const char *word)
{
    for (size_t n; *list; list += n) {
        list += strspn(list, " \t,");
        n = strcspn(list, " \t,");
        if (n == strlen(word) && strncasecmp(list, word, n) == 0)
            return true;
    }
    return false;
}

/* The value, if the line is a field of that name. */
static const char *value_of(char *line, const char *name)
{
    size_t n = strlen(name);
    if (strncasecmp(line, name, n) != 0 || line[n] != ':')
        return NULL;
    char *value = line + n + 1 + strspn(line + n + 1, " \t");
    for (size_t end = strlen(value); end > 0 && (value[end - 1] == ' ' || value[end - 1] == '\t');)
        value[--end] = '\0';
    return value;
}

/* More than will be skipped is as good as without end. */
static void take_length(struct http_reply *r, const char *value)
{
    size_t n = strspn(value, "0123456789");
    r->closes |= n == 0 || n > 9 || value[n] != '\0';
    r->length = strtoul(value, NULL, 10);
    r->closes |= r->length > HEADER_MAX_BYTES;
}

static int take_field(struct http_reply *r, char *line, bool *framed, bool *keeps, struct err *e)
{
    const char *v;
    if ((v = value_of(line, "Proxy-Authenticate")) && challenges_add(&r->challenges, v) < 0)
        return err_nomem(e);
    if ((v = value_of(line, "Connection")) || (v = value_of(line, "Proxy-Connection"))) {
        r->closes |= list_has(v, "close");
        *keeps |= list_has(v, "keep-alive");
    }
    if ((v = value_of(line, "Content-Length"))) {
        *framed = true;
        take_length(r, v);
    }
    if ((v = value_of(line, "Transfer-Encoding"))) {
        *framed = r->chunked = strcasecmp(v, "chunked") == 0;
        r->closes |= !r->chunked;
    }
    return 0;
}

/* Up to its empty line. */
static int read_fields(struct http_reply *r, const struct addr *a, char *line, size_t *total, bool old, struct wire *w,
                       struct err *e)
{
    bool framed = false, keeps = false;
    for (;;) {
        if (read_line(a, line, total, w, e) < 0)
            return -1;
        if (line[0] == '\0')
            break;
        if (take_field(r, line, &framed, &keeps, e) < 0)
            return -1;
    }
    r->closes |= !framed || (old && !keeps);
    return 0;
}

int http_reply_read(struct http_reply *r, const struct addr *a, struct wire *w, struct err *e)
{
    char line[LINE_MAX_BYTES];
    size_t total = HEADER_MAX_BYTES;
    for (bool over = false; !over;) {
        http_reply_fini(r);
        const char *at = line;
        if (read_line(a, line, &total, w, e) < 0)
            return -1;
        r->status = parse_status(line, &at);
        printable(r->shown, sizeof r->shown, at);
        if (r->status < 0)
            return err_set(e, ERR_PROTOCOL, "the reply is not HTTP/1: \"%s\"", r->shown);
        bool announces = r->status >= 100 && r->status < 200 && r->status != 101, granted = r->status / 100 == 2;
        over = !announces;
        if (over && !granted && r->status != 407)
            return 0;
        bool old = line[7] == '0';
        int rc = read_fields(r, a, line, &total, old, w, e);
        if (rc < 0 && r->status != 407)
            return -1;
        if (rc < 0 && (e->kind == ERR_INTERRUPTED || e->kind == ERR_TIMEOUT))
            return -1;
        r->closes |= rc < 0; /* it has been refused, however that goes on */
    }
    return 0;
}

/* The proxy's own troubles may go away by themselves. */
enum err_kind http_status_kind(int status)
{
    static const struct {
        int status;
        enum err_kind kind;
    } kinds[] = {
        {401, ERR_PROXY_DENIED}, {403, ERR_PROXY_DENIED}, {407, ERR_PROXY_AUTH}, {408, ERR_TIMEOUT},
        {429, ERR_BUSY},         {502, ERR_UNREACHABLE},  {503, ERR_BUSY},       {504, ERR_TIMEOUT},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (kinds[i].status == status)
            return kinds[i].kind;
    return status >= 500 ? ERR_REFUSED : ERR_OTHER;
}

/* ---- what is not wanted ---- */

static int skip(struct wire *w, uint64_t n, struct err *e)
{
    char piece[1024];
    for (size_t part; n > 0; n -= part) {
        part = n < sizeof piece ? (size_t)n : sizeof piece;
        if (wire_read(w, piece, part, e) < 0)
            return -1;
    }
    return 0;
}

static int skip_chunks(const struct addr *a, struct wire *w, struct err *e)
{
    char line[LINE_MAX_BYTES];
    size_t total = HEADER_MAX_BYTES;
    for (;;) {
        if (read_line(a, line, &total, w, e) < 0)
            return -1;
        char *end = line;
        unsigned long n = strspn(line, "0123456789abcdefABCDEF") <= 8 ? strtoul(line, &end, 16) : 0;
        if (end == line || n > total)
            return err_set(e, ERR_PROTOCOL, "the reply's body is damaged, or too long");
        total -= n;
        if (n == 0)
            break;
        if (skip(w, n, e) < 0 || read_line(a, line, &total, w, e) < 0)
            return -1;
    }
    do {
        if (read_line(a, line, &total, w, e) < 0)
            return -1;
    } while (line[0] != '\0');
    return 0;
}

int http_reply_skip(struct http_reply *r, const struct addr *a, struct wire *w, struct err *e)
{
    if (r->closes)
        return 0;
    int rc = r->chunked ? skip_chunks(a, w, e) : skip(w, r->length, e);
    if (rc < 0 && (e->kind == ERR_INTERRUPTED || e->kind == ERR_TIMEOUT))
        return -1;
    return rc == 0;
}

void http_reply_fini(struct http_reply *r)
{
    challenges_fini(&r->challenges);
    *r = (struct http_reply){0};
}
