/* SPDX-License-Identifier: GPL-2.0-or-later
 * Scripts of dialogs, talked with a peer in memory whose text is cut at every byte; and what is no script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/run.h"
#include "catena/wait.h"
#include "inter/dialog/talk.h"
#include "unit.h"

/* The peer: what it says, in pieces of that size, and what it was told. It ends, or is silent. */
struct peer {
    const char *text;
    size_t left, piece;
    bool ends;
    char told[4096];
    size_t ntold, writes;
};

static int fill(struct wire *w, int *eof, struct err *e)
{
    struct peer *p = w->carrier;
    size_t n = p->left < p->piece ? p->left : p->piece;
    if (p->left == 0 && !p->ends)
        return err_set(e, ERR_TIMEOUT, "late");
    n = buf_put(&w->in, p->text, n);
    p->text += n;
    p->left -= n;
    *eof = n == 0;
    return 0;
}

static int hear(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct peer *p = w->carrier;
    (void)e;
    assert_true(p->ntold + n < sizeof p->told);
    memcpy(p->told + p->ntold, data, n);
    p->ntold += n;
    p->writes++;
    return 0;
}

static const struct wire_ops ops = {.fill = fill, .write = hear};
static char who[] = "WHO=joe", password[] = "PW=s3cret";
static char *environment[] = {who, password, NULL};

struct row {
    const char *script, *text;
    const char *told; /* NULL: not looked at */
    const char *rest; /* what is given back; NULL: it fails */
    enum err_kind kind;
    const char *why;  /* in its message */
    bool silent;      /* the peer does not end */
};

static int play(const struct row *r, size_t piece, struct peer *p, char *rest, struct err *e)
{
    struct catena *home = unit_home();
    struct settings s = unit_settings();
    struct run run;
    struct script script;
    struct wire w;
    const struct talk_how how = {.eol = "\r", .timeout = 1};
    home->environment = environment;
    unit_run(&run, &s, NULL, -1);
    *p = (struct peer){.text = r->text, .left = strlen(r->text), .piece = piece, .ends = !r->silent};
    script_init(&script);
    assert_int_equal(wire_init(&w, &ops, p, &run, -1, e), 0);
    int rc = script_read(&script, "s", r->script, strlen(r->script), e);
    rc = rc == 0 ? talk(&script, &how, &w, e) : rc;
    size_t n = w.in.len;
    if (n > 0)
        memcpy(rest, buf_data(&w.in), n);
    memcpy(rest + n, p->text, p->left);
    rest[n + p->left] = '\0';
    wire_fini(&w);
    script_fini(&script);
    unit_run_fini(&run);
    return rc;
}

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t piece = 1; piece <= strlen(rows[i].text) + 1; piece++) {
            const struct row *r = &rows[i];
            struct peer p;
            char rest[20000];
            struct err e = {0};
            int rc = play(r, piece, &p, rest, &e);
            p.told[p.ntold] = '\0';
            if ((rc < 0) != (r->rest == NULL))
                fail_msg("%s / %s, %zu: %s", r->script, r->text, piece, rc < 0 ? e.text : "works");
            if (rc == 0)
                assert_string_equal(rest, r->rest);
            if (r->told)
                assert_string_equal(p.told, r->told);
            if (rc < 0 && (e.kind != r->kind || !strstr(e.text, r->why) || strstr(e.text, "s3cret")))
                fail_msg("%s / %s: kind %d: %s", r->script, r->text, e.kind, e.text);
        }
}
#define CHECK(rows) check(rows, sizeof rows / sizeof rows[0])

