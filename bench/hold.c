/* SPDX-License-Identifier: GPL-2.0-or-later
 * Open connections through a relay: hold [-n count] <near port> <far port>. After "ready" and a
 * line it opens them one by one, each with a round trip of 1 KiB so that its buffers have been in
 * use, says
 * {"held": count}, and keeps them until its input ends. */
#include "ends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE = 1024, SPARE = 64, LIMIT_SECONDS = 120, STALL_SECONDS = 10 };

static void pass(int from, int to)
{
    char data[MESSAGE], got[MESSAGE];

    memset(data, 'x', sizeof(data));
    if (!write_all(from, data, sizeof(data)) ||
        recv(to, got, sizeof(got), MSG_WAITALL) != (ssize_t)sizeof(got) ||
        memcmp(data, got, sizeof(data)) != 0)
        die("a message was lost", NULL);
}

int main(int argc, char **argv)
{
    struct timeval limit = {.tv_sec = STALL_SECONDS};
    struct rlimit files;
    int c, count = 200, listener, near;

    while ((c = getopt(argc, argv, "n:")) != -1)
        if (c == 'n')
            count = atoi(optarg);
        else
            return 2;
    if (argc - optind != 2)
        die("usage: hold [-n count] <near port> <far port>", NULL);
    alarm(LIMIT_SECONDS);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur < (rlim_t)(2 * count + SPARE))
        die("too few descriptors allowed", NULL);
    near = atoi(argv[optind]);
    listener = tcp_listen(atoi(argv[optind + 1]), 0);
    setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    say_ready();
    if (!wait_for_go())
        return 1;
    for (int i = 0; i < count; i++) {
        int client = tcp_connect(near), server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (server < 0)
            die("the relay does not connect", NULL);
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
        pass(client, server);
        pass(server, client);
    }
    printf("{\"held\": %d, \"fault\": \"\"}\n", count);
    fflush(stdout);
    wait_for_go();
    return 0;
}
