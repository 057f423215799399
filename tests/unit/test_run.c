/* SPDX-License-Identifier: GPL-2.0-or-later
 * The run: failures, facts, the environment of programs, what is removed at the end and what not,
 * peers, and why it ended. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/endpoint.h"
#include "catena/version.h"
#include "catena/wait.h"

static struct settings settings;
static struct plan *plan;
static struct run run;
static struct unit_count before;

static int begin(void **state)
{
    (void)state;
    settings = unit_settings();
    plan = unit_plan(&settings, "tcp-listen:1,fork", "pipe"); /* has peers */
    before = unit_count();
    unit_run(&run, &settings, plan, -1);
    unit_log_clear();
    return 0;
}

static int end(void **state)
{
    (void)state;
    unit_run_fini(&run);
    plan_free(plan);
    unit_nothing_left(before);
    return 0;
}

static void fail_with(const char *text)
{
    struct err e;
    (void)err_set(&e, ERR_OTHER, "%s", text);
    run_fail(&run, &e);
}

/* ---- failures ---- */

static void first_failure_wins(void **state)
{
    (void)state;
    assert_false(run.failed);
    fail_with("the cause");
    fail_with("a consequence");
    fail_with("another");
    assert_true(run.failed);
    assert_int_equal(unit_logged(" E the cause"), 1);
    assert_int_equal(unit_logged(" I a consequence"), 1);
    assert_int_equal(unit_logged(" I another"), 1);
    assert_int_equal(unit_logged(" E "), 1);
}

static void an_attempt_is_undone(void **state)
{
    (void)state;
    fail_with("the first attempt");
    run_lose(&run, LEFT, 9, "somebody");
    run_forget_failure(&run);
    run_judge_losses(&run);
    assert_false(run.failed);
    fail_with("the second attempt");
    assert_int_equal(unit_logged(" E the second attempt"), 1);
}

/* The engines are told once the line is in use, whichever comes first. */
static void the_others_are_told(void **state)
{
    (void)state;
    run.broken_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    run_broken(&run);
    assert_false(unit_readable(run.broken_fd, 0));
    run_transferring(&run);
    assert_true(unit_readable(run.broken_fd, 0));
    (void)eventfd_read(run.broken_fd, &(eventfd_t){0});
    run_broken(&run);
    assert_true(unit_readable(run.broken_fd, 0));
}

/* ---- facts ---- */

static void has_fact(struct run *r, const char *name, const char *value)
{
    char *got = run_get_fact(r, name);
    if (!value)
        assert_null(got);
    else
        assert_string_equal(got, value);
    free(got);
}

static void facts(void **state)
{
    struct err e;
    char name[] = "PEERADDR", value[] = "192.0.2.1";
    (void)state;
    has_fact(&run, "PEERADDR", NULL);
    assert_int_equal(run_set_fact(&run, NULL, name, value, &e), 0);
    memset(name, 'x', strlen(name)); /* copies */
    memset(value, 'x', strlen(value));
    has_fact(&run, "PEERADDR", "192.0.2.1");
    assert_int_equal(run_set_fact(&run, NULL, "PEERADD", "other", &e), 0);
    assert_int_equal(run_set_fact(&run, NULL, "PEERADDR", "2001:db8::1", &e), 0); /* replaced */
    has_fact(&run, "PEERADDR", "2001:db8::1");
    has_fact(&run, "PEERADD", "other");
    has_fact(&run, "PEER", NULL);
}

static void facts_copied(void **state)
{
    struct err e;
    struct run to;
    (void)state;
    assert_int_equal(run_init(&to, &settings, plan, -1, &e), 0);
    assert_int_equal(run_set_fact(&to, NULL, "PEERPORT", "1", &e), 0);
    assert_int_equal(run_set_fact(&run, NULL, "PEERPORT", "2", &e), 0);
    assert_int_equal(run_set_fact(&run, NULL, "SOCKADDR", "::1", &e), 0);
    assert_int_equal(run_copy_facts(&to, &run, &e), 0);
    assert_int_equal(run_set_fact(&run, NULL, "SOCKADDR", "changed", &e), 0);
    has_fact(&to, "PEERPORT", "2");
    has_fact(&to, "SOCKADDR", "::1"); /* later facts are those of one connection */
    assert_int_equal(run_set_fact(&to, NULL, "TARGETHOST", "h", &e), 0);
    has_fact(&run, "TARGETHOST", NULL);
    run_fini(&to);
}

/* ---- the environment ---- */

static const char *variable(char **env, const char *name)
{
    const char *found = NULL;
    size_t n = strlen(name), times = 0;
    for (; *env; env++)
        if (strncmp(*env, name, n) == 0 && (*env)[n] == '=') {
            found = *env + n + 1;
            times++;
        }
    assert_true(times <= 1);
    return found;
}

