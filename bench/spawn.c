/* SPDX-License-Identifier: GPL-2.0-or-later
 * How long a program takes from start to end: spawn <count> <program> [<argument>...], its output
 * to /dev/null. The median in milliseconds and the mean of its processor time, as JSON. */
#include "ends.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

extern char **environ;

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
    size_t count = argc > 2 ? strtoul(argv[1], NULL, 10) : 0, failed = 0;
    uint64_t *times = calloc(count + 1, sizeof(*times));
    posix_spawn_file_actions_t files;
    struct rusage use;

    if (count == 0 || !times)
        die("usage: spawn <count> <program> [<argument>...]", NULL);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    for (size_t i = 0; i < count; i++) {
        uint64_t start = now_ns();
        int status;
        pid_t pid;

        if (posix_spawnp(&pid, argv[2], &files, NULL, argv + 2, environ) != 0 ||
            waitpid(pid, &status, 0) != pid)
            die("cannot start", argv[2]);
        times[i] = now_ns() - start;
        failed += status != 0;
    }
    getrusage(RUSAGE_CHILDREN, &use);
    qsort(times, count, sizeof(*times), by_size);
    printf("{\"p50\": %.3f, \"cpu\": %.3f, \"fault\": \"%s\"}\n", (double)times[count / 2] / 1e6,
           (seconds(use.ru_utime) + seconds(use.ru_stime)) * 1e3 / (double)count,
           failed ? "ended with an error" : "");
    return 0;
}
