/* SPDX-License-Identifier: GPL-2.0-or-later
 * The threads of a listener: who leads, how many are served at a time, who is served while another is
 * being opened or closed, and what ends when a signal, a second one, or an order comes. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catena/wait.h"
#include "engine/serve/crew.h"
#include "hostile_port.h"

/* ---- a listener of the test's own: connections come through a pipe ---- */

enum { MOST = 300 };

struct connection {
    int peer[2];      /* our ends of it */
    struct port *port[2];
    int gate;         /* opening it waits until that is readable; -1 it does not */
    struct run *run;  /* that serves it */
    bool finished;
    int rc;           /* of its opening */
    enum err_kind kind;
    enum run_end end;
};

static struct listener {
    struct settings settings;
    struct plan *plan;
    struct run run;
    struct crew *crew;
    int door[2];
    struct unit_count before;

    pthread_mutex_t lock; /* guards what follows */
    struct connection c[MOST];
    size_t n, nfinished, accepts;
} l;

static struct connection *connection_of(const struct run *r)
{
    struct connection *found = NULL;
    pthread_mutex_lock(&l.lock);
    for (size_t i = 0; i < l.n; i++)
        if (l.c[i].run == r && !l.c[i].finished)
            found = &l.c[i];
    pthread_mutex_unlock(&l.lock);
    return found;
}

static int accept_one(void *arg, struct run *r, struct line *line, struct err *e)
{
    struct connection *c;
    if (arg != &l || wait_fd(r, l.door[0], POLLIN, -1, e) < 0)
        return -1;
    if (read(l.door[0], &c, sizeof c) != (ssize_t)sizeof c)
        return err_set(e, ERR_OTHER, "the door is broken");
    if (!c)
        return err_set(e, ERR_BUSY, "nobody can be accepted");
    pthread_mutex_lock(&l.lock);
    c->run = r;
    l.accepts++;
    pthread_mutex_unlock(&l.lock);
    line_put_end(line, LEFT, c->port[LEFT]);
    c->port[LEFT] = NULL;
    return 0;
}

static int open_rest(void *arg, struct run *r, struct line *line, struct err *e)
{
    struct connection *c = connection_of(r);
    (void)arg;
    if (!c)
        return err_set(e, ERR_OTHER, "nobody has come");
    if (c->gate >= 0 && wait_fd(r, c->gate, POLLIN, -1, e) < 0)
        return -1;
    line_put_end(line, RIGHT, c->port[RIGHT]);
    c->port[RIGHT] = NULL;
    return line_open_chain(line, LEFT, e) < 0 || line_open_chain(line, RIGHT, e) < 0 ||
                   line_join(line, e) < 0 || line_start(line, e) < 0
               ? -1
               : 0;
}

static void finish(void *arg, struct run *r, struct line *line, int rc, struct err *e)
{
    struct connection *c = connection_of(r);
    (void)arg;
    line_fini(line);
    if (!c)
        return;
    pthread_mutex_lock(&l.lock);
    c->finished = true;
    c->rc = rc;
    c->kind = rc < 0 ? e->kind : ERR_NONE;
    c->end = (enum run_end)atomic_load(&r->end);
    l.nfinished++;
    pthread_mutex_unlock(&l.lock);
}

static const struct crew_ops ops = {accept_one, open_rest, finish};

static void listen_for(const char *right, long long max)
{
    struct err e;
    l.settings = unit_settings();
    l.plan = unit_plan(&l.settings, "-", right);
    unit_run(&l.run, &l.settings, l.plan, unit_signal_fd());
    l.crew = crew_new(&ops, &l, &l.run, max, &e);
    assert_non_null(l.crew);
    assert_int_equal(crew_lead(l.crew, &e), 0);
}

static int begin(void **state)
{
    (void)state;
    (void)unit_signal_fd();
    memset(&l, 0, sizeof l);
    l.before = unit_count();
    unit_log_clear();
    return pthread_mutex_init(&l.lock, NULL) != 0 || pipe2(l.door, O_CLOEXEC) < 0;
}

