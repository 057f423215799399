/* SPDX-License-Identifier: GPL-2.0-or-later
 * Dialogs in two halves, in runs of real plans: a server of the test's own learns where its client wants to
 * go, and says what became of it. Each run is a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/diag.h"
#include "catena/endpoint.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/registry.h"
#include "engine/serve/serve.h"
#include "../home.h"
#include "track.h"

enum { LEFT_OVER = 99, MUCH = 8 << 20 };

/* ---- a family of the test's own ---- */

static atomic_int alive; /* states */

struct wish {
    bool counted, much;
};

static int tell_target(struct run *r, const struct addr *a, const char *host, const char *port,
                       struct err *e)
{
    return run_set_fact(r, a, "targethost", host, e) < 0
               ? -1
               : run_set_fact(r, a, "targetport", port, e);
}

/* "<host> <port>[ much]" */
static int ask_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    struct wish *wish = st;
    char line[300], host[300], port[16] = "0", how[16] = "";
    alive++;
    wish->counted = true;
    if (wire_read_line(w, line, sizeof line, e) < 0)
        return -1;
    if (sscanf(line, "%299s %15s %15s", host, port, how) < 2) {
        (void)wire_write(w, "WHAT\n", 5, e);
        return err_set(e, ERR_PROTOCOL, "that is no wish");
    }
    wish->much = strcmp(how, "much") == 0;
    return tell_target(r, a, host, port, e);
}

static const char *class_of(enum err_kind kind)
{
    static const char *const names[ERR_NOBODY + 1] = {
        [ERR_REFUSED] = "refused", [ERR_UNREACHABLE] = "unreachable", [ERR_TIMEOUT] = "timeout",
        [ERR_NO_NAME] = "no name", [ERR_DENIED] = "denied",           [ERR_UNFIT] = "unfit",
    };
    return names[kind] ? names[kind] : "other";
}

static int say_much(struct wire *w, struct err *e)
{
    static char much[MUCH];
    return wire_write(w, much, sizeof much, e);
}

static int ask_answer(void *st, const struct addr *a, struct run *r, struct wire *w,
                      const struct outcome *o, struct err *e)
{
    const struct wish *wish = st;
    char text[400], host[200] = "-", port[16] = "-";
    (void)a;
    (void)r;
    (void)outcome_told(o, "sockaddr", host, sizeof host);
    (void)outcome_told(o, "sockport", port, sizeof port);
    int n = o->failed ? snprintf(text, sizeof text, "NO %s\n", class_of(o->failed->kind))
                      : snprintf(text, sizeof text, "OK %s %s\n", host, port);
    return wish->much ? say_much(w, e) : wire_write(w, text, (size_t)n, e);
}

static void ask_forget(void *st)
{
    alive -= ((struct wish *)st)->counted;
}

static const struct negotiator_ops ask = {.state_size = sizeof(struct wish), .learn = ask_learn,
                                          .answer = ask_answer, .answers_for_rest = true,
                                          .forget = ask_forget};

/* Looks at "<length> <host> <port>\n" and so many bytes behind it, and takes none. */
static int peek_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    const unsigned char *at = NULL;
    char line[100], host[100], port[16];
    size_t n = 0, end = 0;
    (void)st;
    while (end == 0) {
        if (wire_look(w, n + 1, &at, e) < 0)
            return -1;
        for (; n < w->in.len && end == 0; n++)
            end = at[n] == '\n' ? n : 0;
    }
    (void)snprintf(line, sizeof line, "%.*s", (int)end, (const char *)at);
    if (sscanf(line, "%zu %99s %15s", &n, host, port) != 3)
        return err_set(e, ERR_PROTOCOL, "that is no wish");
    return wire_expect(w, n + end + 1, e) < 0 || wire_look(w, n + end + 1, &at, e) < 0
               ? -1
               : tell_target(r, a, host, port, e);
}
static const struct negotiator_ops peek = {.learn = peek_learn};

