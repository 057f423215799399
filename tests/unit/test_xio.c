/* SPDX-License-Identifier: GPL-2.0-or-later
 * libxio by its own header: handles of all kinds, what they say when something is wrong, and that the
 * process they are guests of is the same afterwards. */
#include "unit.h"

#include <xio.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BIG = 3000000, MANY = 200 };

static struct unit_count before;

static int begin(void **state)
{
    (void)state;
    before = unit_count();
    (void)unlink(unit_path("sock"));
    return 0;
}

static int end(void **state)
{
    (void)state;
    unit_nothing_left(before);
    unit_no_children();
    return 0;
}

/* ---- what tests say ---- */

/* Both texts around the path of an entry. */
static const char *around(const char *head, const char *name, const char *tail)
{
    static char text[8][400];
    static unsigned n;
    char *t = text[n++ % 8];
    (void)snprintf(t, sizeof text[0], "%s%s%s", head, unit_path(name), tail);
    return t;
}

static const char *chain(const char *head, const char *name)
{
    return around(head, name, "");
}

static struct xio *opened(struct xio *h)
{
    if (!h)
        fail_msg("%s", xioerror(NULL)->text);
    return h;
}

static void closes(struct xio *h)
{
    if (xioclose(h) < 0)
        fail_msg("%s", xioerror(NULL)->text);
}

/* The last call of this thread has failed so. */
static void failed(int sys, enum xio_kind kind, const char *words)
{
    const struct xio_error *e = xioerror(NULL);
    if (!strstr(e->text, words) || (int)e->kind != (int)kind || e->sys != sys)
        fail_msg("kind %d, errno %d (%d and %d are expected): %s", (int)e->kind, e->sys, (int)kind, sys, e->text);
}

static void says(struct xio *h, const char *text)
{
    assert_int_equal(xiowrite(h, text, strlen(text)), strlen(text));
}

static void hears(struct xio *h, const char *text)
{
    char got[100] = "";
    size_t n = 0;
    while (n < strlen(text)) {
        ssize_t rc = xioread(h, got + n, sizeof got - 1 - n);
        if (rc <= 0)
            fail_msg("read: %zd, %s", rc, xioerror(NULL)->text);
        n += (size_t)rc;
    }
    assert_string_equal(got, text);
}

static void ends(struct xio *h)
{
    char c;
    ssize_t rc = xioread(h, &c, 1);
    if (rc != 0)
        fail_msg("read: %zd, %s", rc, xioerror(NULL)->text);
}

static int listen_at(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    (void)unlink(path);
    assert_return_code(bind(fd, (struct sockaddr *)&a, sizeof a), errno);
    assert_return_code(listen(fd, 300), errno);
    return fd;
}

/* ---- plain ones ---- */

