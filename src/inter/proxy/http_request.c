/* SPDX-License-Identifier: GPL-2.0-or-later
 * Requests to an HTTP proxy: see http_request.h. */
#include "inter/proxy/http_request.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static int bad(struct err *e, const char *why)
{
    return err_set(e, ERR_PROTOCOL, "%s", why);
}

static bool is_token(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && !memchr("!#$%&'*+-.^_`|~", s[i], 15))
            return false;
    return n > 0;
}

static bool is_word(const struct http_text *t, const char *word)
{
    return t->n == strlen(word) && strncasecmp(t->s, word, t->n) == 0;
}

static struct http_text trimmed(const char *s, size_t n)
{
    while (n > 0 && (s[0] == ' ' || s[0] == '\t')) {
        s++;
        n--;
    }
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    return (struct http_text){s, n};
}

/* ---- lines ---- */

size_t http_head_length(const char *data, size_t n, size_t looked)
{
    for (size_t i = looked > 2 ? looked - 2 : 0; i < n; i++) {
        if (data[i] != '\n')
            continue;
        size_t next = i + 1 < n && data[i + 1] == '\r' ? i + 2 : i + 1;
        if (next < n && data[next] == '\n')
            return next + 1;
    }
    return 0;
}

/* The next line, without its end; false: none is left. */
static bool next_line(const char **at, const char *end, struct http_text *line)
{
    const char *nl = memchr(*at, '\n', (size_t)(end - *at));
    if (!nl)
        return false;
    size_t n = (size_t)(nl - *at);
    *line = (struct http_text){*at, n > 0 && nl[-1] == '\r' ? n - 1 : n};
    *at = nl + 1;
    return true;
}

static bool is_shown(const struct http_text *line)
{
    for (size_t i = 0; i < line->n; i++)
        if (((unsigned char)line->s[i] < ' ' && line->s[i] != '\t') || line->s[i] == 0x7f)
            return false;
    return true;
}

/* ---- the request line ---- */

/* <host>[:<port>]; otherwise: the port if there is none, -1 there has to be one. */
static int split_authority(struct http_request *q, int otherwise, struct err *e)
{
    const char *s = q->authority.s;
    size_t n = q->authority.n;
    const char *close = n > 0 && s[0] == '[' ? memchr(s, ']', n) : NULL;
    const char *from = close ? close : s;
    const char *colon = memchr(from, ':', n - (size_t)(from - s));
    size_t host = colon ? (size_t)(colon - s) : n;
    if (host == 0 || host > RULE_HOST_MAX)
        return bad(e, "the request names no host");
    memcpy(q->host, s, host);
    q->host[host] = '\0';
    q->port = otherwise;
    if (colon && (host + 1 < n || otherwise < 0)) {
        q->port = 0;
        for (const char *p = colon + 1; p < s + n; p++) {
            if (!isdigit((unsigned char)*p) || q->port > UINT16_MAX)
                return bad(e, "the request's port is no number from 1 to 65535");
            q->port = q->port * 10 + (*p - '0');
        }
    }
    if (q->port < 0 || (colon && colon + 1 == s + n && otherwise < 0))
        return bad(e, "the request names no port");
    return q->port > 0 && q->port <= UINT16_MAX ? 0 : bad(e, "the request's port is no number from 1 to 65535");
}

static int split_target(struct http_request *q, const struct http_text *target, struct err *e)
{
    static const char scheme[] = "http://";
    size_t n = sizeof scheme - 1;
    q->tunnel = is_word(&q->method, "CONNECT") && memcmp(q->method.s, "CONNECT", 7) == 0;
    if (q->tunnel) {
        q->authority = *target;
        return split_authority(q, -1, e);
    }
    if (target->n < n || strncasecmp(target->s, scheme, n) != 0)
        return bad(e, "this is a proxy: it takes CONNECT <host>:<port>, and whole addresses that begin with http://");
    const char *rest = target->s + n, *end = target->s + target->n;
    const char *path = rest;
    while (path < end && !strchr("/?#", *path))
        path++;
    q->authority = (struct http_text){rest, (size_t)(path - rest)};
    q->path = (struct http_text){path, (size_t)(end - path)};
    if (memchr(rest, '@', q->authority.n) || memchr(path, '#', q->path.n))
        return bad(e, "the address has parts that are not for a proxy");
    return split_authority(q, 80, e);
}

