/* SPDX-License-Identifier: GPL-2.0-or-later
 * Lines: what stands between two ends is opened from both of them, relays, and leaves nothing behind;
 * attempts that fail are undone and made again; ends, orders and failures end all of it. */
#include "track.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "catena/wait.h"
#include "engine/confine/sandbox.h"

enum { LOTS = 400000 };

/* Both sides of a program, each copied to the other. */
#define BOTH_WAYS "system:\"cat <&3 4>&- & exec cat >&4 3<&- 4>&-\""

static char certificate[200];

/* ---- what may stand between ---- */

static void passes(const char *left, const char *right)
{
    struct track t;
    print_message("%s  %s\n", left, right);
    track_lay(&t, unit_settings(), left, right);
    track_start(&t);
    track_exchange(&t, LOTS, LOTS + 4321);
    track_join(&t);
    assert_false(t.run.failed);
    assert_int_equal(atomic_load(&t.run.lost[0]) + atomic_load(&t.run.lost[1]), 0);
    track_free(&t);
    assert_false(t.run.child_failed);
}

static void every_kind(void **state)
{
    char tls[600];
    (void)state;
    passes("-", "pipe");
    passes("nop|-", "nop|pipe");
    passes("-", "gzip|^gzip|pipe");
    passes("gzip|^gzip|-", "pipe");
    passes("^gzip|-", "^gzip|pipe");
    (void)snprintf(tls, sizeof tls, "openssl,verify=0|^openssl-server,cert=%s,verify=0|pipe", certificate);
    passes("-", tls);
    (void)snprintf(tls, sizeof tls, "gzip|openssl,verify=0|^openssl-server,cert=%s,verify=0|^gzip|pipe", certificate);
    passes("-", tls);
    passes("-", BOTH_WAYS "|pipe");
    passes(BOTH_WAYS "|-", "gzip|" BOTH_WAYS "|^gzip|pipe");
}

/* A line that has confined itself relays as any other. */
static void confined(const char *right)
{
    struct track t;
    struct err e;
    int status;
    struct settings s = unit_settings();
    s.sandbox = true;
    track_plan(&t, s, "-", right);
    track_put_end(&t, LEFT, 0);
    assert_int_equal(line_open_chain(&t.line, LEFT, &e), 0);
    track_put_end(&t, RIGHT, 0);
    assert_int_equal(line_open_chain(&t.line, RIGHT, &e), 0);
    assert_int_equal(line_join(&t.line, &e), 0);
    pid_t pid = fork();
    assert_return_code(pid, errno);
    if (pid == 0) {
        (void)alarm(60);
        track_hang_up(&t, LEFT); /* the peers are the parent's */
        track_hang_up(&t, RIGHT);
        if (sandbox_enter(&t.run, &e) < 0 || line_start(&t.line, &e) < 0)
            _exit(1);
        line_relay(&t.line);
        line_fini(&t.line);
        _exit(t.run.failed ? 2 : 0);
    }
    line_fini(&t.line);
    for (int i = 0; i < 2; i++) {
        close(t.inside[i]);
        t.inside[i] = -1;
    }
    track_exchange(&t, LOTS, LOTS);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("%s: status %x; %s", right, (unsigned)status, unit_log());
    track_free(&t);
}

static void confined_lines(void **state)
{
    (void)state;
    if (!sandbox_filter_available())
        skip();
    unit_log_clear();
    confined("pipe");
    confined("gzip|^gzip|pipe");
    confined("nop|gzip|^gzip|gzip|^gzip|pipe");
}

/* From both ends to the border; each link in its own way on both flows. */
static void both_cursors(void **state)
{
    struct track t;
    (void)state;
    track_lay(&t, unit_settings(), "test|-", "test|pipe");
    track_start(&t);
    track_say(&t, LEFT, "there");
    track_hear(&t, RIGHT, "there<>");
    track_say(&t, RIGHT, "back");
    track_hear(&t, LEFT, "back<>");
    track_end(&t, LEFT);
    track_hear_end(&t, RIGHT);
    track_say(&t, RIGHT, "and more");
    track_hear(&t, LEFT, "and more<>");
    track_end(&t, RIGHT);
    track_hear_end(&t, LEFT);
    track_join(&t);
    assert_false(t.run.failed);
    track_free(&t);
}

