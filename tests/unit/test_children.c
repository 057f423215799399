/* SPDX-License-Identifier: GPL-2.0-or-later
 * The programs of a run: who is waited for at its end, who is asked to end, who is left alone, and
 * what their ends and what they did not read mean. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/reaper.h"
#include "catena/wait.h"

static struct settings settings;
static struct run run;
static struct unit_count before;

static int begin(void **state)
{
    (void)state;
    settings = unit_settings();
    before = unit_count();
    unit_run(&run, &settings, NULL, -1);
    unit_log_clear();
    return 0;
}

static int end(void **state)
{
    (void)state;
    unit_run_fini(&run);
    unit_nothing_left(before);
    return 0;
}

/* What a program does: ends with a status, on a signal, or stays until it gets one. */
static pid_t program(const char *label, enum child_role role, int status, double end_timeout)
{
    struct err e;
    struct child c = {.label = label, .role = role, .end_timeout = end_timeout};
    c.pid = reaper_fork(run.reaper, NULL, NULL, &c.pidfd);
    assert_return_code(c.pid, errno);
    if (c.pid == 0) {
        (void)alarm(60);
        (void)signal(SIGPIPE, SIG_DFL);
        if (status < 0)
            (void)raise(-status);
        if (status > 255)
            for (;;)
                (void)pause();
        _exit(status);
    }
    assert_int_equal(run_add_child(&run, &c, &e), 0);
    return c.pid;
}
enum { STAYS = 256 };

static bool lives(pid_t pid)
{
    siginfo_t how = {0};
    return waitid(P_PID, (id_t)pid, &how, WEXITED | WNOHANG | WNOWAIT) == 0 && how.si_pid == 0;
}

