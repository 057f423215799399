/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY-SERVER: learns from the client of an HTTP proxy where he wants to go. CONNECT (RFC 9110) becomes a
 * tunnel; other requests stay where they are, to be written anew as they pass (http_forward.c). Each
 * answer is one write. */
#include "inter/proxy/http_server.h"

#include <stdio.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/run.h"
#include "inter/proxy/opts_server.h"
#include "inter/proxy/target.h"

enum { ATTEMPTS = 8, BODY_SKIPPED_MAX = 65536, ANSWER_MAX = 1024 };
#define ALLOWED "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
enum { COMMAND_CONNECT, COMMAND_FORWARD };

static const struct server_kind kind = {
    .commands = "connect forward",
    .usual = 1U << COMMAND_CONNECT | 1U << COMMAND_FORWARD,
};

struct visit {
    bool tunnel, head_only; /* CONNECT; HEAD: an answer has no body */
    int asked;              /* he has been asked for a login so many times */
};

/* ---- answers ---- */

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {
        {400, "Bad Request"}, {403, "Forbidden"},   {405, "Method Not Allowed"}, {407, "Proxy Authentication Required"},
        {502, "Bad Gateway"}, {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "";
}

/* fields: lines of the head, each with its end. */
static int answer_with(struct wire *w, const struct visit *v, int status, const char *fields, const char *sentence,
                       struct err *e)
{
    char text[ANSWER_MAX];
    int n = snprintf(text, sizeof text,
                     "HTTP/1.1 %d %s\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Length: %zu\r\n%s\r\n%s%s", status,
                     reason(status), strlen(sentence) + 1, fields, v->head_only ? "" : sentence, v->head_only ? "" : "\n");
    return wire_write(w, text, (size_t)n, e);
}

/* *e says why, and stays. Returns -1. */
static int refuse(struct wire *w, const struct visit *v, int status, const char *fields, const char *sentence)
{
    char all[256];
    struct err ignored;
    (void)snprintf(all, sizeof all, "%sConnection: close\r\n", fields);
    (void)answer_with(w, v, status, all, sentence, &ignored);
    return -1;
}

static const struct {
    int status;
    const char *sentence;
} failures[ERR_NOBODY + 1] = {
    [ERR_REFUSED] = {502, "The target refuses connections."},
    [ERR_UNREACHABLE] = {502, "No way leads to the target."},
    [ERR_TIMEOUT] = {504, "The target does not answer in time."},
    [ERR_NO_NAME] = {502, "There is no such name."},
    [ERR_DENIED] = {403, "This target may not be reached through this proxy."},
    [ERR_UNFIT] = {400, "That is no target."},
};

static int refuse_because(struct wire *w, const struct visit *v, const struct err *why)
{
    bool known = failures[why->kind].status != 0;
    return refuse(w, v, known ? failures[why->kind].status : 502, "",
                  known ? failures[why->kind].sentence : "The target cannot be reached.");
}

/* ---- logging in ---- */

bool http_admits(const struct admission *m, struct run *r, const struct http_request *q, char user[LOGIN_MAX + 1])
{
    struct http_login login;
    user[0] = '\0';
    if (!m->logs_in)
        return true;
    bool good = http_login_decode(&q->login, &login) &&
                admission_admits(m, r, login.user, login.nuser, login.password, login.npassword);
    if (good) {
        char text[LOGIN_MAX + 1];
        (void)snprintf(text, sizeof text, "%.*s", (int)login.nuser, login.user);
        printable(user, LOGIN_MAX + 1, text);
    }
    explicit_bzero(&login, sizeof login);
    return good;
}

/* What belongs to a request that is not served. */
static int skip_body(struct wire *w, uint64_t left, struct err *e)
{
    char piece[1024];
    while (left > 0) {
        size_t n = left < sizeof piece ? (size_t)left : sizeof piece;
        if (wire_read(w, piece, n, e) < 0)
            return -1;
        left -= n;
    }
    return 0;
}

/* He may try once more on the same connection. */
static int ask_for_login(const struct addr *a, struct wire *w, const struct visit *v, const struct http_request *q, size_t nhead,
                         bool last, struct err *e)
{
    static const char sentence[] = "This proxy wants a user and a password.";
    char field[200];
    (void)snprintf(field, sizeof field, "Proxy-Authenticate: Basic realm=\"%s\"\r\n", opt_string(a, &opt_realm, "catena"));
    (void)err_set(e, ERR_LOGIN, q->login.s ? "the client's user and password do not belong together"
                                            : "the client has not logged in");
    if (last || q->ends || q->chunked || q->length > BODY_SKIPPED_MAX)
        return refuse(w, v, 407, field, sentence);
    diag(DIAG_INFO, "%s; it is asked to", e->text);
    buf_consume(&w->in, nhead);
    return skip_body(w, q->length, e) < 0 ? -1 : answer_with(w, v, 407, field, sentence, e);
}

/* ---- the dialog ---- */

/* A whole head, which stays in the wire. Empty lines in front of it are nobody's. */
static int await_head(struct wire *w, size_t *n, struct err *e)
{
    const unsigned char *at = NULL;
    for (size_t looked = 0;; looked = w->in.len) {
        if (w->in.len == w->in.cap && wire_expect(w, 2 * w->in.cap, e) < 0)
            return err_set(e, ERR_PROTOCOL, "the request's head has more than %d bytes", HTTP_HEAD_MAX);
        if (wire_look(w, looked + 1, &at, e) < 0)
            return -1;
        while (looked == 0 && w->in.len > 0 && (at[0] == '\r' || at[0] == '\n')) {
            buf_consume(&w->in, 1);
            at++;
        }
        *n = w->in.len > 0 ? http_head_length((const char *)at, w->in.len, looked) : 0;
        if (*n > 0)
            return 0;
    }
}

static int check_command(const struct admission *m, struct wire *w, const struct visit *v, struct err *e)
{
    if (m->commands & 1U << (v->tunnel ? COMMAND_CONNECT : COMMAND_FORWARD))
        return 0;
    (void)err_set(e, ERR_RULES, "the client wants %s, which is not served", v->tunnel ? "a tunnel" : "a request forwarded");
    return refuse(w, v, 405, v->tunnel ? ALLOWED : "Allow: CONNECT\r\n",
                  v->tunnel ? "This proxy makes no tunnels." : "This proxy makes tunnels only.");
}

/* A request that nobody may pass on any more (RFC 9110, 7.6.2). What TRACE would show may be a secret. Returns -1. */
static int answer_for_itself(const struct admission *m, struct wire *w, const struct visit *v, const struct http_request *q,
                             size_t nhead, struct err *e)
{
    static const char options[] = "HTTP/1.1 200 OK\r\n" ALLOWED "Content-Length: 0\r\nConnection: close\r\n\r\n";
    const bool trace = q->method.n == strlen("TRACE");
    const uint64_t body = q->chunked || q->length > BODY_SKIPPED_MAX ? 0 : q->length;
    struct err ignored;
    if (check_command(m, w, v, e) < 0)
        return -1;
    (void)err_set(e, ERR_NOBODY, "the client asks this proxy itself, with Max-Forwards: 0");
    buf_consume(&w->in, nhead);
    if (skip_body(w, body, &ignored) < 0)
        return -1;
    if (trace)
        return refuse(w, v, 405, ALLOWED, "This proxy shows nobody what it gets.");
    (void)wire_write(w, options, sizeof options - 1, &ignored);
    return -1;
}

static int grant(const struct admission *m, const struct addr *a, struct wire *w, const struct visit *v,
                 const struct http_request *q, struct wish *wish, struct err *e)
{
    memcpy(wish->host, q->host, sizeof wish->host);
    wish->port = q->port;
    if (check_command(m, w, v, e) < 0)
        return -1;
    if (admission_grant(m, a, w->run, wish, e) < 0)
        return refuse_because(w, v, e);
    return run_set_fact(w->run, a, "command", "connect", e) < 0
               ? -1
               : run_set_fact(w->run, a, "proto", v->tunnel ? "connect" : PROTO_FORWARD, e);
}

/* Gives 1 when he is asked once more. */
static int hear(struct visit *v, const struct admission *m, const struct addr *a, struct wire *w, bool last, struct err *e)
{
    struct http_request q;
    struct wish wish = {0};
    size_t n;
    if (await_head(w, &n, e) < 0)
        return e->kind == ERR_PROTOCOL ? refuse(w, v, 400, "", "The request is no whole one.") : -1;
    const char *head = (const char *)buf_data(&w->in);
    if (http_request_parse(head, n, &q, e) < 0)
        return refuse(w, v, 400, "", e->text);
    v->tunnel = q.tunnel;
    v->head_only = q.method.n == 4 && memcmp(q.method.s, "HEAD", 4) == 0;
    if (!http_admits(m, w->run, &q, wish.user))
        return ask_for_login(a, w, v, &q, n, last, e) < 0 ? -1 : 1;
    if (q.counted && q.forwards == 0)
        return answer_for_itself(m, w, v, &q, n, e);
    if (grant(m, a, w, v, &q, &wish, e) < 0)
        return -1;
    if (v->tunnel)
        buf_consume(&w->in, n);
    return 0;
}

static int http_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    struct visit *v = st;
    int rc = hear(v, run_shared_of(r, a), a, w, v->asked + 1 == ATTEMPTS, e);
    v->asked += rc > 0;
    return rc < 0 ? err_wrap(e, "proxy dialog") : rc;
}