static int read_request_line(struct http_request *q, const struct http_text *line, struct err *e)
{
    static const char version[] = "HTTP/1.";
    size_t nversion = sizeof version; /* with its digit */
    const char *blank = memchr(line->s, ' ', line->n), *last = memrchr(line->s, ' ', line->n);
    if (!blank || blank == last || !is_token(line->s, (size_t)(blank - line->s)))
        return bad(e, "the request does not begin with <method> <target> HTTP/1.1");
    const char *end = line->s + line->n;
    if ((size_t)(end - last - 1) != nversion || memcmp(last + 1, version, nversion - 1) != 0 || !isdigit((unsigned char)end[-1]))
        return bad(e, "the request is not of HTTP/1");
    q->minor = end[-1] > '0';
    q->ends = q->minor == 0;
    q->method = (struct http_text){line->s, (size_t)(blank - line->s)};
    const struct http_text target = {blank + 1, (size_t)(last - blank - 1)};
    for (size_t i = 0; i < target.n; i++)
        if (!isgraph((unsigned char)target.s[i]))
            return bad(e, "the request's target has blanks or other than printable characters in it");
    return split_target(q, &target, e);
}

/* ---- fields ---- */

/* The next of a list with commas. */
static bool next_member(struct http_text *list, struct http_text *member)
{
    while (list->n > 0) {
        const char *comma = memchr(list->s, ',', list->n);
        size_t n = comma ? (size_t)(comma - list->s) : list->n;
        *member = trimmed(list->s, n);
        n += comma != NULL;
        list->s += n;
        list->n -= n;
        if (member->n > 0)
            return true;
    }
    return false;
}

static bool has_member(struct http_text list, const char *word)
{
    struct http_text one;
    while (next_member(&list, &one))
        if (is_word(&one, word))
            return true;
    return false;
}

static int read_length(struct http_request *q, const struct http_text *value, bool *given, struct err *e)
{
    uint64_t n = 0;
    for (size_t i = 0; i < value->n; i++) {
        if (!isdigit((unsigned char)value->s[i]) || i > 17)
            return bad(e, "the request's Content-Length is no number");
        n = n * 10 + (uint64_t)(value->s[i] - '0');
    }
    if (value->n == 0 || (*given && n != q->length))
        return bad(e, "the request has several lengths");
    *given = true;
    q->length = n;
    return 0;
}

static bool is_counted(const struct http_request *q)
{
    return is_word(&q->method, "OPTIONS") || is_word(&q->method, "TRACE");
}

/* More than fits is as good as no end. */
static int read_forwards(struct http_request *q, const struct http_text *value, struct err *e)
{
    uint64_t n = 0;
    for (size_t i = 0; i < value->n; i++) {
        if (!isdigit((unsigned char)value->s[i]))
            return bad(e, "the request's Max-Forwards is no number");
        n = n * 10 + (uint64_t)(value->s[i] - '0');
        n = n < UINT32_MAX ? n : UINT32_MAX;
    }
    if (value->n == 0 || q->counted)
        return bad(e, "the request's Max-Forwards is not one number");
    q->counted = true;
    q->forwards = (uint32_t)n;
    return 0;
}

struct framing {
    bool length, nominates;
};

static int read_field(struct http_request *q, const struct http_text *name, const struct http_text *value, struct framing *f,
                      struct err *e)
{
    if (is_word(name, "Content-Length"))
        return read_length(q, value, &f->length, e);
    if (is_word(name, "Max-Forwards") && is_counted(q))
        return read_forwards(q, value, e);
    if (is_word(name, "Transfer-Encoding")) {
        if (q->chunked || !is_word(value, "chunked") || q->minor == 0)
            return bad(e, "the request's Transfer-Encoding is not chunked alone");
        q->chunked = true;
    } else if (is_word(name, "Proxy-Authorization")) {
        if (q->login.s)
            return bad(e, "the request has several logins");
        q->login = *value;
    } else if (is_word(name, "Proxy-Connection")) {
        q->ends |= has_member(*value, "close");
    } else if (is_word(name, "Connection")) {
        if (f->nominates)
            return bad(e, "the request has Connection twice");
        f->nominates = true;
        q->nominated = *value;
        q->ends |= has_member(*value, "close");
    }
    return 0;
}

/* A line of the head; false: the empty one at its end, or what is no field: *e says so. */
static bool next_field(const char **at, const char *end, struct http_text *name, struct http_text *value, int *rc,
                       struct err *e)
{
    struct http_text line;
    *rc = 0;
    if (!next_line(at, end, &line) || line.n == 0)
        return false;
    const char *colon = memchr(line.s, ':', line.n);
    if (!colon || !is_token(line.s, (size_t)(colon - line.s)) || !is_shown(&line)) {
        *rc = bad(e, "the request has a line that is no field");
        return false;
    }
    *name = (struct http_text){line.s, (size_t)(colon - line.s)};
    *value = trimmed(colon + 1, line.n - name->n - 1);
    return true;
}