/* The greeting of a server is for whoever talks through the session behind it. */
static int greeted_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    char line[100];
    (void)st;
    (void)a;
    (void)r;
    if (wire_read_line(w, line, sizeof line - 1, e) < 0 || wire_write(w, "GO\n", 3, e) < 0)
        return -1;
    strcat(line, "\n");
    return wire_hand_on(w, line, strlen(line), e);
}
static const struct negotiator_ops greeted = {.learn = greeted_learn};

/* The greeting of the server behind is given to the client before the session with him begins. */
static int front_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    (void)st;
    (void)a;
    (void)r;
    (void)w;
    (void)e;
    return 0;
}
static int front_answer(void *st, const struct addr *a, struct run *r, struct wire *w,
                        const struct outcome *o, struct err *e)
{
    char line[100], go[10];
    (void)st;
    (void)a;
    (void)r;
    if (o->failed)
        return wire_write(w, "closed\n", 7, e);
    if (wire_read_line(o->beyond, line, sizeof line - 1, e) < 0)
        return -1;
    strcat(line, "\n");
    return wire_write(w, line, strlen(line), e) < 0 || wire_read_line(w, go, sizeof go, e) < 0
               ? -1
               : wire_write(o->beyond, "front\n", 6, e);
}
static const struct negotiator_ops front = {.learn = front_learn, .answer = front_answer,
                                            .answers_for_rest = true, .talks_beyond = true};

/* Fails as its parameter says. */
static int fail_open(const struct addr *a, struct run *r, void *state, struct port **out,
                     struct err *e)
{
    (void)r;
    (void)state;
    (void)out;
    return err_set(e, (enum err_kind)atoi(a->params[0]), "it fails");
}
static const struct endpoint_ops fail = {.open = fail_open};

#define DIALOG(key, ops_, role_)                                                                   \
    {                                                                                              \
        .keyword = key, .left = CTX_RWB, .right = RIGHT_BOTH, .groups = GROUP_SOCKS,               \
        .role = role_, .gives = "targethost targetport", .help = key, .kind = FORM_NEGOTIATOR,     \
        .ops.negotiator = &ops_,                                                                   \
    }
static const struct form forms[] = {
    DIALOG("ASK", ask, ROLE_SERVER),
    DIALOG("PEEK", peek, ROLE_SERVER),
    DIALOG("GREETED", greeted, ROLE_CLIENT),
    DIALOG("FRONT", front, ROLE_SERVER),
    {.keyword = "FAIL", .params = ":<kind>", .min_params = 1, .max_params = 1, .left = CTX_RWB,
     .help = "fails", .ops.endpoint = &fail},
    {0},
};

/* ---- runs ---- */

static struct arena memory;
static const struct settings settings = {
    .catena = &home, .to_right = true, .to_left = true, .block = 8192, .linger = -1, .idle = -1, .ip_version = 4,
    .comm = 'S', .env_prefix = "SOCAT",
};
static struct settings in_use;
static char dir[] = "/tmp/test_answer.XXXXXX", logfile[64], pemfile[64];

static struct plan *make_plan(const char *left, const char *right)
{
    struct plan *p;
    struct err e;
    if (plan_make(&in_use, left, right, &p, &e) < 0)
        fail_msg("%s  %s: %s", left, right, e.text);
    return p;
}

