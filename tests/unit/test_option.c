/* SPDX-License-Identifier: GPL-2.0-or-later
 * The option tables as a whole, finding options by name, and the options of an address. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/addr.h"
#include "catena/arena.h"
#include "catena/option.h"
#include "catena/options.h"
#include "catena/registry.h"
#include "endpoint/options/opts_listen.h"
#include "inter/tls/opts_tls.h"
#include "../home.h"

/* --- tables --- */

/* By all addresses that bring it, or by whichever takes it. */
static bool leads_to(const char *name, const struct option_desc *d)
{
    bool brought = false, found = true;
    for (const struct form *f = registry_next(&builtin_registry, NULL); f; f = registry_next(&builtin_registry, f))
        if (form_brings(f, d)) {
            brought = true;
            found &= option_lookup_at(&builtin_registry, f, name) == d;
        }
    return brought ? found : option_lookup(&builtin_registry, name) == d;
}

static void check_row(const struct option_desc *d, void *count)
{
    ++*(size_t *)count;
    /* found, and by no other row's alias */
    assert_true(leads_to(d->name, d));
    char owners[512];
    option_owners(&builtin_registry, d, owners, sizeof owners);
    assert_true(owners[0] != '\0');
    assert_non_null(d->help);
    assert_true(strlen(d->help) >= 2 && d->help[strlen(d->help) - 1] != '.');
    assert_true(d->type < VALUE_TYPE_COUNT && d->phase < PHASE_COUNT);
    assert_non_null(value_type_name(d->type));
    assert_non_null(phase_name(d->phase));
    for (const char *p = d->name; *p; p++)
        assert_true((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-');

    char alias[64];
    for (const char *p = d->aliases; p && *p; p += strspn(p, " ")) {
        int n = (int)strcspn(p, " ");
        snprintf(alias, sizeof alias, "%.*s", n, p);
        if (!leads_to(alias, d))
            fail_msg("alias \"%s\" does not lead to \"%s\"", alias, d->name);
        p += n;
    }
}

static void rows_are_complete(void **state)
{
    size_t count = 0;
    (void)state;
    option_each(&builtin_registry, check_row, &count);
    assert_in_range(count, 400, 1000);
}

static void names_lead_to_their_row(void **state)
{
    static const char *const pairs[][2] = {
        {"verify", "openssl-verify"},      {"cacert", "openssl-cafile"},
        {"recvbuf", "so-rcvbuf"},          {"shutdown-none", "shut-none"},
        {"ReuseAddr", "so-reuseaddr"},     {"VERIFY", "openssl-verify"},
        {"intervall", "interval"},         {"su-d", "substuser-delayed"},
        {"o_create", "o-creat"},           {"crlf", "crnl"},
        {"cs8", "cs8"},                    {"left", "leftfd"},
        {"leftinfd", "leftin"},            {"thread", "thread"},
        {"level", "level"},                {"rightout", "rightoutfd"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const struct option_desc *d = option_lookup(&builtin_registry, pairs[i][0]);
        assert_non_null(d);
        assert_string_equal(d->name, pairs[i][1]);
    }
    assert_null(option_lookup(&builtin_registry, "verfy"));
    assert_null(option_lookup(&builtin_registry, ""));
    assert_null(option_lookup(&builtin_registry, "verify "));
}

static void near_names_are_found(void **state)
{
    static const struct form tls = {.groups = GROUP_OPENSSL}, tcp = {.groups = GROUP_TCP};
    static const struct {
        const char *typed;
        const struct form *form;
        const char *meant;
    } rows[] = {
        {"verfy", NULL, "verify"},          {"resueaddr", NULL, "reuseaddr"},
        {"REUSEADR", NULL, "reuseaddr"},    {"ignoreeoff", NULL, "ignoreeof"},
        {"cerr", &tls, "cert"},             {"max-childern", &tcp, "max-children"},
    };
    char near[64], longer[200];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_true(
            option_nearest(&builtin_registry, rows[i].typed, rows[i].form, near, sizeof near));
        assert_string_equal(near, rows[i].meant);
    }
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    assert_false(option_nearest(&builtin_registry, longer, NULL, near, sizeof near));
    assert_false(option_nearest(&builtin_registry, "", NULL, near, sizeof near));
    assert_false(
        option_nearest(&builtin_registry, "somethingelseentirely", NULL, near, sizeof near));
}

static void types_are_as_listed(void **state)
{
    static const struct {
        const char *name;
        uint64_t groups;
        enum phase phase;
        const char *type;
    } rows[] = {
        {"dash", GROUP_EXEC, PHASE_PREEXEC, "BOOL"},
        {"udplite-recv-cscov", GROUP_UDPLITE, PHASE_FD, "INT"},
        {"thread", GROUP_CHILD, PHASE_PASTACCEPT, "BOOL"},
        {"umask", GROUP_ANY, PHASE_INIT, "MODE_T"},
        {"socks5-username", GROUP_SOCKS, PHASE_LATE, "STRING"},
        {"reuseaddr", GROUP_SOCKET, PHASE_PREBIND, "INT/NULL"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct option_desc *d = option_lookup(&builtin_registry, rows[i].name);
        assert_non_null(d);
        assert_true(d->groups == rows[i].groups);
        assert_int_equal(d->phase, rows[i].phase);
        assert_string_equal(value_type_name(d->type), rows[i].type);
    }
    assert_string_equal(
        value_type_name(option_lookup(&builtin_registry, "source-membership")->type),
        "IP-MREQ-SOURCE");
    assert_string_equal(group_name(GROUP_BIT_ANY), "(all)");
    assert_string_equal(group_name(GROUP_BIT_UDPLITE), "UDPLITE");
    assert_string_equal(phase_name(PHASE_PASTBIGEN), "PASTBIGEN");
}

/* --- options bound to an address --- */

static struct arena memory;

static struct value converted(const struct option_desc *d, const char *text)
{
    struct value v;
    struct err e;
    if (value_convert(&memory, &home, d, text, (struct span){NULL, 0, 0}, &v, &e) != 0)
        fail_msg("%s=%s: %s", d->name, text ? text : "(none)", e.text);
    return v;
}

enum { MAX_OPTS = 8 };
struct bound {
    struct form form;
    struct opt opts[MAX_OPTS];
    struct addr addr;
};

/* Options "name", "value" or NULL, ...; NULL ends the list. */
static void bind_options(struct bound *b, uint64_t groups, ...)
{
    va_list ap;
    const char *name;
    size_t n = 0;
    memset(b, 0, sizeof *b);
    b->form.groups = groups;
    va_start(ap, groups);
    while ((name = va_arg(ap, const char *)) != NULL) {
        assert_true(n < MAX_OPTS);
        b->opts[n].desc = option_lookup(&builtin_registry, name);
        b->opts[n].v = converted(b->opts[n].desc, va_arg(ap, const char *));
        n++;
    }
    va_end(ap);
    b->addr.form = &b->form;
    b->addr.opts = b->opts;
    b->addr.nopts = n;
}
#define NONE ((const char *)NULL)

static void accessors(void **state)
{
    struct bound b;
    (void)state;
    bind_options(&b, 0, "fork", NONE, "backlog", "3", "backlog", "4", "interval", "0.5", "cafile",
                 "f", "verify", "0", NONE);
    assert_true(opt_true(&b.addr, &opt_fork));
    assert_false(opt_true(&b.addr, &opt_tls_verify));
    assert_false(opt_true(&b.addr, &opt_thread));
    assert_int_equal(opt_int(&b.addr, &opt_backlog, 5), 4);
    assert_int_equal(opt_int(&b.addr, &opt_max_children, 5), 5);
    assert_true(opt_time(&b.addr, &opt_interval, 1) == 0.5);
    assert_string_equal(opt_string(&b.addr, &opt_tls_cafile, "x"), "f");
    assert_string_equal(opt_string(&b.addr, &opt_tls_key, "x"), "x");
    assert_null(opt_find(&b.addr, &opt_lockfile));
}

static void open_flags(void **state)
{
    struct bound b;
    (void)state;
    bind_options(&b, GROUP_OPEN, "creat", NONE, "excl", "1", "append", NONE, "nonblock", NONE,
                 "trunc", NONE, "seek", "3", NONE);
    assert_int_equal(opts_open_flags(&b.addr, O_WRONLY),
                     O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NONBLOCK | O_TRUNC);
    bind_options(&b, GROUP_OPEN, "append", "0", "creat", "0", "rdonly", NONE, NONE);
    assert_int_equal(opts_open_flags(&b.addr, O_RDWR | O_APPEND | O_CREAT), O_RDONLY);
}

static int int_sockopt(int fd, int name)
{
    int value = -1;
    socklen_t n = sizeof value;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, name, &value, &n), 0);
    return value;
}

static void socket_options_are_applied(void **state)
{
    struct bound b;
    struct err e;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)state;
    assert_true(fd >= 0);

    bind_options(&b, GROUP_SOCKET, "keepalive", NONE, "oobinline", NONE, "reuseaddr", NONE, NONE);
    assert_int_equal(opts_apply(&b.addr, PHASE_PASTSOCKET, fd, &e), 0);
    assert_int_equal(int_sockopt(fd, SO_OOBINLINE), 1);
    assert_int_equal(int_sockopt(fd, SO_KEEPALIVE), 0); /* its phase is another */
    assert_int_equal(opts_apply(&b.addr, PHASE_FD, fd, &e), 0);
    assert_int_equal(int_sockopt(fd, SO_KEEPALIVE), 1);
    assert_int_equal(opts_apply(&b.addr, PHASE_PREBIND, fd, &e), 0);
    assert_int_equal(int_sockopt(fd, SO_REUSEADDR), 1);
    bind_options(&b, GROUP_SOCKET, "reuseaddr", "", "rcvtimeo", "1.5", "linger", "3",
                 "setsockopt-int", "1:9:0", NONE);
    assert_int_equal(opts_apply(&b.addr, PHASE_PREBIND, fd, &e), 0);
    assert_int_equal(int_sockopt(fd, SO_REUSEADDR), 1); /* no call */
    assert_int_equal(opts_apply(&b.addr, PHASE_PASTSOCKET, fd, &e), 0);
    assert_int_equal(opts_apply(&b.addr, PHASE_CONNECTED, fd, &e), 0);
    assert_int_equal(int_sockopt(fd, SO_KEEPALIVE), 0);
    struct timeval tv;
    socklen_t n = sizeof tv;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, &n), 0);
    assert_int_equal(tv.tv_sec, 1);
    assert_in_range(tv.tv_usec, 490000, 510000);

    bind_options(&b, GROUP_SOCKET, "acceptconn", NONE, NONE); /* read-only */
    assert_int_equal(opts_apply(&b.addr, PHASE_PASTSOCKET, fd, &e), -1);
    assert_non_null(strstr(e.text, "so-acceptconn"));
    assert_non_null(strstr(e.text, "protocol not available"));
    close(fd);
}