int http_request_parse(const char *head, size_t n, struct http_request *q, struct err *e)
{
    const char *at = head, *end = head + n;
    struct http_text line, name, value;
    struct framing f = {0};
    int rc;
    *q = (struct http_request){0};
    if (!next_line(&at, end, &line))
        return bad(e, "the request is empty");
    if (!is_shown(&line))
        return bad(e, "the request has control characters in it");
    if (read_request_line(q, &line, e) < 0)
        return -1;
    while (next_field(&at, end, &name, &value, &rc, e))
        if (read_field(q, &name, &value, &f, e) < 0)
            return -1;
    if (rc < 0)
        return -1;
    return q->chunked && f.length ? bad(e, "the request has a length and is chunked") : 0;
}

/* ---- for the target ---- */

/* Not for him; or said anew. What frames the body stays, whoever calls it a matter of the connection. */
static bool is_dropped(const struct http_request *q, const struct http_text *name)
{
    static const char *const ours[] = {"Host", "Connection", "Proxy-Connection", "Keep-Alive", "TE", "Upgrade", "HTTP2-Settings",
                                       "Proxy-Authorization", "Proxy-Authenticate"};
    char word[64];
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        if (is_word(name, ours[i]))
            return true;
    if (q->counted && is_word(name, "Max-Forwards"))
        return true;
    if (name->n >= sizeof word || is_word(name, "Content-Length") || is_word(name, "Transfer-Encoding"))
        return false;
    memcpy(word, name->s, name->n);
    word[name->n] = '\0';
    return has_member(q->nominated, word);
}

static void put_text(struct buf *out, const struct http_text *t) { buf_put(out, t->s, t->n); }
static void put(struct buf *out, const char *s) { buf_put(out, s, strlen(s)); }

int http_request_rewrite(const char *head, size_t n, const struct http_request *q, struct buf *out, struct err *e)
{
    const char *at = head, *end = head + n;
    struct http_text line, name, value;
    char rest[64];
    int rc;
    if (buf_grow(out, out->len + 2 * n + 256) < 0) /* a line may have no CR, the authority is there twice */
        return err_nomem(e);
    bool whole = q->path.n == 0 && is_word(&q->method, "OPTIONS"); /* of the server, not of a place there */
    put_text(out, &q->method);
    put(out, q->path.n > 0 && q->path.s[0] == '/' ? " " : whole ? " *" : " /");
    put_text(out, &q->path);
    (void)snprintf(rest, sizeof rest, " HTTP/1.%d\r\nHost: ", q->minor);
    put(out, rest);
    put_text(out, &q->authority);
    put(out, "\r\n");
    (void)next_line(&at, end, &line);
    while (next_field(&at, end, &name, &value, &rc, e)) {
        if (is_dropped(q, &name))
            continue;
        put_text(out, &name);
        put(out, ": ");
        put_text(out, &value);
        put(out, "\r\n");
    }
    if (q->counted) {
        (void)snprintf(rest, sizeof rest, "Max-Forwards: %u\r\n", q->forwards > 0 ? q->forwards - 1 : 0);
        put(out, rest);
    }
    (void)snprintf(rest, sizeof rest, "Via: 1.%d catena\r\n%s\r\n", q->minor, q->ends ? "Connection: close\r\n" : "");
    put(out, rest);
    return 0;
}

/* ---- logins ---- */

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* RFC 4648; padding may be missing. Gives how many bytes, -1: it is no such text. */
static ssize_t unbase64(const char *s, size_t n, char *to, size_t cap)
{
    size_t out = 0;
    unsigned bits = 0, have = 0;
    while (n > 0 && s[n - 1] == '=')
        n--;
    for (size_t i = 0; i < n; i++) {
        int d = digit(s[i]);
        if (d < 0 || out >= cap)
            return -1;
        bits = (bits << 6 | (unsigned)d) & 0xffffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            to[out++] = (char)(bits >> have & 0xff);
        }
    }
    return (ssize_t)out;
}

bool http_login_decode(const struct http_text *credentials, struct http_login *out)
{
    static const char scheme[] = "Basic ";
    size_t n = sizeof scheme - 1;
    if (!credentials->s || credentials->n < n || strncasecmp(credentials->s, scheme, n) != 0)
        return false;
    const struct http_text text = trimmed(credentials->s + n, credentials->n - n);
    ssize_t len = unbase64(text.s, text.n, out->text, sizeof out->text);
    const char *colon = len > 0 ? memchr(out->text, ':', (size_t)len) : NULL;
    if (!colon)
        return false;
    out->user = out->text;
    out->nuser = (size_t)(colon - out->text);
    out->password = colon + 1;
    out->npassword = (size_t)len - out->nuser - 1;
    return true;
}