static void environment(void **state)
{
    struct err e;
    char pid[24];
    (void)state;
    settings.env_prefix = "NAME";
    assert_int_equal(catena_set_variable(unit_home(), "NAME_PEERADDR", "somebody else's", &e), 0);
    assert_int_equal(catena_set_variable(unit_home(), "NAME_PEER", "another one", &e), 0);
    assert_int_equal(run_set_fact(&run, NULL, "PeerAddr", "192.0.2.1", &e), 0);
    char **env = run_environment(&run, &e);
    assert_non_null(env);
    (void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
    assert_string_equal(variable(env, "NAME_PEERADDR"), "192.0.2.1"); /* once: ours */
    assert_string_equal(variable(env, "NAME_PEER"), "another one");
    assert_string_equal(variable(env, "NAME_PID"), pid);
    assert_string_equal(variable(env, "NAME_PPID"), pid);
    assert_string_equal(variable(env, "NAME_VERSION"), catena_version);
    assert_string_equal(variable(env, "PATH"), getenv("PATH"));
    run_free_environment(env);
    run_free_environment(NULL);
    run_after_fork(&run);
    env = run_environment(&run, &e);
    (void)snprintf(pid, sizeof pid, "%ld", (long)getppid());
    assert_string_equal(variable(env, "NAME_PPID"), pid);
    run_free_environment(env);
    catena_fini(unit_home());
}

/* ---- removals ---- */

static void make_entry(const char *path)
{
    struct err e;
    unit_write_file(path, "x");
    assert_int_equal(endpoint_remove_at_exit(&run, path, &e), 0);
}

static void removed(void **state)
{
    const char *a = unit_path("a"), *b = unit_path("b");
    (void)state;
    make_entry(a);
    make_entry(b);
    make_entry(a); /* opened again: once is enough */
    run_remove(&run);
    assert_false(unit_exists(a));
    assert_false(unit_exists(b));
    unit_write_file(a, "later");
    run_remove(&run); /* nothing is left to be removed */
    assert_true(unit_exists(a));
    assert_return_code(unlink(a), errno);
    assert_int_equal(unit_logged("cannot remove"), 0);
}

/* The name is another file's by now, and that one stays; the one made last is ours. */
static void removed_but_not_others(void **state)
{
    const char *a = unit_path("a"), *b = unit_path("b"), *other = unit_path("other");
    (void)state;
    make_entry(a);
    unit_write_file(other, "somebody's");
    assert_return_code(rename(other, a), errno);
    make_entry(b);
    unit_write_file(other, "ours, too");
    assert_return_code(rename(other, b), errno);
    struct err e;
    assert_int_equal(endpoint_remove_at_exit(&run, b, &e), 0);
    run_remove(&run);
    assert_true(unit_exists(a));
    assert_false(unit_exists(b));
    assert_int_equal(unit_logged("is another one by now and stays"), 1);
    assert_return_code(unlink(a), errno);
}

/* Somebody was faster: that is no news. What cannot be removed is. */
static void removed_already(void **state)
{
    const char *a = unit_path("a"), *sub = unit_path("sub");
    (void)state;
    make_entry(a);
    assert_return_code(unlink(a), errno);
    run_remove(&run);
    assert_int_equal(unit_logged(" W "), 0);
    assert_int_equal(unit_logged(" I cannot remove"), 1);
    struct err e;
    assert_return_code(mkdir(sub, 0700), errno);
    assert_int_equal(endpoint_remove_at_exit(&run, sub, &e), 0);
    run_remove(&run);
    assert_int_equal(unit_logged(" W cannot remove"), 1);
    assert_return_code(rmdir(sub), errno);
}

/* A relative name is that of the directory where it was made. */
static void removed_where_it_was(void **state)
{
    char was[4096];
    struct err e;
    const char *a = unit_path("a");
    (void)state;
    assert_non_null(getcwd(was, sizeof was));
    unit_write_file(a, "x");
    assert_return_code(chdir(unit_path(".")), errno);
    assert_int_equal(endpoint_remove_at_exit(&run, "a", &e), 0);
    assert_return_code(chdir("/"), errno);
    run_remove(&run);
    assert_false(unit_exists(a));
    assert_return_code(chdir(was), errno);
}

static void queue_removed(void **state)
{
    struct err e;
    char name[40];
    (void)state;
    (void)snprintf(name, sizeof name, "/catena-unit-%d", (int)getpid());
    mqd_t q = mq_open(name, O_CREAT | O_RDWR, 0600, NULL);
    if (q < 0)
        skip(); /* a system without */
    (void)mq_close(q);
    assert_int_equal(endpoint_remove_queue_at_exit(&run, name, &e), 0);
    run_remove(&run);
    assert_int_equal(mq_open(name, O_RDWR), -1);
    assert_int_equal(errno, ENOENT);
}

/* It goes on with the parent's things, which are still in use. */
static void a_child_removes_nothing(void **state)
{
    const char *a = unit_path("a"), *b = unit_path("b");
    (void)state;
    make_entry(a);
    pid_t pid = fork();
    if (pid == 0) {
        struct err e;
        run_after_fork(&run);
        unit_write_file(b, "its own");
        int rc = endpoint_remove_at_exit(&run, b, &e);
        run_fini(&run);
        _exit(rc == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(unit_exists(a));
    assert_false(unit_exists(b));
    run_remove(&run);
    assert_false(unit_exists(a));
}

/* ---- peers and ends ---- */

static void peers(void **state)
{
    (void)state;
    assert_true(run_wants_peer(&run));
    assert_null(run_give_met(&run));
    run_meet(&run, "first");
    run_meet(&run, "second");
    char *met = run_give_met(&run);
    assert_string_equal(met, "second");
    free(met);
    assert_null(run_give_met(&run)); /* given once */
    run_meet(&run, "third");
    run_serves(&run, LEFT);
    assert_string_equal(atomic_load(&run.peer.name), "third");
    assert_false(run_wants_peer(&run));
    run_meet(&run, "the other side's"); /* is nobody's business any more */
    assert_null(run_give_met(&run));
}

static void ended(int side, const enum run_end *why, bool failed, const char *text)
{
    struct run r;
    struct err e;
    assert_int_equal(run_init(&r, &settings, plan, -1, &e), 0);
    run_meet(&r, "somebody");
    run_serves(&r, side);
    atomic_store(&r.bytes[LEFT], 11);
    atomic_store(&r.bytes[RIGHT], 22);
    for (; *why; why++)
        run_ends(&r, *why);
    unit_log_clear();
    run_tell_end(&r, failed);
    run_fini(&r);
    if (!strstr(unit_log(), text))
        fail_msg("\"%s\" is not in: %s", text, unit_log());
    const char *bytes = side == LEFT ? "11 bytes from it, 22 bytes to it"
                                     : "22 bytes from it, 11 bytes to it";
    assert_int_equal(unit_logged(bytes), 1);
}

static void ends(void **state)
{
    (void)state;
    ended(LEFT, (enum run_end[]){END_LEFT, END_RIGHT, 0}, false, "; it ended first");
    ended(LEFT, (enum run_end[]){END_RIGHT, END_LEFT, 0}, false, "; our side ended first");
    ended(RIGHT, (enum run_end[]){END_RIGHT, END_LEFT, 0}, false, "; it ended first");
    ended(LEFT, (enum run_end[]){END_LEFT, END_IDLE, 0}, false, "nothing came within -T");
    ended(LEFT, (enum run_end[]){END_STOPPED, END_LEFT, 0}, false, "the listener has ended");
    ended(LEFT, (enum run_end[]){0}, false, "ended by order");
    ended(LEFT, (enum run_end[]){END_LEFT, 0}, true, "an error ended it");
    unit_log_clear();
    run_tell_end(&run, false); /* served nobody in particular */
    assert_string_equal(unit_log(), "");
}

/* The nearest millisecond, also where a product falls short of it. */
static void milliseconds(void **state)
{
    (void)state;
    assert_int_equal(wait_ms(0.3), 300);
    assert_int_equal(wait_ms(1.001), 1001);
    assert_int_equal(wait_ms(0.0001), 0);
    assert_true(wait_ms(1e300) > INT64_C(1000000000000));
}

#define runs(f) cmocka_unit_test_setup_teardown(f, begin, end)

/* A caller may take an interruption for a failure of its own, and wait for the next attempt. */
static void who_was_told_to_end_stays_told(void **state)
{
    struct err e = {0};
    int64_t start = wait_now();
    (void)state;
    assert_int_equal(wait_seconds(&run, 0.01, &e), 0);
    run.ended_signal = SIGTERM;
    assert_int_equal(wait_seconds(&run, 60, &e), -1);
    assert_int_equal(e.kind, ERR_INTERRUPTED);
    assert_int_equal(wait_fd(&run, -1, 0, -1, &e), -1);
    assert_int_equal(e.kind, ERR_INTERRUPTED);
    assert_true(wait_now() - start < 20000);
    assert_int_equal(wait_rest(&run, -1, wait_now() + 10), 0); /* for what is left there is time */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        runs(first_failure_wins),
        runs(an_attempt_is_undone),
        runs(the_others_are_told),
        runs(facts),
        runs(facts_copied),
        runs(environment),
        runs(removed),
        runs(removed_but_not_others),
        runs(removed_already),
        runs(removed_where_it_was),
        runs(queue_removed),
        runs(a_child_removes_nothing),
        runs(peers),
        runs(ends),
        runs(who_was_told_to_end_stays_told),
        cmocka_unit_test(milliseconds),
    };
    return cmocka_run_group_tests_name("run", tests, unit_begin, unit_end);
}