/* A line through another one's peer: who has to prove himself does before the right chain is opened. */
static void *open_client(void *arg)
{
    struct err e;
    struct track *t = arg;
    return line_open_chain(&t->line, RIGHT, &e) == 0 ? arg : NULL;
}

static void proof_comes_first(void **state)
{
    struct track client, server;
    struct err e;
    struct port *p;
    char text[400];
    pthread_t t;
    void *opened;
    (void)state;
    (void)snprintf(text, sizeof text, "^openssl-server,cert=%s,verify=0|nop|pipe", certificate);
    track_plan(&server, unit_settings(), "-", text);
    track_put_end(&server, LEFT, 0);
    track_plan(&client, unit_settings(), "-", "openssl,verify=0|pipe");
    track_put_end(&client, LEFT, 0);
    /* the client's right end is the server's left peer */
    int fd = dup(server.outside[LEFT]);
    assert_int_equal(port_open_fds(fd, fd, 0, PORT_SHUT_DOWN, "t", &p, &e), 0);
    line_put_end(&client.line, RIGHT, p);
    track_hang_up(&server, LEFT);

    assert_int_equal(pthread_create(&t, NULL, open_client, &client), 0);
    assert_int_equal(line_open_chain(&server.line, LEFT, &e), 0);
    if (line_prove(&server.line, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(pthread_join(t, &opened), 0); /* it has been answered */
    assert_non_null(opened);
    track_put_end(&server, RIGHT, 0);
    assert_int_equal(line_open_chain(&server.line, RIGHT, &e), 0);
    assert_int_equal(line_join(&server.line, &e), 0);
    assert_int_equal(line_start(&server.line, &e), 0);
    assert_int_equal(line_join(&client.line, &e), 0);
    assert_int_equal(line_start(&client.line, &e), 0);
    track_start(&server);
    track_start(&client);
    track_say(&client, LEFT, "question");
    track_hear(&server, RIGHT, "question");
    track_say(&server, RIGHT, "answer");
    track_hear(&client, LEFT, "answer");
    track_end(&client, LEFT);
    track_hear_end(&server, RIGHT);
    track_end(&server, RIGHT);
    track_hear_end(&client, LEFT);
    track_join(&client);
    track_join(&server);
    assert_false(client.run.failed);
    assert_false(server.run.failed);
    client.before = server.before; /* what was there before both of them */
    track_close(&server);
    track_free(&client);
}

/* ---- dialogs, attempts ---- */

/* The proxy at the other end: reads a request of SOCKS4, and answers. */
struct proxy {
    int fd;
    const char *answer;
    size_t n;
    char request[100];
};

static void *be_proxy(void *arg)
{
    struct proxy *p = arg;
    for (size_t n = 0; n < 9 || p->request[n - 1] != '\0';) {
        if (!unit_readable(p->fd, UNIT_PATIENCE_MS) || n == sizeof p->request)
            return NULL;
        ssize_t k = read(p->fd, p->request + n, sizeof p->request - n);
        if (k <= 0)
            return NULL;
        n += (size_t)k;
    }
    (void)!write(p->fd, p->answer, p->n);
    return NULL;
}

static int open_through_proxy(struct track *t, const char *answer, size_t n, struct err *e)
{
    pthread_t thread;
    track_put_end(t, RIGHT, 0);
    struct proxy p = {.fd = t->outside[RIGHT], .answer = answer, .n = n};
    assert_int_equal(pthread_create(&thread, NULL, be_proxy, &p), 0);
    int rc = line_open_chain(&t->line, RIGHT, e);
    assert_int_equal(pthread_join(thread, NULL), 0);
    static const char asks[] = {4, 1, 0, 80, (char)192, 0, 2, 1};
    assert_memory_equal(p.request, asks, sizeof asks);
    return rc;
}

static void run_dry(struct track *t)
{
    struct err e;
    assert_int_equal(line_join(&t->line, &e), 0);
    assert_int_equal(line_start(&t->line, &e), 0);
    track_start(t);
}

static void relays_text(struct track *t)
{
    track_say(t, LEFT, "hello");
    track_hear(t, RIGHT, "hello");
    track_say(t, RIGHT, "you");
    track_hear(t, LEFT, "you");
    track_hang_up(t, LEFT);
    track_hang_up(t, RIGHT);
    track_join(t);
}

/* Refused twice, and then let through; what came with the yes is not lost. What the attempts have made
 * is gone each time, and their failures with it. */
static void dialogs(void **state)
{
    static const char no[] = {0, 91, 0, 0, 0, 0, 0, 0}, yes[] = {0, 90, 0, 0, 0, 0, 0, 0, 'h', 'i'};
    struct track t;
    struct err e;
    (void)state;
    track_plan(&t, unit_settings(), "-", "socks4:192.0.2.1:80|pipe");
    track_put_end(&t, LEFT, 0);
    assert_int_equal(line_open_chain(&t.line, LEFT, &e), 0);
    struct unit_count fresh = unit_count();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_through_proxy(&t, no, sizeof no, &e), -1);
        assert_int_equal(e.kind, ERR_REFUSED);
        assert_ptr_equal(t.line.failed, &t.plan->links[0]);
        line_reset_side(&t.line, RIGHT, false);
        track_hang_up(&t, RIGHT);
        unit_nothing_left(fresh);
    }
    assert_int_equal(open_through_proxy(&t, yes, sizeof yes, &e), 0);
    run_dry(&t);
    track_hear(&t, LEFT, "hi");
    relays_text(&t);
    assert_false(t.run.failed);
    track_free(&t);
}

