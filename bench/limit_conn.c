/* SPDX-License-Identifier: GPL-2.0-or-later
 * The least that a relay of many connections does: limit_conn fork|thread|epoll <port> <target
 * port>. A child, a thread, or nothing of its own for each connection; 16 KiB a read. */
#include "ends.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BUFFER = 16 * 1024, STACK = 64 * 1024, EVENTS = 256 };

static int target;

/* A readable side: passes on what is there. False when both directions have ended. */
static bool turn(int from, int to, unsigned *ended, unsigned bit)
{
    char buf[BUFFER];
    ssize_t n = read(from, buf, sizeof(buf));

    if (n < 0 && errno == EAGAIN)
        return true;
    if (n > 0 && write_all(to, buf, (size_t)n))
        return true;
    shutdown(to, SHUT_WR);
    *ended |= bit;
    return n == 0 && *ended != 3;
}

static void relay(int client)
{
    struct pollfd fds[2] = {{client, POLLIN, 0}, {tcp_connect(target), POLLIN, 0}};
    unsigned ended = 0;
    int server = fds[1].fd;

    for (bool on = true; on && poll(fds, 2, -1) > 0;)
        for (unsigned i = 0; on && i < 2; i++)
            if (fds[i].revents) {
                on = turn(fds[i].fd, i ? client : server, &ended, 1U << i);
                if (ended & 1U << i)
                    fds[i].fd = -1;
            }
    close(client);
    close(server);
}

static void by_fork(int listener)
{
    int client;

    while ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        if (fork() == 0) {
            relay(client);
            _exit(0);
        }
        close(client);
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
    }
}

static void *relay_thread(void *arg)
{
    relay((int)(intptr_t)arg);
    return NULL;
}

static void by_thread(int listener)
{
    pthread_attr_t attr;
    pthread_t thread;
    int client;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    while ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        if (pthread_create(&thread, &attr, relay_thread, (void *)(intptr_t)client) != 0)
            die("no thread", NULL);
}

/* One side of a pair, for epoll. */
struct side {
    struct pair *pair;
    int fd, other;
    unsigned bit;
};

struct pair {
    struct side sides[2];
    unsigned ended;
    struct pair *next; /* to be freed after the round: an event of its other side may follow */
};

static void pair_add(int epoll, int client)
{
    struct pair *pair = calloc(1, sizeof(*pair));
    int server = tcp_connect(target);

    if (!pair)
        die("no memory", NULL);
    pair->sides[0] = (struct side){pair, client, server, 1};
    pair->sides[1] = (struct side){pair, server, client, 2};
    for (int i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &pair->sides[i]};

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, pair->sides[i].fd, &event) < 0)
            die("epoll_ctl", NULL);
    }
}

static void by_epoll(int listener)
{
    struct epoll_event events[EVENTS], listening = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC), client, n;

    fcntl(listener, F_SETFL, O_NONBLOCK);
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &listening) < 0)
        die("epoll", NULL);
    while ((n = epoll_wait(epoll, events, EVENTS, -1)) >= 0 || errno == EINTR) {
        struct pair *over = NULL;

        for (int i = 0; i < n; i++) {
            struct side *side = events[i].data.ptr;
            struct pair *pair = side ? side->pair : NULL;

            if (!side) {
                while ((client = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
                    pair_add(epoll, client);
            } else if (pair->ended != 3 && !(pair->ended & side->bit)) {
                bool on = turn(side->fd, side->other, &pair->ended, side->bit);

                if (on && pair->ended & side->bit)
                    epoll_ctl(epoll, EPOLL_CTL_DEL, side->fd, NULL);
                if (on)
                    continue;
                pair->ended = 3;
                close(side->fd);
                close(side->other);
                pair->next = over;
                over = pair;
            }
        }
        while (over) {
            struct pair *next = over->next;

            free(over);
            over = next;
        }
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*serve)(int listener);
    } modes[] = {{"fork", by_fork}, {"thread", by_thread}, {"epoll", by_epoll}};
    struct rlimit files;

    if (argc != 4)
        die("usage: limit_conn fork|thread|epoll <port> <target port>", NULL);
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    target = atoi(argv[3]);
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
        if (strcmp(argv[1], modes[i].name) == 0)
            modes[i].serve(tcp_listen(atoi(argv[2]), 0));
    die("cannot serve as", argv[1]);
}
