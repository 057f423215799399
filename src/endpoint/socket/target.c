/* SPDX-License-Identifier: GPL-2.0-or-later
 * TCP-TARGET: what somebody wants who has said so by now, with the word that he said: "connect" to a host and port,
 * "bind", to wait for one connection from that host, or "udp", for packets that each say where they go to. For servers
 * whose clients may ask for any of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/options/opts_listen.h"
#include "endpoint/packet/udp_target.h"
#include "endpoint/socket/sock.h"

extern const struct form forms_tcp[];

enum { PATIENCE_S = 120 }; /* accept-timeout, unless it is given */

struct target { /* it waits */
    struct addr addr;
    const char *params[2];
    char range[300];
    struct opt *opts;
    void *listener;
};

static bool is_command(const struct addr *a, const char *word)
{
    return strcmp(a->params[2], word) == 0;
}

static const struct form *tcp_form(const char *keyword)
{
    const struct form *f = forms_tcp;
    while (strcmp(f->keyword, keyword) != 0)
        f++;
    return f;
}

/* Only who was named may come; "any" is 0.0.0.0 and [::]. */
static bool make_range(const struct addr *a, char *range, size_t cap)
{
    const char *host = a->params[0];
    if (strcmp(host, "0.0.0.0") == 0 || strspn(host, "[0:]") == strlen(host))
        return false;
    (void)snprintf(range, cap, host[0] == '[' ? "%s/128" : "%s/32", host);
    return true;
}

/* The options of the address as typed, which say more than what is added. */
static int make_options(struct target *t, const struct addr *a, struct err *e)
{
    size_t n = 0;
    t->opts = calloc(a->nopts + 2, sizeof *t->opts);
    if (!t->opts)
        return err_nomem(e);
    if (make_range(a, t->range, sizeof t->range))
        t->opts[n++] = (struct opt){.desc = &opt_range, .v = {.given = true, .s = t->range}, .at = a->at};
    t->opts[n++] = (struct opt){.desc = &opt_accept_timeout, .v = {.given = true, .t = PATIENCE_S}, .at = a->at};
    memcpy(t->opts + n, a->opts, a->nopts * sizeof *t->opts);
    t->addr.opts = t->opts;
    t->addr.nopts = n + a->nopts;
    return 0;
}

static void target_unlisten(const struct addr *a, void *state, bool forked)
{
    struct target *t = state;
    (void)a;
    if (t->listener)
        sock_unlisten(&t->addr, t->listener, forked);
    free(t->opts);
    free(t);
}

static int target_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    struct target *t = calloc(1, sizeof *t);
    bool waits = is_command(a, "bind");
    if (!t)
        return err_nomem(e);
    t->addr = *a;
    t->params[0] = waits ? "0" : a->params[0];
    t->params[1] = a->params[1];
    t->addr.params = t->params;
    t->addr.nparams = waits ? 1 : 2;
    t->addr.form = tcp_form(waits ? "TCP-LISTEN" : "TCP-CONNECT");
    if (waits && (make_options(t, a, e) < 0 || inet_listen_ops.listen(&t->addr, r, &t->listener, e) < 0)) {
        target_unlisten(a, t, false);
        return -1;
    }
    *state = t;
    return 0;
}

static int target_open(const struct addr *a, struct run *r, void *state, struct port **out, struct err *e)
{
    struct target *t = state;
    if (is_command(a, "udp"))
        return udp_target_open(a, r, out, e);
    return t->listener ? sock_accept(&t->addr, r, t->listener, out, e) : inet_connect_ops.open(&t->addr, r, NULL, out, e);
}

static int target_waits_at(const void *state)
{
    const struct target *t = state;
    return t->listener ? sock_waits_at(t->listener) : -1;
}

/* Port 0 is any that "bind" may come from. */
static int target_check(const struct addr *a, struct err *e)
{
    struct addr shown = *a;
    shown.nparams = 2;
    bool sample = a->holes && a->holes[2];
    if (!sample && !is_command(a, "connect") && !is_command(a, "bind") && !is_command(a, "udp"))
        return err_at(e, a->param_at ? a->param_at[2] : a->at, "\"%.40s\" is neither connect nor bind nor udp", a->params[2]);
    return inet_check(&shown, e);
}

static const struct endpoint_ops target_ops = {
    .listen = target_listen, .open = target_open, .unlisten = target_unlisten, .waits_at = target_waits_at,
};

extern const struct form forms_target[];
const struct form forms_target[] = {
    {
        .keyword = "TCP-TARGET",
        .aliases = "TARGET",
        .params = ":<host>:<port>:<command>",
        .min_params = 3,
        .max_params = 3,
        .left = CTX_RWB,
        .groups = GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_TCP | GROUP_IP4 | GROUP_IP6 | GROUP_LISTEN | GROUP_RANGE,
        .gives = GIVES_PEER,
        .target = 1,
        .records = RECORDS_EITHER,
        .help = "connects to a TCP port, waits for a connection from there, or takes packets to anywhere, as the command says",
        .check = target_check,
        .kind = FORM_ENDPOINT,
        .ops.endpoint = &target_ops,
    },
    {.keyword = NULL},
};
