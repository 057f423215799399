/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a confined process can still do, and what not. Each case is a process of its own, which
 * confines itself and tries. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/diag.h"
#include "engine/confine/sandbox.h"
#include "../home.h"

enum { VIOLATION = 128 + SIGSYS };

static char dir[] = "/tmp/test_sandbox.XXXXXX", removable[64], elsewhere[64];
static int socket_fd, null_fd; /* opened before */

/* --- tries: 0, or the errno --- */

static int tried(long rc) { return rc < 0 ? errno : 0; }

static int try_read_file(void) { return tried(open("/etc/passwd", O_RDONLY)); }
static int try_write_file(void) { return tried(open("/tmp/test_sandbox.new", O_WRONLY | O_CREAT, 0600)); }
static int try_own_memory(void) { return tried(open("/proc/self/mem", O_RDWR)); }
static int try_socket(void) { return tried(socket(AF_INET, SOCK_STREAM, 0)); }
static int try_prctl(void) { return tried(prctl(PR_SET_DUMPABLE, 1)); }
static int try_init(void) { return tried(kill(1, 0)); }
static int try_parent(void) { return tried(kill(getppid(), SIGTERM)); }
static int try_itself(void) { return tried(kill(getpid(), 0)); }
static int try_removal(void) { return tried(unlink(removable)); }
static int try_removal_elsewhere(void) { return tried(unlink(elsewhere)); }
static int try_getrlimit(void)
{
    struct rlimit l;
    return tried(getrlimit(RLIMIT_NOFILE, &l));
}
static int try_setrlimit(void)
{
    struct rlimit l = {10, 10};
    return tried(setrlimit(RLIMIT_NOFILE, &l));
}

static int try_connect(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(1)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return tried(connect(socket_fd, (struct sockaddr *)&to, sizeof to));
}

static int try_bind(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    return tried(bind(socket_fd, (struct sockaddr *)&to, sizeof to));
}

static int try_code(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : 0;
}