/* The same behind a codec, whose engine is there already, and through a session. */
static void dialogs_over_stations(void **state)
{
    static const char no[] = {0, 91, 0, 0, 0, 0, 0, 0};
    struct track t;
    struct err e;
    (void)state;
    track_plan(&t, unit_settings(), "-", "socks4:192.0.2.1:80|gzip|^gzip|pipe");
    track_put_end(&t, LEFT, 0);
    assert_int_equal(line_open_chain(&t.line, LEFT, &e), 0);
    struct unit_count fresh = unit_count();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(open_through_proxy(&t, no, sizeof no, &e), -1);
        line_reset_side(&t.line, RIGHT, false);
        track_hang_up(&t, RIGHT);
        if (i == 0) /* the line's own are for good */
            fresh.descriptors = unit_count().descriptors;
        unit_nothing_left(fresh); /* their threads, too */
    }
    static const char yes[] = {0, 90, 0, 0, 0, 0, 0, 0, 'h', 'i'};
    assert_int_equal(open_through_proxy(&t, yes, sizeof yes, &e), 0);
    run_dry(&t);
    track_hear(&t, LEFT, "hi");
    relays_text(&t);
    assert_false(t.run.failed);
    track_free(&t);
}

/* An engine that fails while the line is being opened: another attempt starts without that failure. */
static void failed_engine_is_forgotten(void **state)
{
    struct track t;
    struct err e;
    (void)state;
    track_plan(&t, unit_settings(), "-", "socks4:192.0.2.1:80|gzip|gzip|pipe");
    track_put_end(&t, LEFT, 0);
    assert_int_equal(line_open_chain(&t.line, LEFT, &e), 0);
    track_put_end(&t, RIGHT, 0);
    track_say(&t, RIGHT, "this was never compressed");
    assert_int_equal(line_open_chain(&t.line, RIGHT, &e), -1);
    assert_true(t.run.failed);
    line_reset_side(&t.line, RIGHT, false);
    assert_false(t.run.failed);
    assert_false(atomic_load(&t.run.broken));
    track_free(&t);
}