static void a_plain_one_is_its_descriptor(void **state)
{
    char c;
    (void)state;
    int l = listen_at(unit_path("sock"));
    struct xio *h = opened(xioopen(chain("unix-connect:", "sock")));
    int peer = accept4(l, NULL, NULL, SOCK_CLOEXEC), type;
    socklen_t len = sizeof type;
    assert_int_equal(unit_count().threads, before.threads);
    assert_return_code(getsockopt(xiofd(h), SOL_SOCKET, SO_TYPE, &type, &len), errno);
    assert_int_equal(fcntl(xiofd(h), F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(xiofd(h), F_GETFL) & O_NONBLOCK, 0);
    assert_int_equal(send(xiofd(h), "a", 1, 0), 1); /* that very connection */
    says(h, "b");
    assert_int_equal(read(peer, &c, 1), 1);
    assert_int_equal(c, 'a');
    assert_int_equal(read(peer, &c, 1), 1);
    assert_string_equal(xiofact(h, "peeraddr"), unit_path("sock"));
    assert_null(xiofact(h, "nonsense"));
    assert_int_equal(xioshutdown(h, SHUT_WR), 0);
    assert_int_equal(read(peer, &c, 1), 0);
    assert_int_equal(write(peer, "yes", 3), 3);
    close(peer);
    hears(h, "yes");
    ends(h);
    closes(h);
    close(l);
    assert_int_equal(xioread(h, &c, 1), -1); /* it is known that it was one */
    failed(EBADF, XIO_OTHER, "closed");
}

static void nothing(int sig) { (void)sig; }

static void *open_it(void *text) { return xioopen(text); }

/* The queue of who is to be connected to is full, and a signal of the caller's comes while that is waited for. */
static void a_signal_is_no_connection(void **state)
{
    (void)state;
    const char *path = unit_path("sock"), *text = chain("unix-connect:", "sock");
    int l = listen_at(path), peer[2];
    struct sigaction own = {.sa_handler = nothing}, before_it;
    pthread_t t;
    void *late = NULL;
    const struct timeval patience = {.tv_sec = 5};
    assert_return_code(listen(l, 0), errno);
    assert_return_code(setsockopt(l, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), errno);
    struct xio *first = opened(xioopen(text));
    assert_return_code(sigaction(SIGUSR1, &own, &before_it), errno);
    assert_int_equal(pthread_create(&t, NULL, open_it, (void *)(uintptr_t)text), 0);
    for (int i = 0; i < 20; i++) {
        (void)poll(NULL, 0, 2);
        assert_int_equal(pthread_kill(t, SIGUSR1), 0);
    }
    for (int i = 0; i < 2; i++)
        peer[i] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
    assert_int_equal(pthread_join(t, &late), 0);
    assert_return_code(sigaction(SIGUSR1, &before_it, NULL), errno);
    char c;
    says(opened(late), "x");
    assert_int_equal(read(peer[1], &c, 1), 1);
    closes(late);
    closes(first);
    close(peer[0]);
    close(peer[1]);
    close(l);
}

static void modes(void **state)
{
    char c;
    (void)state;
    unit_write_file(unit_path("in"), "some text");
    struct xio *h = opened(xioopen(unit_path("in"), O_RDONLY));
    assert_int_equal(xiowrite(h, "x", 1), -1);
    failed(EBADF, XIO_OTHER, "for reading only");
    hears(h, "some text");
    ends(h);
    closes(h);
    h = opened(xioopen(chain("create:", "out"), O_WRONLY));
    assert_int_equal(xioread(h, &c, 1), -1);
    failed(EBADF, XIO_OTHER, "for writing only");
    says(h, "x");
    closes(h);
    for (int i = 0; i < 2; i++) { /* a plain one, and a line */
        h = opened(xioopen(i ? "gzip|^gzip|exec:cat" : "exec:cat", O_RDWR | O_NONBLOCK | O_CLOEXEC));
        assert_int_equal(fcntl(xiofd(h), F_GETFL) & O_NONBLOCK, O_NONBLOCK);
        assert_int_equal(xioread(h, &c, 1), -1);
        assert_int_equal(errno, EAGAIN);
        says(h, "x");
        assert_int_equal(xioshutdown(h, SHUT_WR), 0);
        assert_true(unit_readable(xiofd(h), UNIT_PATIENCE_MS));
        hears(h, "x");
        closes(h);
    }
    assert_null(xioopen("exec:cat", O_RDWR | O_APPEND));
    failed(EINVAL, XIO_USAGE, "O_RDONLY");
    assert_null(xioopen("exec:cat", O_ACCMODE));
    failed(EINVAL, XIO_USAGE, "O_RDONLY");
}

/* No signal: neither by a socket nor by a pipe. */
static void nobody_reads(void **state)
{
    sigset_t pending;
    (void)state;
    assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    struct xio *h = opened(xioopen("exec:'sleep 0',pipes", O_WRONLY));
    while (xiowrite(h, "x", 1) == 1)
        unit_pause(2);
    failed(EPIPE, XIO_REFUSED, "cannot write");
    (void)xioclose(h);
    assert_return_code(sigpending(&pending), errno);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
    assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
}

/* ---- lines ---- */

static void a_line_is_a_descriptor_too(void **state)
{
    (void)state;
    struct xio *h = opened(xioopen("gzip|^gzip|exec:cat"));
    FILE *f = fdopen(dup(xiofd(h)), "r+");
    fputs("a line\n", f);
    fflush(f);
    char line[20] = "";
    assert_int_equal(xioshutdown(h, SHUT_WR), 0);
    assert_non_null(fgets(line, sizeof line, f));
    assert_string_equal(line, "a line\n");
    assert_null(fgets(line, sizeof line, f));
    fclose(f);
    assert_int_equal(xioerror(h)->kind, XIO_OK);
    closes(h);
}

/* What was taken leaves before the end, however slow the reader; it need not say its own end. */
static void close_delivers(void **state)
{
    static char big[BIG], got[BIG];
    (void)state;
    for (size_t i = 0; i < BIG; i++)
        big[i] = (char)(i % 251);
    for (int i = 0; i < 2; i++) {
        (void)unlink(unit_path("out"));
        struct xio *h = opened(xioopen(i ? around("gzip|^gzip|system:'sleep 0.1; cat >", "out", "'")
                                         : around("gzip|^gzip|exec:'sh -c \"cat >", "out", "; sleep 20\"'")));
        size_t n = 0;
        while (n < BIG) {
            ssize_t rc = xiowrite(h, big + n, BIG - n);
            assert_true(rc > 0);
            n += (size_t)rc;
        }
        closes(h);
        struct stat st = {0};
        unit_await(stat(unit_path("out"), &st) == 0 && st.st_size == BIG);
        int fd = open(unit_path("out"), O_RDONLY | O_CLOEXEC);
        assert_int_equal(read(fd, got, BIG), BIG);
        assert_memory_equal(got, big, BIG);
        close(fd);
    }
}

/* A program that is still talking then is no failure. */
static void close_cuts(void **state)
{
    char got[10];
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct xio *h = opened(xioopen(i ? "test|exec:yes,pipes" : "exec:yes,pipes", O_RDONLY));
        assert_true(xioread(h, got, sizeof got) > 0);
        closes(h);
    }
}