static int http_answer(void *st, const struct addr *a, struct run *r, struct wire *w, const struct outcome *o, struct err *e)
{
    static const char established[] = "HTTP/1.1 200 Connection established\r\n\r\n";
    const struct visit *v = st;
    (void)a;
    (void)r;
    if (!o->failed)
        return v->tunnel ? wire_write(w, established, sizeof established - 1, e) : 0;
    (void)refuse_because(w, v, o->failed);
    return 0;
}

static int http_check(const struct addr *a, struct err *e)
{
    const struct opt *realm = opt_find(a, &opt_realm);
    for (const char *p = realm && realm->v.s ? realm->v.s : ""; *p; p++)
        if (*p < ' ' || *p > '~' || strchr("\"\\", *p) || p - realm->v.s >= 100)
            return err_at(e, realm->at, "realm: up to 100 printable characters but \" and \\ are possible");
    return admission_check(a, e);
}

static const struct negotiator_ops http_ops = {
    .common = ADMISSION_COMMON, .state_size = sizeof(struct visit), .learn = http_learn, .answer = http_answer,
    .answers_for_rest = true, .hears_first = true, .rests = true, .leaves = &http_forward,
};

extern const struct form forms_http_server[];
const struct form forms_http_server[] = {
    {
        .keyword = "PROXY-SERVER",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_proxy_server,
        .role = ROLE_SERVER,
        .gives = GIVES_WISH,
        .help = "learns from the client of an HTTP proxy where it wants to go",
        .check = http_check,
        .serves_anybody = admission_serves_anybody,
        .kind = FORM_NEGOTIATOR,
        .ops.negotiator = &http_ops,
        .arg = &kind,
    },
    {0},
};
