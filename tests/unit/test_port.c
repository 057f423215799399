/* SPDX-License-Identifier: GPL-2.0-or-later
 * Ports: what a read says; layers, which are as if they were not there but where they act; the halves of
 * a dual. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catena/endpoint.h"
#include "engine/port/express.h"

extern const struct form forms_posixmq[];

static struct err ignored;

static struct port *open_fds(int rfd, int wfd, unsigned flags, enum port_shut shut)
{
    struct port *p;
    assert_int_equal(port_open_fds(rfd, wfd, flags, shut, "it", &p, &ignored), 0);
    return p;
}

/* A port over one end of a pair of sockets; the other end goes to peer. */
static struct port *open_socket(int type, unsigned flags, int *peer)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds), 0);
    *peer = fds[1];
    return open_fds(fds[0], fds[0], flags, PORT_SHUT_DOWN);
}

static void assert_reads(struct port *p, const char *what)
{
    char text[64] = "";
    assert_int_equal(port_read(p, text, sizeof text), strlen(what));
    assert_string_equal(text, what);
}

static void assert_read_fails(struct port *p, size_t cap, int sys)
{
    char text[64];
    errno = 0;
    assert_int_equal(port_read(p, text, cap), -1);
    assert_int_equal(errno, sys);
}

static bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

/* ---- what a read says ---- */

static void a_stream_says_later_then_bytes_then_the_end(void **state)
{
    int peer;
    struct port *p = open_socket(SOCK_STREAM, 0, &peer);
    (void)state;
    assert_read_fails(p, 64, EAGAIN);
    assert_int_equal(write(peer, "bytes", 5), 5);
    assert_reads(p, "bytes");
    assert_read_fails(p, 64, EAGAIN);
    close(peer);
    assert_reads(p, "");
    port_close(p);
}

static void a_message_too_long_says_what_it_needs_and_stays(void **state)
{
    int peer;
    struct port *p = open_socket(SOCK_DGRAM, 0, &peer);
    (void)state;
    assert_int_equal(write(peer, "a message", 9), 9);
    assert_read_fails(p, 4, EMSGSIZE);
    assert_int_equal(p->need, 9);
    assert_reads(p, "a message");
    assert_int_equal(port_unread(p, "put back", 8, &ignored), 0);
    assert_true(port_has_more(p));
    assert_read_fails(p, 4, EMSGSIZE);
    assert_int_equal(p->need, 8);
    assert_reads(p, "put back");
    assert_false(port_has_more(p));
    close(peer);
    port_close(p);
}

static void a_terminal_that_hangs_up_may_come_back(void **state)
{
    int master, slave;
    char name[64];
    (void)state;
    assert_int_equal(openpty(&master, &slave, name, NULL, NULL), 0);
    close(slave);
    struct port *p = open_fds(master, master, PORT_EIO_EOF, PORT_SHUT_NONE);
    p->sitout_eio = 1000;
    assert_int_equal(port_join(p, open_fds(-1, dup(1), 0, PORT_SHUT_NONE), &p, &ignored), 0);
    assert_read_fails(p, 64, EAGAIN);
    assert_true(p->eio_until > 0); /* of which no poll() tells */
    p->inner[0]->sitout_eio = 0;
    assert_reads(p, "");
    port_close(p);
}

/* One that means nothing is followed by another look, so that whoever floods us with them keeps nobody
 * else waiting. */
static void an_empty_message_of_a_queue_is_no_message_and_no_end(void **state)
{
    static const struct settings settings;
    char name[64];
    const char *params[] = {name};
    struct port *p;
    struct run run;
    (void)state;
    (void)snprintf(name, sizeof name, "/catena-test-%d", (int)getpid());
    struct addr a = {.keyword = "POSIXMQ-READ", .form = forms_posixmq, .left = CTX_R, .label = "it",
                     .params = params, .nparams = 1};
    mqd_t peer = mq_open(name, O_CREAT | O_WRONLY | O_EXCL, 0600, NULL);
    if (peer == (mqd_t)-1)
        skip();
    assert_int_equal(run_init(&run, &settings, NULL, -1, &ignored), 0);
    assert_int_equal(forms_posixmq->ops.endpoint->open(&a, &run, NULL, &p, &ignored), 0);
    (void)mq_unlink(name);
    assert_int_equal(mq_send(peer, "", 0, 0), 0);
    assert_int_equal(mq_send(peer, "", 0, 0), 0);
    assert_int_equal(mq_send(peer, "x", 1, 0), 0);
    char text[16384];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(port_read(p, text, sizeof text), -1);
        assert_int_equal(errno, EINTR);
    }
    assert_int_equal(port_read(p, text, sizeof text), 1);
    assert_int_equal(port_read(p, text, sizeof text), -1);
    assert_int_equal(errno, EAGAIN);
    port_close(p);
    run_fini(&run);
    (void)mq_close(peer);
}

