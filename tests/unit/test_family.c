/* SPDX-License-Identifier: GPL-2.0-or-later
 * A signal to a program and all that descends from it, whatever it has started and however deep;
 * nobody else gets it. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/family.h"

/* Each member of a family says its letter when it is there, and the small letter when a SIGTERM has
 * come; SIGUSR1 ends it without a word. */
static int says[2];

static char letter;

static void say(int sig)
{
    char c = (char)(letter - 'A' + 'a');
    (void)sig;
    (void)!write(says[1], &c, 1);
    _exit(0);
}

static _Noreturn void stay(char who)
{
    letter = who;
    (void)alarm(60); /* whoever is forgotten */
    (void)signal(SIGTERM, say);
    (void)signal(SIGUSR1, SIG_DFL);
    (void)!write(says[1], &who, 1);
    for (;;)
        (void)pause();
}

static pid_t fork_member(char who)
{
    pid_t pid = fork();
    assert_return_code(pid, errno);
    if (pid == 0)
        stay(who);
    return pid;
}

/* Reads until all of these letters have been said; in any order, each once. */
static void hear(const char *letters)
{
    char left[16];
    (void)snprintf(left, sizeof left, "%s", letters);
    while (*left) {
        char c = 0, *at;
        assert_true(unit_readable(says[0], UNIT_PATIENCE_MS));
        assert_int_equal(read(says[0], &c, 1), 1);
        at = strchr(left, c);
        assert_non_null(at);
        memmove(at, at + 1, strlen(at));
    }
}

static void hear_no_more(void)
{
    assert_false(unit_readable(says[0], 50));
}

/* Orphans are ours: all that a test has started has ended with it. */
static int begin(void **state)
{
    (void)state;
    return prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -1 : pipe2(says, O_CLOEXEC);
}

static int end(void **state)
{
    (void)state;
    while (waitpid(-1, NULL, 0) > 0)
        ;
    close(says[0]);
    return close(says[1]);
}

static void all_generations(void **state)
{
    (void)state;
    pid_t beside = fork_member('X');
    pid_t pid = fork();
    if (pid == 0) {
        pid_t child = fork();
        if (child == 0) {
            (void)fork_member('C');
            stay('B');
        }
        (void)fork_member('D');
        stay('A');
    }
    hear("ABCDX");
    family_signal(pid, false, SIGTERM);
    hear("abcd");
    hear_no_more();
    assert_return_code(kill(beside, SIGUSR1), errno);
}

/* While it looks around it has them held; all go on afterwards. */
static void goes_on(void **state)
{
    int status;
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        (void)fork_member('B');
        stay('A');
    }
    hear("AB");
    family_signal(pid, false, SIGWINCH); /* ignored by default */
    hear_no_more();
    assert_int_equal(waitpid(pid, &status, WUNTRACED | WNOHANG), 0); /* neither stopped nor ended */
    family_signal(pid, false, SIGTERM);
    hear("ab");
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
}

/* One that was stopped hears of it, too. */
static void stopped(void **state)
{
    int status;
    (void)state;
    pid_t pid = fork_member('A');
    hear("A");
    assert_return_code(kill(pid, SIGSTOP), errno);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    family_signal(pid, false, SIGTERM);
    hear("a");
}

/* A member of the group that nobody is the parent of any more, and one that has a group of its own. */
static pid_t group_with_orphan(bool survives)
{
    pid_t pid = fork();
    assert_return_code(pid, errno);
    if (pid == 0) {
        (void)setpgid(0, 0);
        pid_t between = fork();
        if (between == 0) {
            (void)fork_member('O');
            _exit(0);
        }
        (void)waitpid(between, NULL, 0);
        if (fork() == 0) {
            (void)setpgid(0, 0);
            stay('G');
        }
        if (survives)
            stay('A');
        _exit(0);
    }
    hear(survives ? "AOG" : "OG");
    return pid;
}

static void of_a_group(void **state)
{
    (void)state;
    pid_t pid = group_with_orphan(true);
    family_signal(pid, true, SIGTERM);
    hear("aog");
    hear_no_more(); /* each once, though in the group and a child */
}

static void not_of_a_group(void **state)
{
    (void)state;
    pid_t pid = group_with_orphan(true);
    family_signal(pid, false, SIGTERM);
    hear("ag");
    hear_no_more(); /* who has left for another parent is left alone */
    assert_return_code(kill(-pid, SIGTERM), errno);
    hear("o");
}

/* Whose parent ends of it before he himself goes on gets that signal all the same, and no other. */
static void own_groups(void **state)
{
    (void)state;
    for (int n = 0; n < 20; n++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (int i = 0; i < 4; i++) {
                if (fork() == 0) {
                    (void)setpgid(0, 0);
                    stay('G');
                }
            }
            stay('A');
        }
        hear("AGGGG");
        family_signal(pid, false, SIGTERM);
        hear("agggg");
    }
}

static void orphans(void **state)
{
    (void)state;
    pid_t pid = group_with_orphan(false);
    siginfo_t how;
    assert_return_code(waitid(P_PID, (id_t)pid, &how, WEXITED | WNOWAIT), errno);
    family_signal_orphans(pid, SIGTERM);
    hear_no_more(); /* somebody bears that number: not collected yet */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    family_signal_orphans(pid, SIGTERM);
    hear("o");
    hear_no_more();
    int left; /* G, in a group of its own */
    FILE *f = fopen("/proc/thread-self/children", "re");
    assert_non_null(f);
    while (fscanf(f, "%d", &left) == 1)
        (void)kill(left, SIGUSR1);
    (void)fclose(f);
}

/* More than fit where a list begins. */
static void many_children(void **state)
{
    enum { N = 40 };
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < N; i++)
            (void)fork_member('B');
        stay('A');
    }
    for (int i = 0; i <= N; i++) {
        char c;
        assert_int_equal(read(says[0], &c, 1), 1);
    }
    family_signal(pid, false, SIGTERM);
    for (int i = 0; i <= N; i++) {
        char c;
        assert_true(unit_readable(says[0], UNIT_PATIENCE_MS));
        assert_int_equal(read(says[0], &c, 1), 1);
        assert_true(c == 'a' || c == 'b');
    }
}

#define family(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        family(all_generations), family(goes_on), family(stopped),  family(of_a_group),
        family(not_of_a_group),  family(own_groups), family(orphans), family(many_children),
    };
    return cmocka_run_group_tests_name("family", tests, unit_begin, unit_end);
}