/* Nobody takes it: it is not waited for longer than the caller likes, and it is no success. */
static void close_gives_up(void **state)
{
    static char big[BIG];
    (void)state;
    int l = listen_at(unit_path("sock"));
    struct xio_opts o = {.size = sizeof o, .flags = O_RDWR | O_NONBLOCK, .linger = 100};
    struct xio *h = opened(xioopen_opts(chain("test|unix-connect:", "sock"), &o));
    int peer = accept4(l, NULL, NULL, SOCK_CLOEXEC);
    while (xiowrite(h, big, sizeof big) > 0 || poll(&(struct pollfd){xiofd(h), POLLOUT, 0}, 1, 50) > 0)
        ;
    assert_int_equal(xioclose(h), -1);
    failed(EPROTO, XIO_PROTOCOL, "could not be delivered");
    close(peer);
    close(l);
}

static void a_broken_line_is_no_end(void **state)
{
    char c;
    (void)state;
    struct xio *h = opened(xioopen("gzip|system:'echo garbage'", O_RDONLY));
    assert_int_equal(xioread(h, &c, 1), -1);
    failed(EPROTO, XIO_PROTOCOL, "gzip stream is damaged");
    assert_int_equal(xioread(h, &c, 1), -1);
    assert_int_equal(xioerror(h)->kind, XIO_PROTOCOL);
    assert_int_equal(xioclose(h), -1);
    failed(EPROTO, XIO_PROTOCOL, "gzip stream is damaged");
    h = opened(xioopen("system:'echo hi; exit 3'", O_RDONLY));
    hears(h, "hi\n");
    ends(h);
    assert_int_equal(xioclose(h), -1);
    failed(EIO, XIO_OTHER, "exited with status 3");
}

/* Packets stay packets, through a line as well. */
static void records(void **state)
{
    char got[20] = "";
    (void)state;
    int l = listen_at(unit_path("sock"));
    struct xio *h = opened(xioopen(chain("cobs|unix-connect:", "sock")));
    int peer = accept4(l, NULL, NULL, SOCK_CLOEXEC);
    says(h, "one");
    says(h, "two");
    assert_int_equal(recv(peer, got, 10, MSG_WAITALL), 10);
    assert_memory_equal(got, "\4one\0\4two", 10);
    assert_int_equal(write(peer, got, 10), 10);
    hears(h, "one");
    hears(h, "two");
    closes(h);
    close(peer);
    close(l);
}

/* ---- errors ---- */

