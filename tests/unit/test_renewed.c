/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is made of files again when they change: who holds on to what, when it is looked, and what a bad file does. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "catena/options.h"
#include "catena/renewed.h"
#include "../home.h"

static struct settings settings = {.catena = &home};
static char path[] = "/tmp/catena-test-renewed-XXXXXX";
static struct run run;
static atomic_int made, released;

/* ---- what is made: the text of the file; of "bad" nothing ---- */

static int make(const struct addr *a, struct run *r, void **out, struct err *e)
{
    char text[100];
    FILE *f = fopen(a->opts[0].v.s, "r");
    (void)r;
    bool good = f && fgets(text, sizeof text, f) && strcmp(text, "bad") != 0;
    if (f)
        (void)fclose(f);
    if (!good)
        return err_set(e, ERR_OTHER, "it is bad");
    atomic_fetch_add(&made, 1);
    *out = strdup(text);
    return 0;
}

static void release(void *what)
{
    atomic_fetch_add(&released, 1);
    free(what);
}

static const struct renewed_ops ops = {make, release};
static const struct option_desc file_row = {.name = "file", .file = true};
static const struct form form = {.keyword = "TEST"};

/* By another name at the same place, as one replaces files. */
static void write_file(const char *text)
{
    char other[sizeof path + 4];
    (void)snprintf(other, sizeof other, "%s.new", path);
    FILE *f = fopen(other, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(other, path), 0);
}

static struct opt opts[2];
static struct addr addr = {.form = &form, .label = "test", .opts = opts};

static struct renewed *start(bool reload, long long seconds)
{
    struct renewed *n = NULL;
    struct err e;
    opts[0] = (struct opt){.desc = &file_row, .v = {.s = path}};
    opts[1] = (struct opt){.desc = &opt_reload, .v = {.given = seconds >= 0, .i = seconds >= 0 ? seconds : 1}};
    addr.nopts = reload ? 2 : 1;
    made = released = 0;
    write_file("one");
    if (renewed_new(&ops, &addr, &run, &n, &e) < 0)
        fail_msg("%s", e.text);
    return n;
}

static int set_up(void **state)
{
    struct err e;
    (void)state;
    close(mkstemp(path));
    return run_init(&run, &settings, NULL, -1, &e);
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    run_fini(&run);
    return 0;
}

/* What a connection gets, which ends at once. */
static void gets(struct renewed *n, const char *text)
{
    void *what = renewed_take(n, &run);
    assert_string_equal(what, text);
    renewed_give(n, what);
}

/* ---- tests ---- */

static void connections_keep_what_they_have(void **state)
{
    struct renewed *n = start(true, -1);
    void *one = renewed_take(n, &run), *again = renewed_take(n, &run), *two;
    (void)state;
    assert_ptr_equal(one, again);
    write_file("two");
    two = renewed_take(n, &run);
    assert_string_equal(one, "one");
    assert_string_equal(two, "two");
    assert_int_equal(released, 0);
    renewed_give(n, one);
    assert_int_equal(released, 0);
    renewed_give(n, again);
    assert_int_equal(released, 1);
    renewed_give(n, two);
    assert_int_equal(released, 1); /* the next one wants it */
    gets(n, "two");
    assert_int_equal(made, 2);
    write_file("three");
    two = renewed_take(n, &run);
    assert_int_equal(released, 2);
    renewed_free(n); /* also what is still held */
    assert_int_equal(released, made);
}

static void what_is_bad_changes_nothing(void **state)
{
    struct renewed *n = start(true, -1);
    (void)state;
    write_file("bad");
    for (int i = 0; i < 3; i++)
        gets(n, "one");
    unlink(path);
    gets(n, "one");
    assert_int_equal(made, 1);
    write_file("good");
    gets(n, "good");
    renewed_free(n);
    assert_int_equal(released, 2);
}

static void nobody_looks_unasked(void **state)
{
    struct renewed *n = start(false, -1);
    (void)state;
    write_file("two");
    atomic_fetch_add(&home.hups, 1);
    gets(n, "one");
    renewed_free(n);
    n = start(true, 0); /* reload=0: each time */
    write_file("two");
    gets(n, "two");
    renewed_free(n);
    n = start(true, 3600);
    write_file("two");
    gets(n, "one");
    atomic_fetch_add(&home.hups, 1);
    gets(n, "two");
    assert_int_equal(made, 2);
    atomic_fetch_add(&home.hups, 1); /* although nothing has changed */
    gets(n, "two");
    gets(n, "two");
    assert_int_equal(made, 3);
    renewed_free(n);
}

static void children_take_what_there_was(void **state)
{
    struct renewed *n = start(true, -1);
    int status;
    (void)state;
    write_file("two");
    pid_t pid = fork();
    if (pid == 0)
        _exit(strcmp(renewed_take(n, &run), "one") == 0 ? 0 : 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    renewed_look(n, &run); /* before the next fork */
    assert_int_equal(made, 2);
    renewed_free(n);
}

static void the_first_has_to_be_good(void **state)
{
    struct renewed *n = start(true, -1);
    struct err e;
    (void)state;
    renewed_free(n);
    write_file("bad");
    assert_int_equal(renewed_new(&ops, &addr, &run, &n, &e), -1);
    assert_string_equal(e.text, "it is bad");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(renewed_new(&ops, &addr, &run, &n, &e), -1);
    assert_non_null(strstr(e.text, "with reload it has to be a file"));
    unlink(path);
}

static void *connects(void *renewed)
{
    for (int i = 0; i < 300; i++) {
        void *what = renewed_take(renewed, &run);
        size_t len = strlen(what);
        renewed_give(renewed, what);
        if (len != 3)
            return renewed;
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    struct renewed *n = start(true, -1);
    pthread_t threads[4];
    void *failed;
    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, connects, n), 0);
    for (int i = 0; i < 50; i++)
        write_file(i % 3 == 2 ? "bad" : i % 2 ? "one" : "two");
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    renewed_free(n);
    assert_int_equal(released, made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_keep_what_they_have), cmocka_unit_test(what_is_bad_changes_nothing),
        cmocka_unit_test(nobody_looks_unasked),            cmocka_unit_test(children_take_what_there_was),
        cmocka_unit_test(the_first_has_to_be_good),        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
