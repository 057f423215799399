/* SPDX-License-Identifier: GPL-2.0-or-later
 * The handshake of a server (RFC 6455, 4.2): whom it lets in, and what it says to the others. */
#include <fnmatch.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catena/diag.h"
#include "inter/proxy/http_request.h"
#include "inter/proxy/target.h"
#include "inter/ws/opts_ws.h"
#include "inter/ws/ws.h"

/* ---- answers ---- */

static const struct refusal {
    int status;
    const char *words, *field; /* a field that goes with it */
} refusals[] = {
    {400, "Bad Request", ""},
    {401, "Unauthorized", "WWW-Authenticate: Basic realm=\"catena\", charset=\"UTF-8\"\r\n"},
    {403, "Forbidden", ""},
    {404, "Not Found", ""},
    {405, "Method Not Allowed", "Allow: GET\r\n"},
    {426, "Upgrade Required", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"},
    {431, "Request Header Fields Too Large", ""},
    {505, "HTTP Version Not Supported", ""},
    {0},
};

static int say(struct ws_session *s, const char *head, const void *body, size_t n, struct err *e)
{
    size_t k = strlen(head);
    if (buf_init(&s->reply, k + n + 1) < 0)
        return err_nomem(e);
    (void)buf_put(&s->reply, head, k);
    (void)buf_put(&s->reply, body, n);
    return 0;
}

static bool asks_head(const struct ws_session *s)
{
    return s->head.line && strncmp(s->head.line, "HEAD ", 5) == 0;
}

/* What is said of it here is in *s->why: an error of the connection. Gives 1. */
static int refuse(struct ws_session *s, int status, const char *why, struct err *e)
{
    const struct refusal *r = refusals;
    char head[512], body[128];
    while (r->status && r->status != status)
        r++;
    int n = snprintf(body, sizeof body, "%d %s\n", r->status, r->words);
    (void)snprintf(head, sizeof head, "HTTP/1.1 %d %s\r\n%s%sContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n",
                   r->status, r->words, r->field, strstr(r->field, "Connection:") ? "" : "Connection: close\r\n", n);
    if (!(s->why = calloc(1, sizeof *s->why)))
        return err_nomem(e);
    (void)err_set(s->why, status == 401 || status == 403 ? ERR_LOGIN : ERR_PROTOCOL, "%s; it was told %d %s", why,
                  r->status, r->words);
    s->refuses = true;
    return say(s, head, body, asks_head(s) ? 0 : (size_t)n, e) < 0 ? -1 : 1;
}

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"}, {".htm", "text/html; charset=utf-8"},
        {".txt", "text/plain; charset=utf-8"}, {".css", "text/css"},
        {".js", "text/javascript"},            {".mjs", "text/javascript"},
        {".json", "application/json"},         {".svg", "image/svg+xml"},
        {".png", "image/png"},                 {".wasm", "application/wasm"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

/* Not the end of anything that was meant to be: nobody has come whom this is for. */
static int give_page(struct ws_session *s, struct err *e)
{
    const struct ws_config *c = s->config;
    char head[512];
    (void)snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                                      "X-Content-Type-Options: nosniff\r\nCache-Control: no-cache\r\n"
                                      "Connection: close\r\n\r\n",
                   type_of(opt_string(c->addr, &opt_static, "")), c->page_size);
    if (!(s->why = calloc(1, sizeof *s->why)))
        return err_nomem(e);
    (void)err_set(s->why, ERR_NOBODY, "a request for no WebSocket got the page");
    s->refuses = true;
    diag(DIAG_NOTICE, "a request for no WebSocket gets \"%s\"", opt_string(c->addr, &opt_static, ""));
    return say(s, head, c->page, asks_head(s) ? 0 : c->page_size, e) < 0 ? -1 : 1;
}

static bool choose(const char *word, size_t n, void *arg)
{
    struct ws_session *s = arg;
    for (size_t i = 0; i < s->head.nfields; i++) {
        const char *p = s->head.field[i].value, *at;
        if (strcasecmp(s->head.field[i].name, "Sec-WebSocket-Protocol") != 0)
            continue;
        for (size_t k; (k = list_next(&p, &at)) > 0;)
            if (k == n && strncasecmp(at, word, n) == 0)
                return (s->subprotocol = strndup(at, k)); /* as the client writes it, or browsers give up */
    }
    return false;
}

/* Who has no preferences takes the client's first choice. */
static void choose_subprotocol(struct ws_session *s)
{
    size_t n;
    const char *p = head_field(&s->head, "Sec-WebSocket-Protocol", &n), *at;
    if (opt_find(s->config->addr, &opt_subprotocol))
        (void)ws_each_word(s->config->addr, &opt_subprotocol, choose, s);
    else if (p && (n = list_next(&p, &at)) > 0 && is_token(at, n))
        s->subprotocol = strndup(at, n);
}

static int let_in(struct ws_session *s, const char *key, struct err *e)
{
    char accept[ACCEPT_ROOM], packing[160], *head;
    size_t n;
    if (ws_accept_of(key, accept, e) < 0)
        return -1;
    choose_subprotocol(s);
    ws_take_offer(s, packing, sizeof packing);
    s->peer_waits = head_field(&s->head, WS_WAITS, &n);
    if (asprintf(&head, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n%s%s%s%s%s%s\r\n",
                 accept, s->subprotocol ? "Sec-WebSocket-Protocol: " : "", s->subprotocol ? s->subprotocol : "",
                 s->subprotocol ? "\r\n" : "", packing, s->peer_waits ? WS_WAITS ": 1\r\n" : "",
                 s->config->fields) < 0)
        return err_nomem(e);
    int rc = say(s, head, "", 0, e);
    free(head);
    return rc < 0 ? -1 : 1;
}

/* ---- requests ---- */

/* "GET /path HTTP/1.1", cut into its words; of an absolute URI the path. False: it is none. */
static bool cut_request(char *line, const char **method, const char **target, const char **version)
{
    char *at = strchr(line, ' '), *end = at ? strchr(at + 1, ' ') : NULL;
    if (!end || strchr(end + 1, ' '))
        return false;
    *at = *end = '\0';
    *method = line;
    *version = end + 1;
    *target = at + 1;
    const char *host = strstr(*target, "://");
    if (**target != '/' && host)
        *target = strchr(host + 3, '/') ? strchr(host + 3, '/') : "/";
    for (const char *p = *target; *p; p++)
        if (*p < ' ' || *p > '~')
            return false;
    return is_token(line, strlen(line)) && **target == '/';
}

static bool is_served(const struct ws_config *c, const char *target)
{
    const char *want = ws_uri(c->addr);
    if (!want)
        return true;
    size_t n = strchr(want, '?') ? strlen(target) : strcspn(target, "?"), skip = *want != '/';
    return strlen(want) + skip == n && memcmp(target + skip, want, n - skip) == 0;
}

static bool has_authority(const struct ws_session *s)
{
    struct http_login login;
    size_t n;
    const char *told = head_field(&s->head, "Authorization", &n);
    if (s->config->logins.n == 0)
        return true;
    bool may = told && n == 1 && http_login_decode(&(struct http_text){told, strlen(told)}, &login) &&
               logins_admit(&s->config->logins, login.user, login.nuser, login.password, login.npassword);
    explicit_bzero(&login, sizeof login);
    return may;
}

static bool matches(const char *pattern, size_t n, void *origin)
{
    (void)n;
    return fnmatch(pattern, origin, 0) == 0;
}

static bool may_come(const struct ws_session *s)
{
    return !opt_find(s->config->addr, &opt_origin) ||
           ws_each_value(s->config->addr, &opt_origin, matches, s->origin ? s->origin : (char *)(uintptr_t) "");
}

static bool is_key(const char *key)
{
    unsigned char bytes[KEY_LENGTH];
    return strlen(key) == KEY_LENGTH && strcmp(key + KEY_LENGTH - 2, "==") == 0 && key[KEY_LENGTH - 3] != '=' &&
           EVP_DecodeBlock(bytes, (const unsigned char *)key, KEY_LENGTH) == 18;
}

static int other_request(struct ws_session *s, const char *method, const char *target, struct err *e)
{
    char shown[100], why[160];
    printable(shown, sizeof shown, target);
    (void)snprintf(why, sizeof why, "a request for \"%s\" that is for no WebSocket", shown);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return refuse(s, 405, why, e);
    if (s->config->page)
        return give_page(s, e);
    return refuse(s, s->config->page_absent ? 404 : 426, why, e);
}

static int judge_upgrade(struct ws_session *s, const char *method, const char *target, struct err *e)
{
    const struct head *h = &s->head;
    char shown[100], why[160];
    size_t n;
    printable(shown, sizeof shown, target);
    (void)snprintf(why, sizeof why, "a request for a WebSocket at \"%s\", which is none", shown);
    if (strcmp(method, "GET") != 0)
        return refuse(s, 405, "a request for a WebSocket with another method than GET", e);
    if (!head_has_word(h, "Connection", "upgrade"))
        return refuse(s, 400, "a request for a WebSocket without \"Connection: Upgrade\"", e);
    if (!is_served(s->config, target))
        return refuse(s, 404, why, e);
    const char *version = head_field(h, "Sec-WebSocket-Version", &n);
    if (!version || n > 1 || strcmp(version, "13") != 0)
        return refuse(s, 426, "a request for another version of WebSocket than 13", e);
    const char *key = head_field(h, "Sec-WebSocket-Key", &n);
    if (!key || n > 1 || !is_key(key))
        return refuse(s, 400, "a request for a WebSocket without a key of 16 bytes", e);
    if (!may_come(s)) {
        printable(shown, sizeof shown, s->origin ? s->origin : "");
        (void)snprintf(why, sizeof why, "a request from origin \"%s\", which may not come (option origin)", shown);
        return refuse(s, 403, why, e);
    }
    return let_in(s, key, e);
}

static int judge(struct ws_session *s, struct err *e)
{
    const struct head *h = &s->head;
    const char *method, *target, *version;
    size_t n, m;
    if (!cut_request(h->line, &method, &target, &version))
        return refuse(s, 400, "what came is no request", e);
    if (strncmp(version, "HTTP/1.", 7) != 0 || version[7] < '1' || version[7] > '9' || version[8])
        return refuse(s, 505, "a request of another version than HTTP/1.1", e);
    const char *length = head_field(h, "Content-Length", &n), *host = head_field(h, "Host", &m);
    if (!host || m > 1)
        return refuse(s, 400, "a request without one host", e);
    if ((length && strcmp(length, "0") != 0) || head_field(h, "Transfer-Encoding", &n))
        return refuse(s, 400, "a request with a body", e);
    const char *origin = head_field(h, "Origin", &n);
    if (!(s->uri = strdup(target)) || (origin && !(s->origin = strdup(origin))))
        return err_nomem(e);
    if (!has_authority(s))
        return refuse(s, 401, "a request without the right user and password (option auth)", e);
    return head_has_word(h, "Upgrade", "websocket") ? judge_upgrade(s, method, target, e)
                                                    : other_request(s, method, target, e);
}

static int hear(struct ws_session *s, struct session_side *wire, struct err *e)
{
    bool too_large;
    int rc = head_take(&s->head, wire->in, &too_large, e);
    if (rc == 0 && wire->in_eof) /* browsers connect in advance, for requests that may never come */
        return err_set(e, s->head.text.len > 0 ? ERR_PROTOCOL : ERR_NOBODY,
                       "the peer closed the connection during the WebSocket handshake");
    if (rc == 0)
        return 0;
    s->asked = true;
    return rc > 0 ? judge(s, e) : refuse(s, too_large ? 431 : 400, e->text, e);
}

int ws_answer(struct ws_session *s, struct session_side *wire, struct err *e)
{
    if (!s->asked) {
        int rc = hear(s, wire, e);
        if (rc <= 0)
            return rc;
        *e = (struct err){.kind = ERR_NONE};
    }
    buf_move(wire->out, &s->reply);
    if (s->reply.len > 0)
        return 0;
    if (!s->refuses)
        return 1;
    buf_consume(wire->in, wire->in->len); /* what is not read resets the connection, and the answer is lost */
    if (wire->out->len > 0)
        return 0;
    *e = *s->why;
    return -1;
}