static void errors(void **state)
{
    static char longest[65537];
    (void)state;
    static const struct {
        const char *chain, *words;
        int sys;
        enum xio_kind kind;
        size_t offset, length;
    } wrong[] = {
        {"", "empty", EINVAL, XIO_USAGE, 0, 0},
        {"gzip|bogus:x", "bogus", EINVAL, XIO_USAGE, 5, 5},
        {"openssl,verfy=0|tcp:h:1", "did you mean \"verify\"", EINVAL, XIO_USAGE, 8, 5},
        {"open:/nowhere/at/all", "/nowhere/at/all", ENOENT, XIO_ABSENT, 0, 0},
        {"tcp:127.0.0.1:1", "refused", ECONNREFUSED, XIO_REFUSED, 0, 0},
        {"exec:cat,nofork", "not ours", EINVAL, XIO_USAGE, 9, 6},
        {"open:/dev/null,chroot=/", "not ours", EINVAL, XIO_USAGE, 22, 1},
        {"open:/dev/null,su=nobody", "not ours", EINVAL, XIO_USAGE, 18, 6},
        {"open:/dev/null,umask=077", "not ours", EINVAL, XIO_USAGE, 21, 3},
        {"tcp-listen:0,fork", "xiolisten()", EINVAL, XIO_USAGE, 13, 4},
        {"-", "FD:0", EINVAL, XIO_USAGE, 0, 1},
        {"readline", "terminal", EINVAL, XIO_USAGE, 0, 8},
        {"handle", "caller's own end", EINVAL, XIO_USAGE, 0, 6},
        {"(((", "", EINVAL, XIO_USAGE, 0, 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_null(xioopen(wrong[i].chain));
        failed(wrong[i].sys, wrong[i].kind, wrong[i].words);
        if (wrong[i].length > 0) {
            assert_int_equal(xioerror(NULL)->offset, wrong[i].offset);
            assert_int_equal(xioerror(NULL)->length, wrong[i].length);
        }
    }
    memset(longest, 'x', sizeof longest - 1);
    assert_null(xioopen(longest));
    failed(EINVAL, XIO_USAGE, "65535");
    longest[65535] = '\0';
    assert_null(xioopen(longest));
    assert_null(xioopen(NULL));
    failed(EINVAL, XIO_USAGE, "NULL");
    assert_null(xioopen("proxy:h:1,proxyauth=joe:word,bogus|tcp:h:1"));
    assert_null(strstr(xioerror(NULL)->text, "joe:word"));
    assert_int_equal(xioclose(NULL), -1);
    failed(EBADF, XIO_OTHER, "NULL");
    assert_int_equal(xiofd((struct xio *)(uintptr_t)12345678), -1);
    assert_int_equal(errno, EBADF);
    struct xio *h = opened(xioopen("exec:cat"));
    assert_int_equal(xioread(h, NULL, 1), -1);
    assert_int_equal(xiowrite(h, NULL, 1), -1);
    assert_int_equal(xioshutdown(h, 77), -1);
    assert_null(xiofact(h, NULL));
    assert_null(xioaccept(h));
    failed(EINVAL, XIO_USAGE, "no listener");
    closes(h);
    assert_int_equal(xioclose(h), -1);
    assert_int_equal(errno, EBADF);
}

static void checked(void **state)
{
    (void)state;
    const char *const facts[] = {"host", "name", "port", "1", NULL};
    struct xio_opts o = {.size = sizeof o, .flags = O_RDWR, .facts = facts};
    char made[200];
    assert_int_equal(xiocheck("socks5:{host}:{port}|openssl|tcp:nobody.example:1080", &o), 0);
    (void)snprintf(made, sizeof made, "create:%s", unit_path("made"));
    assert_int_equal(xiocheck(made, &o), 0); /* opens nothing */
    assert_int_equal(access(unit_path("made"), F_OK), -1);
    assert_int_equal(xiocheck("sox5:{host}:{port}|tcp:nobody.example:1080", &o), -1);
    failed(EINVAL, XIO_USAGE, "\"sox5\"");
    assert_int_equal(xiocheck("tcp:{host}:{port},nosuch=1", NULL), -1);
    failed(EINVAL, XIO_USAGE, "\"nosuch\"");
    assert_int_equal(xiocheck(NULL, &o), -1);
    failed(EINVAL, XIO_USAGE, "NULL");
}

static void in_time(void **state)
{
    (void)state;
    int l = listen_at(unit_path("sock"));
    struct xio_opts o = {.size = sizeof o, .flags = O_RDWR, .deadline = 100};
    assert_null(xioopen_opts(chain("openssl,verify=0|unix-connect:", "sock"), &o));
    failed(ETIMEDOUT, XIO_TIMEOUT, "deadline of 100 ms");
    assert_null(xioopen_opts(chain("unix-listen:", "sock2"), &o));
    failed(ETIMEDOUT, XIO_TIMEOUT, "deadline of 100 ms");
    assert_return_code(mkfifo(unit_path("fifo"), 0600), errno);
    o.flags = O_RDONLY; /* somebody is left behind in open(2), until another one comes */
    assert_null(xioopen_opts(unit_path("fifo"), &o));
    failed(ETIMEDOUT, XIO_TIMEOUT, "deadline of 100 ms");
    int fifo = open(unit_path("fifo"), O_WRONLY | O_CLOEXEC);
    assert_return_code(fifo, errno);
    close(fifo);
    o.flags = O_RDWR;
    o.background = 1;
    struct xio *h = opened(xioopen_opts(chain("openssl,verify=0|unix-connect:", "sock"), &o));
    char c;
    assert_int_equal(xioread(h, &c, 1), -1);
    failed(ETIMEDOUT, XIO_TIMEOUT, "deadline of 100 ms");
    assert_int_equal(xioclose(h), -1);
    o.size = 3;
    assert_null(xioopen_opts("exec:cat", &o));
    failed(EINVAL, XIO_USAGE, "size");
    close(l);
}

/* ---- what it tells ---- */

struct heard {
    atomic_int n;
    char last[2000];
};

static void take(void *arg, int level, const char *text)
{
    struct heard *h = arg;
    if (level <= XIO_LOG_WARNING)
        (void)snprintf(h->last, sizeof h->last, "%d %s", level, text);
    atomic_fetch_add(&h->n, 1);
}

static void log_and_variables(void **state)
{
    static struct heard heard;
    char ann[] = "WHO=ann", *vars[] = {ann, NULL};
    (void)state;
    struct xio_opts o = {.size = sizeof o, .flags = O_RDWR, .log = take, .log_arg = &heard, .environment = vars};
    struct xio *h = opened(xioopen_opts("system:'echo $WHO ${HOME-none}; exit 3'", &o));
    hears(h, "ann none\n");
    ends(h);
    assert_int_equal(xioclose(h), -1);
    assert_non_null(strstr(heard.last, "4 chain \"system\": child"));
    int warnings = atomic_load(&heard.n);
    o.log_level = XIO_LOG_DEBUG;
    closes(opened(xioopen_opts("gzip|^gzip|exec:cat", &o)));
    assert_true(atomic_load(&heard.n) > warnings + 2);
    o.threads = 1;
    assert_null(xioopen_opts("gzip|^gzip|gzip|^gzip|exec:cat", &o));
    failed(EAGAIN, XIO_BUSY, "thread");
}

/* ---- listeners ---- */

static void listens(const char *listen, const char *connect, bool plain)
{
    struct xio *l = opened(xiolisten(chain(listen, "sock"), NULL)), *c[3], *s[3];
    struct pollfd p = {.fd = xiofd(l), .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 0);
    for (int i = 0; i < 3; i++) {
        c[i] = opened(xioopen(chain(connect, "sock")));
        assert_int_equal(poll(&p, 1, UNIT_PATIENCE_MS), 1);
        s[i] = opened(xioaccept(l));
    }
    assert_true(plain == (unit_count().threads == before.threads));
    for (int i = 0; i < 3; i++) {
        says(c[i], "question");
        hears(s[i], "question");
        says(s[i], "answer");
        closes(s[i]);
        hears(c[i], "answer");
        ends(c[i]);
        closes(c[i]);
    }
    closes(l);
    assert_false(unit_exists(unit_path("sock")));
}

static void listeners(void **state)
{
    (void)state;
    listens("unix-listen:", "unix-connect:", true);
    listens("gzip|nop|unix-listen:", "gzip|unix-connect:", false);
    assert_null(xiolisten("exec:cat", NULL));
    failed(EINVAL, XIO_USAGE, "waits for nobody");
    struct xio_opts o = {.size = sizeof o, .flags = O_RDWR | O_NONBLOCK};
    struct xio *l = opened(xiolisten(chain("unix-listen:", "sock"), &o));
    char c;
    assert_null(xioaccept(l));
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(xioread(l, &c, 1), -1);
    failed(EBADF, XIO_OTHER, "listens");
    closes(l);
}

static void *accept_one(void *arg)
{
    struct xio *h = xioaccept(arg);
    return (void *)(uintptr_t)(h || errno != EBADF ? 99 : xioerror(NULL)->kind);
}

static void *read_one(void *arg)
{
    char c;
    ssize_t got = xioread(arg, &c, 1);
    return (void *)(uintptr_t)(got != -1 || errno != EBADF ? 99 : xioerror(NULL)->kind);
}

/* More than anybody takes. */
static void *write_on(void *arg)
{
    static const char much[BIG];
    while (xiowrite(arg, much, sizeof much) > 0)
        ;
    return (void *)(uintptr_t)(errno == EBADF ? XIO_STOPPED : 99);
}

/* Of each kind: a socket, one behind a line, a program's, a FIFO, a line that begins and ends here. */
static void closing_wakes_readers(void **state)
{
    (void)state;
    const char *chains[] = {chain("unix-connect:", "sock"), chain("nop|unix-connect:", "sock"), "exec:cat",
                            chain("open:", "wakes"), "pipe", chain("unix-connect:", "sock")};
    enum { N = sizeof chains / sizeof chains[0] };
    int l = listen_at(unit_path("sock"));
    struct xio *h[N];
    pthread_t t[N];
    void *result;
    char c;
    assert_int_equal(mkfifo(unit_path("wakes"), 0600), 0);
    for (int i = 0; i < N; i++) {
        h[i] = opened(xioopen(chains[i]));
        assert_int_equal(xioread(h[i], &c, 0), 0);
        assert_int_equal(pthread_create(&t[i], NULL, i == N - 1 ? write_on : read_one, h[i]), 0);
    }
    unit_pause(50);
    for (int i = 0; i < N; i++) {
        (void)xioclose(h[i]);
        assert_int_equal(pthread_join(t[i], &result), 0);
        assert_int_equal((uintptr_t)result, XIO_STOPPED);
    }
    (void)unlink(unit_path("wakes"));
    close(l);
}

static void closing_wakes(void **state)
{
    pthread_t t[3];
    void *result;
    (void)state;
    struct xio *l = opened(xiolisten(chain("unix-listen:", "sock"), NULL));
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&t[i], NULL, accept_one, l), 0);
    unit_pause(50);
    assert_int_equal(xioclose(l), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pthread_join(t[i], &result), 0);
        assert_int_equal((uintptr_t)result, XIO_STOPPED);
    }
}

