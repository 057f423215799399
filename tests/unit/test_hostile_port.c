/* SPDX-License-Identifier: GPL-2.0-or-later
 * Random data both ways through ports that are as hostile as they may: with an engine in a thread of its
 * own, in a forked child, and with a thousand in a hub. All of it arrives, and all ends. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/open/line.h"
#include "engine/relay/hub.h"
#include "hostile_port.h"

enum { FOREIGN = 10000 };

static struct settings settings;
static struct plan *plan;

/* ---- a line of one engine between two hostile ports ---- */

struct crossing {
    struct run run;
    struct line line;
    struct seat seat; /* first of all those of a hub */
    int outside[2];       /* the other ends of the ports */
    struct way {          /* by where it begins: what was sent and received */
        unsigned sent, received; /* the next random bytes */
        size_t size, nsent, nreceived;
        bool ended;
    } way[2];
};

static unsigned char next(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return (unsigned char)(*seed >> 16);
}

static void open_crossing(struct crossing *p, struct hostility h, size_t size)
{
    struct err e;
    assert_int_equal(run_init(&p->run, &settings, plan, -1, &e), 0);
    p->run.stop_fd = -1;
    assert_int_equal(line_init(&p->line, &p->run, &e), 0);
    for (int side = LEFT; side <= RIGHT; side++) {
        struct port *port;
        h.seed = h.seed * 2 + (unsigned)side;
        assert_return_code(hostile_port(&h, &port, &p->outside[side]), errno);
        line_put_end(&p->line, side, port);
        p->way[side] = (struct way){.sent = h.seed, .received = h.seed, .size = size + h.seed % 100};
    }
    assert_int_equal(line_join(&p->line, &e), 0);
    assert_int_equal(line_start(&p->line, &e), 0);
}

static void close_crossing(struct crossing *p)
{
    assert_false(p->run.failed);
    for (int side = LEFT; side <= RIGHT; side++) {
        assert_int_equal(atomic_load(&p->run.lost[side]), 0);
        assert_int_equal(atomic_load(&p->run.bytes[side]), p->way[side].size);
        close(p->outside[side]);
    }
    line_fini(&p->line);
    run_fini(&p->run);
}

/* ---- the traffic ---- */

static void send_some(struct way *w, int fd)
{
    unsigned char block[3000];
    while (w->nsent < w->size) {
        unsigned seed = w->sent;
        size_t n = w->size - w->nsent < sizeof block ? w->size - w->nsent : sizeof block;
        for (size_t i = 0; i < n; i++)
            block[i] = next(&seed);
        ssize_t k = write(fd, block, n);
        if (k < 0)
            break;
        for (ssize_t i = 0; i < k; i++)
            (void)next(&w->sent);
        w->nsent += (size_t)k;
        if (w->nsent == w->size)
            assert_return_code(shutdown(fd, SHUT_WR), errno);
    }
}

static void receive_some(struct way *w, int fd)
{
    unsigned char block[3000];
    ssize_t n;
    while (!w->ended && (n = read(fd, block, sizeof block)) >= 0) {
        for (ssize_t i = 0; i < n; i++)
            if (block[i] != next(&w->received))
                fail_msg("byte %zu is wrong", w->nreceived + (size_t)i);
        w->nreceived += (size_t)n;
        w->ended = n == 0;
    }
    if (w->ended)
        assert_int_equal(w->nreceived, w->size);
}

static void serve_outside(struct crossing *p, int side)
{
    send_some(&p->way[side], p->outside[side]);
    receive_some(&p->way[!side], p->outside[side]);
}

static bool is_through(const struct crossing *p)
{
    return p->way[LEFT].ended && p->way[RIGHT].ended;
}

static void exchange(struct crossing *p)
{
    while (!is_through(p)) {
        struct pollfd fds[2];
        for (int i = 0; i < 2; i++) {
            bool more = p->way[i].nsent < p->way[i].size;
            fds[i] = (struct pollfd){.fd = p->outside[i],
                                     .events = (short)((more ? POLLOUT : 0) |
                                                       (p->way[!i].ended ? 0 : POLLIN))};
        }
        if (poll(fds, 2, (int)(UNIT_PATIENCE_MS * unit_slower())) <= 0)
            fail_msg("nothing moves: %zu and %zu bytes are through", p->way[LEFT].nreceived,
                     p->way[RIGHT].nreceived);
        serve_outside(p, LEFT);
        serve_outside(p, RIGHT);
    }
}

/* ---- alone, in a forked child ---- */

static void *relay(void *arg)
{
    struct crossing *p = arg;
    line_relay(&p->line);
    return NULL;
}

static void alone(void **state)
{
    (void)state;
    struct unit_count before = unit_count();
    for (unsigned seed = 1; seed <= 3; seed++) {
        struct crossing p;
        pthread_t t;
        open_crossing(&p, (struct hostility){.seed = seed, .foreign = FOREIGN, .close_ms = 20},
                   50000);
        assert_int_equal(pthread_create(&t, NULL, relay, &p), 0);
        exchange(&p);
        assert_int_equal(pthread_join(t, NULL), 0);
        close_crossing(&p);
    }
    unit_nothing_left(before);
}

