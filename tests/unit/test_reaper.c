/* SPDX-License-Identifier: GPL-2.0-or-later
 * The children of a process: how each ended is told to who started it and to nobody else, in any
 * order, from several threads, and strangers are collected, too. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/reaper.h"

static struct reaper it, *const reaper = &it;

static int make(void **state)
{
    struct err e;
    (void)state;
    return reaper_init(reaper, &e);
}

static int end(void **state)
{
    (void)state;
    reaper_fini(reaper);
    unit_no_children();
    return 0;
}

/* A child that ends with that status once nobody holds the other end of the gate. */
static pid_t child(int gate[2], int status, reaper_ended *ended, void *arg, int *pidfd)
{
    pid_t pid = reaper_fork(reaper, ended, arg, pidfd);
    assert_return_code(pid, errno);
    if (pid == 0) {
        char c;
        if (gate) {
            close(gate[1]);
            (void)!read(gate[0], &c, 1);
        }
        _exit(status);
    }
    return pid;
}

static void has_ended(pid_t pid) /* and is not collected */
{
    siginfo_t how;
    assert_return_code(waitid(P_PID, (id_t)pid, &how, WEXITED | WNOWAIT), errno);
}

static void ended_with(pid_t pid, int status)
{
    siginfo_t how;
    assert_int_equal(reaper_status(reaper, pid, &how), 1);
    assert_int_equal(how.si_pid, pid);
    assert_int_equal(how.si_code, CLD_EXITED);
    assert_int_equal(how.si_status, status);
    assert_int_equal(reaper_status(reaper, pid, &how), -1); /* it is told once */
}

/* ---- who asks ---- */

static void status_is_kept(void **state)
{
    siginfo_t how;
    int gate[2];
    (void)state;
    assert_return_code(pipe2(gate, O_CLOEXEC), errno);
    pid_t a = child(gate, 7, NULL, NULL, NULL);
    assert_int_equal(reaper_status(reaper, a, &how), 0);
    reaper_collect(reaper); /* nobody has ended */
    assert_int_equal(reaper_status(reaper, a, &how), 0);
    close(gate[0]);
    close(gate[1]);
    has_ended(a);
    reaper_collect(reaper);
    unit_no_children();
    ended_with(a, 7);
}

/* Who asks does not wait for the one who collects. */
static void status_before_collecting(void **state)
{
    (void)state;
    pid_t a = child(NULL, 3, NULL, NULL, NULL);
    has_ended(a);
    ended_with(a, 3);
    reaper_collect(reaper);
    pid_t b = child(NULL, 4, NULL, NULL, NULL);
    reaper_await(reaper, b);
    siginfo_t how;
    assert_int_equal(reaper_status(reaper, b, &how), -1);
}

static void signals_are_told(void **state)
{
    int gate[2];
    siginfo_t how;
    (void)state;
    assert_return_code(pipe2(gate, O_CLOEXEC), errno);
    pid_t a = child(gate, 0, NULL, NULL, NULL);
    assert_return_code(kill(a, SIGKILL), errno);
    has_ended(a);
    reaper_collect(reaper);
    assert_int_equal(reaper_status(reaper, a, &how), 1);
    assert_int_equal(how.si_code, CLD_KILLED);
    assert_int_equal(how.si_status, SIGKILL);
    close(gate[0]);
    close(gate[1]);
}

static void nobody_is_known(void **state)
{
    siginfo_t how;
    (void)state;
    assert_int_equal(reaper_status(reaper, getppid(), &how), -1);
    reaper_forget(reaper, getppid());
    reaper_collect(NULL);
    reaper_forget(NULL, 1);
    reaper_forget_all(NULL, NULL);
    reaper_fini(NULL);
}

/* Without a reaper who starts a child is the one who collects it. */
static void without_a_reaper(void **state)
{
    siginfo_t how;
    int pidfd;
    (void)state;
    pid_t pid = reaper_fork(NULL, NULL, NULL, &pidfd);
    if (pid == 0)
        _exit(9);
    has_ended(pid);
    assert_int_equal(reaper_status(NULL, pid, &how), 1);
    assert_int_equal(how.si_status, 9);
    assert_int_equal(reaper_status(NULL, pid, &how), -1);
    close(pidfd);
}