/* ---- relays ---- */

struct two {
    struct xio *a, *b;
};

static void *relay_two(void *arg)
{
    struct two *two = arg;
    int rc = xiorelay(two->a, two->b, NULL);
    return (void *)(uintptr_t)(rc != -1 || errno != EBADF ? 99 : xioerror(NULL)->kind);
}

static void closing_ends_relays(void **state)
{
    (void)state;
    int l = listen_at(unit_path("sock"));
    for (int first = 0; first < 2; first++)
        for (int plain = 0; plain < 2; plain++) {
            const char *other = plain ? chain("unix-connect:", "sock") : chain("nop|unix-connect:", "sock");
            struct two two = {opened(xioopen(chain("unix-connect:", "sock"))), opened(xioopen(other))};
            pthread_t t;
            void *result;
            int from = accept(l, NULL, NULL), to = accept(l, NULL, NULL);
            char c;
            assert_int_equal(pthread_create(&t, NULL, relay_two, &two), 0);
            assert_int_equal(write(from, "x", 1), 1);
            assert_int_equal(read(to, &c, 1), 1); /* it relays */
            (void)xioclose(first ? two.a : two.b);
            assert_int_equal(pthread_join(t, &result), 0);
            assert_int_equal((uintptr_t)result, XIO_STOPPED);
            (void)xioclose(first ? two.b : two.a);
            close(from);
            close(to);
        }
    close(l);
}