/* ---- layers ---- */

struct counter {
    unsigned reads, *closed;
};

static ssize_t count_read(struct port *p, void *buf, size_t cap)
{
    struct counter *c = p->state;
    c->reads++;
    return port_inner_read(p, buf, cap);
}

static void count_close(struct port *p)
{
    const struct counter *c = p->state;
    ++*c->closed;
    port_inner_close(p);
}

static const struct port_ops counting = {.read = count_read, .close = count_close};
static const struct port_ops idle = {NULL};

static struct counter *count(struct port **p, unsigned *closed)
{
    struct counter *c = port_wrap(p, &counting, sizeof *c, &ignored);
    assert_non_null(c);
    assert_int_equal(c->reads, 0);
    c->closed = closed;
    return c;
}

static void a_layer_is_as_if_it_were_not_there(void **state)
{
    int peer, watched[2];
    (void)state;
    assert_int_equal(pipe(watched), 0);
    struct port *p = open_socket(SOCK_SEQPACKET, PORT_COOL_WRITE | PORT_IGNORE_EOF, &peer);
    p->writer_fd = watched[0];
    p->given[0] = 77;
    p->wlabel = "other";
    struct port bare = *p;
    assert_non_null(port_wrap(&p, &idle, 0, &ignored));
    assert_non_null(port_wrap(&p, &idle, 0, &ignored));
    assert_int_equal(p->rfd, bare.rfd);
    assert_int_equal(p->wfd, bare.wfd);
    assert_int_equal(p->given[0], 77);
    assert_int_equal(p->given[1], bare.given[1]);
    assert_int_equal(p->flags, bare.flags);
    assert_int_equal(p->shut, bare.shut);
    assert_string_equal(p->label, "it");
    assert_string_equal(p->wlabel, "other");
    assert_int_equal(p->writer_fd, watched[0]);
    assert_true(port_is_one(p));
    assert_true(port_awaits_room(p));
    assert_int_equal(port_lives_with_edges(p), port_lives_with_edges(p->inner[0]));
    assert_int_equal(port_message_most(p), port_message_most(p->inner[0]));
    assert_int_equal(port_write(p, "there", 5), 5);
    char text[64] = "";
    assert_int_equal(read(peer, text, sizeof text), 5);
    assert_int_equal(write(peer, "and back", 8), 8);
    assert_read_fails(p, 4, EMSGSIZE);
    assert_int_equal(p->need, 8);
    assert_reads(p, "and back");
    assert_int_equal(port_shutdown(p, &ignored), 0);
    assert_int_equal(read(peer, text, sizeof text), 0);
    port_close(p);
    assert_false(is_open(bare.rfd));
    assert_false(is_open(watched[0]));
    close(watched[1]);
    close(peer);
}

static void layers_act_from_the_outer_one_inwards(void **state)
{
    int peer;
    unsigned outer = 0, inner = 0;
    struct port *p = open_socket(SOCK_STREAM, 0, &peer);
    (void)state;
    struct counter *in = count(&p, &inner), *out = count(&p, &outer);
    assert_int_equal(write(peer, "x", 1), 1);
    assert_reads(p, "x");
    assert_int_equal(in->reads, 1);
    assert_int_equal(out->reads, 1);
    port_close(p);
    assert_int_equal(outer, 1);
    assert_int_equal(inner, 1);
    close(peer);
}

