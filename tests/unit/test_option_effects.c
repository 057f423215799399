/* SPDX-License-Identifier: GPL-2.0-or-later
 * Opens addresses with one option each and reads the effect back from the system. Every option of
 * the list has to be verified so, or to stand in not_readable.tsv with the reason
 * or with the test that sees it work. Each is tried in
 * a process of its own, in a directory of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/diag.h"
#include "catena/registry.h"
#include "effects.h"
#include "engine/open/open.h"
#include "option_effects_checks.h"
#include "option_effects_tables.h"
#include "../home.h"

enum { FINE = 0, WRONG = 1, UNAVAILABLE = 77, PATIENCE = 10 };

static int ports[6]; /* 4 6 u v l and nothing */
static char directory[] = "/tmp/catena-effects-XXXXXX";

/* ---- peers ---- */

static socklen_t loopback(int family, int port, struct sockaddr_storage *ss)
{
    memset(ss, 0, sizeof *ss);
    if (family == AF_INET6) {
        *(struct sockaddr_in6 *)ss = (struct sockaddr_in6){.sin6_family = AF_INET6,
            .sin6_port = htons((uint16_t)port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
        return sizeof(struct sockaddr_in6);
    }
    *(struct sockaddr_in *)ss = (struct sockaddr_in){.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return sizeof(struct sockaddr_in);
}

/* A socket on a free port of the loopback; 0: the machine has no such family. */
static int peer(int family, int type, bool keep)
{
    struct sockaddr_storage ss;
    int fd = socket(family, type | SOCK_CLOEXEC, 0);
    socklen_t n = loopback(family, 0, &ss);
    if (fd < 0 || bind(fd, (struct sockaddr *)&ss, n) < 0 ||
        (type == SOCK_STREAM && listen(fd, 1000) < 0) ||
        getsockname(fd, (struct sockaddr *)&ss, &n) < 0)
        return 0;
    if (!keep)
        close(fd);
    return ntohs(((struct sockaddr_in *)&ss)->sin_port); /* at the same place in both */
}

static int set_up(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    home_speaks(getenv("CATENA_TALK") ? DIAG_DEBUG : DIAG_FATAL);
    ports[0] = peer(AF_INET, SOCK_STREAM, true);
    ports[1] = peer(AF_INET6, SOCK_STREAM, true);
    ports[2] = peer(AF_INET, SOCK_DGRAM, true);
    ports[3] = peer(AF_INET6, SOCK_DGRAM, true);
    ports[4] = peer(AF_INET, SOCK_STREAM, false);
    return mkdtemp(directory) ? chmod(directory, 0755) : -1;
}

static int tear_down(void **state)
{
    char command[100];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf '%s'", directory);
    return system(command);
}

/* ---- one option, in a process of its own ---- */

static void fill_in(const char *from, char *out, size_t cap)
{
    static const char names[] = "46uvl";
    size_t n = 0;
    for (; *from && n + 8 < cap; from++) {
        const char *which = *from == '$' && from[1] ? strchr(names, from[1]) : NULL;
        if (which)
            n += (size_t)snprintf(out + n, cap - n, "%d", ports[which - names]);
        else if (*from == '$' && from[1] == 'p')
            n += (size_t)snprintf(out + n, cap - n, "%d", (int)getpid());
        else
            out[n++] = *from;
        from += which || (*from == '$' && from[1] == 'p');
    }
    out[n] = '\0';
}

static bool prepare(const struct effect *x, size_t number)
{
    char name[100];
    if ((x->needs & ROOT && geteuid() != 0) || (x->needs & OWN_NET && unshare(CLONE_NEWNET) < 0) ||
        (x->needs & OWN_IPC && unshare(CLONE_NEWIPC) < 0))
        return false;
    (void)snprintf(name, sizeof name, "%s/%zu", directory, number);
    if (mkdir(name, 0755) < 0 || chdir(name) < 0 || mkdir("sub", 0755) < 0)
        return false;
    umask(022);
    int fd = open("f", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, "0123456789", 10) != 10 || close(fd) < 0)
        return false;
    fd = open("sub/prog", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    return fd >= 0 && write(fd, "#!/bin/sh\necho found\n", 21) == 21 && close(fd) == 0;
}

/* Somebody who connects, before the address accepts. */
static bool visit(void)
{
    struct sockaddr_storage ss;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fd >= 0 && connect(fd, (struct sockaddr *)&ss, loopback(AF_INET, ports[4], &ss)) == 0;
}

/* The system has not got that family, device or file system feature. */
static bool missing(const struct err *e)
{
    static const int codes[] = {EPROTONOSUPPORT, EAFNOSUPPORT, ESOCKTNOSUPPORT, EOPNOTSUPP, ENOTTY,
                                ENOPROTOOPT, EPERM, ENODEV, EADDRNOTAVAIL, ENOSYS};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (e->sys == codes[i])
            return true;
    return false;
}

static int failed(const struct effect *x, const char *text, const struct err *e)
{
    if (x->want < 0 && !x->check)
        return FINE; /* it is to fail */
    print_error("%s%s: %s\n", missing(e) ? "not here: " : "", text, e->text);
    return missing(e) ? UNAVAILABLE : WRONG;
}

static int try_in_child(const struct effect *x, size_t number)
{
    struct settings settings = {.catena = &home, .to_right = true, .to_left = true, .block = 8192, .linger = -1,
                                .idle = -1, .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};
    struct scene s = {.fd = -1};
    struct run run;
    struct opened_end end = {0};
    struct err e = {.kind = ERR_NONE};
    char text[500];

    alarm(PATIENCE);
    fill_in(x->address, text, sizeof text);
    if (!prepare(x, number)) {
        print_error("not here: %s: %s\n", text, strerror(errno));
        return UNAVAILABLE;
    }
    if (plan_make(&settings, text, "STDIO", &s.plan, &e) < 0) {
        settings.to_left = false;
        if (plan_make(&settings, text, "STDIO", &s.plan, &e) < 0)
            return failed(x, text, &e);
    }
    if (plan_look_up(s.plan, &e) < 0)
        return failed(x, text, &e);
    if (run_init(&run, &settings, s.plan, -1, &e) < 0)
        return failed(x, text, &e);
    s.run = &run;
    if (x->check == termios_made) /* a pseudo terminal would refuse it */
        return x->check(&s, x) ? FINE : WRONG;
    if (open_prepare(&end, &s.plan->end[LEFT], &run, &e) < 0)
        return failed(x, text, &e);
    bool accepts = strncmp(text, "TCP4-LISTEN", 11) == 0 && visit();
    if (!end.listening || accepts) {
        if (open_port(&end, &run, &s.port, &e) < 0)
            return failed(x, text, &e);
        s.fd = s.port->given[0] >= 0 ? s.port->given[0] : s.port->given[1];
    } else {
        s.fd = listener();
    }
    if (open_process_options(&end, &run, s.fd, &e) < 0)
        return failed(x, text, &e);
    if (!x->check || !x->check(&s, x)) {
        print_error("%s: without effect\n", text);
        return WRONG;
    }
    return FINE;
}

static int try_one(const struct effect *x)
{
    static size_t number;
    int status;
    (void)fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(try_in_child(x, number));
    number++;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status))
        print_error("%s: signal %d\n", x->address, WTERMSIG(status));
    return WIFEXITED(status) ? WEXITSTATUS(status) : WRONG;
}

/* ---- all of them ---- */

enum state { UNTOLD, VERIFIED, ABSENT, BROKEN, ELSEWHERE, UNREADABLE };
struct tally {
    const char *name;
    enum state state;
    unsigned names;
};
enum { MAX_ROWS = 1000 };
static struct tally tally[MAX_ROWS];
static size_t ntally;

static struct tally *tally_of(const char *name, bool add)
{
    for (size_t i = 0; i < ntally; i++)
        if (strcmp(tally[i].name, name) == 0)
            return &tally[i];
    if (!add || ntally == MAX_ROWS)
        fail_msg("%s is no option of the list", name);
    tally[ntally].name = strdup(name);
    return &tally[ntally++];
}

/* Calls f with the first two columns of each row. */
static void each_row(const char *file, void (*f)(const char *, const char *))
{
    char path[1000], line[500];
    (void)snprintf(path, sizeof path, CATENA_TESTS "/v1compat/inventory/%s", file);
    FILE *in = fopen(path, "r");
    if (!in)
        fail_msg("%s cannot be read", path);
    while (fgets(line, sizeof line, in)) {
        char *rest = line, *first = strsep(&rest, "\t\n"), *second = strsep(&rest, "\t\n");
        if (*first != '#' && second)
            f(first, second);
    }
    (void)fclose(in);
}

static void count_name(const char *name, const char *canonical)
{
    (void)name;
    tally_of(canonical, true)->names++;
}

static void mark_unreadable(const char *canonical, const char *why)
{
    struct tally *t = tally_of(canonical, false);
    if (t->state != UNTOLD)
        print_error("%s can be read back, yet is listed: %s\n", canonical, why);
    t->state = strncmp(why, "seen in ", 8) == 0 ? ELSEWHERE : UNREADABLE;
}

static void try_table(const struct effect *x)
{
    for (; x->option; x++) {
        struct tally *t = tally_of(x->option, false);
        int rc = try_one(x);
        enum state now = rc == FINE ? VERIFIED : rc == UNAVAILABLE ? ABSENT : BROKEN;
        if (now > t->state)
            t->state = now; /* the worst of its rows */
    }
}

static void effects(void **state)
{
    unsigned names[UNREADABLE + 1] = {0}, wrong = 0;
    (void)state;
    each_row("options.tsv", count_name);
    for (size_t i = 0; i < sizeof effect_tables / sizeof effect_tables[0]; i++)
        try_table(effect_tables[i]);
    each_row("not_readable.tsv", mark_unreadable);
    for (size_t i = 0; i < ntally; i++) {
        names[tally[i].state] += tally[i].names;
        if (tally[i].state == UNTOLD)
            print_error("%s: neither verified nor in not_readable.tsv\n", tally[i].name);
        wrong += tally[i].state == UNTOLD || tally[i].state == BROKEN;
    }
    print_message("option names: %u effect verified, %u seen by other tests, %u cannot be read "
                  "back, %u not on this machine\n", names[VERIFIED], names[ELSEWHERE],
                  names[UNREADABLE], names[ABSENT]);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(effects)};
    return cmocka_run_group_tests_name("option effects", tests, set_up, tear_down);
}
