/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program and what it has started: see catena/family.h. Not even a group of its own would tell all, and
 * giving it one would take it away from its terminal; /proc says who is whose child. A confined
 * process does not see it, and then reaches the program alone. */
#include "catena/family.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 4096 };

struct pids {
    pid_t *pid;
    size_t n, cap;
};

static void add(struct pids *l, pid_t pid)
{
    if (l->n == l->cap && l->cap < MOST) {
        size_t cap = l->cap ? 2 * l->cap : 16;
        pid_t *more = reallocarray(l->pid, cap, sizeof *more);
        if (!more)
            return;
        l->pid = more;
        l->cap = cap;
    }
    if (l->n < l->cap)
        l->pid[l->n++] = pid;
}

/* Held, so that it has no other child by the time that it gets the signal. */
static void add_children(struct pids *l, pid_t pid)
{
    char path[80];
    (void)kill(pid, SIGSTOP);
    (void)snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *threads = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *t; threads && (t = readdir(threads));) {
        int child;
        (void)snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", (int)pid, t->d_name);
        FILE *f = *t->d_name != '.' ? fopen(path, "re") : NULL;
        while (f && fscanf(f, "%d", &child) == 1)
            add(l, child);
        if (f)
            (void)fclose(f);
    }
    if (threads)
        (void)closedir(threads);
    else if (fd >= 0)
        (void)close(fd);
}

void family_signal(pid_t pid, bool leads, int sig)
{
    struct pids l = {0};
    add_children(&l, pid);
    for (size_t i = 0; i < l.n; i++)
        add_children(&l, l.pid[i]);
    /* from the top: a shell does not go on to its next command */
    if (!leads || kill(-pid, sig) < 0)
        (void)kill(pid, sig);
    for (size_t i = 0; i < l.n; i++)
        if (!leads || getpgid(l.pid[i]) != pid)
            (void)kill(l.pid[i], sig);
    /* ... and they go on from the bottom: whose parent is gone while he is held gets SIGHUP */
    for (size_t i = l.n; i-- > 0;)
        (void)kill(l.pid[i], SIGCONT);
    (void)kill(pid, SIGCONT);
    free(l.pid);
}

/* Its number is nobody else's as long as the group has members and no process bears it. */
void family_signal_orphans(pid_t pid, int sig)
{
    if (kill(pid, 0) < 0 && errno == ESRCH)
        (void)kill(-pid, sig);
}