static void what_was_read_too_far_is_read_first_wherever_it_is(void **state)
{
    int peer;
    struct port *p = open_socket(SOCK_STREAM, 0, &peer);
    (void)state;
    assert_int_equal(port_unread(p, "before ", 7, &ignored), 0);
    assert_non_null(port_wrap(&p, &idle, 0, &ignored));
    assert_true(port_has_more(p));
    assert_true(port_ready(p, true, false));
    assert_int_equal(port_held(p), 7);
    assert_int_equal(port_unread(p, "layer ", 6, &ignored), 0);
    assert_int_equal(port_held(p), 13);
    assert_reads(p, "layer ");
    assert_reads(p, "before ");
    assert_false(port_has_more(p));
    assert_read_fails(p, 64, EAGAIN);
    close(peer);
    port_close(p);
}

static void a_closed_descriptor_is_seen_in_the_layer(void **state)
{
    int a[2], b[2];
    (void)state;
    assert_int_equal(pipe(a), 0);
    assert_int_equal(pipe(b), 0);
    struct port *p = open_fds(a[0], b[1], PORT_JOINT, PORT_SHUT_CLOSE);
    assert_non_null(port_wrap(&p, &idle, 0, &ignored));
    assert_int_equal(port_shutdown(p, &ignored), 0);
    assert_int_equal(p->wfd, -1);
    assert_false(is_open(b[1]));
    port_stop_reading(p);
    assert_int_equal(p->rfd, -1);
    assert_false(is_open(a[0]));
    int other = dup(a[1]); /* takes the number: a second close would hit it */
    port_close(p);
    assert_true(is_open(other));
    close(other);
    close(a[1]);
    close(b[0]);
}

static void who_shares_a_layer_shares_all_that_is_in_it(void **state)
{
    int peer;
    char c;
    unsigned closed = 0;
    struct port *p = open_socket(SOCK_STREAM, PORT_SHUT_BOTH, &peer);
    (void)state;
    int other = dup(p->rfd);
    int nowhere = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(port_join(open_fds(nowhere, -1, 0, PORT_SHUT_NONE), p, &p, &ignored), 0);
    (void)count(&p, &closed);
    port_abandon(p);
    assert_int_equal(closed, 1);
    assert_int_equal(recv(peer, &c, 1, MSG_DONTWAIT), -1); /* no end: the other one goes on */
    assert_int_equal(errno, EAGAIN);
    close(other);
    close(peer);
}

/* ---- duals ---- */

static void a_dual_is_read_here_and_written_there(void **state)
{
    int from[2], to[2];
    (void)state;
    assert_int_equal(pipe(from), 0);
    assert_int_equal(pipe(to), 0);
    struct port *r = open_fds(from[0], -1, PORT_EIO_EOF | PORT_PROGRAM, PORT_SHUT_NONE);
    struct port *w = open_fds(-1, to[1], PORT_IGNORE_EOF | PORT_COOL_WRITE, PORT_SHUT_CLOSE), *p;
    w->label = w->wlabel = "there";
    assert_int_equal(port_unread(r, "first ", 6, &ignored), 0);
    assert_int_equal(port_join(r, w, &p, &ignored), 0);
    assert_int_equal(p->rfd, from[0]);
    assert_int_equal(p->wfd, to[1]);
    assert_string_equal(p->label, "it");
    assert_string_equal(p->wlabel, "there");
    const unsigned writes = PORT_COOL_WRITE | PORT_OWN_W | PORT_FINAL_W;
    assert_int_equal(p->flags, PORT_EIO_EOF | PORT_PROGRAM_R | PORT_OWN_R | writes);
    assert_int_equal(p->shut, PORT_SHUT_CLOSE);
    assert_false(port_is_one(p));
    assert_true(port_has_more(p));
    assert_reads(p, "first ");
    assert_int_equal(write(from[1], "then", 4), 4);
    assert_reads(p, "then");
    char text[8] = "";
    assert_int_equal(port_write(p, "out", 3), 3);
    assert_int_equal(read(to[0], text, sizeof text), 3);
    assert_int_equal(port_shutdown(p, &ignored), 0);
    assert_int_equal(read(to[0], text, sizeof text), 0);
    assert_int_equal(p->wfd, -1);
    port_close(p);
    assert_false(is_open(from[0]));
    close(from[1]);
    close(to[0]);
}

