/* SPDX-License-Identifier: GPL-2.0-or-later
 * Facts: who fills which hole, what may fill it, and what the environment has of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/facts.h"
#include "catena/plan.h"
#include "catena/registry.h"
#include "catena/run.h"
#include "../home.h"

static struct settings settings = {.catena = &home};
static struct plan *plan;
static struct run run;

static void make(const char *left, const char *right)
{
    struct err e;
    settings = (struct settings){.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                 .ip_version = 4, .comm = 'S', .facts = "host port", .env_prefix = "SOCAT"};
    if (plan_make(&settings, left, right, &plan, &e) < 0)
        fail_msg("%s  %s: %s", left, right, e.text);
    assert_int_equal(run_init(&run, &settings, plan, -1, &e), 0);
}

static void done(void)
{
    run_fini(&run);
    plan_free(plan);
}

static const char *teller(unsigned place, const char *fact)
{
    const struct addr *a = plan_teller(plan, place, fact_lookup(fact, strlen(fact)));
    return a ? a->form->keyword : NULL;
}

#define tells(place, fact, who) assert_string_equal(teller(place, fact), who)
#define nobody(place, fact)     assert_null(teller(place, fact))

/* Nearest on the left of who asks; then, of what is open by then, on the right. */
static void who_tells(void **state)
{
    (void)state;
    make("openssl-server,cert=c|openssl-server,cert=d|unix-l:x", "openssl|proxy:h:1|tcp:h:2");
    const struct addr *end = plan->end[RIGHT].fwd, *inner = plan->links[0].fwd, *outer = plan->links[1].fwd;
    const struct addr *client = plan->links[2].fwd;
    tells(end->place, "peeraddr", "UNIX-LISTEN");
    tells(end->place, "sni", "OPENSSL-SERVER");
    assert_ptr_equal(plan_teller(plan, end->place, fact_lookup("sni", 3)), outer);
    assert_ptr_equal(plan_teller(plan, outer->place, fact_lookup("sni", 3)), inner);
    nobody(inner->place, "sni");
    nobody(plan->end[LEFT].fwd->place, "peeraddr");
    nobody(end->place, "peerport"); /* of itself */
    tells(client->place, "peerport", "TCP-CONNECT");
    tells(client->place, "peeraddr", "UNIX-LISTEN");
    tells(plan->seam, "openssl_cipher", "OPENSSL-SERVER");
    tells(plan->seam, "peerport", "TCP-CONNECT");
    done();
    make("tcp-l:1", "^openssl-server,cert=c|nop|unix:{sni}"); /* proves himself first */
    tells(plan->end[RIGHT].fwd->place, "sni", "OPENSSL-SERVER");
    done();
    make("tcp-l:1", "nop|tcp:{host}:{port}"); /* the caller */
    done();
}

static void set(const struct addr *who, const char *fact, const char *value)
{
    struct err e;
    assert_int_equal(run_set_fact(&run, who, fact, value, &e), 0);
}

static void is_known(unsigned place, const char *fact, const char *value)
{
    struct arena a = {NULL};
    struct saying s = {.value = NULL};
    bool known = run_knows(&run, place, fact_lookup(fact, strlen(fact)), &a, &s);
    assert_int_equal(known, value != NULL);
    if (value)
        assert_string_equal(s.value, value);
    arena_free(&a);
}

static void is_variable(const char *name, const char *value)
{
    char *got = run_get_fact(&run, name);
    if (value)
        assert_string_equal(got, value);
    else
        assert_null(got);
    free(got);
}

/* What an owner says again is said by him alone; who connected stays behind in the environment. */
static void owners(void **state)
{
    (void)state;
    make("openssl-server,cert=c|tcp-l:1", "openssl|tcp:h:2");
    const struct addr *l = plan->end[LEFT].fwd, *r = plan->end[RIGHT].fwd;
    is_known(plan->seam, "peeraddr", NULL);
    set(r, "peeraddr", "right");
    run_stay_behind(&run, r);
    is_variable("PEERADDR", "right"); /* as long as there is nobody else */
    set(l, "peeraddr", "left");
    is_known(plan->seam, "peeraddr", "left");
    is_known(l->place, "peeraddr", "right");
    run_stay_behind(&run, r);
    is_variable("PEERADDR", "left");
    set(r, "peeraddr", "right again");
    is_variable("peeraddr", "left");
    is_known(r->place, "peeraddr", "left");
    is_known(l->place, "peeraddr", "right again");
    set(NULL, "host", "wanted");
    is_known(1, "host", "wanted");
    struct err e;
    assert_int_equal(run_tell(&run, NULL, "port", "4\0003", 3, &e), 0);
    is_variable("PORT", NULL); /* no C string */
    done();
}

static void instances(void **state)
{
    static const struct {
        const char *right, *fact, *value, *param; /* NULL: refused */
    } rows[] = {
        {"tcp:{host}:1", "host", "example.org", "example.org"},
        {"tcp:{host}:1", "host", "192.0.2.1", "192.0.2.1"},
        {"tcp:{host}:1", "host", "[::1]", "[::1]"},
        {"tcp:{host}:1", "host", "a:b", NULL},
        {"tcp:{host}:1", "host", "a b", NULL},
        {"tcp:{host}:1", "host", "", NULL},
        {"tcp:{host}:1", "host", "<anon>", NULL},
        {"tcp:x.{host}:1", "host", "example.org", "x.example.org"},
        {"open:/a/{host}", "host", "..", NULL},
        {"open:/a/{host}", "host", "a/b", NULL},
        {"open:/a/{host}", "host", "a\nb", NULL},
        {"open:/a/{host}-{port}", "host", "a", "/a/a-22"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct addr *got;
        struct err e;
        make("-", rows[i].right);
        set(NULL, "port", "22");
        set(NULL, rows[i].fact, rows[i].value);
        int rc = run_instance(&run, plan->end[RIGHT].fwd, &got, &e);
        assert_int_equal(rc, rows[i].param ? 0 : -1);
        if (rc == 0) {
            assert_string_equal(got->params[0], rows[i].param);
            assert_ptr_equal(run_addr(&run, plan->end[RIGHT].fwd), got);
        } else {
            assert_int_equal(e.kind, ERR_UNFIT);
            assert_non_null(strstr(e.text, "{host} is \""));
            assert_non_null(strstr(e.text, "the caller said it"));
        }
        done();
    }
    make("-", "tcp:h:1"); /* without holes it is itself */
    const struct addr *got;
    struct err e;
    assert_int_equal(run_instance(&run, plan->end[RIGHT].fwd, &got, &e), 0);
    assert_ptr_equal(got, plan->end[RIGHT].fwd);
    done();
}

/* The host whom a session expects is the one that was opened. */
static void hosts(void **state)
{
    const struct addr *got;
    struct err e;
    (void)state;
    make("-", "openssl|nop|proxy:{host}:{port}|tcp:{host}:1");
    set(NULL, "host", "example.org");
    set(NULL, "port", "22");
    assert_int_equal(run_instance(&run, plan->end[RIGHT].fwd, &got, &e), 0);
    assert_int_equal(run_instance(&run, plan->links[2].fwd, &got, &e), 0);
    set(NULL, "host", "changed.example");
    assert_int_equal(run_instance(&run, plan->links[0].fwd, &got, &e), 0);
    assert_string_equal(got->host, "example.org");
    assert_true(got->form->ops.session->common.shares(got));
    done();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_tells), cmocka_unit_test(owners), cmocka_unit_test(instances),
        cmocka_unit_test(hosts),
    };
    return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}
