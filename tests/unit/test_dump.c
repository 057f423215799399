/* SPDX-License-Identifier: GPL-2.0-or-later
 * Dumps in v1's layout, as its manual and what it writes show it, of blocks of any size; where they are
 * written; and the names of raw dumps. */
#include "unit.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/sink.h"
#include "engine/relay/dump.h"

static struct settings settings;
static struct run run;
static char shown[1 << 20];

static int begin(void **state)
{
    (void)state;
    settings = unit_settings();
    unit_run(&run, &settings, NULL, -1);
    unit_log_clear();
    return 0;
}

static int end(void **state)
{
    (void)state;
    unit_run_fini(&run);
    return 0;
}

/* What a dump of a block shows, without the header, which is looked at. */
static const char *dumped(struct dump *d, const void *p, size_t n)
{
    unsigned long long offset = d->offset;
    d->sink = (struct sink){&run, memfd_create("dump", MFD_CLOEXEC)};
    assert_return_code(d->sink.fd, errno);
    dump_block(d, p, n);
    assert_int_equal(d->offset, offset + n);
    ssize_t got = pread(d->sink.fd, shown, sizeof shown - 1, 0);
    sink_close(&d->sink);
    assert_true(got > 0);
    shown[got] = '\0';
    char *line_end = strchr(shown, '\n');
    assert_non_null(line_end);
    *line_end = '\0';

    const char *like = "? 0000/00/00 00:00:00.000000  ", *at = shown;
    assert_int_equal(shown[0], d->direction);
    for (size_t i = 1; like[i]; i++)
        assert_true(like[i] == '0' ? isdigit((unsigned char)shown[i]) : like[i] == shown[i]);
    char rest[200];
    (void)snprintf(rest, sizeof rest, "%s%slength=%zu from=%llu to=%llu", d->label ? d->label : "",
                   d->label ? "  " : "", n, offset, offset + n - 1);
    at += strlen(like);
    assert_string_equal(at, rest);
    return line_end + 1;
}

static const char *dump(char direction, const void *p, size_t n, enum dump_format format)
{
    struct dump d = {.direction = direction, .format = format, .offset = 42};
    return dumped(&d, p, n);
}

static void texts(void **state)
{
    static const char p[] = "ab\tc\n\\d\001\200e\r\a\b\v\f\0\033\177~ ";
    (void)state;
    assert_string_equal(dump('>', p, sizeof p - 1, DUMP_TEXT),
                        "ab\tc\n\\\\d..e\\r\\a\\b\\v\\f...~ ");
    assert_string_equal(dump('<', "no end", 6, DUMP_TEXT), "no end"); /* nothing added */
}

static void hex(void **state)
{
    static const char p[] = "ab\tc\n\\d\001\200e";
    (void)state;
    assert_string_equal(dump('>', p, 10, DUMP_HEX), " 61 62 09 63 0a 5c 64 01 80 65\n");
    assert_string_equal(dump('<', "\377", 1, DUMP_HEX), " ff\n");
}

/* Sixteen to a line, and a line end ends one. */
static void both(void **state)
{
    static const char p[] = "ab\tc\n\\d\001\200e";
    (void)state;
    assert_string_equal(dump('>', p, 10, DUMP_BOTH),
                        " 61 62 09 63 0a                                   ab.c.\n"
                        " 5c 64 01 80 65                                   \\d..e\n"
                        "--\n");
    assert_string_equal(dump('>', "0123456789abcdef", 16, DUMP_BOTH),
                        " 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n--\n");
    assert_string_equal(dump('>', "0123456789abcdefg", 17, DUMP_BOTH),
                        " 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n"
                        " 67                                               g\n--\n");
    assert_string_equal(dump('>', "\n\n", 2, DUMP_BOTH),
                        " 0a                                               .\n"
                        " 0a                                               .\n--\n");
}

/* Each direction counts for itself, and a label stands in the header. */
static void offsets(void **state)
{
    (void)state;
    struct dump d = {.direction = '<', .format = DUMP_HEX, .label = "left chain"};
    (void)dumped(&d, "x", 1);
    (void)dumped(&d, "xyz", 3); /* from=1 to=3 */
    d.offset = 1ULL << 40;
    d.format = DUMP_TEXT;
    (void)dumped(&d, "xyz", 3);
}