static int run(struct plan *p)
{
    bool forked = false;
    int log = open(logfile, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    (void)dup2(log, STDERR_FILENO);
    for (int sig = SIGHUP; sig <= SIGTERM; sig++) /* those of the test's */
        (void)signal(sig, sig == SIGPIPE ? SIG_IGN : SIG_DFL);
    (void)alarm(50);
    home_speaks(DIAG_INFO);
    int status = serve(&in_use, p, -1, &forked);
    plan_free(p);
    return alive != 0 ? LEFT_OVER : status;
}

static char texts[2][300];
static bool keep_log;
static int not_his = -1; /* the test's end of what is given to it */
static pid_t start(const char *left, const char *right)
{
    struct plan *p = make_plan(left, right);
    if (!keep_log && truncate(logfile, 0) < 0)
        assert_int_equal(errno, ENOENT);
    (void)fflush(NULL);
    pid_t pid = fork();
    assert_return_code(pid, errno);
    if (pid == 0) {
        (void)close(not_his);
        exit(run(p)); /* a sanitizer looks for leaks */
    }
    plan_free(p);
    return pid;
}

__attribute__((format(printf, 2, 3))) static const char *text(int side, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(texts[side], sizeof texts[side], fmt, ap);
    va_end(ap);
    return texts[side];
}

static const char *logged(void)
{
    static char all[20000];
    int fd = open(logfile, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, all, sizeof all - 1);
    if (fd >= 0)
        close(fd);
    all[n > 0 ? n : 0] = '\0';
    return all;
}

static void ends_with(pid_t pid, int want)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
        fail_msg("status %#x instead of %d; %s", status, want, logged());
}

static void stop(pid_t pid)
{
    int status;
    assert_return_code(kill(pid, SIGKILL), errno);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}

static void says(const char *what)
{
    if (!strstr(logged(), what))
        fail_msg("no \"%s\" in: %s", what, logged());
}

/* ---- peers ---- */

static struct sockaddr_in address_of(int fd)
{
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    assert_return_code(getsockname(fd, (struct sockaddr *)&a, &n), errno);
    return a;
}

static unsigned port_of(int fd)
{
    return ntohs(address_of(fd).sin_port);
}

static int socket_of_loopback(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(bind(fd, (struct sockaddr *)&a, sizeof a), errno);
    return fd;
}

static int listening(void)
{
    int fd = socket_of_loopback();
    assert_return_code(listen(fd, 10), errno);
    return fd;
}

static int patient(int fd)
{
    static const struct timeval patience = {.tv_sec = 20};
    static const int one = 1;
    assert_return_code(fd, errno);
    assert_return_code(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), errno);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int connected(int to)
{
    struct sockaddr_in a = address_of(to);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_return_code(connect(fd, (struct sockaddr *)&a, sizeof a), errno);
    return patient(fd);
}

static int accepted(int from)
{
    struct pollfd p = {.fd = from, .events = POLLIN};
    if (poll(&p, 1, 20000) != 1)
        fail_msg("nobody comes; %s", logged());
    return patient(accept(from, NULL, NULL));
}

static void put(int fd, const char *what)
{
    assert_int_equal(send(fd, what, strlen(what), MSG_NOSIGNAL), (ssize_t)strlen(what));
}

static void gets_bytes(int fd, const char *want, size_t n)
{
    char *got = malloc(n + 1);
    size_t have = 0;
    for (ssize_t k = 1; have < n && (k = read(fd, got + have, n - have)) > 0;)
        have += (size_t)k;
    got[have] = '\0';
    if (have != n || memcmp(got, want, n) != 0)
        fail_msg("\"%.300s\" instead of \"%.300s\"; %s", got, want, logged());
    free(got);
}

static void gets_text(int fd, const char *want)
{
    gets_bytes(fd, want, strlen(want));
}

static void gets_end(int fd)
{
    char c;
    ssize_t n = read(fd, &c, 1);
    if (n != 0)
        fail_msg("read() gives %zd instead of the end (%s); %s", n, n < 0 ? strerror(errno) : "data",
                 logged());
}

/* What the dialog says of the connection that this socket is the other end of. */
static void gets_ok(int fd, int target)
{
    struct sockaddr_in a;
    socklen_t n = sizeof a;
    char want[100];
    assert_return_code(getpeername(target, (struct sockaddr *)&a, &n), errno);
    (void)snprintf(want, sizeof want, "OK 127.0.0.1 %u\n", ntohs(a.sin_port));
    gets_text(fd, want);
}

static bool silent(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, ms) == 0;
}