static int end(void **state)
{
    (void)state;
    crew_free(l.crew, true);
    for (size_t i = 0; i < l.n; i++)
        for (int k = 0; k < 2; k++) {
            port_close(l.c[i].port[k]);
            if (l.c[i].peer[k] >= 0)
                close(l.c[i].peer[k]);
        }
    unit_run_fini(&l.run);
    plan_free(l.plan);
    close(l.door[0]);
    close(l.door[1]);
    (void)pthread_mutex_destroy(&l.lock);
    unit_nothing_left(l.before);
    return 0;
}

/* ---- those who come ---- */

static void make_side(struct connection *c, int side)
{
    struct err e;
    int fds[2];
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), errno);
    c->peer[side] = fds[1];
    assert_int_equal(port_open_fds(fds[0], fds[0], 0, PORT_SHUT_DOWN, "crew", &c->port[side], &e), 0);
}

static struct connection *next_connection(void)
{
    assert_true(l.n < MOST);
    struct connection *c = &l.c[l.n];
    *c = (struct connection){.peer = {-1, -1}, .gate = -1};
    pthread_mutex_lock(&l.lock);
    l.n++;
    pthread_mutex_unlock(&l.lock);
    return c;
}

static void enters(struct connection *c)
{
    assert_int_equal(write(l.door[1], &c, sizeof c), sizeof c);
}

static struct connection *come(int gate)
{
    struct connection *c = next_connection();
    make_side(c, LEFT);
    make_side(c, RIGHT);
    c->gate = gate;
    enters(c);
    return c;
}

static void say(int from, int to, const char *text)
{
    char got[32] = "";
    assert_int_equal(write(from, text, strlen(text)), strlen(text));
    for (size_t n = 0; n < strlen(text);) {
        assert_true(unit_readable(to, UNIT_PATIENCE_MS));
        ssize_t k = read(to, got + n, strlen(text) - n);
        assert_true(k > 0);
        n += (size_t)k;
    }
    assert_string_equal(got, text);
}

static void is_served(struct connection *c)
{
    say(c->peer[LEFT], c->peer[RIGHT], "question");
    say(c->peer[RIGHT], c->peer[LEFT], "answer");
}

static void leave(struct connection *c)
{
    for (int i = 0; i < 2; i++) {
        close(c->peer[i]);
        c->peer[i] = -1;
    }
}

static bool has_finished(struct connection *c)
{
    pthread_mutex_lock(&l.lock);
    bool is = c->finished;
    pthread_mutex_unlock(&l.lock);
    return is;
}

static size_t accepted(void)
{
    pthread_mutex_lock(&l.lock);
    size_t n = l.accepts;
    pthread_mutex_unlock(&l.lock);
    return n;
}

/* ---- serving ---- */

static void serves(const char *right)
{
    enum { N = 40 };
    struct connection *c[N];
    listen_for(right, 0);
    for (int i = 0; i < N; i++)
        c[i] = come(-1);
    for (int i = 0; i < N; i++)
        is_served(c[i]);
    unit_await(crew_runs(l.crew) == N + 1); /* with the one that is being accepted */
    for (int i = 0; i < N; i += 2)
        leave(c[i]);
    unit_await(crew_runs(l.crew) == N / 2 + 1);
    for (int i = 1; i < N; i += 2)
        is_served(c[i]);
    for (int i = 1; i < N; i += 2)
        leave(c[i]);
    unit_await(crew_runs(l.crew) == 1);
    /* what they have moved stays counted */
    assert_int_equal(atomic_load(&l.run.bytes[LEFT]), (N + N / 2) * strlen("question"));
    assert_int_equal(atomic_load(&l.run.bytes[RIGHT]), (N + N / 2) * strlen("answer"));
    for (int i = 0; i < N; i++)
        assert_int_equal(c[i]->rc, 0);
}

static void serves_in_hubs(void **state)
{
    (void)state;
    serves("pipe");
}

static void serves_in_threads(void **state)
{
    (void)state;
    serves("gzip|^gzip|pipe");
}