static void talks(void **state)
{
    static const struct row rows[] = {
        {"", "abc", "", "abc", 0, 0, 0},
        {"'' AT OK ATDT1 CONNECT", "\r\nOK\r\nRING\r\nCONNECT 9600\r\nhi", "AT\rATDT1\r", " 9600\r\nhi", 0, 0, 0},
        {"ogin: $WHO word: ${PW}x", "login: Password: $ ", "joe\rs3cretx\r", " $ ", 0, 0, 0},
        {"a '$WHO\\t'", "aa", "$WHO\t\r", "a", 0, 0, 0},
        {"# said\n\"a b\" \"c d\\c\" # and so on\n e 'f\\c'", "xa be", "c df", "", 0, 0, 0},
        {"/[0-9]+\\r\\n/ go", "ab1\r\n2", "go\r", "2", 0, 0, 0},
        {"/[0-9]+/ go", "ab123", "go\r", "23", 0, 0, 0}, /* the moment that it matches */
        {"/a|bc\\/d/ 1 /^x$/ 2", "..bc/d\nyx\nx\nz", "1\r2\r", "z", 0, 0, 0},
        {"/[]+{]{2}(ab+){3}[^]a-z]\\.*;/ 1", "+]abbabab..;.", "1\r", ".", 0, 0, 0},
        {"/ok$/ 1", "nok.ok\n.", "1\r", ".", 0, 0, 0},
        {"/^b/ 1", "ab\nb.", "1\r", ".", 0, 0, 0},
        {"aab 1", "aaab.", "1\r", ".", 0, 0, 0},
        {"\\x41\\102\\sC 1", "AB C.", "1\r", ".", 0, 0, 0},
        {"WHEN more: '\\s\\c' end 1", "more:.more:.end.more:", "  1\r", ".more:", 0, 0, 0},
        {"WHEN assword: $PW ABORT denied menu> 3", "password:menu>", "s3cret\r3\r", "", 0, 0, 0},
        {"WHEN assword: $PW ABORT denied menu> 3", "menu>", "3\r", "", 0, 0, 0},
        {"WHEN ab 1 abc 2", "xabc", "1\r", NULL, ERR_PROTOCOL, "line 1: \"abc\" did not come: the peer closed", 0},
        {"WHEN b 1 ab 2", "xab", "2\r", "", 0, 0, 0}, /* at the same byte what is waited for is first */
        {"ABORT no CLR_ABORT no yes 1", "no yes", "1\r", "", 0, 0, 0},
        {"TIMEOUT 5 a b", "a", "b\r", "", 0, 0, 0},
        {"TIMEOUT 0 a b", "a", "b\r", "", 0, 0, 0},
        {"ON-FAIL pass a b c d", "aXY", "b\r", "XY", 0, 0, 0},
        {"a ''", "a", "\r", "", 0, 0, 0},
    };
    (void)state;
    CHECK(rows);
}

static void fails(void **state)
{
    static const struct row rows[] = {
        {"ABORT BUSY\n'' AT\nOK x", "\r\nBUSY\r\n", "AT\r", NULL, ERR_REFUSED,
         "s, line 1: \"BUSY\" came, which is an ABORT; the last that came: \"\\r\\nBUSY", 0},
        {"ABORT BUSY\n'' AT\nOK x", "", "AT\r", NULL, ERR_PROTOCOL, "s, line 3: \"OK\" did not come: the peer closed the "
         "connection; nothing has come", 0},
        {"a b c d", "a\001\"\\\xff", "b\r", NULL, ERR_TIMEOUT, "\"c\" did not come within 1 s; the last that came: "
         "\"a\\x01\\\"\\\\\\xff\"", 1},
        {"a $PW b c", "a s3cret", "s3cret\r", NULL, ERR_PROTOCOL, "the last that came: \"a ******\"", 0},
        {"a $NOBODY", "a", "", NULL, ERR_OTHER, "no variable NOBODY", 0},
        {"a @/nonexistent/secret", "a", "", NULL, ERR_OTHER, "secret file \"/nonexistent/secret\"", 0},
        {"WHEN x y end 1",
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL,
         NULL, ERR_PROTOCOL, "\"x\" came again and again, 100 times", 0},
        {"ON-FAIL send:bye a b", "x", "bye\r", NULL, ERR_PROTOCOL, "\"a\" did not come", 0},
        /* what is no script */
        {"a 'b", "", "", NULL, ERR_USAGE, "s, line 1: no ' ends what begins in line 1", 0},
        {"'a'b c", "", "", NULL, ERR_USAGE, "something follows the '", 0},
        {"\n\n/a(/ b", "", "", NULL, ERR_USAGE, "s, line 3: /a(/: ", 0},
        {"/a*/ b", "", "", NULL, ERR_USAGE, "/a*/ matches nothing at all", 0},
        {"/foo\\b/ b", "", "", NULL, ERR_USAGE, "\\b is not for a dialog", 0},
        {"/(a)\\1/ b", "", "", NULL, ERR_USAGE, "\\1 is not for a dialog", 0},
        {"/a++++++++++++++++++++++++/ b", "", "", NULL, ERR_USAGE, "is too large", 0},
        {"/((a{200}){200})x/ b", "", "", NULL, ERR_USAGE, "is too large", 0},
        {"/a{99999}/ b", "", "", NULL, ERR_USAGE, "is too large", 0},
        {"/((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))/ b", "", "", NULL, ERR_USAGE, "is too large", 0},
        {"/a", "", "", NULL, ERR_USAGE, "no / ends", 0},
        {"// b", "", "", NULL, ERR_USAGE, "empty expression", 0},
        {"a \\z", "", "", NULL, ERR_USAGE, "\"\\z\" is no escape", 0},
        {"a\\d b", "", "", NULL, ERR_USAGE, "\"\\d\" is no escape", 0},
        {"a $", "", "", NULL, ERR_USAGE, "\"$\" without the name", 0},
        {"a ${A", "", "", NULL, ERR_USAGE, "\"$\" without the name", 0},
        {"TIMEOUT soon", "", "", NULL, ERR_USAGE, "\"soon\" is no number of seconds", 0},
        {"/a\\z/ b", "", "", NULL, ERR_USAGE, "\"\\z\" is no escape", 0},
        {"ABORT '' a b", "", "", NULL, ERR_USAGE, "an empty text comes always", 0},
        {"ABORT", "", "", NULL, ERR_USAGE, "nothing follows ABORT", 0},
        {"WHEN a", "", "", NULL, ERR_USAGE, "nothing follows WHEN", 0},
        {"REPORT CONNECT", "", "", NULL, ERR_USAGE, "REPORT of chat(8) is not known here", 0},
        {"ON-FAIL never", "", "", NULL, ERR_USAGE, "none of fail, pass, send:<text>", 0},
    };
    (void)state;
    CHECK(rows);
}