static void ip_options_add_up(void **state)
{
    struct bound b;
    struct err e;
    unsigned char got[64];
    socklen_t n = sizeof got;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)state;
    assert_true(fd >= 0);
    bind_options(&b, GROUP_IP4, "ip-options", "x01", "ip-options", "x010101", NONE);
    assert_int_equal(opts_apply(&b.addr, PHASE_PASTSOCKET, fd, &e), 0);
    assert_int_equal(getsockopt(fd, 0, 4 /* IP_OPTIONS */, got, &n), 0);
    assert_int_equal(n, 4);
    assert_memory_equal(got, "\1\1\1\1", 4);
    close(fd);
}

static void file_options_are_applied(void **state)
{
    char path[] = "/tmp/catena-option-XXXXXX";
    struct bound b;
    struct stat st;
    struct err e;
    int fd = mkstemp(path);
    (void)state;
    assert_true(fd >= 0);
    unlink(path);

    bind_options(&b, GROUP_FD | GROUP_REG, "ftruncate", "1000", "seek", "10", "perm-late", "640",
                 "append", NONE, "cloexec", NONE, "mode", "600", NONE);
    assert_int_equal(opts_apply(&b.addr, PHASE_FD, fd, &e), 0);
    assert_int_equal(opts_apply(&b.addr, PHASE_LATE, fd, &e), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 1000);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 10);
    assert_true(fcntl(fd, F_GETFL) & O_APPEND);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);

    /* the mode of an entry is its opener's business */
    bind_options(&b, GROUP_FD | GROUP_NAMED, "mode", "600", NONE);
    b.addr.nparams = 1;
    assert_int_equal(opts_apply(&b.addr, PHASE_FD, fd, &e), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    /* a pipe without a name has none */
    b.addr.nparams = 0;
    assert_int_equal(opts_apply(&b.addr, PHASE_FD, fd, &e), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    bind_options(&b, GROUP_FD, "flock-ex-nb", NONE, "setlk", NONE, "f-setlkw-rd", "0", NONE);
    assert_int_equal(opts_apply(&b.addr, PHASE_FD, fd, &e), 0);
    close(fd);
}

static void terminal_options_are_applied(void **state)
{
    struct bound b;
    struct termios t;
    struct err e;
    int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    (void)state;
    if (fd < 0)
        skip();
    bind_options(&b, GROUP_TERMIOS, "creat", NONE, NONE);
    assert_false(opts_have_termios(&b.addr));
    assert_int_equal(opts_apply_termios(&b.addr, -1, &e), 0);

    bind_options(&b, GROUP_TERMIOS, "sane", NONE, "rawer", NONE, "echo", NONE, "b9600", NONE,
                 "crdly", "2", "intr", "5", "tab3", NONE, NONE);
    assert_true(opts_have_termios(&b.addr));
    assert_int_equal(opts_apply_termios(&b.addr, fd, &e), 0);
    assert_int_equal(tcgetattr(fd, &t), 0);
    assert_int_equal(t.c_iflag, 0);
    assert_int_equal(t.c_lflag, ECHO);
    assert_int_equal(t.c_oflag, CR2 | TAB3);
    assert_int_equal(cfgetospeed(&t), B9600);
    assert_int_equal(t.c_cc[VINTR], 5);

    bind_options(&b, GROUP_TERMIOS, "sane", NONE, "raw", NONE, "ospeed", "19200", "echo", "0",
                 "setflags", "1:1", NONE);
    assert_int_equal(opts_apply_termios(&b.addr, fd, &e), 0);
    assert_int_equal(tcgetattr(fd, &t), 0);
    assert_int_equal(t.c_oflag, OPOST);
    assert_false(t.c_lflag & (ICANON | ISIG | ECHO));
    assert_int_equal(cfgetospeed(&t), B19200);

    bind_options(&b, GROUP_TERMIOS, "crdly", "4", NONE);
    assert_int_equal(opts_apply_termios(&b.addr, fd, &e), -1);
    assert_non_null(strstr(e.text, "0..3"));
    bind_options(&b, GROUP_TERMIOS, "ispeed", "12345", NONE);
    assert_int_equal(opts_apply_termios(&b.addr, fd, &e), -1);
    close(fd);
}

/* What changes the process waits until the process that goes on with the connection exists. */
static void process_options_act_in_their_phase(void **state)
{
    struct bound b;
    struct err e;
    (void)state;
    bind_options(&b, GROUP_FORK | GROUP_EXEC, "chroot", "/nonexistent", "setpgid", "-1", NONE);
    assert_int_equal(opts_apply(&b.addr, PHASE_LATE, -1, &e), 0);
    assert_int_equal(opts_apply(&b.addr, PHASE_LATE2, -1, &e), -1);
    assert_non_null(strstr(e.text, "chroot"));
    bind_options(&b, GROUP_REG, "chroot", "/nonexistent", NONE);
    assert_int_equal(opts_apply(&b.addr, PHASE_LATE, -1, &e), 0);
    assert_int_equal(opts_apply(&b.addr, PHASE_LATE2, -1, &e), -1);
    bind_options(&b, GROUP_REG, "su-d", "root", NONE);
    assert_int_equal(opts_apply(&b.addr, PHASE_INIT, -1, &e), 0);
}

static int release(void **state)
{
    (void)state;
    arena_free(&memory);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(names_lead_to_their_row),
        cmocka_unit_test(near_names_are_found),
        cmocka_unit_test(types_are_as_listed),
        cmocka_unit_test(accessors),
        cmocka_unit_test(open_flags),
        cmocka_unit_test(socket_options_are_applied),
        cmocka_unit_test(ip_options_add_up),
        cmocka_unit_test(file_options_are_applied),
        cmocka_unit_test(terminal_options_are_applied),
        cmocka_unit_test(process_options_act_in_their_phase),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
