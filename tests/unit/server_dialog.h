/* SPDX-License-Identifier: GPL-2.0-or-later
 * A server's dialog with a scripted client, as a row of a table: what the client says, cut at every byte and
 * joined with what follows, what it is told when the rest of the line stands or has failed, and what
 * became known of its wish. For one test program each: all is static. */
#ifndef CATENA_TESTS_SERVER_DIALOG_H
#define CATENA_TESTS_SERVER_DIALOG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "wire_script.h"

#define BYTES(s) (s), sizeof(s) - 1
#define TARGET "tcp:{targethost}:{targetport}"

struct meeting {
    const char *address; /* of the server */
    const char *says;    /* the client, all at once: it does not wait for replies */
    size_t nsays;
    const char *hears; /* all of it */
    size_t nhears;
    const char *wish;     /* "<user>@<host>:<port>"; NULL: it is not granted */
    enum err_kind failed; /* the rest of the line; ERR_NONE: it stands, reached from 192.0.2.7:1025 */
    const char *from;     /* ... or from there */
    const char *at;       /* it waits there first, for who comes from there */
    const char *message; /* part of what is logged then */
    const char *follows; /* what the data side gets first of all that the client has said behind, */
    size_t nfollows;     /* if that is not as it was said */
};

static int tell_place(struct run *r, const struct addr *who, const char *names[2], const char *place, struct err *e)
{
    char host[64];
    const char *colon = strrchr(place, ':');
    (void)snprintf(host, sizeof host, "%.*s", (int)(colon - place), place);
    return run_set_fact(r, who, names[0], host, e) < 0 ? -1 : run_set_fact(r, who, names[1], colon + 1, e);
}

static int answer_client(const struct meeting *m, const struct addr *a, struct run *r, struct wire *w, void *st,
                         struct err *e)
{
    struct err failed = {.kind = m->failed, .text = "it fails"};
    const struct outcome o = {.failed = m->failed ? &failed : NULL, .run = r, .place = a->place, .to_right = true};
    static const char *own[] = {"sockaddr", "sockport"}, *peer[] = {"peeraddr", "peerport"};
    const struct negotiator_ops *ops = a->form->ops.negotiator;
    const struct addr *end = r->plan->end[RIGHT].fwd;
    const struct outcome waits = {.run = r, .place = a->place, .to_right = true};
    if (m->at && (tell_place(r, r->plan->end[LEFT].fwd, own, "198.51.100.1:1080", e) < 0 || tell_place(r, end, own, m->at, e) < 0 ||
                  ops->meanwhile(st, a, r, w, &waits, e) < 0))
        return -1;
    if (!m->failed && tell_place(r, end, m->at ? peer : own, m->from ? m->from : "192.0.2.7:1025", e) < 0)
        return -1;
    return ops->answer(st, a, r, w, &o, e);
}

static void check_wish(const struct meeting *m, struct run *r)
{
    char wish[600];
    char *user = run_get_fact(r, "targetuser"), *host = run_get_fact(r, "targethost"), *port = run_get_fact(r, "targetport");
    (void)snprintf(wish, sizeof wish, "%s@%s:%s", user ? user : "", host ? host : "-", port ? port : "-");
    assert_string_equal(wish, m->wish ? m->wish : "@-:-");
    free(user);
    free(host);
    free(port);
}

static void check_rest(const struct meeting *m, const struct wire *w, const struct client_script *s)
{
    static const char early[] = "early";
    const char *want = m->follows ? m->follows : early;
    size_t n = m->follows ? m->nfollows : sizeof early - 1;
    char rest[8192];
    assert_true(w->in.len + s->left <= sizeof rest);
    if (w->in.len > 0)
        memcpy(rest, buf_data(&w->in), w->in.len);
    memcpy(rest + w->in.len, s->says, s->left);
    assert_int_equal(w->in.len + s->left, n);
    assert_memory_equal(rest, want, n);
}

static void meet_once(const struct meeting *m, const struct plan *p, void **shared, const char *says, size_t n, size_t first)
{
    static struct client_script s;
    struct run r;
    struct wire w;
    struct err e = {0};
    s = (struct client_script){.says = says, .left = n, .first = first};
    assert_int_equal(run_init(&r, &at_home, p, -1, &e), 0);
    r.shared = shared;
    assert_int_equal(wire_init(&w, &client_ops, &s, &r, -1, &e), 0);
    const struct addr *a = p->links[0].fwd;
    const struct negotiator_ops *ops = a->form->ops.negotiator;
    void *st = calloc(1, ops->state_size + 1);
    assert_non_null(st);
    int rc;
    while ((rc = ops->learn(st, a, &r, &w, &e)) > 0)
        ;
    check_wish(m, &r);
    if (rc == 0)
        rc = answer_client(m, a, &r, &w, st, &e);
    if (ops->forget)
        ops->forget(st);
    free(st);
    if (s.nheard != m->nhears || memcmp(s.heard, m->hears, m->nhears) != 0)
        fail_msg("%s, cut at %zu: hears \"%.*s\" (%zu bytes); %s", m->address, first, (int)s.nheard, s.heard, s.nheard, e.text);
    if (rc < 0 && (!m->message || !strstr(e.text, m->message)))
        fail_msg("%s, cut at %zu: %s", m->address, first, e.text);
    assert_int_equal(rc, m->message ? -1 : 0);
    if (rc == 0 && !m->failed)
        check_rest(m, &w, &s);
    wire_fini(&w);
    r.shared = NULL;
    run_fini(&r);
}

/* A line with that server, and what its connections share. */
struct stage {
    struct plan *plan;
    struct run run;
    const struct addr *addr;
    const struct sharing *common;
    void *shared[4];
};

static void stage_open(struct stage *s, const char *address)
{
    char left[600];
    struct err e;
    *s = (struct stage){0};
    (void)snprintf(left, sizeof left, "%s|-", address);
    if (plan_make(&at_home, left, TARGET, &s->plan, &e) < 0)
        fail_msg("%s: %s", left, e.text);
    s->addr = s->plan->links[0].fwd;
    s->common = form_common(s->addr->form);
    assert_int_equal(run_init(&s->run, &at_home, s->plan, -1, &e), 0);
    if (!s->common || s->common->prepare(s->addr, &s->run, &s->shared[0], &e) < 0)
        fail_msg("%s: %s", left, e.text);
    s->run.shared = s->shared;
}

static void stage_close(struct stage *s)
{
    if (s->common)
        s->common->release(s->shared[0]);
    s->run.shared = NULL;
    run_fini(&s->run);
    plan_free(s->plan);
}

__attribute__((unused)) static void meet(const struct meeting *m)
{
    struct stage s;
    char all[4096];
    stage_open(&s, m->address);
    memcpy(all, m->says, m->nsays);
    memcpy(all + m->nsays, "early", 5);
    for (size_t first = 1; first <= m->nsays + 5; first++)
        meet_once(m, s.plan, s.shared, all, m->nsays + 5, first);
    stage_close(&s);
}

#endif
