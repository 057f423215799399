/* SPDX-License-Identifier: GPL-2.0-or-later
 * The kernel's ways between two descriptors: which pairs have one, that the bytes are right, what is
 * held when it is left, and whose descriptors are closed. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/port/express.h"

enum kind { TCP, UNIX, PIPE, REGULAR, KINDS };
enum { LOTS = 300000 }; /* bytes; more than a pipe or a socket holds */

static unsigned char byte_at(size_t i)
{
    return (unsigned char)((i * 2654435761U) >> 13);
}

/* A port that is read (or written), and our end of it. */
struct end {
    struct port *port;
    int ours;
};

static int tcp_pair(int fds[2])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = bind(l, (struct sockaddr *)&at, sizeof at) < 0 || listen(l, 1) < 0 ||
             getsockname(l, (struct sockaddr *)&at, &n) < 0 ||
             connect(fds[0], (struct sockaddr *)&at, n) < 0 ||
             (fds[1] = accept4(l, NULL, NULL, SOCK_CLOEXEC)) < 0;
    close(l);
    return rc ? -1 : 0;
}

static int file_with(size_t n)
{
    char p[4096];
    int fd = open(unit_path("."), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_return_code(fd, errno);
    for (size_t at = 0; at < n;) {
        size_t k = n - at < sizeof p ? n - at : sizeof p;
        for (size_t i = 0; i < k; i++)
            p[i] = (char)byte_at(at + i);
        assert_int_equal(write(fd, p, k), k);
        at += k;
    }
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static struct end end_of(enum kind kind, bool read, unsigned flags)
{
    struct end e = {.ours = -1};
    struct err err;
    int fds[2] = {-1, -1};
    switch (kind) {
    case TCP: assert_return_code(tcp_pair(fds), errno); break;
    case UNIX: assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), errno); break;
    case PIPE: assert_return_code(pipe2(fds, O_CLOEXEC), errno); break;
    default: fds[0] = file_with(read ? LOTS : 0); break;
    }
    int its = kind == PIPE && !read ? 1 : 0;
    e.ours = kind == REGULAR ? dup(fds[0]) : fds[!its];
    if (kind != REGULAR)
        assert_return_code(fcntl(e.ours, F_SETFL, O_NONBLOCK), errno);
    assert_int_equal(port_open_fds(read ? fds[its] : -1, read ? -1 : fds[its], flags, PORT_SHUT_NONE, "t",
                                   &e.port, &err), 0);
    return e;
}

static void end_close(struct end *e)
{
    port_close(e->port);
    if (e->ours >= 0)
        close(e->ours);
    *e = (struct end){.ours = -1};
}

/* ---- which pairs have one, and what comes out ---- */

struct flow {
    size_t sent, got;
};

static void feed(struct flow *f, struct end *from, enum kind kind)
{
    char p[20000];
    if (kind == REGULAR || f->sent == LOTS)
        return;
    size_t n = LOTS - f->sent < sizeof p ? LOTS - f->sent : sizeof p;
    for (size_t i = 0; i < n; i++)
        p[i] = (char)byte_at(f->sent + i);
    ssize_t w = write(from->ours, p, n);
    if (w > 0)
        f->sent += (size_t)w;
    if (f->sent == LOTS) {
        close(from->ours); /* the end of the source */
        from->ours = -1;
    }
}

