/* SPDX-License-Identifier: GPL-2.0-or-later
 * SNIFF: which protocol does a client speak? Only looks, as SNI-PEEK does; who says nothing speaks one in which the
 * server begins. */
#include <string.h>

#include "catena/diag.h"
#include "catena/handshake.h"
#include "catena/inter.h"
#include "catena/options.h"
#include "catena/registry.h"
#include "catena/routes.h"
#include "catena/run.h"
#include "catena/wait.h"
#include "inter/front/opts_front.h"

static const double PATIENCE_S = 2;
#define PROTOCOLS "tls http ssh socks other"

/* ---- recognizing ---- */

/* What a client of it says first; a zero byte stands for any. n: so many bytes of it are all. */
static const struct {
    const char *proto, *begins;
    unsigned char n;
} signs[] = {
    {"tls", "\x16\x03\0\0\0\x01", 6}, {"ssh", "SSH-", 4},       {"http", "GET ", 4},     {"http", "HEAD ", 5},
    {"http", "POST ", 5},             {"http", "PUT ", 4},      {"http", "DELETE ", 7},  {"http", "CONNECT ", 8},
    {"http", "OPTIONS ", 8},          {"http", "TRACE ", 6},    {"http", "PATCH ", 6},   {"http", "PRI * HTTP/", 11},
    {"http", "PROPFIND ", 9},         {"socks", "\x04\x01", 2}, {"socks", "\x04\x02", 2},
};

static bool begins(const char *sign, size_t n, const unsigned char *p)
{
    for (size_t i = 0; i < n; i++)
        if (sign[i] && (unsigned char)sign[i] != p[i])
            return false;
    return true;
}

/* SOCKS5: as many methods as it says, of which there is at least one. */
static const char *socks5(const unsigned char *p, size_t n)
{
    return n < 2 || (p[1] > 0 && n < 2U + p[1]) ? NULL : p[1] > 0 ? "socks" : "other";
}

/* NULL: more has to come. */
static const char *proto_of(const unsigned char *p, size_t n)
{
    bool may_be = false;
    if (n > 0 && p[0] == 5)
        return socks5(p, n);
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        size_t known = n < signs[i].n ? n : signs[i].n;
        if (!begins(signs[i].begins, known, p))
            continue;
        if (known == signs[i].n)
            return signs[i].proto;
        may_be = true;
    }
    return may_be ? NULL : "other";
}

/* ---- the dialog ---- */

static const char *on_timeout(const struct addr *a) { return opt_string(a, &opt_front_on_timeout, "other"); }

/* Who has said something, and then no more, speaks none of these. */
static int look(const struct addr *a, struct wire *w, const char **proto, struct err *e)
{
    const unsigned char *p;
    for (;;) {
        if (wire_look(w, w->in.len + 1, &p, e) < 0)
            break;
        if ((*proto = proto_of(p, w->in.len)))
            return 0;
    }
    bool silent = e->kind == ERR_TIMEOUT, ended = e->kind == ERR_PROTOCOL && w->in.len > 0;
    *proto = w->in.len > 0 ? "other" : on_timeout(a);
    return silent || ended ? 0 : -1;
}

static int learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    const char *proto;
    (void)st;
    double seconds = opt_time(a, &opt_front_sniff_timeout, PATIENCE_S);
    wire_patience(w, wait_ms(seconds));
    if (look(a, w, &proto, e) < 0)
        return -1;
    diag(DIAG_INFO, "the client speaks %s", proto);
    return run_set_fact(r, a, "proto", proto, e) < 0 ? -1 : routes_choose(a, r, proto, e);
}

static bool is_word(const char *word, size_t n, void *other)
{
    return strlen(other) == n && strncmp(word, other, n) == 0;
}

static int check(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_front_on_timeout), *t = opt_find(a, &opt_front_sniff_timeout);
    if (t && t->v.t <= 0)
        return err_at(e, t->at, "sniff-timeout: more than 0 seconds are needed, for clients who wait for the server to begin");
    return o && !each_word(PROTOCOLS, is_word, (void *)(uintptr_t)o->v.s) ? err_at(e, o->at, "on-timeout: \"%s\" is none of: %s", o->v.s, PROTOCOLS) : 0;
}

static bool wants_facts(const struct addr *a)
{
    return opt_find(a, &opt_to) != NULL;
}

static const char *untold(const struct addr *a, const struct fact_desc *f)
{
    bool of_map = strncmp(f->name, "target", 6) == 0;
    return of_map && !opt_find(a, &opt_to) ? "with option to" : NULL;
}

static const struct negotiator_ops ops = {.learn = learn, .rests = true};

extern const struct form forms_sniff[];
const struct form forms_sniff[] = {
    {
        .keyword = "SNIFF",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_sniff,
        .role = ROLE_SERVER,
        .gives = "proto targethost targetport",
        .untold = untold,
        .help = "learns from what a client says first which protocol it speaks",
        .check = check,
        .wants_facts = wants_facts,
        .kind = FORM_NEGOTIATOR,
        .ops.negotiator = &ops,
    },
    {0},
};
