/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY: asks an HTTP proxy for a connection with the CONNECT method. Credentials never get into a
 * message; they are wiped when sent. */
#include <stdio.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/run.h"
#include "inter/proxy/http_auth.h"
#include "inter/proxy/http_reply.h"
#include "inter/proxy/opts_proxy.h"
#include "inter/proxy/target.h"

enum { TURNS_MAX = 8 };

struct visit {
    struct target target;
    struct auth auth;
    struct http_reply reply;
};

static int http_version(const struct addr *a, const char **version, struct err *e)
{
    *version = opt_string(a, &opt_http_version, "1.0");
    if (strcmp(*version, "1.0") == 0 || strcmp(*version, "1.1") == 0)
        return 0;
    return err_at(e, opt_find(a, &opt_http_version)->at, "http-version=%.20s: 1.0, 1.1 and 2 are possible", *version);
}

/* One of our own names: which one the options and the scheme want. A scheme that takes several turns wants a
 * connection that stays. */
static int choose_version(const struct visit *v, const struct addr *a, const char **version, struct err *e)
{
    if (http_version(a, version, e) < 0)
        return -1;
    if (!opt_find(a, &opt_http_version) && auth_may_take_turns(&v->auth))
        *version = "1.1";
    return 0;
}

static void put(struct buf *out, const char *s) { buf_put(out, s, strlen(s)); }

/* v1 knows no field Host, under whose name nothing is sent that it did not; but a scheme of its own. */
static int make_request(struct visit *v, const struct addr *a, const struct wire *w, struct buf *out, struct err *e)
{
    const struct target *t = &v->target;
    const char *version;
    if (choose_version(v, a, &version, e) < 0)
        return -1;
    bool turns = auth_may_take_turns(&v->auth);
    bool named = strcmp(version, "1.1") == 0 && (turns || !w->run->settings->v1_name);
    if (buf_grow(out, 2 * sizeof t->text + 128) < 0)
        return err_nomem(e);
    put(out, "CONNECT ");
    put(out, t->text);
    put(out, " HTTP/");
    put(out, version);
    put(out, "\r\n");
    if (named) {
        put(out, "Host: ");
        put(out, t->text);
        put(out, "\r\n");
    }
    if (turns)
        put(out, "Proxy-Connection: keep-alive\r\n");
    if (auth_write(&v->auth, t->text, out, e) < 0)
        return -1;
    if (buf_grow(out, out->len + 2) < 0)
        return err_nomem(e);
    put(out, "\r\n");
    return 0;
}

static int send_request(struct visit *v, const struct addr *a, struct wire *w, struct err *e)
{
    struct buf request = {0};
    int rc = make_request(v, a, w, &request, e);
    if (rc == 0)
        rc = wire_write(w, buf_data(&request), request.len, e);
    if (request.p)
        explicit_bzero(request.p, request.cap);
    buf_fini(&request);
    return rc;
}

static int refused(const struct visit *v, struct err *e)
{
    const struct http_reply *r = &v->reply;
    char more[256] = "";
    if (r->status == 407)
        auth_hint(&v->auth, &r->challenges, more, sizeof more);
    (void)err_set(e, http_status_kind(r->status), "the proxy refused %s: %s%s", v->target.text, r->shown, more);
    return err_more_precisely(e, ERR_PROXY_STATUS);
}

/* On a connection of its own. */
static int ask_anew(struct visit *v, struct wire *w, struct err *e)
{
    const char *scheme = scheme_name(v->auth.scheme);
    if (!v->auth.memory && !v->auth.bound)
        return err_set(e, ERR_PROXY_AUTH, "the proxy wants %s, and another connection for it, which may lead to another proxy", scheme);
    if (!auth_leave(&v->auth))
        return err_set(e, ERR_PROXY_AUTH, "the proxy closes the connection, which the dialog of %s belongs to", scheme);
    run_asks_anew(w->run);
    return err_set(e, ERR_PROXY_AUTH, "the proxy wants %s, and another connection for it", scheme);
}