static void drain(struct flow *f, const struct end *to)
{
    unsigned char p[16384];
    ssize_t n;
    while ((n = read(to->ours, p, sizeof p)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            if (p[i] != byte_at(f->got + (size_t)i))
                fail_msg("byte %zu is wrong", f->got + (size_t)i);
        f->got += (size_t)n;
    }
}

static void moves(enum kind from_kind, enum kind to_kind)
{
    struct end from = end_of(from_kind, true, 0), to = end_of(to_kind, false, 0);
    struct flow f = {0};
    feed(&f, &from, from_kind);
    struct express *x = express_new(from.port, to.port);
    if (!x)
        fail_msg("no way from kind %d to kind %d", from_kind, to_kind);
    assert_int_equal(x->direct != NULL, from_kind == REGULAR);
    bool ended = false;
    for (int still = 0; f.got < LOTS;) {
        size_t moved = f.sent + f.got + x->held;
        if (still > UNIT_PATIENCE_MS)
            fail_msg("kind %d to kind %d: %zu of %d bytes", from_kind, to_kind, f.got, LOTS);
        feed(&f, &from, from_kind);
        if (!x->direct && x->held == 0 && !ended) {
            ssize_t n = express_take(x, from.port);
            ended = n == 0 && f.sent == LOTS;
            if (n < 0)
                assert_int_equal(errno, EAGAIN);
        }
        if (x->direct || x->held > 0) {
            size_t held = x->held, left = express_left(x, from.port);
            ssize_t n = express_give(x, from.port, to.port);
            if (n < 0)
                assert_int_equal(errno, EAGAIN);
            if (n > 0 && !x->direct)
                assert_int_equal(x->held, held - (size_t)n);
            if (n > 0 && x->direct)
                assert_int_equal(express_left(x, from.port), left - (size_t)n);
        }
        if (to_kind == REGULAR) /* the copy reads where the other wrote: see the offset it shares */
            f.got = (size_t)lseek(to.port->wfd, 0, SEEK_CUR);
        else
            drain(&f, &to);
        still = moved == f.sent + f.got + x->held ? still + 1 : 0;
        if (still > 1)
            unit_pause(1);
    }
    if (to_kind == REGULAR) {
        f.got = 0;
        assert_int_equal(lseek(to.ours, 0, SEEK_SET), 0);
        drain(&f, &to);
    }
    assert_int_equal(f.got, LOTS);
    if (x->direct)
        assert_int_equal(express_give(x, from.port, to.port), 0); /* nothing more comes */
    assert_int_equal(express_left(x, from.port), 0);
    express_free(x);
    end_close(&from);
    end_close(&to);
}

static void every_pair(void **state)
{
    (void)state;
    struct unit_count before = unit_count();
    for (enum kind from = TCP; from < KINDS; from++)
        for (enum kind to = TCP; from != UNIX && to < KINDS; to++)
            moves(from, to);
    unit_nothing_left(before);
}

static bool has_way(struct end *from, struct end *to)
{
    struct express *x = express_new(from->port, to->port);
    express_free(x);
    return x != NULL;
}

static ssize_t odd_read(struct port *p, void *buf, size_t cap)
{
    return port_fd_read(p, buf, cap);
}

/* What stands between a descriptor and its bytes is not to be passed by. */
static void no_way(void **state)
{
    static const unsigned reading[] = {PORT_MSG_R, PORT_IGNORE_EOF, PORT_NULL_EOF, PORT_EIO_EOF, PORT_STALL_R};
    static const unsigned writing[] = {PORT_MSG_W, PORT_SLOW_W, PORT_STALL_W};
    struct err e;
    (void)state;
    struct unit_count before = unit_count();
    struct end from = end_of(PIPE, true, 0), to = end_of(PIPE, false, 0), odd;
    assert_true(has_way(&from, &to));

    odd = end_of(UNIX, true, 0);
    assert_false(has_way(&odd, &to)); /* is faster copied */
    end_close(&odd);
    for (size_t i = 0; i < sizeof reading / sizeof reading[0]; i++)
        for (enum kind k = TCP; k < KINDS; k++) {
            odd = end_of(k, true, reading[i]);
            assert_false(has_way(&odd, &to));
            end_close(&odd);
        }
    for (size_t i = 0; i < sizeof writing / sizeof writing[0]; i++)
        for (enum kind k = TCP; k < KINDS; k++) {
            odd = end_of(k, false, writing[i]);
            assert_false(has_way(&from, &odd));
            end_close(&odd);
        }

    struct port_ops ops = *from.port->ops;
    const struct port_ops *usual = from.port->ops;
    ops.read = odd_read; /* a layer */
    from.port->ops = &ops;
    assert_false(has_way(&from, &to));
    from.port->ops = usual;
    assert_int_equal(port_unread(from.port, "x", 1, &e), 0); /* what was read too far comes first */
    assert_false(has_way(&from, &to));
    end_close(&from);
    end_close(&to);
    unit_nothing_left(before);
}

/* Packets, devices, and files without a size (of /proc) have none. */
static void no_way_by_nature(void **state)
{
    static const char *const paths[] = {"/dev/zero", "/proc/self/status"};
    struct err e;
    (void)state;
    struct end to = end_of(PIPE, false, 0), from = {.ours = -1};
    for (size_t i = 0; i < 2; i++) {
        int fd = open(paths[i], O_RDONLY | O_CLOEXEC);
        assert_return_code(fd, errno);
        assert_int_equal(port_open_fds(fd, -1, 0, PORT_SHUT_NONE, "t", &from.port, &e), 0);
        assert_false(has_way(&from, &to));
        end_close(&from);
    }
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(port_open_fds(fd, fd, 0, PORT_SHUT_NONE, "t", &from.port, &e), 0);
    from.port->flags &= ~(unsigned)PORT_MSG; /* and be it that nobody says so */
    assert_false(has_way(&from, &to));
    end_close(&from);
    end_close(&to);
}

/* Others go on with such a descriptor: its mode stays. */
static void borrowed(void **state)
{
    struct err e;
    int fds[2];
    (void)state;
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), errno);
    struct end from = end_of(PIPE, true, 0), to = {.ours = fds[1]};
    assert_int_equal(port_open_fds(-1, fds[0], PORT_BORROWED, PORT_SHUT_NONE, "t", &to.port, &e), 0);
    assert_false(has_way(&from, &to));
    assert_false(fcntl(fds[0], F_GETFL) & O_NONBLOCK);
    assert_return_code(fcntl(fds[0], F_SETFL, O_NONBLOCK), errno);
    assert_true(has_way(&from, &to)); /* somebody has made it so */
    end_close(&to);
    close(fds[0]);
    end_close(&from);
}

