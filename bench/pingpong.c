/* SPDX-License-Identifier: GPL-2.0-or-later
 * Round trips of one byte through a relay: pingpong [-n count] <near> <far>, ends as in ends.h.
 * "ready", a line, then the median and the 99th percentile in microseconds, as JSON. */
#include "ends.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WARM_UP = 500, LIMIT_SECONDS = 60 };

static void *echo(void *arg)
{
    struct end *far = arg;
    char byte;

    while (end_read(far, &byte, 1) == 1 && end_write(far, &byte, 1))
        ;
    end_shut(far);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    size_t count = 5000;
    uint64_t *times;
    struct end near, far;
    pthread_t thread;
    int c;

    while ((c = getopt(argc, argv, "n:")) != -1)
        if (c == 'n')
            count = strtoul(optarg, NULL, 10);
        else
            return 2;
    if (argc - optind != 2 || count == 0)
        die("usage: pingpong [-n count] <near> <far>", NULL);
    times = calloc(count, sizeof(*times));
    if (!times)
        die("no memory", NULL);
    alarm(LIMIT_SECONDS);
    end_prepare(&near, argv[optind]);
    end_prepare(&far, argv[optind + 1]);
    say_ready();
    if (!wait_for_go())
        return 1;
    end_complete(&near);
    end_complete(&far);
    if (pthread_create(&thread, NULL, echo, &far) != 0)
        die("no thread", NULL);
    for (size_t i = 0; i < count + WARM_UP; i++) {
        char sent = (char)i, got = 0;
        uint64_t start = now_ns();

        if (!end_write(&near, &sent, 1) || end_read(&near, &got, 1) != 1 || got != sent)
            die("the byte did not come back", NULL);
        if (i >= WARM_UP)
            times[i - WARM_UP] = now_ns() - start;
    }
    end_shut(&near);
    pthread_join(thread, NULL);
    qsort(times, count, sizeof(*times), by_size);
    printf("{\"trips\": %zu, \"p50\": %.2f, \"p99\": %.2f, \"fault\": \"\"}\n", count + WARM_UP,
           (double)times[count / 2] / 1e3, (double)times[count * 99 / 100] / 1e3);
    return 0;
}
