/* SPDX-License-Identifier: GPL-2.0-or-later
 * Two instances in one process that is not theirs: each with its own log, tables, variables and limits,
 * relaying at the same time. Of the process nothing changes, and nothing is written but to the logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/catena.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/registry.h"
#include "engine/serve/serve.h"

enum { ROUNDS = 20, BIG = 3000, LONG = 100000, LOG = 262144 };

/* ---- an address that only one of them knows ---- */

static int shout(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    unsigned char *at;
    (void)st, (void)e;
    size_t room = buf_room(out, &at), n = in->len < room ? in->len : room;
    for (size_t i = 0; i < n; i++)
        at[i] = (unsigned char)toupper(buf_data(in)[i]);
    buf_commit(out, n);
    buf_consume(in, n);
    return in->len == 0 && mode != CODEC_RUN;
}

static const struct codec_ops shouts = {.push = shout};
static const struct codec_pair shouting = {&shouts, &shouts, false};
static const struct form forms_shout[] = {
    {.keyword = "SHOUT", .left = CTX_RWB, .right = RIGHT_MIRROR, .kind = FORM_CODEC,
     .ops.codec = &shouting},
    {0},
};

/* ---- instances ---- */

struct world {
    struct catena catena;
    struct settings settings;
    pthread_mutex_t lock;
    char messages[LOG], data[LOG]; /* what its log was told */
};

static void append(struct world *w, char *log, const char *text, size_t n, const char *end)
{
    pthread_mutex_lock(&w->lock);
    size_t at = strlen(log);
    (void)snprintf(log + at, LOG - at, "%.*s%s", (int)n, text, end);
    pthread_mutex_unlock(&w->lock);
}

static void take_message(void *arg, enum diag_level level, const char *text)
{
    struct world *w = arg;
    char line[2600];
    (void)snprintf(line, sizeof line, "%c %s", "FEWNID"[level], text);
    append(w, w->messages, line, strlen(line), "\n");
}

static void take_data(void *arg, const char *bytes, size_t n)
{
    struct world *w = arg;
    append(w, w->data, bytes, n, "");
}

static struct arena memory;
static char *ann[] = {(char[]){"WHO=ann"}, NULL}, *bob[] = {(char[]){"WHO=bob"}, NULL};
static struct world one, two;