static void wish(int fd, int target, const char *early)
{
    char line[100];
    (void)snprintf(line, sizeof line, "127.0.0.1 %u\n%s", port_of(target), early);
    put(fd, line);
}

/* Takes all that still comes. */
static void finish(int fd)
{
    char rest[1000];
    (void)shutdown(fd, SHUT_WR);
    while (read(fd, rest, sizeof rest) > 0)
        ;
    close(fd);
}

/* Both talk, and end. */
static void talk(int client, int target)
{
    put(client, "question");
    assert_return_code(shutdown(client, SHUT_WR), errno);
    gets_text(target, "question");
    gets_end(target);
    put(target, "reply");
    close(target);
    gets_text(client, "reply");
    gets_end(client);
    close(client);
}

static int front_fd, target_fd; /* who listens: for catena, and for the test */
#define TARGET "tcp:{targethost}:{targetport}"

static int begin(void **state)
{
    (void)state;
    in_use = settings;
    front_fd = listening();
    target_fd = listening();
    return 0;
}

static int end(void **state)
{
    (void)state;
    close(front_fd);
    close(target_fd);
    return 0;
}

static const char *asking(const char *more)
{
    return text(LEFT, "ask%s|accept-fd:%d", more, front_fd);
}

/* ---- it stands ---- */

/* The request and what follows it, cut at every byte. */
static void cut_everywhere(void **state)
{
    char line[100];
    (void)state;
    size_t n = (size_t)snprintf(line, sizeof line, "127.0.0.1 %u\nearly", port_of(target_fd));
    for (size_t cut = 1; cut <= n; cut++) {
        pid_t pid = start(asking(""), TARGET);
        int client = connected(front_fd);
        assert_int_equal(write(client, line, cut), (ssize_t)cut);
        (void)usleep(2000);
        assert_int_equal(write(client, line + cut, n - cut), (ssize_t)(n - cut));
        int target = accepted(target_fd);
        gets_ok(client, target);
        gets_text(target, "early");
        talk(client, target);
        ends_with(pid, 0);
    }
}

/* A server of a chain whose connection goes out; and one behind other links. */
static void everywhere(void **state)
{
    static const char *const between[] = {"nop|", "test|", "tap|", "exec1:cat%exec1:cat|"};
    (void)state;
    pid_t pid = start(text(LEFT, "accept-fd:%d", front_fd), "^ask|" TARGET);
    int client = connected(front_fd);
    wish(client, target_fd, "early");
    int target = accepted(target_fd);
    gets_ok(client, target);
    gets_text(target, "early");
    talk(client, target);
    ends_with(pid, 0);

    for (size_t i = 0; i < sizeof between / sizeof between[0]; i++) { /* a cursor over an engine */
        in_use.unfused = i == 2;
        pid = start(text(LEFT, "ask|%saccept-fd:%d", between[i], front_fd), TARGET);
        client = connected(front_fd);
        wish(client, target_fd, "");
        if (i == 1) { /* it marks what it passes on, which the line ends before */
            target = accepted(target_fd);
            gets_text(client, "OK 127.0.0.1 ");
            assert_return_code(shutdown(client, SHUT_WR), errno);
            finish(target);
            finish(client);
            ends_with(pid, 0);
            continue;
        }
        target = accepted(target_fd);
        gets_ok(client, target);
        talk(client, target);
        ends_with(pid, 0);
    }
}

/* The peer of an address of the right chain asks, or one behind "^": all is open, so it hears at once. */
static void of_the_other_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char left[100], right[100];
        (void)snprintf(left, sizeof left, i ? "^ask|accept-fd:%d" : "accept-fd:%d", front_fd);
        (void)snprintf(right, sizeof right, i ? "tcp:127.0.0.1:%u" : "ask|tcp:127.0.0.1:%u",
                       port_of(target_fd));
        pid_t pid = start(left, right);
        int client = connected(front_fd), target = accepted(target_fd);
        put(target, "nowhere 1\n");
        char want[100];
        (void)snprintf(want, sizeof want, "OK 127.0.0.1 %u\n", port_of(front_fd));
        gets_text(target, want);
        talk(client, target);
        ends_with(pid, 0);
    }
}