/* What came behind a no, and is on its way through engines that are stopped, is no loss. */
static void nothing_is_lost(void **state)
{
    static char flood[100000] = {0, 91};
    struct track t;
    struct err e;
    (void)state;
    struct settings s = unit_settings();
    s.unfused = true;
    track_plan(&t, s, "-", "socks4:192.0.2.1:80|test|test|test|pipe");
    track_put_end(&t, LEFT, 0);
    assert_int_equal(line_open_chain(&t.line, LEFT, &e), 0);
    track_put_end(&t, RIGHT, 0);
    assert_true(write(t.outside[RIGHT], flood, sizeof flood) > 8);
    assert_int_equal(line_open_chain(&t.line, RIGHT, &e), -1);
    assert_int_equal(e.kind, ERR_REFUSED);
    struct pollfd p = {t.outside[RIGHT], POLLOUT, 0};
    while (poll(&p, 1, 150) > 0) /* until they stand where they cannot go on */
        (void)!write(p.fd, flood, sizeof flood);
    line_reset_side(&t.line, RIGHT, false);
    assert_int_equal(atomic_load(&t.run.lost[LEFT]) + atomic_load(&t.run.lost[RIGHT]), 0);
    assert_false(atomic_load(&t.run.cut[LEFT]) || atomic_load(&t.run.cut[RIGHT]));
    run_judge_losses(&t.run);
    assert_false(t.run.failed);
    track_free(&t);
}

/* A station whose own opening has failed is undone with the others. */
static void handshakes_that_fail(void **state)
{
    struct track t;
    struct err e;
    (void)state;
    track_plan(&t, unit_settings(), "-", "openssl,verify=0|gzip|^gzip|pipe");
    track_put_end(&t, LEFT, 0);
    assert_int_equal(line_open_chain(&t.line, LEFT, &e), 0);
    struct unit_count fresh = unit_count();
    for (int i = 0; i < 3; i++) {
        track_put_end(&t, RIGHT, 0);
        track_say(&t, RIGHT, "HTTP/1.0 400 this is no TLS\r\n\r\n");
        track_end(&t, RIGHT);
        assert_int_equal(line_open_chain(&t.line, RIGHT, &e), -1);
        assert_ptr_equal(t.line.failed, &t.plan->links[0]);
        line_reset_side(&t.line, RIGHT, false);
        track_hang_up(&t, RIGHT);
        if (i == 0)
            fresh.descriptors = unit_count().descriptors;
        unit_nothing_left(fresh);
    }
    assert_false(t.run.failed);
    track_free(&t);
}

/* One that talks to the other side is held from there, whichever chain it stands in. */
static void dialog_with_the_other_side(void **state)
{
    static const char yes[] = {0, 90, 0, 0, 0, 0, 0, 0};
    struct track t;
    struct err e;
    char request[100] = "";
    (void)state;
    track_plan(&t, unit_settings(), "-", "^socks4:192.0.2.1:80|pipe");
    track_put_end(&t, LEFT, 0);
    track_put_end(&t, RIGHT, 0);
    assert_int_equal(write(t.outside[LEFT], yes, sizeof yes), sizeof yes);
    assert_int_equal(line_open_chain(&t.line, LEFT, &e), 0);
    assert_int_equal(line_prove(&t.line, &e), 0);
    assert_int_equal(line_open_chain(&t.line, RIGHT, &e), 0);
    run_dry(&t);
    assert_true(unit_readable(t.outside[LEFT], UNIT_PATIENCE_MS));
    assert_true(read(t.outside[LEFT], request, sizeof request) > 2);
    assert_int_equal(request[0], 4);
    assert_false(unit_readable(t.outside[RIGHT], 0));
    relays_text(&t);
    assert_false(t.run.failed);
    track_free(&t);
}