static void pidfds(void **state)
{
    int gate[2], pidfd = -1;
    (void)state;
    assert_return_code(pipe2(gate, O_CLOEXEC), errno);
    pid_t a = child(gate, 0, NULL, NULL, &pidfd);
    assert_return_code(pidfd, errno);
    assert_true(fcntl(pidfd, F_GETFD) & FD_CLOEXEC);
    assert_false(unit_readable(pidfd, 0));
    close(gate[0]);
    close(gate[1]);
    assert_true(unit_readable(pidfd, UNIT_PATIENCE_MS));
    ended_with(a, 0);
    assert_true(unit_readable(pidfd, 0)); /* still: whoever waits hears of it */
    close(pidfd);
}

/* ---- who is told ---- */

static struct told {
    pid_t pid;
    int status;
    unsigned times;
} told[4];

static void tell(void *arg, const siginfo_t *how)
{
    struct told *t = arg;
    *t = (struct told){how->si_pid, how->si_status, t->times + 1};
}

static void ends_are_told(void **state)
{
    siginfo_t how;
    (void)state;
    told[0].times = 0;
    pid_t a = child(NULL, 5, tell, &told[0], NULL);
    has_ended(a);
    assert_int_equal(told[0].times, 0); /* only where the process collects */
    reaper_collect(reaper);
    reaper_collect(reaper);
    assert_int_equal(told[0].times, 1);
    assert_int_equal(told[0].pid, a);
    assert_int_equal(told[0].status, 5);
    assert_int_equal(reaper_status(reaper, a, &how), -1);
}

/* What is taken out of the middle takes nobody else with it. */
static void forgotten_from_the_middle(void **state)
{
    siginfo_t how;
    (void)state;
    for (int out = 0; out < 3; out++) {
        for (int collected = 0; collected < 2; collected++) {
            pid_t pid[3];
            for (int i = 0; i < 3; i++) {
                pid[i] = child(NULL, 10 + i, NULL, NULL, NULL);
                has_ended(pid[i]);
            }
            if (collected)
                reaper_collect(reaper);
            reaper_forget(reaper, pid[out]);
            reaper_collect(reaper);
            assert_int_equal(reaper_status(reaper, pid[out], &how), -1);
            for (int i = 0; i < 3; i++)
                if (i != out)
                    ended_with(pid[i], 10 + i);
        }
    }
}

/* The same when it is an end that was told that takes it out. */
static void told_from_the_middle(void **state)
{
    (void)state;
    told[1].times = 0;
    pid_t a = child(NULL, 1, NULL, NULL, NULL), b = child(NULL, 2, tell, &told[1], NULL);
    pid_t c = child(NULL, 3, NULL, NULL, NULL);
    has_ended(a);
    has_ended(b);
    has_ended(c);
    reaper_collect(reaper);
    assert_int_equal(told[1].times, 1);
    ended_with(c, 3);
    ended_with(a, 1);
}

static void forgotten_by_whom(void **state)
{
    pid_t pid[6];
    const int of[6] = {0, 1, 0, 0, 1, 0};
    (void)state;
    told[0].times = told[1].times = 0;
    for (int i = 0; i < 6; i++)
        pid[i] = child(NULL, 20 + i, tell, &told[of[i]], NULL);
    reaper_forget_all(reaper, &told[0]);
    for (int i = 0; i < 6; i++)
        has_ended(pid[i]);
    reaper_collect(reaper);
    assert_int_equal(told[0].times, 0);
    assert_int_equal(told[1].times, 2);
}

static void many(void **state)
{
    enum { N = 50 };
    pid_t pid[N];
    (void)state;
    for (int i = 0; i < N; i++)
        pid[i] = child(NULL, i, NULL, NULL, NULL);
    for (int i = 0; i < N; i++)
        has_ended(pid[i]);
    reaper_collect(reaper);
    for (int i = N; i-- > 0;)
        ended_with(pid[i], i);
}

/* ---- forked, strangers, threads ---- */