static void world_init(struct world *w, enum diag_level level, char **variables)
{
    *w = (struct world){
        .catena = {.log = {.level = level, .taker = {take_message, take_data, w}},
                   .known = &builtin_registry,
                   .environment = variables},
        .settings = {.catena = &w->catena, .to_right = true, .to_left = true, .linger = -1,
                     .idle = -1, .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"}};
    assert_int_equal(pthread_mutex_init(&w->lock, NULL), 0);
}

static int begin(void **state)
{
    struct err e;
    (void)state;
    world_init(&one, DIAG_NOTICE, ann);
    world_init(&two, DIAG_ERROR, bob);
    one.settings.text_dump = two.settings.text_dump = true;
    two.catena.log.taker.data = NULL; /* it drops dumps */
    one.catena.limits.block = BIG / 3;
    return registry_add(&memory, &builtin_registry, forms_shout, NULL, &one.catena.known, &e);
}

static int end(void **state)
{
    (void)state;
    arena_free(&memory);
    for (int i = 0; i < 2; i++) {
        struct world *w = i ? &two : &one;
        assert_int_equal(atomic_load(&w->catena.threads), 0);
        catena_fini(&w->catena);
        (void)pthread_mutex_destroy(&w->lock);
    }
    return 0;
}

/* ---- a line between two descriptors ---- */

struct job {
    struct world *world;
    const char *links; /* in front of the right end: "test|" */
    const char *end;   /* the right end; NULL: a descriptor */
    int type;          /* of the sockets */
    size_t size;       /* of what is sent through, in one piece */
    int rounds;
    /* the last one's: */
    int status;
    char out[LONG + 1];
    size_t got;
};

static void say(struct world *w, const struct err *e)
{
    char line[1100];
    (void)snprintf(line, sizeof line, "plan: %s", e->text);
    take_message(w, DIAG_ERROR, line);
}

/* What came through; answers end here as well. */
static void take_out(struct job *j, int fd)
{
    ssize_t n;
    j->got = 0;
    while (j->got < LONG && (n = recv(fd, j->out + j->got, LONG - j->got, MSG_DONTWAIT)) > 0)
        j->got += (size_t)n;
    j->out[j->got] = '\0';
}

static void relay(struct job *j, int left[2], int right[2])
{
    char from[32], to[256];
    struct plan *p;
    struct err e;
    bool forked;
    (void)snprintf(from, sizeof from, "FD:%d", left[0]);
    int n = snprintf(to, sizeof to, "%s%s", j->links, j->end ? j->end : "FD:");
    if (!j->end)
        (void)snprintf(to + n, sizeof to - (size_t)n, "%d", right[0]);
    memset(j->out, 'x', j->size);
    (void)!write(left[1], j->out, j->size);
    (void)shutdown(left[1], SHUT_WR);
    (void)shutdown(right[1], SHUT_WR);
    if (plan_make(&j->world->settings, from, to, &p, &e) < 0) {
        say(j->world, &e);
        return;
    }
    j->status = serve(&j->world->settings, p, -1, &forked);
    plan_free(p);
    take_out(j, j->end ? left[1] : right[1]);
}

static void *work(void *arg)
{
    struct job *j = arg;
    j->status = -1;
    for (int i = 0; i < j->rounds; i++) {
        int left[2], right[2];
        if (socketpair(AF_UNIX, j->type, 0, left) < 0 ||
            socketpair(AF_UNIX, j->type, 0, right) < 0)
            return NULL;
        relay(j, left, right);
        for (int k = 0; k < 2; k++) {
            close(left[k]);
            close(right[k]);
        }
    }
    return NULL;
}

/* ---- the process, before and after ---- */

struct process {
    uint64_t mask;
    struct { void (*handler)(int); int flags; } actions[NSIG];
    mode_t mask_of_files;
    char cwd[4096];
    char **variables;
    char environment[65536];
    int descriptors;
};

static int count(const char *directory)
{
    int n = 0;
    DIR *d = opendir(directory);
    assert_non_null(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void look(struct process *p)
{
    size_t at = 0;
    memset(p, 0, sizeof *p);
    sigset_t mask;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    for (int i = 1; i < 64; i++)
        p->mask |= (uint64_t)(sigismember(&mask, i) == 1) << i;
    for (int i = 1; i < NSIG; i++) {
        struct sigaction action;
        if (sigaction(i, NULL, &action) == 0) {
            p->actions[i].handler = action.sa_handler;
            p->actions[i].flags = action.sa_flags;
        }
    }
    p->mask_of_files = umask(0);
    (void)umask(p->mask_of_files);
    assert_non_null(getcwd(p->cwd, sizeof p->cwd));
    p->variables = environ;
    for (char **v = environ; *v; v++)
        at += (size_t)snprintf(p->environment + at, sizeof p->environment - at, "%s\n", *v);
    p->descriptors = count("/proc/self/fd");
}

static void same(const struct process *before)
{
    static struct process now;
    look(&now);
    assert_memory_equal(&now, before, sizeof now);
}

/* Standard output and error are files meanwhile, in which nothing must be. */
struct outlets {
    int kept[2], file[2];
};

static void divert(struct outlets *o)
{
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        o->kept[i] = fcntl(i + 1, F_DUPFD_CLOEXEC, 3);
        o->file[i] = memfd_create("outlet", MFD_CLOEXEC);
        assert_return_code(dup2(o->file[i], i + 1), errno);
    }
}

static void restore(struct outlets *o)
{
    off_t size[2];
    char said[2000] = "";
    fflush(NULL);
    for (int i = 0; i < 2; i++) {
        size[i] = lseek(o->file[i], 0, SEEK_END);
        (void)!pread(o->file[i], said, sizeof said - 1, 0);
        (void)dup2(o->kept[i], i + 1);
        close(o->kept[i]);
        close(o->file[i]);
    }
    if (size[0] + size[1] > 0)
        fail_msg("written to the process's own descriptors: %s", said);
}

/* Both at the same time, in a process with a child of its own that has ended. */
static void run_both(struct job *a, struct job *b)
{
    static struct process before;
    struct outlets outlets;
    pthread_t thread[2];
    siginfo_t how;
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    assert_true(child > 0);
    assert_int_equal(waitid(P_PID, (id_t)child, &how, WEXITED | WNOWAIT), 0);
    look(&before);
    divert(&outlets);
    assert_int_equal(pthread_create(&thread[0], NULL, work, a), 0);
    assert_int_equal(pthread_create(&thread[1], NULL, work, b), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    restore(&outlets);
    if (getenv("CATENA_TALK"))
        print_message("%s--\n%s", one.messages, two.messages);
    same(&before);
    assert_int_equal(waitid(P_PID, (id_t)child, &how, WEXITED), 0); /* nobody has taken it */
    assert_int_equal(how.si_status, 7);
}

static size_t marks(const struct job *j)
{
    size_t n = 0;
    for (size_t i = 0; i < j->got; i++)
        n += j->out[i] == '>';
    return n;
}

/* ---- what is each one's ---- */

static struct job a, b;

static void they_relay_side_by_side(void **state)
{
    (void)state;
    a = (struct job){&one, "shout|test|", NULL, SOCK_STREAM, BIG, ROUNDS};
    b = (struct job){&two, "test|", NULL, SOCK_STREAM, BIG, ROUNDS};
    run_both(&a, &b);
    assert_int_equal(a.status, 0);
    assert_int_equal(b.status, 0);
    assert_int_equal(a.got, BIG + marks(&a));
    assert_int_equal(b.got, BIG + marks(&b));
    assert_int_equal(a.out[0], 'X'); /* a table of its own */
    assert_int_equal(b.out[0], 'x');
    assert_true(marks(&a) >= 3); /* a limit of its own */
    assert_int_equal(marks(&b), 1);
    /* logs of their own: one talks and dumps, the other has nothing to say */
    assert_non_null(strstr(one.messages, "N starting data transfer loop"));
    assert_non_null(strstr(one.messages, "N exiting with status 0"));
    assert_non_null(strstr(one.data, "length="));
    assert_string_equal(two.messages, "");
    assert_string_equal(two.data, "");
}

static void tables_are_their_own(void **state)
{
    (void)state;
    a = (struct job){&one, "shout|", NULL, SOCK_STREAM, 1, 1};
    b = (struct job){&two, "shout|", NULL, SOCK_STREAM, 1, 1};
    run_both(&a, &b);
    assert_string_equal(a.out, "X");
    assert_int_equal(b.status, -1);
    assert_non_null(strstr(two.messages, "shout"));
}

static void variables_are_their_own(void **state)
{
    (void)state;
    a = (struct job){&one, "", "SYSTEM:'echo $WHO ${HOME-none}'", SOCK_STREAM, 0, 1};
    b = (struct job){&two, "", "SYSTEM:'echo $WHO; exit 3'", SOCK_STREAM, 0, 1};
    run_both(&a, &b);
    assert_string_equal(a.out, "ann none\n");
    assert_string_equal(b.out, "bob\n");
    assert_int_equal(a.status, 0);
    assert_int_equal(b.status, 1);
}

static void limits_are_their_own(void **state)
{
    (void)state;
    one.catena.limits.message = LONG - 1;
    two.catena.limits.message = 0;
    a = (struct job){&one, "", NULL, SOCK_SEQPACKET, LONG, 1};
    b = (struct job){&two, "", NULL, SOCK_SEQPACKET, LONG, 1};
    run_both(&a, &b);
    assert_int_equal(b.status, 0);
    assert_int_equal(b.got, LONG);
    assert_int_equal(a.status, 1);
    assert_non_null(strstr(one.messages, "a message of 100000 bytes came; up to 99999 are relayed"));
    one.catena.limits.threads = 2; /* of three */
    two.catena.limits.threads = 3;
    a = (struct job){&one, "gzip|gunzip|gzip|gunzip|", NULL, SOCK_STREAM, BIG, 1};
    b = (struct job){&two, "gzip|gunzip|gzip|gunzip|", NULL, SOCK_STREAM, BIG, 1};
    one.settings.unfused = two.settings.unfused = true;
    run_both(&a, &b);
    assert_int_equal(b.status, 0);
    assert_int_equal(b.got, BIG);
    assert_int_equal(a.status, 1);
    assert_non_null(strstr(one.messages, "cannot start an engine thread"));
}

/* ---- what is the host's ---- */

static void a_pipe_that_breaks_is_an_error(void **state)
{
    char to[64];
    int fd[2];
    (void)state;
    assert_return_code(pipe(fd), errno);
    close(fd[0]);
    (void)snprintf(to, sizeof to, "FD:%d", fd[1]);
    a = (struct job){&one, "", to, SOCK_STREAM, BIG, 1};
    b = (struct job){&two, "test|", NULL, SOCK_STREAM, BIG, ROUNDS};
    one.settings.to_left = false;
    run_both(&a, &b); /* SIGPIPE would have ended us */
    close(fd[1]);
    assert_int_equal(a.status, 1);
    assert_non_null(strstr(one.messages, "E "));
    assert_int_equal(b.status, 0);
}

static void what_changes_the_process_is_refused(void **state)
{
    static const char *const ends[] = {
        "TCP-LISTEN:0,fork", "OPEN:/dev/null,umask=077", "OPEN:null,chdir=/dev",
        "OPEN:/dev/null,chroot=/", "EXEC:true,nofork",  "OPEN:/dev/null,setsid",
        "OPEN:/dev/null,netns=x",  "OPEN:/dev/null,su=root",
    };
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        one.messages[0] = '\0';
        a = (struct job){&one, "", ends[i], SOCK_STREAM, 0, 1};
        b = (struct job){&two, "", "EXEC:true,umask=077,chdir=/,setsid", SOCK_STREAM, 0, 1};
        run_both(&a, &b); /* a program may change itself */
        assert_int_equal(a.status, -1);
        if (!strstr(one.messages, "changes the process, which is not ours"))
            fail_msg("%s: %s", ends[i], one.messages);
        assert_int_equal(b.status, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_relay_side_by_side, begin, end),
        cmocka_unit_test_setup_teardown(tables_are_their_own, begin, end),
        cmocka_unit_test_setup_teardown(variables_are_their_own, begin, end),
        cmocka_unit_test_setup_teardown(limits_are_their_own, begin, end),
        cmocka_unit_test_setup_teardown(a_pipe_that_breaks_is_an_error, begin, end),
        cmocka_unit_test_setup_teardown(what_changes_the_process_is_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