/* An open connection of one engine costs no thread. */
static void threads_are_few(void **state)
{
    enum { N = 200 };
    struct connection *c[N];
    (void)state;
    listen_for("pipe", 0);
    for (int i = 0; i < N; i++)
        c[i] = come(-1);
    for (int i = 0; i < N; i++)
        is_served(c[i]);
    assert_in_range(unit_count().threads - l.before.threads, 2, (size_t)sysconf(_SC_NPROCESSORS_ONLN) + 4);
}

/* No more than max-children at a time. */
static void bounded(void **state)
{
    (void)state;
    listen_for("pipe", 2);
    struct connection *a = come(-1), *b = come(-1), *c = come(-1), *d = come(-1);
    is_served(a);
    is_served(b);
    unit_await(unit_logged("N maxchildren are active, waiting") == 1);
    assert_int_equal(accepted(), 2);
    leave(b);
    is_served(c);
    assert_int_equal(crew_runs(l.crew), 2);
    leave(a);
    is_served(d);
    is_served(c);
}

/* ---- the lead ---- */

/* While one is being opened and has to wait, others come in. */
static void lead_passes(void **state)
{
    (void)state;
    listen_for("pipe", 0);
    int gate = eventfd(0, EFD_CLOEXEC);
    struct connection *slow[3], *quick;
    for (int i = 0; i < 3; i++) {
        slow[i] = come(gate);
        quick = come(-1);
        is_served(quick);
        leave(quick);
    }
    (void)eventfd_write(gate, 1);
    for (int i = 0; i < 3; i++)
        is_served(slow[i]);
    close(gate);
}

static void accepting_fails(void **state)
{
    struct err e;
    struct connection *nobody = NULL;
    (void)state;
    listen_for("pipe", 0);
    struct connection *a = come(-1);
    is_served(a);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(write(l.door[1], &nobody, sizeof nobody), sizeof nobody);
        assert_int_equal(crew_wait(l.crew, &e), 1);
        assert_int_equal(e.kind, ERR_BUSY);
        assert_string_equal(e.text, "nobody can be accepted");
        is_served(a); /* it goes on */
        struct connection *b = come(-1);
        unit_pause(20);
        assert_int_equal(accepted(), 1 + i); /* until somebody leads again, nobody is accepted */
        assert_int_equal(crew_lead(l.crew, &e), 0);
        is_served(b);
    }
    unit_await(crew_runs(l.crew) == 5);
}

/* As a proxy of SOCKS4 does. */
static void answer(struct connection *c, const char what[8])
{
    char request[64];
    ssize_t n = 0;
    while (n < 9 || request[n - 1] != '\0') {
        assert_true(unit_readable(c->peer[RIGHT], UNIT_PATIENCE_MS));
        ssize_t k = read(c->peer[RIGHT], request + n, sizeof request - (size_t)n);
        assert_true(k > 0);
        n += k;
    }
    assert_int_equal(write(c->peer[RIGHT], what, 8), 8);
}

/* One that cannot be opened is told, and the next one is served. */
static void opening_fails(void **state)
{
    (void)state;
    listen_for("socks4:192.0.2.1:80|pipe", 0);
    struct connection *a = come(-1), *b = come(-1);
    static const char no[8] = {0, 91}, yes[8] = {0, 90};
    leave(a); /* in the middle of the dialog */
    unit_await(has_finished(a));
    assert_int_equal(a->rc, -1);
    answer(b, no);
    unit_await(has_finished(b));
    assert_int_equal(b->kind, ERR_REFUSED);
    struct connection *c = come(-1);
    answer(c, yes);
    is_served(c);
}

/* ---- slow ends ---- */