/* ---- what the caller tells ---- */

static struct xio *told(const char *chain, const char *const *facts)
{
    struct xio_opts o = {.size = sizeof o, .flags = O_RDWR, .facts = facts};
    return xioopen_opts(chain, &o);
}

/* A fact fills its hole, and is text of a chain never. */
static void facts_of_the_caller(void **state)
{
    (void)state;
    const char *const name[] = {"host", "there", "port", "443", NULL};
    const char *const command[] = {"host", "x|exec:id", NULL}, *const none[] = {"hots", "x", NULL};
    const char *const half[] = {"host", NULL}, *const far[] = {"port", "65536", NULL};
    struct xio *h = opened(told(around("create:", "", "/{host}-{port}"), name));
    says(h, "text");
    closes(h);
    assert_int_equal(access(unit_path("there-443"), F_OK), 0);
    assert_int_equal(unlink(unit_path("there-443")), 0);
    assert_null(told("pipe", command));
    failed(EINVAL, XIO_UNFIT, "no host name");
    assert_null(told("pipe", none));
    failed(EINVAL, XIO_USAGE, "no fact \"hots\"");
    assert_null(told("pipe", half));
    failed(EINVAL, XIO_USAGE, "no value");
    assert_null(told("pipe", far));
    failed(EINVAL, XIO_UNFIT, "no port");
    const char *const acts[] = {"host", "x\033[2J\n", NULL};
    assert_null(told("pipe", acts));
    failed(EINVAL, XIO_UNFIT, "x\\x1b[2J\\x0a");
    assert_null(strchr(xioerror(NULL)->text, '\033'));
    assert_null(xioopen("tcp:{host}:80", O_RDWR));
    failed(EINVAL, XIO_USAGE, "nobody who is opened before tells that");
}

