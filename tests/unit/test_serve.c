/* SPDX-License-Identifier: GPL-2.0-or-later
 * From a plan to its runs, each in a process of its own, which says whether something is left over:
 * exit statuses, retry, fork and thread, signals, lock files, and what is removed. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/serve/serve.h"

enum { LEFT_OVER = 99 }; /* the status of one that leaves something open */

static struct settings settings;
static char addresses[2][300];

/* The pieces of an address, with the group's directory for each "@". */
static const char *in_dir(int side, const char *text)
{
    char *out = addresses[side];
    size_t n = 0;
    for (; *text; text++)
        n += (size_t)(*text == '@' ? snprintf(out + n, sizeof addresses[0] - n, "%s", unit_path(""))
                                   : snprintf(out + n, sizeof addresses[0] - n, "%c", *text));
    return out;
}

static pid_t start(const char *left, const char *right)
{
    struct plan *plan = unit_plan(&settings, in_dir(LEFT, left), in_dir(RIGHT, right));
    pid_t pid = fork();
    assert_return_code(pid, errno);
    if (pid == 0) {
        bool forked = false;
        (void)alarm(60);
        int fd = unit_signal_fd();
        size_t before = unit_count().descriptors, threads = unit_count().threads;
        int status = serve(&settings, plan, fd, &forked);
        for (int ms = 0; ms < 1000 && unit_count().threads > threads; ms += 5)
            unit_pause(5);
        bool left_over = unit_count().descriptors != before || unit_count().threads != threads;
        _exit(left_over && !forked ? LEFT_OVER : status);
    }
    plan_free(plan);
    return pid;
}

static void ends_with(pid_t pid, int want)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != want)
        fail_msg("status %d instead of %d; %s", WEXITSTATUS(status), want, unit_log());
}

static int begin(void **state)
{
    (void)state;
    settings = unit_settings();
    unit_log_clear();
    return 0;
}

static void holds(const char *path, const char *text)
{
    char got[100] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_return_code(fd, errno);
    assert_true(read(fd, got, sizeof got - 1) >= 0);
    close(fd);
    assert_string_equal(got, text);
    assert_return_code(unlink(path), errno);
}

/* ---- one run ---- */

static void relays(void **state)
{
    static const char *const chains[] = {"create:@out", "gzip|^gzip|create:@out", "exec1:cat|create:@out"};
    (void)state;
    settings.to_left = false;
    unit_write_file(unit_path("in"), "some text");
    for (size_t i = 0; i < sizeof chains / sizeof chains[0]; i++) {
        ends_with(start("open:@in", chains[i]), 0);
        holds(unit_path("out"), "some text");
    }
    assert_int_equal(unit_logged("N exiting with status 0"), 3);
}

static void fails(void **state)
{
    (void)state;
    settings.to_left = false;
    ends_with(start("open:@missing", "create:@out"), 1);
    assert_int_equal(unit_logged(" E "), 1);
    assert_false(unit_exists(unit_path("out"))); /* the left chain comes first */
    unit_write_file(unit_path("in"), "x");
    ends_with(start("open:@in", "create:@no/out"), 1);
    ends_with(start("open:@in", "^gzip|create:@out"), 1); /* while relaying */
    ends_with(start("open:@in", "system:'cat >/dev/null; exit 3'"), 1);
    ends_with(start("open:@in", "system:'cat >/dev/null'"), 0);
}

static void signalled(void **state)
{
    (void)state;
    pid_t pid = start("unix-listen:@sock", "pipe");
    unit_await(unit_exists(unit_path("sock")));
    assert_return_code(kill(pid, SIGTERM), errno);
    ends_with(pid, 128 + SIGTERM);
    assert_false(unit_exists(unit_path("sock")));
    assert_int_equal(unit_logged("exiting on signal 15"), 1);
}

static void nobody_comes(void **state)
{
    (void)state;
    ends_with(start("unix-listen:@sock,accept-timeout=0.1", "pipe"), 0);
    assert_false(unit_exists(unit_path("sock")));
}

static void locked(void **state)
{
    (void)state;
    settings.to_left = false;
    settings.lockfile = unit_path("lock");
    unit_write_file(unit_path("in"), "some text");
    ends_with(start("open:@in", "create:@out"), 0);
    holds(unit_path("out"), "some text");
    assert_false(unit_exists(settings.lockfile));
    unit_write_file(settings.lockfile, "1\n");
    ends_with(start("open:@in", "create:@out"), 1);
    assert_false(unit_exists(unit_path("out")));
    assert_true(unit_exists(settings.lockfile));
    assert_return_code(unlink(settings.lockfile), errno);
}

/* ---- retry ---- */

static int listen_at(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    assert_return_code(bind(fd, (struct sockaddr *)&a, sizeof a), errno);
    assert_return_code(listen(fd, 5), errno);
    return fd;
}