/* Both sides may be undone, in any order, and opened once more. */
static void reset_and_again(void **state)
{
    struct track t;
    struct err e;
    (void)state;
    for (int first = LEFT; first <= RIGHT; first++) {
        track_plan(&t, unit_settings(), "gzip|^gzip|-", "gzip|" BOTH_WAYS "|^gzip|pipe");
        struct unit_count fresh = unit_count();
        for (int n = 0; n < 3; n++) {
            track_put_end(&t, LEFT, 0);
            assert_int_equal(line_open_chain(&t.line, LEFT, &e), 0);
            size_t children = t.run.nchildren;
            track_put_end(&t, RIGHT, 0);
            assert_int_equal(line_open_chain(&t.line, RIGHT, &e), 0);
            if (n == 2)
                break;
            line_reset_side(&t.line, first, false);
            line_reset_side(&t.line, !first, false);
            run_drop_children(&t.run, children);
            track_hang_up(&t, LEFT);
            track_hang_up(&t, RIGHT);
            unit_no_children();
            if (n == 0) /* the line's own are for good */
                fresh.descriptors = unit_count().descriptors;
            unit_nothing_left(fresh);
        }
        run_dry(&t);
        relays_text(&t);
        assert_false(t.run.failed);
        track_free(&t);
    }
}

/* ---- whose the ends are ---- */

/* Closed with a word to the peer, unless others go on with it. */
static void shares(void **state)
{
    struct track t;
    (void)state;
    for (int how = 0; how < 4; how++) { /* reset, quietly, ended, shared */
        track_plan(&t, unit_settings(), "-", "pipe");
        track_put_end(&t, LEFT, PORT_SHUT_BOTH);
        if (how == 3)
            line_share(&t.line, LEFT);
        if (how < 2)
            line_reset_side(&t.line, LEFT, how == 1);
        else
            line_fini(&t.line);
        assert_int_equal(unit_readable(t.outside[LEFT], 0), how == 0 || how == 2);
        track_free(&t);
    }
}

/* The same for what has been given to an engine. */
static void shares_of_stations(void **state)
{
    struct track t;
    struct err e;
    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        track_plan(&t, unit_settings(), "gzip|-", "pipe");
        track_put_end(&t, LEFT, PORT_SHUT_BOTH);
        assert_int_equal(line_open_chain(&t.line, LEFT, &e), 0);
        if (shared)
            line_share(&t.line, LEFT);
        line_fini(&t.line);
        assert_int_equal(unit_readable(t.outside[LEFT], 0), !shared);
        track_free(&t);
    }
}

static bool is_one(const char *left, const char *right)
{
    struct track t;
    struct err e;
    track_plan(&t, unit_settings(), left, right);
    track_put_end(&t, LEFT, 0);
    assert_int_equal(line_open_chain(&t.line, LEFT, &e), 0);
    track_put_end(&t, RIGHT, 0);
    assert_int_equal(line_open_chain(&t.line, RIGHT, &e), 0);
    assert_int_equal(line_join(&t.line, &e), 0);
    assert_int_equal(line_start(&t.line, &e), 0);
    bool one = line_is_one_engine(&t.line);
    line_fini(&t.line);
    track_free(&t);
    return one;
}

/* What a thread can have many of: nothing but one engine. */
static void one_engine(void **state)
{
    (void)state;
    assert_true(is_one("-", "pipe"));
    assert_true(is_one("-", "gzip|pipe"));
    assert_true(is_one("nop|-", "pipe"));
    assert_true(is_one("-", "test|test|gzip|test|pipe"));
    assert_false(is_one("-", "gzip|gzip|pipe"));
    assert_false(is_one("-", BOTH_WAYS "|pipe"));
}

/* ---- ends by order and by failure ---- */