/* Blocks whose dump is longer than what is gathered for one write. */
static void long_blocks(void **state)
{
    static const size_t sizes[] = {5000, 5461, 5462, 16300, 16383, 16384, 16385, 100000};
    static unsigned char p[100000];
    static char want[sizeof shown];
    (void)state;
    for (size_t i = 0; i < sizeof p; i++)
        p[i] = (unsigned char)(i * 2654435761U >> 11);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t n = 0;
        for (size_t i = 0; i < sizes[k]; i++)
            n += (size_t)sprintf(want + n, " %02x", p[i]);
        (void)strcpy(want + n, "\n");
        assert_string_equal(dump('>', p, sizes[k], DUMP_HEX), want);
        n = 0;
        for (size_t i = 0; i < sizes[k]; i++) {
            static const char codes[] = "\a\b\v\f\r\\", letters[] = "abvfr\\";
            const char *code = p[i] ? strchr(codes, p[i]) : NULL;
            bool plain = p[i] == '\n' || p[i] == '\t' || (p[i] >= 32 && p[i] < 127);
            n += code ? (size_t)sprintf(want + n, "\\%c", letters[code - codes])
                      : (size_t)sprintf(want + n, "%c", plain ? p[i] : '.');
        }
        assert_string_equal(dump('>', p, sizes[k], DUMP_TEXT), want);
    }
}

/* ---- where they go ---- */

/* Behind what is there, each block at once. */
static void files(void **state)
{
    const char *path = unit_path("dump");
    struct err e;
    char got[20] = "";
    (void)state;
    struct unit_count before = unit_count();
    unit_write_file(path, "old ");
    struct dump d = {.format = DUMP_RAW};
    assert_int_equal(sink_open(&d.sink, &run, "dump", path, &e), 0);
    assert_false(run.sinks_wait);
    dump_block(&d, (const unsigned char *)"new ", 4);
    dump_block(&d, (const unsigned char *)"block", 5);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, got, sizeof got), 13);
    assert_string_equal(got, "old new block");
    close(fd);
    sink_close(&d.sink);
    sink_close(&d.sink);
    dump_block(&d, (const unsigned char *)"x", 1); /* goes nowhere */
    unit_nothing_left(before);
}

static void no_file(void **state)
{
    char path[300];
    struct err e;
    struct sink s;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/no/dump", unit_path("."));
    assert_int_equal(sink_open(&s, &run, "the dump", path, &e), -1);
    assert_int_equal(e.kind, ERR_ABSENT);
    assert_non_null(strstr(e.text, "cannot open the dump"));
    assert_false(sink_is_open(&s));
}

/* It makes the run fail, once. */
static void full(void **state)
{
    struct err e;
    (void)state;
    struct dump d = {.format = DUMP_HEX};
    assert_int_equal(sink_open(&d.sink, &run, "dump", "/dev/full", &e), 0);
    assert_false(run.sinks_wait); /* a device of that kind says at once what it has to say */
    for (int i = 0; i < 3; i++)
        dump_block(&d, (const unsigned char *)"x", 1);
    assert_true(run.failed);
    assert_false(sink_is_open(&d.sink));
    assert_int_equal(unit_logged("dump cannot be written"), 1);
}

static void *read_late(void *arg)
{
    const int *fd = arg;
    static char p[4096];
    ssize_t n, all = 0;
    unit_pause(30);
    while ((n = read(*fd, p, sizeof p)) > 0)
        all += n;
    return (void *)(intptr_t)all;
}

