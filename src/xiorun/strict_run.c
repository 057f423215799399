/* SPDX-License-Identifier: GPL-2.0-or-later
 * xiorun --strict: it stays, as the parent of all that come from the program, since who is to look into another
 * process has to be that for some kernels (Yama). Their helper is a thread. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "xiorun/launch.h"
#include "xiorun/program.h"
#include "xiorun/strict.h"

static volatile sig_atomic_t child;

static void pass_on(int signal)
{
    if (child > 0)
        (void)kill((pid_t)child, signal);
}

/* What comes from the terminal reaches the program as well. */
static void take_signals(void)
{
    static const int passed[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGALRM};
    const struct sigaction pass = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    for (size_t i = 0; i < sizeof passed / sizeof passed[0]; i++)
        (void)sigaction(passed[i], &pass, NULL);
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGQUIT, SIG_IGN);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* The child: it tells where it asks, waits until somebody listens, and becomes the program. */
static int be_program(const struct wishes *w, int lease, int talk, const char *path, char **argv)
{
    char heard;
    int listener = strict_enter();
    if (listener < 0)
        return complain("--strict", errno == EBUSY ? "somebody is asked about this process's calls already" : strerror(errno)), WRONG;
    if (write(talk, &listener, sizeof listener) != sizeof listener || read(talk, &heard, 1) != 1)
        return WRONG;
    close(listener);
    return launch(w, lease, path, argv);
}

/* The child's descriptor, by its number there. */
static int take_listener(pid_t pid, int talk)
{
    int number, fd = -1;
    if (read(talk, &number, sizeof number) != sizeof number)
        return -1;
    int process = (int)syscall(SYS_pidfd_open, pid, 0);
    if (process >= 0) {
        fd = (int)syscall(SYS_pidfd_getfd, process, number, 0);
        close(process);
    }
    if (fd < 0)
        return complain("--strict: pidfd_getfd()", strerror(errno));
    if (strict_can_replace(fd))
        return fd;
    close(fd);
    return complain("--strict", "the kernel cannot give another process descriptors (SECCOMP_IOCTL_NOTIF_ADDFD, Linux 5.9)");
}

static void *help(void *arg)
{
    helper_run(arg);
    return NULL;
}

/* All that come from the program are ours in the end, and each may ask. */
static int wait_for_all(pid_t first)
{
    int status = 0, result = 0;
    pid_t pid;
    while ((pid = wait(&status)) > 0 || errno == EINTR)
        if (pid == first)
            result = status;
    return result;
}

static int end_as(int status)
{
    if (!WIFSIGNALED(status))
        return WEXITSTATUS(status);
    (void)signal(WTERMSIG(status), SIG_DFL);
    (void)raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}

static int attend(struct helper *h, pid_t pid, int talk)
{
    pthread_t thread;
    int listener = take_listener(pid, talk);
    if (listener < 0 || helper_begin(h) < 0 || pthread_create(&thread, NULL, help, h) != 0 || strict_begin(h, listener) < 0 ||
        write(talk, "", 1) != 1) {
        (void)kill(pid, SIGKILL);
        (void)wait_for_all(pid);
        return WRONG;
    }
    close(talk);
    int status = wait_for_all(pid);
    (void)pthread_join(thread, NULL);
    return end_as(status);
}

int run_strictly(const struct wishes *w, const struct rulebook *rules, const char *path, char **argv)
{
    struct helper h = {.rules = rules, .strict = true, .within = is_within_another()};
    int lease[2], talk[2];
    const char *lack = strict_lacks();
    if (lack)
        return complain("--strict", lack), WRONG;
    if (program_gains_rights(path))
        return complain(path, "would have more rights than you, which --strict does not give"), WRONG;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, lease) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return complain("--strict", strerror(errno)), WRONG;
    pid_t pid = fork();
    if (pid == 0)
        return be_program(w, lease[0], talk[0], path, argv);
    if (pid < 0)
        return complain("fork()", strerror(errno)), WRONG;
    child = pid;
    close(lease[0]);
    close(talk[0]);
    h.lease = lease[1];
    if (w->quiet)
        (void)setenv("XIO_QUIET", "1", 1);
    take_signals();
    leave_input_and_output();
    return attend(&h, pid, talk[1]);
}
