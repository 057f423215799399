/* SPDX-License-Identifier: GPL-2.0-or-later
 * An engine between descriptors of the test's own, and traffic through it. For one test program
 * each: all is static. */
#ifndef CATENA_TESTS_BENCH_H
#define CATENA_TESTS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/registry.h"
#include "engine/relay/border.h"
#include "catena/diag.h"
#include "catena/wait.h"
#include "engine/relay/driver.h"
#include "../home.h"

enum { LOTS = 3000000, PATIENCE_MS = 30000 };

/* ---- one engine and its two outsides ---- */

struct bench {
    struct settings settings;
    struct plan *plan;
    struct run run;
    struct border border;
    struct engine engine;
    bool made, running;
    pthread_t thread;
    int out[2][2]; /* the test's read and write descriptor on either side */
    int stop_fd;
};

enum joint { SOCKETS, PIPES, MESSAGES };

static struct settings defaults(void)
{
    return (struct settings){.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                             .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};
}

static void nonblocking(int fd)
{
    assert_return_code(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK), errno);
}

static void connect_side(struct bench *b, int side, enum joint joint, unsigned flags)
{
    struct err e;
    int in[2], out[2];
    struct port **port = &b->engine.side[side].port;
    if (joint == PIPES) {
        assert_return_code(pipe2(in, O_CLOEXEC), errno);
        assert_return_code(pipe2(out, O_CLOEXEC), errno);
        b->out[side][0] = out[0];
        b->out[side][1] = in[1];
        assert_int_equal(port_open_fds(in[0], out[1], flags, PORT_SHUT_CLOSE, "test", port, &e), 0);
    } else {
        int type = joint == MESSAGES ? SOCK_SEQPACKET : SOCK_STREAM;
        assert_return_code(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, in), errno);
        b->out[side][0] = in[1];
        b->out[side][1] = dup(in[1]);
        assert_int_equal(port_open_fds(in[0], in[0], flags, PORT_SHUT_DOWN, "test", port, &e), 0);
    }
    nonblocking(b->out[side][0]);
    nonblocking(b->out[side][1]);
}

/* An engine as the plan's border station would be, between new outsides. */
static struct bench *bench_flags(const char *left, const char *right, struct settings s,
                                 enum joint joint, unsigned flags)
{
    struct err e = {.kind = ERR_NONE};
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    b->settings = s;
    if (plan_make(&b->settings, left, right, &b->plan, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(run_init(&b->run, &b->settings, b->plan, -1, &e), 0);
    border_init(&b->border, &b->run);
    b->engine.border = &b->border;
    b->engine.border_side = b->plan->border >= b->plan->nleft_items ? LEFT : RIGHT;
    assert_int_equal(engine_init(&b->engine, &b->run, &b->plan->items[b->plan->border], &e), 0);
    b->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert_return_code(b->stop_fd, errno);
    connect_side(b, LEFT, joint, flags);
    connect_side(b, RIGHT, joint, flags);
    return b;
}

static struct bench *bench(const char *right, enum joint joint)
{
    return bench_flags("-", right, defaults(), joint, 0);
}

static void *relay(void *arg)
{
    struct bench *b = arg;
    driver_relay(&b->engine, b->stop_fd);
    return NULL;
}

__attribute__((unused)) static void start(struct bench *b)
{
    assert_int_equal(pthread_create(&b->thread, NULL, relay, b), 0);
    b->running = true;
}

static void hang_up(struct bench *b, int side)
{
    for (int i = 0; i < 2; i++) {
        if (b->out[side][i] >= 0)
            close(b->out[side][i]);
        b->out[side][i] = -1;
    }
}

/* The engine has to end by itself, soon. */
static void join(struct bench *b)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    if (pthread_timedjoin_np(b->thread, NULL, &until) != 0)
        fail_msg("the engine does not end");
    b->running = false;
}

static void bench_free(struct bench *b)
{
    if (b->running)
        join(b);
    hang_up(b, LEFT);
    hang_up(b, RIGHT);
    engine_fini(&b->engine);
    border_fini(&b->border);
    run_fini(&b->run);
    plan_free(b->plan);
    close(b->stop_fd);
    free(b);
}

/* ---- traffic ---- */

struct flow {
    int from, to; /* we write to `from` and read from `to` */
    size_t size, sent, got;
    bool no_end; /* leave the writing side open */
    bool wrong, ended;
};

static unsigned char byte_at(size_t i)
{
    return (unsigned char)((i * 2654435761U) >> 13);
}

static void send_some(struct flow *f, struct bench *b, int side)
{
    unsigned char p[8192];
    size_t n = f->size - f->sent < sizeof p ? f->size - f->sent : sizeof p;
    for (size_t i = 0; i < n; i++)
        p[i] = byte_at(f->sent + i);
    ssize_t w = write(f->from, p, n);
    if (w > 0)
        f->sent += (size_t)w;
    if (f->sent == f->size && !f->no_end) {
        (void)shutdown(f->from, SHUT_WR); /* a pipe is closed instead */
        close(f->from);
        b->out[side][1] = f->from = -1;
    }
}

static void take_some(struct flow *f)
{
    unsigned char p[8192];
    ssize_t n = read(f->to, p, sizeof p);
    for (ssize_t i = 0; i < n; i++)
        f->wrong |= p[i] != byte_at(f->got + (size_t)i);
    if (n > 0)
        f->got += (size_t)n;
    f->ended |= n == 0;
}

static bool sending(const struct flow *f) { return f->from >= 0 && f->sent < f->size; }

static bool receiving(const struct flow *f)
{
    return f->to >= 0 && !f->ended && !(f->no_end && f->got == f->size);
}

/* Until all flows have come through, or nothing moves for `quiet` milliseconds: gives whether all
 * is done. flows[i] starts at side i; a flow of size 0 that has no_end is none. */
__attribute__((unused)) static bool traffic(struct bench *b, struct flow flows[2], int quiet)
{
    for (;;) {
        struct pollfd fds[4];
        for (int i = 0; i < 2; i++) {
            fds[2 * i] = (struct pollfd){sending(&flows[i]) ? flows[i].from : -1, POLLOUT, 0};
            fds[2 * i + 1] = (struct pollfd){receiving(&flows[i]) ? flows[i].to : -1, POLLIN, 0};
        }
        if (fds[0].fd < 0 && fds[1].fd < 0 && fds[2].fd < 0 && fds[3].fd < 0)
            return true;
        int n = poll(fds, 4, quiet);
        if (n <= 0)
            return false;
        for (int i = 0; i < 2; i++) {
            if (fds[2 * i].revents)
                send_some(&flows[i], b, i);
            if (fds[2 * i + 1].revents)
                take_some(&flows[i]);
        }
    }
}

__attribute__((unused)) static struct flow flow(struct bench *b, int side, size_t size, bool no_end)
{
    return (struct flow){.from = b->out[side][1], .to = b->out[!side][0], .size = size,
                         .no_end = no_end};
}

__attribute__((unused)) static void came_through(const struct flow *f)
{
    assert_int_equal(f->got, f->size);
    assert_false(f->wrong);
}

static int quiet(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    return 0;
}

#endif