/* Gives 1 to be asked once more. */
static int hear(struct visit *v, const struct addr *a, struct wire *w, struct err *e)
{
    struct http_reply *r = &v->reply;
    if (http_reply_read(r, a, w, e) < 0)
        return -1;
    if (r->status / 100 == 2) {
        diag(DIAG_INFO, "the proxy connected to %s: %s", v->target.text, r->shown);
        auth_granted(&v->auth);
        return 0;
    }
    int rc = r->status == 407 ? auth_go_on(&v->auth, &r->challenges, e) : 0;
    if (rc < 0)
        return -1;
    if (rc == 0)
        return refused(v, e);
    rc = http_reply_skip(r, a, w, e);
    return rc == 0 ? ask_anew(v, w, e) : rc;
}

static int talk(struct visit *v, const struct addr *a, struct wire *w, struct err *e)
{
    int rc = auth_begin(&v->auth, a, w->run, w->deadline, e) < 0 ? -1 : 1;
    for (int turn = 1; rc > 0; turn++) {
        if (turn > TURNS_MAX)
            return err_set(e, ERR_PROXY_AUTH, "the proxy has asked %d times who we are, and still does", TURNS_MAX);
        if (send_request(v, a, w, e) < 0)
            return -1;
        rc = hear(v, a, w, e);
    }
    return rc;
}

static int proxy_learn(void *st, const struct addr *a, struct run *r, struct wire *w,
                       struct err *e)
{
    struct visit *v = st;
    struct target *t = &v->target;
    if (target_parse(a, false, t, e) < 0)
        return -1;
    if (opt_true(a, &opt_proxy_resolve) && target_resolve_ip4(a, t, r, e) < 0)
        return -1;
    diag(DIAG_INFO, "asking the proxy for a connection to %s", t->text);
    int rc = talk(v, a, w, e) < 0 ? err_wrap(e, "proxy dialog") : 0;
    http_reply_fini(&v->reply);
    auth_end(&v->auth);
    return rc;
}

static int proxy_check(const struct addr *a, struct err *e)
{
    const struct opt *share = opt_find(a, &opt_share), *version = opt_find(a, &opt_http_version);
    const char *good;
    if (!(version && version->hole) && http_version(a, &good, e) < 0)
        return -1;
    if (share)
        return err_at(e, share->at, "in HTTP/1 each tunnel has a connection of its own: share is for http-version=2");
    return target_check(a, e) < 0 ? -1 : auth_check(a, e);
}

static const struct form *proxy_becomes(const struct addr *a)
{
    return strcmp(opt_string(a, &opt_http_version, ""), "2") == 0 ? forms_http2 : a->form;
}

static const struct negotiator_ops proxy_ops = {
    .common = AUTH_COMMON, .state_size = sizeof(struct visit), .learn = proxy_learn,
};
static const struct compound proxy_tcp = {
    .inter = "PROXY",
    .inter_params = {2, 3},
    .endpoint = "TCP-CONNECT",
    .endpoint_params = {1},
    .port_option = &opt_proxyport,
    .port_default = "8080",
};

extern const struct form forms_http_connect[];
const struct form forms_http_connect[] = {
    {
        .keyword = "PROXY",
        .aliases = "PROXY-CONNECT",
        .params = ":<host>:<port>",
        .min_params = 2,
        .max_params = 2,
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY | GROUP_HTTP,
        .role = ROLE_CLIENT,
        .target = 1,
        .help = "asks an HTTP proxy for a connection (CONNECT)",
        .becomes = proxy_becomes,
        .check = proxy_check, .foresee = target_foresee, .kind = FORM_NEGOTIATOR,
        .ops.negotiator = &proxy_ops,
    },
    {
        .keyword = "PROXY",
        .aliases = "PROXY-CONNECT",
        .params = ":<proxy-server>:<host>:<port>",
        .min_params = 3,
        .max_params = 3,
        .left = CTX_RWB,
        .groups = GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_IP4 | GROUP_IP6 |
                  GROUP_TCP | GROUP_HTTP,
        .target = 2,
        .help = "connects over TCP to an HTTP proxy and through it to the host",
        .kind = FORM_COMPOUND,
        .ops.compound = &proxy_tcp,
    },
    {0},
};