/* As with option fork: what the listener has opened is relayed by a child. */
static void forked(void **state)
{
    (void)state;
    struct unit_count before = unit_count();
    for (unsigned seed = 11; seed <= 13; seed++) {
        struct crossing p;
        int status;
        open_crossing(&p, (struct hostility){.seed = seed, .foreign = FOREIGN, .close_ms = 20},
                   50000);
        pid_t pid = fork();
        assert_return_code(pid, errno);
        if (pid == 0) {
            (void)alarm(60);
            run_after_fork(&p.run);
            close(p.outside[LEFT]); /* or the end of the other one would not be seen */
            close(p.outside[RIGHT]);
            line_relay(&p.line);
            bool good = !p.run.failed && p.run.bytes[LEFT] == p.way[LEFT].size &&
                        p.run.bytes[RIGHT] == p.way[RIGHT].size;
            line_fini(&p.line);
            run_fini(&p.run);
            _exit(good ? 0 : 1);
        }
        line_fini(&p.line);
        run_fini(&p.run);
        exchange(&p);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        close(p.outside[LEFT]);
        close(p.outside[RIGHT]);
    }
    unit_nothing_left(before);
}

/* ---- a thousand in a hub ---- */

enum { MANY = 1000 };

static atomic_uint nended;
static int all_ended; /* eventfd */

static void leaves(struct seat *s)
{
    (void)s;
    if (atomic_fetch_add(&nended, 1) + 1 == MANY)
        (void)eventfd_write(all_ended, 1);
}

static void descriptors_for(rlim_t n)
{
    struct rlimit l;
    assert_return_code(getrlimit(RLIMIT_NOFILE, &l), errno);
    if (l.rlim_cur < n)
        l.rlim_cur = l.rlim_max < n ? l.rlim_max : n;
    assert_return_code(setrlimit(RLIMIT_NOFILE, &l), errno);
    if (l.rlim_cur < n)
        skip();
}

static void exchange_all(struct crossing *all)
{
    struct epoll_event ev[256];
    int epfd = epoll_create1(EPOLL_CLOEXEC);
    assert_return_code(epfd, errno);
    for (unsigned i = 0; i < 2 * MANY; i++) {
        struct epoll_event want = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.u32 = i};
        assert_return_code(epoll_ctl(epfd, EPOLL_CTL_ADD, all[i / 2].outside[i % 2], &want), errno);
    }
    for (unsigned through = 0; through < MANY;) {
        int n = epoll_wait(epfd, ev, 256, (int)(UNIT_PATIENCE_MS * unit_slower()));
        if (n <= 0)
            fail_msg("nothing moves: %u of %d are through", through, MANY);
        for (int k = 0; k < n; k++) {
            struct crossing *p = &all[ev[k].data.u32 / 2];
            bool was = is_through(p);
            serve_outside(p, (int)ev[k].data.u32 % 2);
            through += !was && is_through(p);
        }
    }
    close(epfd);
}

/* Some have ten thousand foreigners in front of them, some are slow to close: the others need not wait for
 * those. */
static void in_a_hub(void **state)
{
    struct err e;
    (void)state;
    descriptors_for(2 * 2 * MANY + 200);
    struct unit_count before = unit_count();
    struct crossing *all = calloc(MANY, sizeof *all);
    struct hubs *hubs = hubs_new(&e);
    assert_non_null(all);
    assert_non_null(hubs);
    atomic_store(&nended, 0);
    all_ended = eventfd(0, EFD_CLOEXEC);
    for (unsigned i = 0; i < MANY; i++) {
        struct crossing *p = &all[i];
        open_crossing(p, (struct hostility){.seed = 100 + i, .foreign = i % 50 ? 50 : FOREIGN,
                                           .close_ms = i % 100 == 7 ? 300 : 0}, 1000);
        assert_true(line_is_one_engine(&p->line));
        p->seat = (struct seat){.engine = line_begin(&p->line), .ended = leaves};
        assert_true(hubs_add(hubs, &p->seat));
    }
    exchange_all(all);
    assert_true(unit_readable(all_ended, (int)(UNIT_PATIENCE_MS * unit_slower())));
    hubs_free(hubs, &all[0].run);
    for (unsigned i = 0; i < MANY; i++)
        close_crossing(&all[i]);
    free(all);
    close(all_ended);
    unit_nothing_left(before);
}

static int begin(void **state)
{
    if (unit_begin(state) < 0)
        return -1;
    settings = unit_settings();
    plan = unit_plan(&settings, "-", "pipe");
    return 0;
}

static int end(void **state)
{
    plan_free(plan);
    return unit_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forked), /* while there has been no other thread */
        cmocka_unit_test(alone),
        cmocka_unit_test(in_a_hub),
        
    };
    return cmocka_run_group_tests_name("hostile_port", tests, begin, end);
}