static void a_child_has_no_children(void **state)
{
    siginfo_t how;
    (void)state;
    told[0].times = 0;
    pid_t kept = child(NULL, 4, NULL, NULL, NULL);
    has_ended(kept);
    reaper_collect(reaper);
    pid_t before = child(NULL, 0, tell, &told[0], NULL);
    has_ended(before);
    pid_t pid = reaper_fork(reaper, NULL, NULL, NULL);
    if (pid == 0) { /* those before are not its own, and those of its own are */
        bool good = reaper_status(reaper, before, &how) == -1 &&
                    reaper_status(reaper, kept, &how) == -1;
        pid_t own = reaper_fork(reaper, NULL, NULL, NULL);
        if (own == 0)
            _exit(8);
        has_ended(own);
        reaper_collect(reaper);
        good &= reaper_status(reaper, own, &how) == 1 && how.si_status == 8;
        _exit(good && told[0].times == 0 ? 0 : 1);
    }
    has_ended(pid);
    reaper_collect(reaper);
    ended_with(pid, 0);
    ended_with(kept, 4);
    assert_int_equal(told[0].times, 1);
}

/* As process 1 gets them: a child of a child that has ended. */
static void strangers(void **state)
{
    int told_pid[2], gate[2];
    pid_t stranger = 0;
    siginfo_t how;
    (void)state;
    assert_return_code(prctl(PR_SET_CHILD_SUBREAPER, 1), errno);
    assert_return_code(pipe2(told_pid, O_CLOEXEC), errno);
    assert_return_code(pipe2(gate, O_CLOEXEC), errno);
    pid_t a = reaper_fork(reaper, NULL, NULL, NULL);
    if (a == 0) {
        pid_t b = fork();
        if (b == 0) {
            char c;
            close(gate[1]);
            (void)!read(gate[0], &c, 1); /* outlives its parent */
            _exit(6);
        }
        (void)!write(told_pid[1], &b, sizeof b);
        _exit(0);
    }
    assert_int_equal(read(told_pid[0], &stranger, sizeof stranger), sizeof stranger);
    has_ended(a);
    close(gate[0]);
    close(gate[1]);
    has_ended(stranger); /* so it is ours now */
    reaper_collect(reaper);
    unit_no_children();
    assert_int_equal(reaper_status(reaper, stranger, &how), -1);
    ended_with(a, 0);
    assert_return_code(prctl(PR_SET_CHILD_SUBREAPER, 0), errno);
    close(told_pid[0]);
    close(told_pid[1]);
}

/* Those who were there before an exec have ended by now. */
static void collected_at_the_beginning(void **state)
{
    struct err e;
    (void)state;
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    has_ended(pid);
    struct reaper another;
    assert_int_equal(reaper_init(&another, &e), 0);
    unit_no_children();
    reaper_fini(&another);
}

static atomic_uint wrong;

static void *start_and_ask(void *arg)
{
    siginfo_t how;
    for (int i = 0; i < 10; i++) {
        int status = i + (int)(intptr_t)arg, rc, pidfd;
        pid_t pid = reaper_fork(reaper, NULL, NULL, &pidfd);
        if (pid == 0)
            _exit(status);
        while ((rc = reaper_status(reaper, pid, &how)) == 0) {
            (void)unit_readable(pidfd, 1000);
            reaper_collect(reaper);
        }
        if (rc != 1 || how.si_status != status || how.si_pid != pid)
            atomic_fetch_add(&wrong, 1);
        close(pidfd);
    }
    return NULL;
}

/* Whoever collects, each gets the ends of its own. */
static void from_threads(void **state)
{
    pthread_t t[4];
    (void)state;
    atomic_store(&wrong, 0);
    for (intptr_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, start_and_ask, (void *)(i * 50)), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    assert_int_equal(atomic_load(&wrong), 0);
}

#define reaps(f) cmocka_unit_test_setup_teardown(f, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        reaps(status_is_kept),
        reaps(status_before_collecting),
        reaps(signals_are_told),
        reaps(nobody_is_known),
        reaps(without_a_reaper),
        reaps(pidfds),
        reaps(ends_are_told),
        reaps(forgotten_from_the_middle),
        reaps(told_from_the_middle),
        reaps(forgotten_by_whom),
        reaps(many),
        reaps(a_child_has_no_children),
        reaps(strangers),
        reaps(collected_at_the_beginning),
        reaps(from_threads),
    };
    return cmocka_run_group_tests_name("reaper", tests, unit_begin, unit_end);
}