/* ---- given away ---- */

static int hung_up(int fd, int ms)
{
    struct pollfd p = {.fd = fd};
    return poll(&p, 1, ms) > 0 && p.revents & POLLHUP;
}

static void given_away(void **state)
{
    (void)state;
    struct xio_opts o = {.size = sizeof o, .flags = O_RDWR, .detach = 1};
    char buf[16];
    for (int i = 0; i < 2; i++) {
        struct xio *h = opened(xioopen_opts(i ? "system:cat 2>/dev/null" : "test|test|system:cat 2>/dev/null", &o));
        int fd = xiodetach(h), end = xiofd(h);
        assert_true(fd >= 0);
        assert_int_equal(end >= 0, !i);
        assert_int_equal(xiodetach(h), -1);
        failed(EINVAL, XIO_USAGE, "given away");
        assert_int_equal(xioread(h, buf, sizeof buf), -1);
        failed(EBADF, XIO_OTHER, "given away");
        assert_int_equal(write(fd, "text", 4), 4);
        assert_true(recv(fd, buf, 1, 0) == 1);
        assert_true(i || !hung_up(end, 0));
        close(fd);
        assert_true(i || hung_up(end, 5000));
        (void)xioclose(h); /* the program's SIGPIPE, perhaps */
    }
    /* the other way round the line ends first, and a descriptor that nobody has promised to give away */
    struct xio *h = opened(xioopen_opts("test|exec:true", &o));
    int fd = xiodetach(h);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    assert_true(hung_up(xiofd(h), 5000));
    closes(h);
    close(fd);
    h = opened(xioopen("test|exec:true", O_RDWR));
    assert_int_equal(xiodetach(h), -1);
    failed(EINVAL, XIO_USAGE, "xio_opts.detach");
    closes(h);
}

static void relays(void **state)
{
    (void)state;
    unit_write_file(unit_path("in"), "some text");
    struct xio *a = opened(xioopen(unit_path("in"), O_RDONLY)), *b = opened(xioopen(chain("gzip|^gzip|create:", "out"), O_WRONLY));
    struct xio_opts one_way = {.size = sizeof one_way, .flags = O_WRONLY};
    assert_int_equal(xiorelay(a, b, &one_way), 0);
    closes(a);
    closes(b);
    b = opened(xioopen(unit_path("out"), O_RDONLY));
    hears(b, "some text");
    ends(b);
    closes(b);
    a = opened(xioopen(unit_path("in"), O_RDONLY));
    assert_int_equal(xiorelayto(a, chain("gzip|create:", "out.gz"), &one_way), 0);
    closes(a);
    b = opened(xioopen(chain("gzip|open:", "out.gz"), O_RDONLY));
    hears(b, "some text");
    closes(b);
    a = opened(xioopen(unit_path("in"), O_RDONLY));
    assert_int_equal(xiorelayto(a, "tcp:127.0.0.1:1", NULL), -1);
    failed(ECONNREFUSED, XIO_REFUSED, "refused");
    assert_int_equal(xiorelay(a, NULL, NULL), -1);
    assert_int_equal(xiorelay(NULL, a, NULL), -1);
    closes(a);
}