/* What the first one is asked for is the second one, which is there: what that learns is opened. */
static void two_of_them(void **state)
{
    (void)state;
    pid_t pid = start(text(LEFT, "ask|ask|accept-fd:%d", front_fd), TARGET);
    int client = connected(front_fd);
    put(client, "elsewhere 7\n");
    gets_text(client, "OK - -\n");
    assert_true(silent(client, 20));
    wish(client, target_fd, "early");
    int target = accepted(target_fd);
    gets_ok(client, target);
    gets_text(target, "early");
    talk(client, target);
    ends_with(pid, 0);

    pid = start(text(LEFT, "ask|ask|accept-fd:%d", front_fd), "fail:2"); /* both, in one go */
    client = connected(front_fd);
    put(client, "elsewhere 7\nh 1\n");
    gets_text(client, "OK - -\nNO refused\n");
    gets_end(client);
    close(client);
    ends_with(pid, 1);

    /* ... and the one nearest to what was opened last is the first to answer */
    pid = start(asking(""), "ask|" TARGET);
    client = connected(front_fd);
    wish(client, target_fd, "");
    target = accepted(target_fd);
    assert_true(silent(client, 20));
    put(target, "back 9\n");
    gets_text(target, "OK 127.0.0.1 ");
    gets_text(client, "OK 127.0.0.1 ");
    assert_return_code(shutdown(client, SHUT_WR), errno);
    finish(target);
    finish(client);
    ends_with(pid, 0);
}

/* ---- it has failed ---- */

static void classes(void **state)
{
    static const enum err_kind kinds[] = {ERR_REFUSED, ERR_UNREACHABLE, ERR_TIMEOUT, ERR_NO_NAME,
                                          ERR_DENIED, ERR_BUSY, ERR_OTHER, ERR_ABSENT};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char line[100], want[100];
        pid_t pid = start(asking(""), "fail:{targetport}");
        int client = connected(front_fd);
        (void)snprintf(line, sizeof line, "h %d\n", (int)kinds[i]);
        (void)snprintf(want, sizeof want, "NO %s\n", class_of(kinds[i]));
        put(client, line);
        gets_text(client, want);
        gets_end(client);
        close(client);
        ends_with(pid, 1);
        says("E second address \"fail\": it fails");
    }
}

static void really_refused(void **state)
{
    int nobody = socket_of_loopback();
    (void)state;
    pid_t pid = start(asking(""), TARGET);
    int client = connected(front_fd);
    wish(client, nobody, "");
    gets_text(client, "NO refused\n");
    gets_end(client);
    close(client);
    ends_with(pid, 1);
    pid = start(asking(""), TARGET);
    client = connected(front_fd);
    put(client, "not.a;host 80\n");
    gets_text(client, "NO unfit\n");
    gets_end(client);
    close(client);
    ends_with(pid, 1);
    close(nobody);
    pid = start(asking(""), "tcp-l:0,bind=127.0.0.1,accept-timeout=0.1");
    client = connected(front_fd);
    put(client, "here 1\n");
    gets_text(client, "NO other\n");
    gets_end(client);
    close(client);
    ends_with(pid, 0);
}

/* What the client has sent already does not take the answer away from him. */
static void refused_with_early_data(void **state)
{
    static char early[200000];
    (void)state;
    memset(early, 'x', sizeof early - 1);
    static const char *const through[] = {"", "tap|", "tap|tap|", "exec1:cat%exec1:cat|", "tap|tap|"};
    for (size_t i = 0; i < sizeof through / sizeof through[0]; i++) {
        in_use.unfused = i == 4;
        pid_t pid = start(text(LEFT, "ask|%saccept-fd:%d", through[i], front_fd), "fail:2");
        int client = connected(front_fd);
        put(client, "h 1\n");
        put(client, early);
        gets_text(client, "NO refused\n");
        gets_end(client);
        close(client);
        ends_with(pid, 1);
    }
}