/* ---- leaving it ---- */

static void put(int fd, size_t from, size_t n)
{
    unsigned char p[65536];
    for (size_t i = 0; i < n; i++)
        p[i] = byte_at(from + i);
    assert_int_equal(write(fd, p, n), n);
}

static void is_pattern(const struct buf *b, size_t from, size_t n)
{
    assert_int_equal(b->len, n);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_data(b)[i], byte_at(from + i));
}

/* What was taken and not given comes back, in order, behind what is in the buffer already. */
static void recalled(void **state)
{
    (void)state;
    struct end from = end_of(TCP, true, 0), to = end_of(PIPE, false, 0);
    struct express *x = express_new(from.port, to.port);
    assert_non_null(x);
    for (int i = 0; i < 15; i++) /* one page is left */
        put(to.port->wfd, 0, 4096);
    put(from.ours, 0, 50000);
    assert_true(unit_readable(from.port->rfd, UNIT_PATIENCE_MS));
    for (size_t got = 0; got < 50000;) {
        ssize_t n = express_take(x, from.port);
        got += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(x->held, 50000);
    ssize_t given = express_give(x, from.port, to.port);
    assert_in_range(given, 1, 49999);
    struct buf b = {0};
    assert_int_equal(buf_init(&b, 16), 0);
    buf_put(&b, "abc", 3);
    assert_int_equal(express_recall(x, &b), 0);
    assert_int_equal(x->held, 0);
    assert_memory_equal(buf_data(&b), "abc", 3);
    buf_consume(&b, 3);
    is_pattern(&b, (size_t)given, 50000 - (size_t)given);
    assert_int_equal(express_recall(x, &b), 0); /* nothing more */
    assert_int_equal(b.len, 50000 - (size_t)given);
    buf_fini(&b);
    express_free(x);
    end_close(&from);
    end_close(&to);
}

/* Of a pipe nothing is taken before it is given: it is still there for the plain way. */
static void recalled_from_a_pipe(void **state)
{
    unsigned char p[2000];
    (void)state;
    struct end from = end_of(PIPE, true, 0), to = end_of(UNIX, false, 0);
    struct express *x = express_new(from.port, to.port);
    assert_non_null(x);
    put(from.ours, 0, 1000);
    assert_int_equal(express_take(x, from.port), 1000);
    assert_int_equal(x->held, 1000);
    struct buf b = {0};
    assert_int_equal(buf_init(&b, 16), 0);
    assert_int_equal(express_recall(x, &b), 0);
    assert_int_equal(b.len, 0);
    assert_int_equal(x->held, 0);
    express_free(x);
    assert_int_equal(port_read(from.port, p, sizeof p), 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(p[i], byte_at(i));
    buf_fini(&b);
    end_close(&from);
    end_close(&to);
}

/* Somebody else reads from the pipe, too: what is not there any more is not waited for. */
static void shared_pipe(void **state)
{
    unsigned char p[65536];
    (void)state;
    struct end from = end_of(PIPE, true, 0), to = end_of(UNIX, false, 0);
    struct express *x = express_new(from.port, to.port);
    assert_non_null(x);
    put(from.ours, 0, 3000);
    assert_int_equal(express_take(x, from.port), 3000);
    assert_int_equal(read(from.port->rfd, p, 3000), 3000);
    assert_int_equal(express_give(x, from.port, to.port), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(x->held, 0);
    express_free(x);
    end_close(&from);
    end_close(&to);
}

/* A dialog of small blocks is better copied. */
static void not_worth_it(void **state)
{
    char p[32];
    (void)state;
    struct end from = end_of(TCP, true, 0), to = end_of(UNIX, false, 0);
    struct express *x = express_new(from.port, to.port);
    assert_non_null(x);
    int n = 0;
    for (; n < 100 && !express_is_over(x); n++) {
        put(from.ours, 0, 10);
        assert_true(unit_readable(from.port->rfd, UNIT_PATIENCE_MS));
        assert_int_equal(express_take(x, from.port), 10);
        assert_false(express_is_over(x)); /* not with something in it */
        assert_int_equal(express_give(x, from.port, to.port), 10);
        assert_int_equal(read(to.ours, p, sizeof p), 10);
    }
    assert_in_range(n, 8, 50);
    put(from.ours, 0, 20000); /* a large one changes that */
    assert_true(unit_readable(from.port->rfd, UNIT_PATIENCE_MS));
    unit_pause(20);
    assert_in_range(express_take(x, from.port), 8192, 20000);
    assert_int_equal(x->small, 0);
    express_free(x);
    end_close(&from);
    end_close(&to);
}

/* Ends and errors are found by the plain way: here they are but no bytes. */
static void ends(void **state)
{
    (void)state;
    struct end from = end_of(TCP, true, 0), to = end_of(PIPE, false, 0);
    struct express *x = express_new(from.port, to.port);
    assert_non_null(x);
    assert_int_equal(express_take(x, from.port), -1);
    assert_int_equal(errno, EAGAIN);
    put(from.ours, 0, 100);
    assert_true(unit_readable(from.port->rfd, UNIT_PATIENCE_MS));
    assert_int_equal(express_take(x, from.port), 100);
    close(from.ours);
    from.ours = -1;
    assert_true(unit_readable(from.port->rfd, UNIT_PATIENCE_MS));
    assert_int_equal(express_take(x, from.port), 0);
    close(to.ours);
    to.ours = -1;
    assert_int_equal(express_give(x, from.port, to.port), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(x->held, 100);
    express_free(x);
    end_close(&from);
    end_close(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair),
        cmocka_unit_test(no_way),
        cmocka_unit_test(no_way_by_nature),
        cmocka_unit_test(borrowed),
        cmocka_unit_test(recalled),
        cmocka_unit_test(recalled_from_a_pipe),
        cmocka_unit_test(shared_pipe),
        cmocka_unit_test(not_worth_it),
        cmocka_unit_test(ends),
    };
    return cmocka_run_group_tests_name("express", tests, unit_begin, unit_end);
}
