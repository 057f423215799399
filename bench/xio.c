/* SPDX-License-Identifier: GPL-2.0-or-later
 * What libxio costs beside the bare calls, in one process: a connection over a UNIX socket with one byte, opened,
 * used and closed, and bytes through the descriptor of a plain handle.
 *
 *   xio [<rounds>]     prints "<what> <bare> <xio> <ratio>", each the best of the rounds */
#include <xio.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { N = 20000, BLOCK = 65536, BLOCKS = 4000 };

static char path[100], chain[120], block[BLOCK];
static struct sockaddr_un name = {.sun_family = AF_UNIX};

static double now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int bare_open(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&name, sizeof name) < 0)
        exit(1);
    return fd;
}

/* The other end is taken and dropped outside of what is measured. */
static void take(int listener)
{
    char c;
    int fd = accept(listener, NULL, NULL);
    if (fd < 0 || read(fd, &c, 1) != 1)
        exit(1);
    close(fd);
}

static double bare_connections(int listener)
{
    double spent = 0;
    for (int i = 0; i < N; i++) {
        double t = now();
        int fd = bare_open();
        if (write(fd, "x", 1) != 1)
            exit(1);
        close(fd);
        spent += now() - t;
        take(listener);
    }
    return spent / N * 1e6;
}

static double xio_connections(int listener)
{
    double spent = 0;
    for (int i = 0; i < N; i++) {
        double t = now();
        struct xio *h = xioopen(chain);
        if (!h || xiowrite(h, "x", 1) != 1 || xioclose(h) < 0)
            exit(1);
        spent += now() - t;
        take(listener);
    }
    return spent / N * 1e6;
}

/* GB/s from that descriptor to its peer, in turns: nothing but the copy. */
static double flow(int from, int to)
{
    double t = now();
    for (int i = 0; i < BLOCKS; i++)
        for (ssize_t left = write(from, block, BLOCK), n; left > 0; left -= n)
            if ((n = read(to, block, BLOCK)) <= 0)
                exit(1);
    return (double)BLOCKS * BLOCK / (now() - t) / 1e9;
}

static double bare_flow(int listener)
{
    int fd = bare_open(), peer = accept(listener, NULL, NULL);
    double rate = flow(fd, peer);
    close(fd);
    close(peer);
    return rate;
}

static double xio_flow(int listener)
{
    struct xio *h = xioopen(chain);
    int peer = accept(listener, NULL, NULL);
    double rate = flow(xiofd(h), peer);
    if (xioclose(h) < 0)
        exit(1);
    close(peer);
    return rate;
}

int main(int argc, char *argv[])
{
    double best[4] = {1e9, 1e9, 0, 0};
    (void)snprintf(path, sizeof path, "/dev/shm/bench-xio.%d", (int)getpid());
    (void)snprintf(chain, sizeof chain, "unix-connect:%s", path);
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&name, sizeof name) < 0 || listen(listener, 10) < 0)
        return 1;
    for (int i = 0; i < (argc > 1 ? atoi(argv[1]) : 7); i++) {
        double got[4] = {bare_connections(listener), xio_connections(listener), bare_flow(listener), xio_flow(listener)};
        for (int k = 0; k < 4; k++)
            if (k < 2 ? got[k] < best[k] : got[k] > best[k])
                best[k] = got[k];
    }
    (void)unlink(path);
    printf("open+byte+close/us %.2f %.2f %.2f\n", best[0], best[1], best[1] / best[0]);
    printf("xiofd/GB/s %.2f %.2f %.2f\n", best[2], best[3], best[3] / best[2]);
    return 0;
}