static void no_wish(void **state)
{
    (void)state;
    pid_t pid = start(asking(""), TARGET);
    int client = connected(front_fd);
    put(client, "hello\nmore of it");
    gets_text(client, "WHAT\n");
    gets_end(client);
    close(client);
    ends_with(pid, 1);
    says("that is no wish");
    pid = start(asking(""), TARGET);
    client = connected(front_fd);
    put(client, "127.0.0.1 ");
    close(client);
    ends_with(pid, 1);
    says("\"ask\": the peer closed the connection during the dialog");
    assert_true(silent(target_fd, 0));
}

/* ---- time ---- */

/* Each half has its own, and the rest of the line takes as long as it likes. */
static void late(void **state)
{
    (void)state;
    pid_t pid = start(asking(",handshake-timeout=0.1"), TARGET);
    int client = connected(front_fd);
    gets_end(client);
    close(client);
    ends_with(pid, 1);
    says("the peer took too long (0.1 seconds");

    int slow = socket_of_loopback();
    pid = start(asking(",handshake-timeout=1"), TARGET ",retry=1000,interval=0.02");
    client = connected(front_fd);
    wish(client, slow, "early");
    assert_true(silent(client, 1200));
    assert_return_code(listen(slow, 10), errno);
    int target = accepted(slow);
    gets_ok(client, target);
    gets_text(target, "early");
    talk(client, target);
    ends_with(pid, 0);
    close(slow);
}

static void no_room(void **state)
{
    char line[100];
    (void)state;
    pid_t pid = start(asking(",handshake-timeout=0.2"), TARGET);
    int client = connected(front_fd);
    (void)snprintf(line, sizeof line, "127.0.0.1 %u much\n", port_of(target_fd));
    put(client, line);
    int target = accepted(target_fd);
    gets_end(target);
    close(target);
    ends_with(pid, 1);
    close(client);
    says("E first address, link 1 \"ask\": the peer took too long (0.2 seconds");
}

/* He is gone by the time there is an answer. */
static void leaves(void **state)
{
    static const struct linger abort_it = {1, 0};
    (void)state;
    for (int how = 0; how < 2; how++) {
        int slow = socket_of_loopback();
        pid_t pid = start(asking(""), TARGET ",retry=1000,interval=0.02");
        int client = connected(front_fd);
        wish(client, slow, "");
        assert_true(silent(client, 100));
        if (how == 1)
            (void)setsockopt(client, SOL_SOCKET, SO_LINGER, &abort_it, sizeof abort_it);
        close(client);
        assert_return_code(listen(slow, 10), errno);
        int target = accepted(slow);
        gets_end(target);
        close(target);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        close(slow);
    }
    pid_t pid = start(asking(""), TARGET); /* without waiting for anything */
    int client = connected(front_fd);
    wish(client, target_fd, "all of it");
    assert_return_code(shutdown(client, SHUT_WR), errno);
    int target = accepted(target_fd);
    gets_ok(client, target);
    gets_text(target, "all of it");
    gets_end(target);
    put(target, "reply");
    close(target);
    gets_text(client, "reply");
    close(client);
    ends_with(pid, 0);
}

/* ---- many ---- */

static void of_a_listener(void **state)
{
    static const char *const ways[] = {"thread", "fork"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        int slow = socket_of_loopback(), nobody = socket_of_loopback();
        pid_t pid = start(text(LEFT, "ask|accept-fd:%d,%s", front_fd, ways[i]),
                          TARGET ",retry=1000,interval=0.02");
        int first = connected(front_fd);
        wish(first, slow, "1"); /* waits, the others do not wait for it */
        for (int k = 0; k < 3; k++) {
            int client = connected(front_fd);
            wish(client, target_fd, "early");
            int target = accepted(target_fd);
            gets_ok(client, target);
            gets_text(target, "early");
            talk(client, target);
        }
        assert_true(silent(first, 0));
        assert_return_code(listen(slow, 10), errno);
        int target = accepted(slow);
        gets_ok(first, target);
        gets_text(target, "1");
        talk(first, target);
        stop(pid);
        pid = start(text(LEFT, "ask|accept-fd:%d,%s", front_fd, ways[i]), TARGET);
        for (int k = 0; k < 3; k++) {
            int client = connected(front_fd);
            wish(client, nobody, "early");
            gets_text(client, "NO refused\n");
            gets_end(client);
            close(client);
        }
        stop(pid);
        close(slow);
        close(nobody);
    }
}