static void tries_again(void **state)
{
    (void)state;
    settings.to_left = false;
    unit_write_file(unit_path("in"), "some text");
    ends_with(start("open:@in", "unix-connect:@sock,retry=3,interval=0.01"), 1);
    assert_int_equal(unit_logged(" N second address"), 3);
    assert_int_equal(unit_logged(" E second address"), 1);
    unit_log_clear();
    pid_t pid = start("open:@in", "gzip|^gzip|unix-connect:@sock,forever,interval=0.01");
    unit_await(unit_logged(" N second address") >= 3);
    int fd = listen_at(unit_path("sock")), c = accept(fd, NULL, NULL);
    char got[20] = "";
    assert_int_equal(recv(c, got, sizeof got, MSG_WAITALL), 9);
    assert_string_equal(got, "some text");
    close(c);
    close(fd);
    ends_with(pid, 0);
    assert_int_equal(unit_logged(" E "), 0);
    assert_return_code(unlink(unit_path("sock")), errno);
}

/* ---- many ---- */

static int client(void)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", unit_path("sock"));
    unit_await(connect(fd, (struct sockaddr *)&a, sizeof a) == 0);
    return fd;
}

static void is_echoed(int fd)
{
    char got[6] = "";
    assert_int_equal(send(fd, "hello", 5, MSG_NOSIGNAL), 5);
    assert_true(unit_readable(fd, UNIT_PATIENCE_MS));
    assert_int_equal(recv(fd, got, 5, MSG_WAITALL), 5);
    assert_string_equal(got, "hello");
}

/* It ends when its client does, and the listener goes on; those who are served outlive its end. */
static void serves_many(const char *left, const char *right, bool outlive)
{
    int c[4];
    print_message("%s  %s\n", left, right);
    pid_t pid = start(left, right);
    for (int i = 0; i < 4; i++)
        is_echoed(c[i] = client());
    close(c[1]);
    is_echoed(c[3]);
    int late = client();
    is_echoed(late);
    assert_return_code(kill(pid, SIGTERM), errno);
    if (outlive) {
        unit_await(!unit_exists(unit_path("sock")));
        is_echoed(c[0]);
    } else {
        ends_with(pid, 128 + SIGTERM);
        is_echoed(c[0]);
    }
    close(c[0]);
    close(c[2]);
    close(c[3]);
    close(late);
    if (outlive)
        ends_with(pid, 128 + SIGTERM);
    assert_false(unit_exists(unit_path("sock")));
}

static void forks(void **state)
{
    (void)state;
    serves_many("unix-listen:@sock,fork", "pipe", false);
    serves_many("unix-listen:@sock,fork", "gzip|^gzip|pipe", false);
}

static void starts_threads(void **state)
{
    (void)state;
    serves_many("unix-listen:@sock,thread", "pipe", true);
    serves_many("unix-listen:@sock,thread", "gzip|^gzip|pipe", true);
    serves_many("gzip|^gzip|unix-listen:@sock,thread", "pipe", true);
}

/* One more waits until another has ended. */
static void serves_no_more_than(const char *left)
{
    char c;
    pid_t pid = start(left, "pipe");
    int a = client(), b = client();
    is_echoed(a);
    assert_int_equal(send(b, "x", 1, MSG_NOSIGNAL), 1);
    assert_false(unit_readable(b, 150));
    close(a);
    assert_true(unit_readable(b, UNIT_PATIENCE_MS));
    assert_int_equal(read(b, &c, 1), 1);
    close(b);
    assert_return_code(kill(pid, SIGTERM), errno);
    ends_with(pid, 128 + SIGTERM);
}

static void bounded(void **state)
{
    (void)state;
    serves_no_more_than("unix-listen:@sock,fork,max-children=1");
    serves_no_more_than("unix-listen:@sock,thread,max-children=1");
}

/* The second signal ends those that are being served in threads. */
static void signalled_twice(void **state)
{
    char c;
    (void)state;
    pid_t pid = start("unix-listen:@sock,thread", "gzip|^gzip|pipe");
    int a = client();
    is_echoed(a);
    assert_return_code(kill(pid, SIGTERM), errno);
    unit_await(unit_logged("connections still at work: 1") == 1);
    is_echoed(a);
    assert_return_code(kill(pid, SIGTERM), errno);
    ends_with(pid, 128 + SIGTERM);
    assert_int_equal(read(a, &c, 1), 0);
    close(a);
}

#define serves(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        serves(relays),      serves(fails), serves(signalled),      serves(nobody_comes), serves(locked),
        serves(tries_again), serves(forks), serves(starts_threads), serves(bounded),      serves(signalled_twice),
    };
    return cmocka_run_group_tests_name("serve", tests, unit_begin, unit_end);
}
