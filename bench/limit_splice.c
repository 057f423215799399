/* SPDX-License-Identifier: GPL-2.0-or-later
 * A bare relay with splice(2): limit_splice [-u] <in> <out>, ends as in ends.h. Blocking, a thread
 * and a pipe of 1 MiB for each direction (-u: only one); sockets wake it when 128 KiB are there
 * (SO_RCVLOWAT), so that each turn moves much. Bulk only: a lone byte would wait. */
#include "ends.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIPE = 1024 * 1024, LOW_WATER = 128 * 1024 };

struct way {
    struct end *from, *to;
};

static void *move(void *arg)
{
    struct way *way = arg;
    int fds[2], low = LOW_WATER;
    ssize_t n;

    if (pipe2(fds, O_CLOEXEC) < 0 || fcntl(fds[1], F_SETPIPE_SZ, PIPE) < 0)
        die("no pipe of 1 MiB", NULL);
    if (way->from->socket)
        setsockopt(way->from->fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low));
    while ((n = splice(way->from->fd, NULL, fds[1], NULL, PIPE, SPLICE_F_MOVE)) > 0)
        while (n > 0) {
            ssize_t m = splice(fds[0], NULL, way->to->fd, NULL, (size_t)n, SPLICE_F_MOVE);

            if (m <= 0)
                goto out;
            n -= m;
        }
out:
    end_shut(way->to);
    return NULL;
}

int main(int argc, char **argv)
{
    struct end in, out;
    struct way there = {&in, &out}, back = {&out, &in};
    bool one_way = false;
    pthread_t thread;
    int c;

    while ((c = getopt(argc, argv, "u")) != -1)
        if (c == 'u')
            one_way = true;
        else
            return 2;
    if (argc - optind != 2)
        die("usage: limit_splice [-u] <in> <out>", NULL);
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
