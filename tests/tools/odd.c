/* SPDX-License-Identifier: GPL-2.0-or-later
 * odd <fd> <program> [<argument>...] <last>: opens descriptors that have no name, or have lost it, on
 * fd and the numbers behind it, and runs the program once for each, with its number for the last
 * argument. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_eventfd(void) { return eventfd(3, 0); }
static int open_epoll(void) { return epoll_create1(0); }
static int open_timerfd(void) { return timerfd_create(CLOCK_MONOTONIC, 0); }
static int open_inotify(void) { return inotify_init(); }
static int open_memfd(void) { return memfd_create("memory", 0); }
static int open_path(void) { return open("/etc/passwd", O_PATH); }
static int open_directory(void) { return open("/", O_RDONLY | O_DIRECTORY); }

static int open_signalfd(void)
{
    sigset_t set;
    sigemptyset(&set);
    return signalfd(-1, &set, 0);
}

static int open_deleted(void)
{
    int fd = open("deleted", O_RDWR | O_CREAT | O_TRUNC, 0600);
    (void)unlink("deleted");
    return fd;
}

static int open_hangup(void) /* a pipe without writer */
{
    int fd[2];
    if (pipe(fd) < 0)
        return -1;
    close(fd[1]);
    return fd[0];
}

static int open_seqpacket(void)
{
    int fd[2];
    return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) < 0 ? -1 : fd[0];
}

static const struct {
    const char *name;
    int (*open)(void);
} odd[] = {
    {"eventfd", open_eventfd}, {"epoll", open_epoll},         {"timerfd", open_timerfd},
    {"inotify", open_inotify}, {"signalfd", open_signalfd},   {"memfd", open_memfd},
    {"path", open_path},       {"directory", open_directory}, {"deleted", open_deleted},
    {"hangup", open_hangup},   {"seqpacket", open_seqpacket},
};

static int run_on(char *argv[])
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

int main(int argc, char *argv[])
{
    static char number[16];
    if (argc < 4)
        return 2;
    argv[argc - 1] = number;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        int fd = odd[i].open(), target = atoi(argv[1]) + (int)i;
        if (fd < 0 || dup2(fd, target) < 0) {
            fprintf(stderr, "%s: %s\n", odd[i].name, strerror(errno));
            return 3;
        }
        close(fd);
        (void)snprintf(number, sizeof number, "%d", target);
        if (run_on(argv + 2) < 0)
            return 4;
    }
    return 0;
}