static void stopped(void **state)
{
    struct track t;
    static char much[100000];
    (void)state;
    memset(much, 'x', sizeof much - 1);
    for (int engines = 1; engines <= 2; engines++) {
        track_lay(&t, unit_settings(), "-", engines == 1 ? "pipe" : "gzip|^gzip|pipe");
        int stop = eventfd(0, EFD_CLOEXEC);
        t.run.stop_fd = stop;
        track_start(&t);
        track_say(&t, LEFT, "hello");
        track_hear(&t, RIGHT, "hello");
        (void)eventfd_write(stop, 1);
        track_join(&t);
        track_hear_end(&t, LEFT);
        track_hear_end(&t, RIGHT);
        assert_false(t.run.failed);
        assert_int_equal(atomic_load(&t.run.end), END_STOPPED);
        close(stop);
        track_free(&t);
    }
}

/* Nothing within -T. */
static void idle(void **state)
{
    struct settings s = unit_settings();
    struct track t;
    (void)state;
    s.idle = 0.3;
    track_lay(&t, s, "test|-", "test|pipe");
    track_start(&t);
    unit_pause(200);
    int64_t said = wait_now();
    track_say(&t, LEFT, "x");
    track_hear(&t, RIGHT, "x<>");
    track_join(&t);
    assert_true(wait_now() - said >= 290); /* counted from then */
    assert_int_equal(atomic_load(&t.run.end), END_IDLE);
    assert_false(t.run.failed);
    track_free(&t);
}

/* The other side has -t when one has ended. */
static void linger(void **state)
{
    struct settings s = unit_settings();
    struct track t;
    (void)state;
    s.linger = 0.3;
    track_lay(&t, s, "-", "gzip|^gzip|pipe");
    track_start(&t);
    int64_t ended = wait_now();
    track_end(&t, LEFT);
    track_hear_end(&t, RIGHT);
    track_say(&t, RIGHT, "late");
    track_hear(&t, LEFT, "late");
    track_join(&t);
    assert_true(wait_now() - ended >= 290);
    track_hear_end(&t, LEFT);
    assert_false(t.run.failed);
    track_free(&t);
}

/* A station fails: all ends, once, with the first reason; what was taken and is good comes through. */
static void failure(void **state)
{
    struct track t;
    (void)state;
    track_lay(&t, unit_settings(), "-", "gzip|^gzip|^gzip|pipe");
    unit_log_clear();
    track_start(&t);
    track_say(&t, LEFT, "this was never compressed");
    track_end(&t, LEFT);
    track_hear_end(&t, RIGHT);
    track_join(&t);
    track_hear_end(&t, LEFT);
    assert_true(t.run.failed);
    assert_int_equal(unit_logged(" E "), 1);
    track_free(&t);
}

/* One way, as with -u. */
static void one_way(void **state)
{
    struct settings s = unit_settings();
    struct track t;
    (void)state;
    s.to_left = false;
    track_lay(&t, s, "-", "exec1:cat|create:x");
    track_start(&t);
    track_say(&t, RIGHT, "nobody listens");
    track_say(&t, LEFT, "hello");
    track_hear(&t, RIGHT, "hello");
    track_end(&t, LEFT);
    track_hear_end(&t, RIGHT);
    track_join(&t);
    assert_false(t.run.failed);
    track_free(&t);
}

static int begin(void **state)
{
    if (unit_begin(state) < 0)
        return -1;
    (void)snprintf(certificate, sizeof certificate, "%s", unit_path("pem"));
    track_certificate(certificate);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(confined_lines),
        cmocka_unit_test(both_cursors),
        cmocka_unit_test(proof_comes_first),
        cmocka_unit_test(dialogs),
        cmocka_unit_test(dialogs_over_stations),
        cmocka_unit_test(failed_engine_is_forgotten),
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(handshakes_that_fail),
        cmocka_unit_test(dialog_with_the_other_side),
        cmocka_unit_test(reset_and_again),
        cmocka_unit_test(shares),
        cmocka_unit_test(shares_of_stations),
        cmocka_unit_test(one_engine),
        cmocka_unit_test(stopped),
        cmocka_unit_test(idle),
        cmocka_unit_test(linger),
        cmocka_unit_test(failure),
        cmocka_unit_test(one_way),
    };
    return cmocka_run_group_tests_name("line", tests, begin, unit_end);
}