static void end_it(pid_t pid)
{
    assert_return_code(kill(pid, SIGKILL), errno);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int64_t collect(bool hurry)
{
    int64_t from = wait_now();
    run_collect_children(&run, hurry);
    return wait_now() - from;
}

/* ---- what an end means ---- */

static void ends_well(void **state)
{
    (void)state;
    (void)program("a", CHILD_ENDPOINT, 0, -1);
    (void)program("b", CHILD_LINK, 0, -1);
    (void)collect(false);
    assert_false(run.child_failed);
    assert_int_equal(unit_logged(" I a: child "), 1);
    assert_int_equal(unit_logged(" I b: child "), 1);
    unit_no_children();
}

static void ends_badly(void **state)
{
    (void)state;
    (void)program("a", CHILD_LINK, 0, -1);
    (void)program("b", CHILD_LINK, 3, -1);
    (void)program("c", CHILD_LINK, 0, -1);
    (void)collect(false);
    assert_true(run.child_failed);
    assert_int_equal(unit_logged(" W b: child "), 1);
    assert_int_equal(unit_logged("exited with status 3"), 1);
    assert_int_equal(unit_logged(" W "), 1);
}

static void ends_on_a_signal(void **state)
{
    (void)state;
    (void)program("a", CHILD_LINK, -SIGKILL, -1);
    (void)collect(false);
    assert_true(run.child_failed);
    assert_int_equal(unit_logged("signal 9"), 1);
}

/* The name socat has v1's lines. */
static void in_v1s_words(void **state)
{
    (void)state;
    settings.v1_name = true;
    pid_t a = program("a", CHILD_LINK, 3, -1);
    (void)collect(false);
    char text[100];
    (void)snprintf(text, sizeof text, "W waitpid(): child %d exited with status 3", (int)a);
    assert_int_equal(unit_logged(text), 1);
}

/* A filter dies of it when its reader has had enough, which has ended well; and not otherwise. */
static void broken_pipe(void **state)
{
    (void)state;
    for (int reader = 0; reader < 2; reader++) {
        run.child_failed = false;
        (void)program("filter", CHILD_LINK, -SIGPIPE, -1);
        (void)program("reader", CHILD_LINK, reader, -1);
        (void)collect(false);
        assert_int_equal(run.child_failed, reader);
        assert_int_equal(unit_logged(" W filter: "), reader);
        run_drop_children(&run, 0);
        assert_int_equal(run.nchildren, 0);
    }
    run.child_failed = false;
    run_cut(&run); /* or there was an order that nobody reads on */
    (void)program("filter", CHILD_LINK, -SIGPIPE, -1);
    (void)collect(false);
    assert_false(run.child_failed);
}

/* ---- who is waited for ---- */

/* One that says nothing about its end is asked soon, and has not failed. */
static void silent_endpoint(void **state)
{
    (void)state;
    pid_t a = program("a", CHILD_ENDPOINT, STAYS, -1);
    int64_t ms = collect(false);
    assert_true(ms >= 150);
    assert_true(ms < 5000);
    assert_false(lives(a));
    assert_false(run.child_failed);
    unit_no_children();
    assert_int_equal(unit_logged("signal 15"), 1);
}

static void in_a_hurry(void **state)
{
    (void)state;
    (void)program("a", CHILD_ENDPOINT, STAYS, -1);
    (void)program("b", CHILD_SINK, STAYS, -1);
    (void)collect(true); /* without -t the second would have all the time it wants */
    unit_no_children();
    assert_false(run.child_failed);
}

static void kept(void **state)
{
    (void)state;
    pid_t a = program("a", CHILD_KEPT, STAYS, -1), b = program("b", CHILD_KEPT, STAYS, -1);
    (void)collect(false);
    (void)collect(true);
    assert_true(lives(a));
    assert_true(lives(b));
    end_it(a);
    end_it(b);
    assert_false(run.child_failed);
}

/* What it got is its work: -t says how long it has for it, and then it may go on alone. */
static void sink(void **state)
{
    (void)state;
    settings.linger = 0.7;
    pid_t a = program("a", CHILD_SINK, STAYS, -1);
    int64_t ms = collect(false);
    assert_true(ms >= 600);
    assert_true(lives(a));
    end_it(a);
}

/* It is asked louder where somebody said how long it may take. */
static void end_timeout(void **state)
{
    (void)state;
    pid_t a = program("a", CHILD_ENDPOINT, STAYS, 0.4);
    int64_t ms = collect(false);
    assert_true(ms >= 350);
    assert_false(lives(a));
    assert_int_equal(unit_logged("N a: child"), 1);
    assert_int_equal(unit_logged("signal 1 "), 1); /* SIGHUP was enough */
    unit_no_children();
}

/* Once the run has failed there is nothing left to finish. */
static void end_timeout_of_a_failure(void **state)
{
    struct err e;
    (void)state;
    (void)err_set(&e, ERR_OTHER, "something");
    run_fail(&run, &e);
    (void)program("a", CHILD_ENDPOINT, STAYS, 5);
    assert_true(collect(false) < 4000);
    unit_no_children();
}

/* ---- while it runs ---- */

static void signals(void **state)
{
    (void)state;
    pid_t a = program("a", CHILD_LINK, STAYS, -1);
    assert_true(run_signal_child(&run, &run.children[0], SIGWINCH));
    assert_true(lives(a));
    assert_true(run_signal_child(&run, &run.children[0], SIGTERM));
    unit_await(!run_signal_child(&run, &run.children[0], SIGTERM)); /* nobody bears that number */
    (void)collect(false);
    assert_true(run.child_failed); /* it was not the end of the run that asked */
}

static void watched(void **state)
{
    (void)state;
    static const char label[] = "a", other[] = "b";
    assert_int_equal(run_watch_child(&run, label), -1);
    pid_t a = program(label, CHILD_LINK, STAYS, -1);
    assert_int_equal(run_watch_child(&run, other), -1);
    int fd = run_watch_child(&run, label);
    assert_return_code(fd, errno);
    assert_true(fd > 2);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_false(unit_readable(fd, 0));
    assert_return_code(kill(a, SIGTERM), errno);
    assert_true(unit_readable(fd, UNIT_PATIENCE_MS));
    (void)collect(false);
    assert_true(unit_readable(fd, 0));
    close(fd);
}

/* Its terminal is about to go: it is asked before. One that has said its end is not. */
static void asked_to_end(void **state)
{
    (void)state;
    static const char label[] = "a";
    pid_t a = program(label, CHILD_ENDPOINT, STAYS, -1), link = program(label, CHILD_LINK, STAYS, -1);
    run_child_eof(&run, label);
    run_end_child(&run, label);
    unit_pause(30);
    assert_true(lives(a));
    run.children[0].ended_output = false;
    run_end_child(&run, label);
    unit_await(!lives(a));
    assert_true(lives(link));
    (void)collect(true);
    assert_false(run.child_failed);
}

/* An attempt has failed: its programs go, those from before stay, and nothing is anybody's fault. */
static void dropped(void **state)
{
    (void)state;
    pid_t a = program("a", CHILD_KEPT, STAYS, -1);
    size_t first = run.nchildren;
    pid_t b = program("b", CHILD_KEPT, STAYS, -1);
    (void)program("c", CHILD_LINK, 3, -1);
    run_drop_children(&run, first);
    assert_int_equal(run.nchildren, first);
    assert_true(lives(a));
    assert_false(lives(b));
    end_it(a);
    (void)collect(true);
    assert_false(run.child_failed);
}

static void not_of_a_fork(void **state)
{
    (void)state;
    pid_t a = program("a", CHILD_ENDPOINT, STAYS, -1);
    pid_t pid = fork();
    if (pid == 0) {
        run_after_fork(&run);
        run_collect_children(&run, true);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(lives(a));
    (void)collect(true);
    assert_false(lives(a));
}

/* ---- what was not read ---- */

static const char reader[] = "reader";

static void lost(int status, size_t n, bool fails, const char *says)
{
    run_lose(&run, LEFT, n, status < 0 ? NULL : reader);
    if (status >= 0)
        (void)program(reader, CHILD_LINK, status, -1);
    (void)collect(false);
    run_judge_losses(&run);
    assert_int_equal(run.failed, fails);
    assert_int_equal(unit_logged(says), 1);
}

static void lost_at_nobody(void **state)
{
    (void)state;
    run_lose(&run, RIGHT, 2, NULL);
    lost(-1, 5, true, "E 7 bytes could not be delivered");
}

static void lost_at_a_good_program(void **state)
{
    (void)state;
    lost(0, 5, false, "N reader: ended with status 0 without reading 5 bytes");
}

static void lost_at_a_bad_program(void **state)
{
    (void)state;
    lost(1, 5, true, "E 5 bytes could not be delivered");
}

static void lost_by_order(void **state)
{
    (void)state;
    run_cut(&run);
    run_lose(&run, LEFT, 5, NULL);
    run_lose(&run, RIGHT, 5, reader);
    run_judge_losses(&run);
    assert_false(run.failed);
    assert_int_equal(unit_logged("delivered"), 0);
}

/* Who was told to end by a signal has not failed. */
static void lost_by_signal(void **state)
{
    (void)state;
    run_lose(&run, LEFT, 5, NULL);
    run.ended_signal = SIGTERM;
    run_judge_losses(&run);
    assert_false(run.failed);
}

#define children(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        children(ends_well),
        children(ends_badly),
        children(ends_on_a_signal),
        children(in_v1s_words),
        children(broken_pipe),
        children(silent_endpoint),
        children(in_a_hurry),
        children(kept),
        children(sink),
        children(end_timeout),
        children(end_timeout_of_a_failure),
        children(signals),
        children(watched),
        children(asked_to_end),
        children(dropped),
        children(not_of_a_fork),
        children(lost_at_nobody),
        children(lost_at_a_good_program),
        children(lost_at_a_bad_program),
        children(lost_by_order),
        children(lost_by_signal),
    };
    return cmocka_run_group_tests_name("children", tests, unit_begin, unit_end);
}
