/* SPDX-License-Identifier: GPL-2.0-or-later
 * A bare relay with read(2) and write(2): limit_rw [-u] [-b bytes] <in> <out>, ends as in ends.h.
 * Blocking, a thread for each direction (-u: only from <in> to <out>), nothing looked at. */
#include "ends.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static size_t size = CHUNK;

struct way {
    struct end *from, *to;
};

static void *move(void *arg)
{
    struct way *way = arg;
    char *buf = malloc(size);
    ssize_t n;

    if (!buf)
        die("no memory", NULL);
    while ((n = read(way->from->fd, buf, size)) > 0)
        if (!write_all(way->to->fd, buf, (size_t)n))
            break;
    end_shut(way->to);
    free(buf);
    return NULL;
}

int main(int argc, char **argv)
{
    struct end in, out;
    struct way there = {&in, &out}, back = {&out, &in};
    bool one_way = false;
    pthread_t thread;
    int c;

    while ((c = getopt(argc, argv, "ub:")) != -1)
        if (c == 'u')
            one_way = true;
        else if (c == 'b')
            size = strtoul(optarg, NULL, 10);
        else
            return 2;
    if (argc - optind != 2)
        die("usage: limit_rw [-u] [-b bytes] <in> <out>", NULL);
    signal(SIGPIPE, SIG_IGN);
    end_prepare(&in, argv[optind]);
    end_prepare(&out, argv[optind + 1]);
    end_complete(&in);
    end_complete(&out);
    if (!one_way && pthread_create(&thread, NULL, move, &back) != 0)
        die("no thread", NULL);
    move(&there);
    if (!one_way)
        pthread_join(thread, NULL);
    return 0;
}
