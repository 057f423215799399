/* SPDX-License-Identifier: GPL-2.0-or-later
 * The forked children of a listener: bounded by max-children, their ends told with their peers'
 * names, in any order; a signal ends the wait for room. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/reaper.h"
#include "engine/serve/brood.h"

static struct settings settings;
static struct run run;
static struct brood brood;

static int exits_with;

static void leave(int sig)
{
    (void)sig;
    _exit(exits_with);
}

static int begin(void **state)
{
    (void)state;
    (void)signal(SIGUSR2, leave);
    settings = unit_settings();
    unit_run(&run, &settings, NULL, unit_signal_fd());
    brood_init(&brood, &run, 2);
    unit_log_clear();
    return 0;
}

static int end(void **state)
{
    (void)state;
    brood_fini(&brood);
    unit_run_fini(&run);
    unit_no_children();
    return 0;
}

/* One that ends with that status when it is let. */
static pid_t child(int status)
{
    exits_with = status;
    pid_t c = brood_fork(&brood);
    assert_return_code(c, errno);
    if (c == 0) {
        (void)alarm(60);
        for (;;)
            (void)pause();
    }
    return c;
}

static void let(pid_t c)
{
    assert_return_code(kill(c, SIGUSR2), errno);
}

static void let_end(pid_t c)
{
    siginfo_t how;
    let(c);
    assert_return_code(waitid(P_PID, (id_t)c, &how, WEXITED | WNOWAIT), errno);
}

static bool tells(const char *level, pid_t pid, const char *how)
{
    char text[200];
    (void)snprintf(text, sizeof text, " %s child %d %s", level, (int)pid, how);
    return unit_logged(text) == 1;
}

/* ---- room ---- */

static void bounded(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(brood_wait_for_room(&brood, &e), 0);
    pid_t a = child(0);
    assert_int_equal(brood_wait_for_room(&brood, &e), 0);
    pid_t b = child(0);
    assert_int_equal(unit_logged("waiting"), 0);
    let(a); /* while it waits, or before */
    assert_int_equal(brood_wait_for_room(&brood, &e), 0);
    assert_int_equal(unit_logged("N maxchildren are active, waiting"), 1);
    assert_true(tells("I", a, "exited with status 0"));
    assert_false(tells("I", b, "exited"));
    pid_t c = child(0);
    let(b);
    let(c);
    assert_int_equal(brood_wait_for_room(&brood, &e), 0);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

static void unbounded(void **state)
{
    struct err e;
    pid_t all[20];
    (void)state;
    brood_init(&brood, &run, 0);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(brood_wait_for_room(&brood, &e), 0);
        all[i] = child(0);
    }
    for (size_t i = 0; i < 20; i++)
        let(all[i]);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

/* The first signal, or a second one, ends the wait; the children live on. */
static void signalled(void **state)
{
    struct err e;
    (void)state;
    pid_t a = child(0), b = child(0);
    for (int i = 0; i < 2; i++) {
        assert_return_code(kill(getpid(), SIGTERM), errno);
        assert_int_equal(brood_wait_for_room(&brood, &e), -1);
        assert_int_equal(e.kind, ERR_INTERRUPTED);
        assert_int_equal(run.ended_signal, SIGTERM);
    }
    siginfo_t how = {0};
    assert_return_code(waitid(P_ALL, 0, &how, WEXITED | WNOHANG | WNOWAIT), errno);
    assert_int_equal(how.si_pid, 0);
    let_end(a);
    let_end(b);
    reaper_collect(run.reaper);
}

/* ---- ends ---- */

static void ends_are_told(void **state)
{
    (void)state;
    pid_t a = child(0), b = child(3), c = child(0);
    let_end(a);
    let_end(b);
    assert_return_code(kill(c, SIGKILL), errno);
    let_end(c);
    reaper_collect(run.reaper);
    assert_true(tells("I", a, "exited with status 0"));
    assert_true(tells("W", b, "exited with status 3"));
    assert_true(tells("W", c, "exited on signal 9"));
}

static void ends_in_v1s_words(void **state)
{
    (void)state;
    settings.v1_name = true;
    pid_t a = child(0), b = child(3), c = child(0);
    let_end(a);
    let_end(b);
    assert_return_code(kill(c, SIGKILL), errno);
    let_end(c);
    reaper_collect(run.reaper);
    assert_true(tells("I waitpid():", a, "exited with status 0"));
    assert_true(tells("W waitpid():", b, "exited with status 3"));
    assert_true(tells("W waitpid():", c, "exited on signal 9"));
}

/* Each end is that of its peer, whichever is the first; the count is right each time. */
static void any_order(void **state)
{
    static const int orders[][3] = {{0, 1, 2}, {1, 0, 2}, {1, 2, 0}, {2, 1, 0}, {2, 0, 1}, {0, 2, 1}};
    (void)state;
    for (size_t k = 0; k < sizeof orders / sizeof orders[0]; k++) {
        pid_t c[3];
        for (int i = 0; i < 3; i++) {
            c[i] = child(0);
            char *peer;
            assert_true(asprintf(&peer, "peer %d", i) > 0);
            brood_name(&brood, peer);
        }
        for (int n = 0; n < 3; n++) {
            int i = orders[k][n];
            char text[100];
            let_end(c[i]);
            unit_log_clear();
            reaper_collect(run.reaper);
            (void)snprintf(text, sizeof text, "I peer %d: child %d exited", i, (int)c[i]);
            assert_int_equal(unit_logged(text), 1);
            assert_int_equal(brood.n, 2 - n);
        }
    }
    unit_log_clear();
    reaper_collect(run.reaper);
    assert_int_equal(unit_logged("exited"), 0); /* once each */
}

/* No name, or nobody to name. */
static void unnamed(void **state)
{
    (void)state;
    brood_name(&brood, strdup("nobody"));
    pid_t a = child(0);
    brood_name(&brood, NULL);
    let_end(a);
    reaper_collect(run.reaper);
    assert_true(tells("I", a, "exited"));
}

/* In a child there is room, and no child of its own. */
static void in_a_child(void **state)
{
    siginfo_t how;
    (void)state;
    brood_init(&brood, &run, 1);
    pid_t a = child(0);
    pid_t pid = brood_fork(&brood);
    if (pid == 0) {
        struct err e;
        int rc = brood_wait_for_room(&brood, &e);
        brood_fini(&brood);
        _exit(rc == 0 && brood.n == 0 ? 0 : 1);
    }
    assert_return_code(waitid(P_PID, (id_t)pid, &how, WEXITED | WNOWAIT), errno);
    let_end(a);
    reaper_collect(run.reaper);
    assert_true(tells("I", pid, "exited with status 0"));
    assert_int_equal(brood.n, 0);
}

/* When the listener ends, its children's ends are nobody's business any more. */
static void outlived(void **state)
{
    (void)state;
    pid_t a = child(0), b = child(0);
    let_end(a);
    brood_fini(&brood);
    let_end(b);
    reaper_collect(run.reaper);
    assert_int_equal(unit_logged("exited"), 0);
}

#define broods(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        broods(bounded),   broods(unbounded), broods(signalled),  broods(ends_are_told), broods(ends_in_v1s_words),
        broods(any_order), broods(unnamed),   broods(in_a_child), broods(outlived),
    };
    return cmocka_run_group_tests_name("brood", tests, unit_begin, unit_end);
}