/* ---- looking, handing back, handing on, and the other side ---- */

static void hands_back(void **state)
{
    static char all[70000];
    static const size_t sizes[] = {1, 100, 8192, 8193, 16384 + 5, 60000};
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        int n = snprintf(all, sizeof all, "%zu 127.0.0.1 %u\n", sizes[i], port_of(target_fd));
        memset(all + n, 'a' + (int)i, sizes[i]);
        memcpy(all + (size_t)n + sizes[i], "and more", 9);
        pid_t pid = start(text(LEFT, "peek|accept-fd:%d", front_fd), TARGET);
        int client = connected(front_fd);
        put(client, all);
        int target = accepted(target_fd);
        gets_text(target, all);
        talk(client, target);
        ends_with(pid, 0);
    }
    pid_t pid = start(text(LEFT, "peek|accept-fd:%d", front_fd), TARGET);
    int client = connected(front_fd);
    put(client, "65536 127.0.0.1 1\n");
    ends_with(pid, 1);
    says("at most 65536 are possible");
    close(client);
}

/* A client of what listens there, in TLS; its log is in the other's. */
static pid_t start_tls_client(const char *between, int to, int *fd)
{
    char left[100], right[200];
    int s[2];
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM, 0, s), errno);
    (void)snprintf(left, sizeof left, "fd:%d", s[1]);
    (void)snprintf(right, sizeof right, "openssl,verify=0|%stcp:127.0.0.1:%u", between, port_of(to));
    keep_log = true;
    not_his = s[0];
    pid_t pid = start(left, right);
    keep_log = false;
    not_his = -1;
    close(s[1]);
    *fd = patient(s[0]);
    return pid;
}

/* It learns inside TLS; early data, the answer and its end come through it. */
static void inside_tls(void **state)
{
    (void)state;
    for (int threads = 0; threads < 2; threads++) {
        int client;
        pid_t server = start(text(LEFT, "ask|openssl-server,verify=0,cert=%s|accept-fd:%d%s", pemfile,
                                  front_fd, threads ? ",thread" : ""), TARGET);
        for (int k = 0; k <= 2 * threads; k++) {
            pid_t tls = start_tls_client("", front_fd, &client);
            wish(client, target_fd, "early");
            int target = accepted(target_fd);
            gets_ok(client, target);
            gets_text(target, "early");
            talk(client, target);
            ends_with(tls, 0);
        }
        if (threads)
            stop(server);
        else
            ends_with(server, 0);
        server = start(text(LEFT, "ask|openssl-server,verify=0,cert=%s|accept-fd:%d%s", pemfile,
                            front_fd, threads ? ",thread" : ""), "fail:2");
        for (int k = 0; k <= 2 * threads; k++) {
            pid_t tls = start_tls_client("", front_fd, &client);
            wish(client, target_fd, "early");
            gets_text(client, "NO refused\n");
            gets_end(client);
            close(client);
            ends_with(tls, 0); /* it was told that this is all */
        }
        if (threads)
            stop(server);
        else
            ends_with(server, 1);
    }
}