/* ---- a guest ---- */

/* The child's copies are closed without a word to the peer; the parent goes on. */
static void forked(void **state)
{
    (void)state;
    struct xio *plain = opened(xioopen("exec:cat")), *line = opened(xioopen("gzip|^gzip|exec:cat"));
    const char *sanitizer = getenv("CATENA_SANITIZE"); /* TSan has no threads behind a fork */
    const char *own = sanitizer && strstr(sanitizer, "thread") ? "exec:cat" : "gzip|^gzip|exec:cat";
    pid_t pid = fork();
    if (pid == 0) {
        if (xioclose(plain) < 0 || xioclose(line) < 0)
            _exit(1);
        struct xio *h = xioopen(own); /* and it can open its own */
        char c = 0;
        if (!h || xiowrite(h, "x", 1) != 1 || xioshutdown(h, SHUT_WR) < 0 || xioread(h, &c, 1) != 1 || xioclose(h) < 0)
            _exit(2);
        _exit(c == 'x' ? 0 : 3);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    says(plain, "still here");
    hears(plain, "still here");
    says(line, "here too");
    assert_int_equal(xioshutdown(line, SHUT_WR), 0);
    hears(line, "here too");
    closes(plain);
    closes(line);
}

static atomic_int wrong_bytes;

static void *use_many(void *chain)
{
    char got[8];
    for (size_t i = 0; i < 10; i++) {
        struct xio *h[4];
        for (size_t k = 0; k < 4; k++)
            if (!(h[k] = xioopen(chain)) || xiowrite(h[k], "hello", 5) != 5 || xioshutdown(h[k], SHUT_WR) < 0)
                atomic_fetch_add(&wrong_bytes, 1);
        for (size_t k = 0; k < 4; k++) {
            ssize_t rc = xioread(h[k], got, sizeof got);
            if (rc < 1 || xioclose(h[k]) < 0)
                atomic_fetch_add(&wrong_bytes, 1);
        }
    }
    return NULL;
}

/* All open at once; then from many threads. */
static void many(void **state)
{
    static struct xio *h[MANY];
    static const char *const chains[] = {"test|pipe", "gzip|^gzip|pipe", "hex|^hex|pipe", "pipe"};
    char c;
    pthread_t t[4];
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        h[i] = opened(xioopen(chains[i % 4]));
    for (size_t i = 0; i < MANY; i++)
        says(h[i], "x");
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(xioshutdown(h[i], SHUT_WR), 0);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(xioread(h[i], &c, 1), 1);
    for (size_t i = 0; i < MANY; i++)
        closes(h[i]);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, use_many, (void *)(uintptr_t)chains[i]), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    assert_int_equal(atomic_load(&wrong_bytes), 0);
}

static void again_and_again(void **state)
{
    (void)state;
    int l = listen_at(unit_path("sock"));
    const char *text = chain("unix-connect:", "sock");
    for (int i = 0; i < 2000; i++) {
        struct xio *h = opened(xioopen(text));
        close(accept4(l, NULL, NULL, SOCK_CLOEXEC));
        closes(h);
    }
    for (int i = 0; i < 50; i++)
        closes(opened(xioopen("test|pipe")));
    close(l);
}

#define xio(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        xio(a_plain_one_is_its_descriptor), xio(a_signal_is_no_connection), xio(modes), xio(nobody_reads), xio(a_line_is_a_descriptor_too),
        xio(close_delivers), xio(close_cuts), xio(close_gives_up), xio(a_broken_line_is_no_end), xio(records), xio(errors), xio(checked), xio(in_time),
        xio(log_and_variables), xio(listeners), xio(closing_wakes), xio(closing_wakes_readers), xio(relays), xio(closing_ends_relays), xio(facts_of_the_caller), xio(given_away), xio(forked), xio(many),
        xio(again_and_again),
    };
    return cmocka_run_group_tests_name("xio", tests, unit_begin, unit_end);
}