/* Its close waits for a peer: the others do not. */
static void slow_close(void **state)
{
    (void)state;
    listen_for("pipe", 0);
    int gate = eventfd(0, EFD_CLOEXEC);
    struct connection *slow = next_connection(), *others[20];
    struct hostility h = {.seed = 1, .close_gate = gate};
    assert_return_code(hostile_port(&h, &slow->port[LEFT], &slow->peer[LEFT]), errno);
    make_side(slow, RIGHT);
    enters(slow);
    for (int i = 0; i < 20; i++) {
        others[i] = come(-1);
        is_served(others[i]);
    }
    is_served(slow);
    leave(slow);
    for (int i = 0; i < 20; i++) {
        is_served(others[i]);
        leave(others[i]);
        struct connection *late = come(-1);
        is_served(late);
        leave(late);
    }
    unit_await(crew_runs(l.crew) == 2);
    assert_false(has_finished(slow));
    (void)eventfd_write(gate, 1);
    unit_await(has_finished(slow));
    unit_await(crew_runs(l.crew) == 1);
    close(gate);
}

/* ---- the end ---- */

/* The first signal: nobody is accepted any more, the others go on until they have ended. */
static void first_signal(void **state)
{
    struct err e;
    (void)state;
    listen_for("pipe", 0);
    struct connection *a = come(-1), *b = come(-1);
    is_served(a);
    is_served(b);
    assert_return_code(kill(getpid(), SIGTERM), errno);
    assert_int_equal(crew_wait(l.crew, &e), -1);
    assert_int_equal(e.kind, ERR_INTERRUPTED);
    assert_int_equal(l.run.ended_signal, SIGTERM);
    crew_quit(l.crew);
    struct connection *late = come(-1);
    is_served(a);
    is_served(b);
    assert_int_equal(crew_runs(l.crew), 2);
    leave(a);
    leave(b);
    crew_free(l.crew, false);
    l.crew = NULL;
    assert_int_equal(accepted(), 2);
    assert_null(late->run);
    assert_int_equal(l.nfinished, 2);
    assert_int_not_equal(a->end, END_STOPPED);
}

/* The second signal: all end. */
static void second_signal(void **state)
{
    struct err e;
    char c;
    (void)state;
    listen_for("gzip|^gzip|pipe", 0);
    struct connection *a = come(-1), *b = come(-1);
    is_served(a);
    is_served(b);
    assert_return_code(kill(getpid(), SIGTERM), errno);
    assert_int_equal(crew_wait(l.crew, &e), -1);
    crew_quit(l.crew);
    is_served(a);
    assert_return_code(kill(getpid(), SIGTERM), errno);
    crew_free(l.crew, false);
    l.crew = NULL;
    assert_int_equal(l.nfinished, 2);
    assert_int_equal(read(a->peer[LEFT], &c, 1), 0);
    assert_int_equal(read(b->peer[RIGHT], &c, 1), 0);
    assert_int_equal(a->end, END_STOPPED);
    assert_int_equal(b->end, END_STOPPED);
}

/* By order: all at once, those that are being opened, too. */
static void at_once(void **state)
{
    (void)state;
    listen_for("pipe", 0);
    int gate = eventfd(0, EFD_CLOEXEC);
    struct connection *a = come(-1), *slow = come(gate), *b = come(-1);
    is_served(a);
    is_served(b);
    crew_free(l.crew, true);
    l.crew = NULL;
    assert_int_equal(l.nfinished, 3);
    assert_int_equal(a->rc, 0);
    assert_int_equal(a->end, END_STOPPED);
    assert_int_equal(slow->rc, -1);
    assert_int_equal(slow->kind, ERR_INTERRUPTED);
    close(gate);
}

/* While it waits for room. */
static void quits_when_full(void **state)
{
    (void)state;
    listen_for("pipe", 1);
    struct connection *a = come(-1), *b = come(-1);
    is_served(a);
    unit_await(unit_logged("maxchildren are active") == 1);
    crew_quit(l.crew);
    crew_quit(l.crew); /* once more is no more */
    is_served(a);
    leave(a);
    crew_free(l.crew, false);
    l.crew = NULL;
    assert_null(b->run);
}

#define crews(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        crews(serves_in_hubs),  crews(serves_in_threads), crews(threads_are_few), crews(bounded),
        crews(lead_passes),     crews(accepting_fails),   crews(opening_fails),   crews(slow_close),
        crews(first_signal),    crews(second_signal),     crews(at_once),         crews(quits_when_full),
    };
    return cmocka_run_group_tests_name("crew", tests, unit_begin, unit_end);
}