/* TLS inside of what was asked for: as its peer waits for the answer, it begins then. */
static void outside_of_tls(void **state)
{
    int client;
    (void)state;
    pid_t server = start(text(LEFT, "openssl-server,verify=0,cert=%s|front|accept-fd:%d", pemfile,
                              front_fd), text(RIGHT, "tcp:127.0.0.1:%u", port_of(target_fd)));
    pid_t tls = start_tls_client("greeted|", front_fd, &client);
    int target = accepted(target_fd);
    put(target, "welcome\nand so on\n");
    gets_text(client, "welcome\n");
    gets_text(client, "and so on\n");
    gets_text(target, "front\n");
    talk(client, target);
    ends_with(tls, 0);
    ends_with(server, 0);

    pid_t plain = start(text(LEFT, "accept-fd:%d", front_fd), /* no session: where the line ends */
                        text(RIGHT, "greeted|tcp:127.0.0.1:%u", port_of(target_fd)));
    client = connected(front_fd);
    target = accepted(target_fd);
    put(target, "welcome\nand so on\n");
    gets_text(target, "GO\n");
    gets_text(client, "welcome\nand so on\n");
    talk(client, target);
    ends_with(plain, 0);
}

/* ---- planning ---- */

static void shows(const char *left, const char *right, const char *want)
{
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    struct plan *p = make_plan(left, right);
    plan_print(p, f);
    plan_free(p);
    (void)fclose(f);
    if (!strstr(out, want))
        fail_msg("no \"%s\" in: %s", want, out);
    free(out);
}

static void refuses(const char *left, const char *right, const char *why)
{
    struct plan *p;
    struct err e;
    assert_int_equal(plan_make(&in_use, left, right, &p, &e), -1);
    if (!strstr(e.text, why))
        fail_msg("%s", e.text);
}

static void planning(void **state)
{
    (void)state;
    shows("ask|tcp-l:1", TARGET,
          "becomes: a dialog at open time, answers when the right chain is open, then nothing\n");
    shows("ask|tcp-l:1", TARGET,
          "  1. tcp-listen:1\n  2. ask (dialog)\n  3. tcp-connect:{targethost}:{targetport}\n"
          "  4. ask (answers)\n");
    shows("openssl-server,cert=x|ask|tcp-l:1", "socks5:h:1|" TARGET,
          "  2. ask (dialog)\n  3. tcp-connect:{targethost}:{targetport}\n"
          "  4. socks5-connect:h:1 (dialog)\n  5. ask (answers)\n"
          "  6. openssl-server (handshake)\n");
    shows("tcp-l:1", "^ask|" TARGET,
          "  2. ask (dialog)\n  3. tcp-connect:{targethost}:{targetport}\n  4. ask (answers)\n");
    shows("peek|tcp-l:1", TARGET, "becomes: a dialog at open time, then nothing\n");
    shows("tcp-l:1", "ask|tcp:h:1", "becomes: a dialog at open time, then nothing\n");
    refuses("openssl-server,cert=x|ask|tcp-l:1", "tcp:{sni}:1", "nobody who is opened before tells");
    refuses("ask|tcp-l:1", "tcp-l:2,fork", "one client who waits for one answer");
    shows("peek|tcp-l:1", "tcp-l:2,fork", "a process for each");
}

static int prepare(void **state)
{
    struct err e;
    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(logfile, sizeof logfile, "%s/log", dir);
    (void)snprintf(pemfile, sizeof pemfile, "%s/pem", dir);
    track_certificate(pemfile);
    return registry_add(&memory, &builtin_registry, forms, NULL, &home.known, &e);
}

static int clean_up(void **state)
{
    (void)state;
    arena_free(&memory);
    (void)unlink(logfile);
    (void)unlink(pemfile);
    return rmdir(dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cut_everywhere), TEST(everywhere),  TEST(of_the_other_end), TEST(two_of_them),
        TEST(classes),        TEST(really_refused), TEST(refused_with_early_data), TEST(no_wish),
        TEST(late),           TEST(no_room),     TEST(leaves),           TEST(of_a_listener),
        TEST(hands_back),     TEST(inside_tls),  TEST(outside_of_tls),   TEST(planning),
    };

    return cmocka_run_group_tests(tests, prepare, clean_up);
}