static void bounds(void **state)
{
    static char text[12001], script[40000];
    struct row r = {"end go", text, "go\r", ".", 0, 0, 0};
    struct peer p;
    char rest[20000];
    struct err e;
    (void)state;
    memset(text, 'x', 12000); /* more than is ever kept */
    memcpy(text + 11000, "end.", 5);
    for (size_t piece = 1; piece <= 16384; piece *= 4) {
        assert_int_equal(play(&r, piece, &p, rest, &e), 0);
        assert_string_equal(rest, ".");
    }
    r = (struct row){"a\\d\\pb", "a", NULL, NULL, 0, 0, 0};
    for (size_t i = 0; i < 33; i++)
        strcat(script, "ABORT x ");
    r = (struct row){script, "", "", NULL, 0, 0, 0};
    assert_int_equal(play(&r, 1, &p, rest, &e), -1);
    assert_non_null(strstr(e.text, "more than 32 ABORTs"));
    script[0] = '\0';
    for (size_t i = 0; i < 1001; i++)
        strcat(script, "TIMEOUT 1 ");
    assert_int_equal(play(&r, 1, &p, rest, &e), -1);
    assert_non_null(strstr(e.text, "more than 1000 steps"));
    memset(script, 'w', 1100);
    script[1100] = '\0';
    assert_int_equal(play(&r, 1, &p, rest, &e), -1);
    assert_non_null(strstr(e.text, "up to 1023"));
}

/* What is said leaves in one piece, but for its pauses. */
static void pieces(void **state)
{
    struct row r = {"'' '$WHO and \\p\"$PW'", "", NULL, "", 0, 0, 0};
    struct peer p;
    char rest[20];
    struct err e;
    (void)state;
    assert_int_equal(play(&r, 1, &p, rest, &e), 0);
    assert_int_equal(p.writes, 2);
    r.script = "'' \"$WHO and $PW\"";
    int64_t since = wait_now();
    assert_int_equal(play(&r, 1, &p, rest, &e), 0);
    assert_int_equal(p.writes, 1);
    r.script = "'' a\\p\\pb";
    assert_int_equal(play(&r, 1, &p, rest, &e), 0);
    assert_int_equal(p.writes, 2);
    assert_true(wait_now() - since >= 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(talks), cmocka_unit_test(fails), cmocka_unit_test(bounds), cmocka_unit_test(pieces),
    };
    return cmocka_run_group_tests(tests, unit_begin, unit_end);
}