/* A reader of a FIFO is waited for, and that is told beforehand; an order ends the wait. */
static void slow_reader(void **state)
{
    static unsigned char p[200000];
    const char *path = unit_path("fifo");
    struct err e;
    struct dump d = {.format = DUMP_RAW};
    pthread_t t;
    void *all;
    (void)state;
    assert_return_code(mkfifo(path, 0600), errno);
    int stop = eventfd(1, EFD_CLOEXEC);
    run.stop_fd = stop;
    assert_int_equal(sink_open(&d.sink, &run, "dump", path, &e), -1);
    assert_int_equal(e.kind, ERR_INTERRUPTED);
    run.stop_fd = -1;
    close(stop);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(sink_open(&d.sink, &run, "dump", path, &e), 0);
    assert_true(run.sinks_wait);
    assert_return_code(fcntl(fd, F_SETFL, 0), errno);
    assert_int_equal(pthread_create(&t, NULL, read_late, &fd), 0);
    dump_block(&d, p, sizeof p);
    sink_close(&d.sink);
    assert_int_equal(pthread_join(t, &all), 0);
    assert_int_equal((intptr_t)all, sizeof p);
    assert_false(run.failed);
    close(fd);
}

/* ---- names of raw dumps ---- */

static const char *name(const char *pattern)
{
    static char out[200];
    struct err e;
    assert_int_equal(dump_file_name(&run, pattern, out, sizeof out, &e), 0);
    return out;
}

static void names(void **state)
{
    struct err e;
    char pid[24];
    (void)state;
    unit_home()->log.prog = "prog";
    assert_int_equal(catena_set_variable(unit_home(), "CATENA_TEST_A", "/of/the/environment", &e), 0);
    (void)snprintf(pid, sizeof pid, "%ld.", (long)getpid());
    assert_string_equal(name("/tmp/plain name"), "/tmp/plain name");
    assert_string_equal(name("a$PROGNAME.b"), "aprog.b");
    assert_string_equal(name("${PROGNAME}b"), "progb");
    assert_string_equal(name("$PROGNAMEb"), ""); /* another variable */
    assert_string_equal(name("$$."), pid);
    assert_string_equal(name("\\$PROGNAME"), "$PROGNAME");
    assert_string_equal(name("a\\b$"), "a\\b$");
    assert_string_equal(name("${PROGNAME"), "${PROGNAME");
    assert_string_equal(name("${}"), "${}");
    assert_string_equal(name("$CATENA_TEST_A/x"), "/of/the/environment/x");
    assert_string_equal(name("$SOCAT_PEERADDR."), ".");
    assert_int_equal(run_set_fact(&run, NULL, "PEERADDR", "192.0.2.1", &e), 0);
    assert_string_equal(name("$SOCAT_PEERADDR."), "192.0.2.1.");
    assert_string_equal(name("${SOCAT_PEERADDR}_"), "192.0.2.1_");
    assert_int_equal(strlen(name("$TIMESTAMP")), strlen("20001231T235959"));
    assert_int_equal(strlen(name("$MICROS")), 6);
    catena_fini(unit_home());
}

/* What a peer says of itself leads nowhere else. */
static void names_of_peers(void **state)
{
    static const char *const cases[][2] = {
        {"../../etc/passwd", "_._.._etc_passwd"}, {"/etc/passwd", "_etc_passwd"}, {"..", "_."},
        {".hidden", "_hidden"}, {"$PROGNAME", "$PROGNAME"}, {"", ""},
    };
    struct err e;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(run_set_fact(&run, NULL, "OPENSSL_X509_SUBJECT", cases[i][0], &e), 0);
        char want[100];
        (void)snprintf(want, sizeof want, "/d/%s", cases[i][1]);
        assert_string_equal(name("/d/$SOCAT_OPENSSL_X509_SUBJECT"), want);
    }
}

static void names_that_do_not_fit(void **state)
{
    char out[8];
    struct err e;
    (void)state;
    assert_int_equal(dump_file_name(&run, "1234567", out, sizeof out, &e), 0);
    assert_string_equal(out, "1234567");
    assert_int_equal(dump_file_name(&run, "12345678", out, sizeof out, &e), -1);
    unit_home()->log.prog = "programme";
    assert_int_equal(dump_file_name(&run, "$PROGNAME", out, sizeof out, &e), -1);
}

#define dumps(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        dumps(texts),          dumps(hex),
        dumps(both),           dumps(offsets),
        dumps(long_blocks),    dumps(files),
        dumps(no_file),        dumps(full),
        dumps(slow_reader),    dumps(names),
        dumps(names_of_peers), dumps(names_that_do_not_fit),
    };
    return cmocka_run_group_tests_name("dump", tests, unit_begin, unit_end);
}