/* Flags of both halves of enum port_flags keep their side. */
static void every_flag_is_about_reading_or_writing(void **state)
{
    static const struct {
        unsigned of_read, of_write;
    } pairs[] = {{PORT_SOCKET_R, PORT_SOCKET_W}, {PORT_MSG_R, PORT_MSG_W},
                 {PORT_OWN_R, PORT_OWN_W},       {PORT_STALL_R, PORT_STALL_W},
                 {PORT_PROGRAM_R, PORT_PROGRAM_W}};
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_int_equal(pairs[i].of_read & PORT_WRITES, 0);
        assert_int_equal(pairs[i].of_write & PORT_WRITES, pairs[i].of_write);
    }
}

static void layers_and_duals_keep_the_express_way_and_edges(void **state)
{
    int from[2], to[2];
    unsigned closed = 0;
    (void)state;
    assert_int_equal(pipe(from), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, to), 0);
    struct port *r = open_fds(from[0], -1, 0, PORT_SHUT_NONE), *p;
    struct port *w = open_fds(-1, to[1], 0, PORT_SHUT_DOWN);
    assert_non_null(port_wrap(&r, &idle, 0, &ignored));
    assert_int_equal(port_join(r, w, &p, &ignored), 0);
    struct express *x = express_new(p, p);
    assert_non_null(x);
    express_free(x);
    assert_true(port_lives_with_edges(p));
    (void)count(&p, &closed); /* wants to see what is read */
    assert_null(express_new(p, p));
    assert_false(port_lives_with_edges(p));
    port_close(p);
    close(from[1]);
    close(to[0]);
}

/* Whoever else has it would be surprised. */
static void a_borrowed_half_keeps_its_mode(void **state)
{
    int from[2], to[2];
    (void)state;
    assert_int_equal(pipe(from), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, to), 0);
    struct port *p = open_fds(-1, to[1], PORT_BORROWED, PORT_SHUT_NONE);
    assert_int_equal(port_join(open_fds(from[0], -1, 0, PORT_SHUT_NONE), p, &p, &ignored), 0);
    assert_null(express_new(p, p));
    assert_false(fcntl(to[1], F_GETFL) & O_NONBLOCK);
    port_close(p);
    assert_true(is_open(to[1]));
    close(from[1]);
    close(to[0]);
    close(to[1]);
}

static void closing_a_terminal_may_wait_whichever_way_it_is_used(void **state)
{
    int master, slave, peer;
    (void)state;
    assert_int_equal(openpty(&master, &slave, NULL, NULL, NULL), 0);
    struct port *p = open_fds(-1, slave, 0, PORT_SHUT_NONE);
    assert_true(port_close_may_wait(p));
    assert_non_null(port_wrap(&p, &idle, 0, &ignored));
    assert_true(port_close_may_wait(p));
    port_close(p);
    close(master);
    p = open_socket(SOCK_STREAM, 0, &peer);
    assert_false(port_close_may_wait(p));
    struct linger linger = {1, 5};
    assert_int_equal(setsockopt(p->wfd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger), 0);
    assert_true(port_close_may_wait(p));
    port_close(p);
    close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_says_later_then_bytes_then_the_end),
        cmocka_unit_test(a_message_too_long_says_what_it_needs_and_stays),
        cmocka_unit_test(a_terminal_that_hangs_up_may_come_back),
        cmocka_unit_test(an_empty_message_of_a_queue_is_no_message_and_no_end),
        cmocka_unit_test(a_layer_is_as_if_it_were_not_there),
        cmocka_unit_test(layers_act_from_the_outer_one_inwards),
        cmocka_unit_test(what_was_read_too_far_is_read_first_wherever_it_is),
        cmocka_unit_test(a_closed_descriptor_is_seen_in_the_layer),
        cmocka_unit_test(who_shares_a_layer_shares_all_that_is_in_it),
        cmocka_unit_test(a_dual_is_read_here_and_written_there),
        cmocka_unit_test(every_flag_is_about_reading_or_writing),
        cmocka_unit_test(layers_and_duals_keep_the_express_way_and_edges),
        cmocka_unit_test(a_borrowed_half_keeps_its_mode),
        cmocka_unit_test(closing_a_terminal_may_wait_whichever_way_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