static int try_code_later(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? 99 : tried(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int try_push_key(void)
{
    char c = 'x';
    return tried(ioctl(null_fd, TIOCSTI, &c));
}

static int try_execve(void)
{
    char *const argv[] = {(char *)(uintptr_t) "true", NULL}, *const envp[] = {NULL};
    return tried(execve("/bin/true", argv, envp));
}

static int try_fork(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(0);
    return tried(pid);
}

static int try_ptrace(void) { return tried(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }
static int try_chmod(void) { return tried(chmod(elsewhere, 0777)); }
static int try_setuid(void) { return tried(syscall(SYS_setuid, 1)); }
static int try_unknown(void) { return tried(syscall(SYS_swapoff, "/")); }
static int try_new_filter(void) { return tried(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, 0)); }

/* What relaying does. */
static int try_relaying(void)
{
    int fd[2];
    char buf[8];
    struct stat st;
    time_t now = time(NULL);
    struct tm tm;
    if (pipe2(fd, O_CLOEXEC) < 0 || write(fd[1], "hello", 5) != 5)
        return errno;
    struct pollfd p = {.fd = fd[0], .events = POLLIN};
    if (poll(&p, 1, 1000) != 1 || read(fd[0], buf, sizeof buf) != 5 || fstat(fd[0], &st) < 0 ||
        fcntl(fd[1], F_SETFL, O_NONBLOCK) < 0 || close(fd[0]) < 0 || !localtime_r(&now, &tm))
        return errno ? errno : 99;
    char *big = malloc(64 << 20), *more = big ? realloc(big, 128 << 20) : NULL;
    if (!more)
        return ENOMEM;
    free(more);
    return 0;
}

static void *nothing(void *arg) { return arg; }

static int try_thread(void)
{
    pthread_t t;
    int rc = pthread_create(&t, NULL, nothing, NULL);
    return rc ? rc : pthread_join(t, NULL);
}

/* --- trying --- */

static const struct try_case {
    const char *name;
    int (*f)(void);
    int expected; /* errno, or VIOLATION */
    const char *call; /* in the message */
} tries[] = {
    {"relaying", try_relaying, 0, NULL},
    {"a thread", try_thread, 0, NULL},
    {"a signal to itself", try_itself, 0, NULL},
    {"what limits there are", try_getrlimit, 0, NULL},
    {"reading a file", try_read_file, EPERM, NULL},
    {"writing a file", try_write_file, EPERM, NULL},
    {"writing its own memory", try_own_memory, EPERM, NULL},
    {"a socket", try_socket, EPERM, NULL},
    {"a connection", try_connect, EPERM, NULL},
    {"prctl", try_prctl, EPERM, NULL},
    {"a signal to init", try_init, EPERM, NULL},
    {"a signal to the parent", try_parent, EPERM, NULL},
    {"other limits", try_setrlimit, EPERM, NULL},
    {"removing what is not its own", try_removal, EPERM, NULL},
    {"executable memory", try_code, EPERM, NULL},
    {"memory made executable", try_code_later, EPERM, NULL},
    {"typing for others", try_push_key, EPERM, NULL},
    {"a program", try_execve, VIOLATION, "execve()"},
    {"a process", try_fork, EPERM, NULL},
    {"bind", try_bind, VIOLATION, "bind()"},
    {"ptrace", try_ptrace, VIOLATION, "ptrace()"},
    {"chmod", try_chmod, VIOLATION, "chmod"},
    {"setuid", try_setuid, VIOLATION, "setuid()"},
    {"another filter", try_new_filter, VIOLATION, "seccomp()"},
    {"a call nobody thought of", try_unknown, VIOLATION, NULL},
};

/* Runs f in a process that has confined itself; gives its exit status (1000 + the signal that ended it)
 * and what it said. */
static int in_process(bool (*confine)(void), int (*f)(void), char *said, size_t cap)
{
    int fd[2], status;
    size_t n = 0;
    ssize_t got;
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (dup2(fd[1], STDERR_FILENO) < 0 || !confine())
            _exit(255);
        _exit(f());
    }
    close(fd[1]);
    while ((got = read(fd[0], said + n, cap - 1 - n)) > 0)
        n += (size_t)got;
    said[n] = '\0';
    close(fd[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static bool no_new_privs(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0; }

static bool confine_by_filter(void)
{
    const uint32_t own = (uint32_t)getpid();
    struct sandbox_needs n = {.pids = &own, .npids = 1};
    struct err e;
    tzset();
    return no_new_privs() && sandbox_filter(&n, &e) == 0;
}

static void test_filter(void **state)
{
    char said[1024];
    (void)state;
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        const struct try_case *t = &tries[i];
        int status = in_process(confine_by_filter, t->f, said, sizeof said);
        if (status != t->expected)
            fail_msg("%s: %d instead of %d; %s", t->name, status, t->expected, said);
        if (t->expected != VIOLATION) {
            assert_string_equal(said, "");
            continue;
        }
        assert_non_null(strstr(said, " E --sandbox: system call "));
        assert_non_null(strstr(said, err_code_name(ERR_SANDBOX)));
        if (t->call && !strstr(said, t->call))
            fail_msg("%s: no %s in %s", t->name, t->call, said);
    }
}

/* --- removals --- */

static struct settings settings = {.catena = &home, .sandbox = true, .env_prefix = "SOCAT"};
static struct run run;

static bool confine_run(void)
{
    static struct removal removals[] = {{.what = removable}};
    struct err e;
    run = (struct run){.settings = &settings, .removals = removals, .nremovals = 1};
    return sandbox_enter(&run, &e) == 0;
}

static bool has_landlock(void) { return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 0; }

static void touch(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static void test_removals(void **state)
{
    char said[1024];
    (void)state;
    touch(removable);
    touch(elsewhere);
    assert_int_equal(in_process(confine_run, try_removal, said, sizeof said), 0);
    assert_int_equal(access(removable, F_OK), -1);
    int expected = has_landlock() ? EACCES : 0;
    assert_int_equal(in_process(confine_run, try_removal_elsewhere, said, sizeof said), expected);
    (void)unlink(elsewhere);
}

/* --- Landlock alone, and the filter without it --- */

static bool confine_by_landlock(void) { return no_new_privs() && sandbox_landlock(NULL, 0) == 0; }

static void test_landlock(void **state)
{
    char said[1024];
    (void)state;
    if (!has_landlock())
        skip();
    assert_int_equal(in_process(confine_by_landlock, try_read_file, said, sizeof said), EACCES);
    assert_int_equal(in_process(confine_by_landlock, try_write_file, said, sizeof said), EACCES);
    touch(removable);
    assert_int_equal(in_process(confine_by_landlock, try_removal, said, sizeof said), EACCES);
    (void)unlink(removable);
}

/* A kernel as it was before Landlock. */
static bool confine_on_old_kernel(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {.len = 4, .filter = code};
    home_speaks(DIAG_NOTICE);
    return no_new_privs() && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0 &&
           confine_run();
}

static void test_without_landlock(void **state)
{
    char said[1024];
    (void)state;
    assert_int_equal(in_process(confine_on_old_kernel, try_read_file, said, sizeof said), EPERM);
    assert_non_null(strstr(said, "no Landlock"));
    assert_int_equal(in_process(confine_on_old_kernel, try_relaying, said, sizeof said), 0);
}

/* A kernel without filters: better not at all than unconfined. */
static bool refuse_without_filters(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {.len = 4, .filter = code};
    return no_new_privs() && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0 &&
           !confine_run();
}

static int try_nothing(void) { return 0; }

static void test_without_filters(void **state)
{
    char said[1024];
    (void)state;
    assert_int_equal(in_process(refuse_without_filters, try_nothing, said, sizeof said), 0);
}

/* --- threads --- */

static void *open_when_told(void *arg)
{
    const int *fd = arg;
    char c;
    if (read(fd[0], &c, 1) != 1)
        return (void *)99;
    return (void *)(intptr_t)try_socket();
}

/* A thread that ran before is confined as well. */
static int try_older_thread(void)
{
    static int fd[2];
    pthread_t t;
    void *result = NULL;
    if (pipe2(fd, O_CLOEXEC) < 0 || pthread_create(&t, NULL, open_when_told, fd) != 0 ||
        !confine_by_filter() || write(fd[1], "x", 1) != 1 || pthread_join(t, &result) != 0)
        return 98;
    return (int)(intptr_t)result;
}

static bool not_yet(void) { return true; }

static void test_threads(void **state)
{
    char said[1024];
    (void)state;
    assert_int_equal(in_process(not_yet, try_older_thread, said, sizeof said), EPERM);
}

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(removable, sizeof removable, "%s/entry", dir);
    (void)snprintf(elsewhere, sizeof elsewhere, "%s.entry", dir);
    socket_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    return socket_fd < 0 || null_fd < 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    home_speaks(DIAG_WARN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_removals),
        cmocka_unit_test(test_landlock),
        cmocka_unit_test(test_without_landlock),
        cmocka_unit_test(test_without_filters),
        cmocka_unit_test(test_threads),
    };
    if (!sandbox_filter_available())
        return 77;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
