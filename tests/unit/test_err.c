/* SPDX-License-Identifier: GPL-2.0-or-later
 * Errors: of what kind a failure is, whether it may pass, and what is said under which name. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#include "catena/diag.h"
#include "catena/err.h"
#include "../home.h"

static void kinds(void **state)
{
    static const struct {
        int sys;
        enum err_kind kind;
        bool passes;
    } list[] = {
        {ECONNREFUSED, ERR_REFUSED, true}, {ECONNRESET, ERR_REFUSED, true},
        {ENETUNREACH, ERR_UNREACHABLE, true}, {EHOSTUNREACH, ERR_UNREACHABLE, true},
        {ETIMEDOUT, ERR_TIMEOUT, true}, {ENOENT, ERR_ABSENT, true}, {ENODEV, ERR_ABSENT, true},
        {EADDRNOTAVAIL, ERR_ABSENT, true}, {EADDRINUSE, ERR_BUSY, true}, {EMFILE, ERR_BUSY, true},
        {EACCES, ERR_DENIED, false}, {EPERM, ERR_DENIED, false}, {EINVAL, ERR_OTHER, false},
        {EAFNOSUPPORT, ERR_OTHER, false}, {EPROTONOSUPPORT, ERR_OTHER, false},
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        errno = list[i].sys;
        assert_int_equal(err_sys(&e, "x"), -1);
        assert_int_equal(e.kind, list[i].kind);
        assert_int_equal(e.sys, list[i].sys);
        assert_int_equal(err_may_pass(&e), list[i].passes);
        assert_false(err_is_end(&e));
    }
    static const enum err_kind never[] = {ERR_USAGE, ERR_NO_NAME, ERR_INTERRUPTED, ERR_NOBODY};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++) {
        (void)err_set(&e, never[i], "x");
        assert_false(err_may_pass(&e));
        assert_int_equal(err_is_end(&e), never[i] == ERR_INTERRUPTED || never[i] == ERR_NOBODY);
    }
}

static void words(void **state)
{
    struct err e;

    (void)state;
    errno = EACCES;
    (void)err_sys(&e, "cannot listen on %s", "a:80");
    (void)err_hint(&e, "ask root");
    assert_int_equal(err_call(&e, "bind(%d)", 3), -1);
    (void)err_wrap(&e, "first address");
    assert_string_equal(e.text, "first address: cannot listen on a:80: permission denied (ask root)");
    assert_string_equal(e.call, "bind(3): Permission denied");

    errno = ENODEV; /* but a call: what wraps it makes the sentence */
    (void)err_sys(&e, "chmod(\"%s\")", "x");
    (void)err_reword(&e, "option \"%s\"", "perm");
    assert_string_equal(e.text, "option \"perm\": no such device");
    assert_string_equal(e.call, "chmod(\"x\"): No such device");

    errno = EMFILE; /* known calls have words of their own */
    (void)err_sys(&e, "pipe2()");
    (void)err_wrap(&e, "x");
    assert_string_equal(e.text, "x: the system gives no pipe: too many open files");
    assert_string_equal(e.call, "pipe2(): Too many open files");

    home_speaks(DIAG_FATAL);
    home.log.v1 = true;
    assert_string_equal(diag_words(&e), e.call);
    home.log.v1 = false;
    assert_string_equal(diag_words(&e), e.text);
    (void)err_set(&e, ERR_OTHER, "no call");
    home.log.v1 = true;
    assert_string_equal(diag_words(&e), "no call");
    home.log.v1 = false;
}

/* What people look it up by: errno's, its maker's, or that of its kind. */
static void codes(void **state)
{
    static const struct {
        int sys;
        const char *code;
    } list[] = {
        {ECONNREFUSED, "E-REFUSED"}, {ECONNRESET, "E-RESET"}, {EPIPE, "E-RESET"}, {ENETUNREACH, "E-UNREACHABLE"},
        {ETIMEDOUT, "E-TIMEOUT"}, {ENOENT, "E-NOT-FOUND"}, {EADDRNOTAVAIL, "E-NO-ADDRESS"},
        {EADDRINUSE, "E-IN-USE"}, {EMFILE, "E-LIMIT"}, {ENOMEM, "E-LIMIT"}, {ENOSPC, "E-DISK"},
        {EACCES, "E-DENIED"}, {EBUSY, "E-BUSY"}, {EAFNOSUPPORT, "E-UNSUPPORTED"}, {EMSGSIZE, "E-TOO-LARGE"},
        {EINVAL, "E-FAILED"},
    };
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        errno = list[i].sys;
        (void)err_sys(&e, "x");
        assert_string_equal(err_code_name(err_code_of(&e)), list[i].code);
    }
    assert_int_equal(err_set(&e, ERR_TLS_NAME, "x"), -1);
    assert_int_equal(e.kind, ERR_DENIED);
    assert_int_equal(err_code_of(&e), ERR_TLS_NAME);
    assert_int_equal(err_more_precisely(&e, ERR_RANGE), -1);
    assert_int_equal(err_code_of(&e), ERR_TLS_NAME);
    assert_int_equal(err_as(&e, ERR_TIMEOUT), -1);
    assert_int_equal(e.kind, ERR_TIMEOUT);
    assert_int_equal(err_more_precisely(&e, ERR_DIALOG), -1);
    assert_int_equal(err_code_of(&e), ERR_DIALOG);
    assert_int_equal(e.kind, ERR_TIMEOUT);
    e = (struct err){.kind = ERR_USAGE}; /* as a module of its own time may make it */
    assert_string_equal(err_code_name(err_code_of(&e)), "E-USAGE");
    assert_null(err_code_name(ERR_NOBODY));
    assert_null(err_code_name((enum err_kind)1000));
    assert_null(err_code_says((enum err_kind)1000));
    (void)err_set(&e, (enum err_kind)1000, "x");
    assert_int_equal(e.kind, ERR_OTHER);
}

/* However long: cut, never over the end. */
static void bounds(void **state)
{
    static char most[5000];
    struct err e;

    (void)state;
    memset(most, 'x', sizeof most - 1);
    errno = ENOENT;
    (void)err_sys(&e, "%s", most);
    (void)err_call(&e, "%s", most);
    (void)err_hint(&e, most);
    (void)err_wrap(&e, "%s", most);
    (void)err_reword(&e, "%s", most);
    assert_true(strlen(e.text) < sizeof e.text);
    assert_true(strlen(e.call) < sizeof e.call);
    assert_non_null(strstr(e.call, ": No such file or directory"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(words),
        cmocka_unit_test(codes),
        cmocka_unit_test(bounds),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
