/* SPDX-License-Identifier: GPL-2.0-or-later
 * Lock files: taken, busy, waited for, ours already, left behind by the dead, and gone with the run. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/run/lock.h"

static struct settings settings;
static struct run run;
static const char *path;

static int begin(void **state)
{
    (void)state;
    settings = unit_settings();
    unit_run(&run, &settings, NULL, -1);
    path = unit_path("lock");
    unit_log_clear();
    return 0;
}

static int end(void **state)
{
    (void)state;
    unit_run_fini(&run);
    (void)unlink(path);
    return 0;
}

static void says(const char *file, const char *text)
{
    char got[64] = "";
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    assert_return_code(fd, errno);
    assert_true(read(fd, got, sizeof got - 1) >= 0);
    close(fd);
    assert_string_equal(got, text);
}

static void taken(void **state)
{
    struct err e;
    struct stat st;
    char pid[32];
    (void)state;
    mode_t before = umask(022);
    struct unit_count count = unit_count();
    assert_int_equal(lock_take(&run, path, false, &e), 0);
    (void)umask(before);
    (void)snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    says(path, pid);
    assert_return_code(stat(path, &st), errno);
    assert_int_equal(st.st_mode & 07777, 0644);
    unit_nothing_left(count);
    run_remove(&run);
    assert_false(unit_exists(path));
}

/* A second look by the same run, as by its next connection, is none; the lock of others is. */
static void ours_or_not(void **state)
{
    struct err e;
    struct run another;
    (void)state;
    assert_int_equal(lock_take(&run, path, false, &e), 0);
    assert_int_equal(lock_take(&run, path, false, &e), 0);
    unit_run(&another, &settings, NULL, -1);
    assert_int_equal(lock_take(&another, path, false, &e), -1);
    assert_int_equal(e.kind, ERR_BUSY);
    assert_non_null(strstr(e.text, path));
    unit_run_fini(&another);
    assert_true(unit_exists(path)); /* who did not get it does not take it away */
}

/* Only that it is there counts: of whom it says that it is, may be on another machine. */
static void left_behind(void **state)
{
    struct err e;
    (void)state;
    unit_write_file(path, "4194999\n");
    assert_int_equal(lock_take(&run, path, false, &e), -1);
    assert_int_equal(e.kind, ERR_BUSY);
    assert_true(err_may_pass(&e));
    run_remove(&run);
    says(path, "4194999\n");
}

/* Nothing is made where a link leads. */
static void a_link(void **state)
{
    struct err e;
    const char *elsewhere = unit_path("elsewhere");
    (void)state;
    assert_return_code(symlink(elsewhere, path), errno);
    assert_int_equal(lock_take(&run, path, false, &e), -1);
    assert_int_equal(e.kind, ERR_BUSY);
    assert_false(unit_exists(elsewhere));
}

static void impossible(void **state)
{
    struct err e;
    char there[200];
    (void)state;
    (void)snprintf(there, sizeof there, "%s/no/lock", path);
    for (int wait = 0; wait < 2; wait++) { /* nobody waits for that */
        assert_int_equal(lock_take(&run, there, wait, &e), -1);
        assert_int_equal(e.kind, ERR_ABSENT);
        assert_non_null(strstr(e.text, there));
    }
}

static void *free_it(void *arg)
{
    (void)arg;
    for (int ms = 0; ms < UNIT_PATIENCE_MS && !unit_logged("waiting for lock"); ms += 5)
        unit_pause(5);
    unit_pause(1200); /* so that it has looked again in vain */
    (void)unlink(path);
    return NULL;
}

static void waited_for(void **state)
{
    struct err e;
    pthread_t t;
    (void)state;
    unit_write_file(path, "1\n");
    assert_int_equal(pthread_create(&t, NULL, free_it, NULL), 0);
    assert_int_equal(lock_take(&run, path, true, &e), 0);
    assert_int_equal(pthread_join(t, NULL), 0);
    assert_int_equal(unit_logged("N waiting for lock"), 1);
    char pid[32];
    (void)snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    says(path, pid);
    run_remove(&run);
    assert_false(unit_exists(path));
}

/* A stop ends the wait, and the lock stays whose it is. */
static void waited_in_vain(void **state)
{
    struct err e;
    (void)state;
    unit_write_file(path, "1\n");
    int stop = eventfd(1, EFD_CLOEXEC);
    run.stop_fd = stop;
    assert_int_equal(lock_take(&run, path, true, &e), -1);
    assert_int_equal(e.kind, ERR_INTERRUPTED);
    run_remove(&run);
    says(path, "1\n");
    close(stop);
}

/* It is the parent's. */
static void a_fork_later(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(lock_take(&run, path, false, &e), 0);
    pid_t pid = fork();
    if (pid == 0) {
        run_after_fork(&run);
        run_fini(&run);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_true(unit_exists(path));
    unit_run_fini(&run);
    assert_false(unit_exists(path));
    unit_run(&run, &settings, NULL, -1);
}

#define locks(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        locks(taken),      locks(ours_or_not), locks(left_behind),    locks(a_link),
        locks(impossible), locks(waited_for),  locks(waited_in_vain), locks(a_fork_later),
    };
    return cmocka_run_group_tests_name("lock", tests, unit_begin, unit_end);
}
