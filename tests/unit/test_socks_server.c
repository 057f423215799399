/* SPDX-License-Identifier: GPL-2.0-or-later
 * SOCKS-SERVER, who may come (logins) and where to (rules). */
#include "server_dialog.h"

#include <sys/stat.h>
#include <unistd.h>

#include "inter/proxy/admission.h"
#include "inter/proxy/opts_server.h"

#define NAME "\x0bwww.example"
#define CLIENT5 "\5\1\0"
#define LOGIN5 "\5\2\0\2\1\3joe\6s3cret"
#define ASK5 "\5\1\0\3" NAME "\1\xbb"
#define OK5 "\5\0\0\1\xc0\0\2\7\4\1"
#define NO5(rep) "\5" rep "\0\1\0\0\0\0\0\0"
#define ASK4 "\4\1\0\x50\xc0\0\2\1joe\0"
#define ASK4A "\4\1\0\x50\0\0\0\1\0www.example\0"
#define OK4 "\0\x5a\4\1\xc0\0\2\7"
#define NO4 "\0\x5b\0\0\0\0\0\0"
#define LONG63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
#define LONG255 LONG63 LONG63 LONG63 LONG63 "aaa"

static void it_stands(void **state)
{
    static const struct meeting list[] = {
        {"socks-server", BYTES(CLIENT5 ASK5), BYTES("\5\0" OK5), .wish = "@www.example:443"},
        {"socks-server", BYTES("\5\3\1\2\0" ASK5), BYTES("\5\0" OK5), .wish = "@www.example:443"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\1\x0a\1\2\3\0\x50"), BYTES("\5\0" OK5), .wish = "@10.1.2.3:80"},
        {"socks-server", BYTES(CLIENT5 "\5\1\xff\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\x50"), BYTES("\5\0" OK5), .wish = "@[::1]:80"},
        {"socks-server", BYTES(CLIENT5 ASK5), BYTES("\5\0\5\0\0\4\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1\1\2"), .wish = "@www.example:443", .from = "[2001:0db8:0000:0000:0000:0000:0000:0001]:258"},
        {"socks-server", BYTES(CLIENT5 ASK5), BYTES("\5\0\5\0\0\1\0\0\0\0\0\0"), .wish = "@www.example:443", .from = "/some/path:1"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\3\xff" LONG255 "\0\1"), BYTES("\5\0" OK5), .wish = "@" LONG255 ":1"},
        {"socks-server,auth=joe:s3cret", BYTES(LOGIN5 ASK5), BYTES("\5\2\1\0" OK5), .wish = "joe@www.example:443"},
        {"socks-server", BYTES(ASK4), BYTES(OK4), .wish = "@192.0.2.1:80"},
        {"socks-server", BYTES(ASK4A), BYTES(OK4), .wish = "@www.example:80"},
        {"socks-server", BYTES("\4\1\0\x50\0\0\0\1joe\0www.example\0"), BYTES(OK4), .wish = "@www.example:80"},
        {"socks-server", BYTES(ASK4), BYTES("\0\x5a\4\1\0\0\0\0"), .wish = "@192.0.2.1:80", .from = "[::1]:1025"},
        {"socks-server,allow=*.EXAMPLE:443", BYTES(CLIENT5 ASK5), BYTES("\5\0" OK5), .wish = "@www.example:443"},
        {"socks-server,allow=192.0.2.0/24 :443", BYTES(ASK4), BYTES(OK4), .wish = "@192.0.2.1:80"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        meet(&list[i]);
}

/* BIND: two answers, the first when somebody is waited for. */
static void binds(void **state)
{
#define BINDS "socks-server,commands=bind connect"
#define BIND5 "\5\2\0\1\xc0\0\2\1\0\0"
    static const struct meeting list[] = {
        {BINDS, BYTES(CLIENT5 BIND5), BYTES("\5\0\5\0\0\1\x0a\0\0\1\1\2" OK5), .wish = "@192.0.2.1:0", .at = "10.0.0.1:258"},
        {BINDS, BYTES(CLIENT5 BIND5), BYTES("\5\0\5\0\0\1\xc6\x33\x64\1\1\2" OK5), .wish = "@192.0.2.1:0", .at = "0.0.0.0:258"},
        {BINDS, BYTES("\4\2\0\x15\xc0\0\2\1\0"), BYTES("\0\x5a\1\2\x0a\0\0\1" OK4), .wish = "@192.0.2.1:21", .at = "10.0.0.1:258"},
        {BINDS, BYTES(CLIENT5 ASK5), BYTES("\5\0" OK5), .wish = "@www.example:443"},
        {BINDS, BYTES(CLIENT5 BIND5), BYTES("\5\0\5\0\0\1\x0a\0\0\1\1\2" NO5("\6")), .wish = "@192.0.2.1:0", .failed = ERR_TIMEOUT,
         .at = "10.0.0.1:258"},
        {BINDS, BYTES(CLIENT5 BIND5), BYTES("\5\0" NO5("\7")), .wish = "@192.0.2.1:0", .message = "nothing here waits for connections"},
        {BINDS, BYTES(CLIENT5 BIND5), BYTES("\5\0" NO5("\4")), .wish = "@192.0.2.1:0", .failed = ERR_UNREACHABLE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        meet(&list[i]);
}

/* Where nothing takes packets; the rest is in tests/chains/socks_udp.bats. */
static void udp(void **state)
{
#define UDP5 "\5\3\0\1\0\0\0\0\0\0"
    static const struct meeting list[] = {
        {"socks-server,commands=udp", BYTES(CLIENT5 UDP5), BYTES("\5\0" NO5("\7")), .wish = "@0.0.0.0:0", .message = "takes no packets"},
        {"socks-server,commands=udp", BYTES(CLIENT5 "\5\3\0\3" NAME "\0\x35"), BYTES("\5\0" NO5("\7")), .wish = "@www.example:53",
         .message = "takes no packets"},
        {"socks-server,commands=udp,deny=*", BYTES(CLIENT5 UDP5), BYTES("\5\0" NO5("\5")), .wish = "@0.0.0.0:0", .failed = ERR_REFUSED},
        {"socks-server,commands=udp", BYTES(CLIENT5 ASK5), BYTES("\5\0" NO5("\7")), .message = "command 1, which is not served"},
        {"socks-server,commands=connect bind", BYTES(CLIENT5 UDP5), BYTES("\5\0" NO5("\7")), .message = "command 3, which is not served"},
        {"socks-server,commands=udp", BYTES("\4\3\0\x35\xc0\0\2\1\0"), BYTES(NO4), .message = "command 3, which is not served"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        meet(&list[i]);
}

static void it_has_failed(void **state)
{
    static const struct {
        enum err_kind kind;
        const char *reply;
    } classes[] = {{ERR_REFUSED, NO5("\5")}, {ERR_UNREACHABLE, NO5("\4")}, {ERR_NO_NAME, NO5("\4")}, {ERR_TIMEOUT, NO5("\6")},
                   {ERR_DENIED, NO5("\2")},  {ERR_BUSY, NO5("\1")},        {ERR_OTHER, NO5("\1")},   {ERR_NOBODY, NO5("\1")}};
    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        char hears[12] = "\5\0";
        memcpy(hears + 2, classes[i].reply, 10);
        const struct meeting five = {"socks-server", BYTES(CLIENT5 ASK5), hears, sizeof hears, "@www.example:443", classes[i].kind};
        const struct meeting four = {"socks-server", BYTES(ASK4), BYTES(NO4), "@192.0.2.1:80", classes[i].kind};
        meet(&five);
        meet(&four);
    }
}

static void refusals(void **state)
{
    static const struct meeting list[] = {
        {"socks-server", BYTES("GET / HTTP/1.0\r\n\r\n"), BYTES(""), .message = "begins with byte 71 instead of 4 or 5"},
        {"socks-server", BYTES("\5\1\2" ASK5), BYTES("\5\xff"), .message = "the client insists on logging in"},
        {"socks-server", BYTES("\5\0"), BYTES("\5\xff"), .message = "insists"},
        {"socks-server,auth=joe:s3cret", BYTES(CLIENT5 ASK5), BYTES("\5\xff"), .message = "does not offer to log in"},
        {"socks-server,auth=joe:s3cret", BYTES("\5\1\2\1\3joe\6s3cres" ASK5), BYTES("\5\2\1\1"), .message = "user \"joe\" and the password"},
        {"socks-server,auth=joe:s3cret", BYTES("\5\1\2\1\3jim\6s3cret" ASK5), BYTES("\5\2\1\1"), .message = "user \"jim\""},
        {"socks-server,auth=joe:s3cret", BYTES("\5\1\2\1\3joe\7s3cret\0" ASK5), BYTES("\5\2\1\1"), .message = "user \"joe\""},
        {"socks-server,auth=joe:s3cret", BYTES("\5\1\2\1\0\0" ASK5), BYTES("\5\2\1\1"), .message = "user \"\""},
        {"socks-server,auth=joe:s3cret", BYTES("\5\1\2\5\3joe\6s3cret" ASK5), BYTES("\5\2"), .message = "login has version 5"},
        {"socks-server,auth=joe:s3cret", BYTES(ASK4), BYTES(NO4), .message = "SOCKS4 has no passwords"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\2" NAME "\1\xbb"), BYTES("\5\0" NO5("\x8")), .message = "address of unknown type 2"},
        {"socks-server", BYTES(CLIENT5 "\4\1\0\3" NAME "\1\xbb"), BYTES("\5\0"), .message = "request has version 4"},
        {"socks-server", BYTES(CLIENT5 "\5\2\0\3" NAME "\1\xbb"), BYTES("\5\0" NO5("\7")), .message = "command 2, which is not served"},
        {"socks-server", BYTES(CLIENT5 "\5\3\0\1\0\0\0\0\0\0"), BYTES("\5\0" NO5("\7")), .message = "command 3"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\3\0\1\xbb"), BYTES("\5\0" NO5("\4")), .message = "which is empty"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\3" NAME "\0\0"), BYTES("\5\0" NO5("\4")), .message = "wants port 0"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\3\5a\0b.c\1\xbb"), BYTES("\5\0" NO5("\4")), .message = "NUL byte"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\3\7a|exec:\1\xbb"), BYTES("\5\0" NO5("\4")), .message = "is no host name"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\3\7a;$(b).\1\xbb"), BYTES("\5\0" NO5("\4")), .message = "is no host name"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\3\5{sni}\1\xbb"), BYTES("\5\0" NO5("\4")), .message = "is no host name"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\3\5-a,b \1\xbb"), BYTES("\5\0" NO5("\4")), .message = "is no host name"},
        {"socks-server", BYTES(CLIENT5 "\5\1\0\3\3\x1b[m\1\xbb"), BYTES("\5\0" NO5("\4")), .message = "control characters"},
        {"socks-server", BYTES("\4\1\0\x50\0\0\0\1joe\0a b\0"), BYTES(NO4), .message = "is no host name"},
        {"socks-server", BYTES("\4\1\0\x50\0\0\0\1" LONG255 "a\0a\0"), BYTES(""), .message = "user of more than 255 bytes"},
        {"socks-server", BYTES("\4\1\0\x50\0\0\0\1\0" LONG255 "a\0"), BYTES(""), .message = "name of more than 255 bytes"},
        {"socks-server,allow=*.example:80", BYTES(CLIENT5 ASK5), BYTES("\5\0" NO5("\2")), .message = "www.example:443 may not be reached"},
        {"socks-server,deny=WWW.*", BYTES(CLIENT5 "\5\1\0\3\x0cwww.example.\1\xbb"), BYTES("\5\0" NO5("\2")), .message = "may not be reached"},
        {"socks-server,deny=127.0.0.0/8 [::1]", BYTES(CLIENT5 "\5\1\0\3\x9localhost\1\xbb"), BYTES("\5\0" NO5("\2")), .message = "localhost:443 may not"},
        {"socks-server,deny=127.0.0.0/8", BYTES(CLIENT5 "\5\1\0\4\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1\0\x50"), BYTES("\5\0" NO5("\2")), .message = "may not be reached"},
        {"socks-server,deny=127.0.0.0/8", BYTES("\4\1\0\x50\0\0\0\0\0"), BYTES(NO4), .message = "0.0.0.0:80 may not be reached"},
        {"socks-server,deny=127.0.0.0/8", BYTES(CLIENT5 "\5\1\0\3\1" "0\1\xbb"), BYTES("\5\0" NO5("\2")), .message = "may not be reached"},
        {"socks-server,deny=[::1]", BYTES(CLIENT5 "\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x50"), BYTES("\5\0" NO5("\2")), .message = "may not be reached"},
        {"socks-server,deny=192.0.2.1:70-80", BYTES(ASK4), BYTES(NO4), .message = "may not be reached"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        meet(&list[i]);
}

/* ---- rules ---- */

static struct opt rule_opts[4];
static struct addr with_rules(const char *const *texts)
{
    struct addr a = {.catena = &home, .opts = rule_opts};
    for (; texts[a.nopts]; a.nopts++) {
        bool deny = texts[a.nopts][0] == '-';
        rule_opts[a.nopts] = (struct opt){.desc = deny ? &opt_deny : &opt_allow, .v.s = texts[a.nopts] + 1};
    }
    return a;
}

static void rules(void **state)
{
    static const struct {
        const char *rules[3], *host;
        int port;
        const char *becomes; /* NULL: denied */
    } list[] = {
        {{NULL}, "anything", 1, "anything"},
        {{"+a.example b.example:20-30"}, "B.Example", 30, "B.Example"},
        {{"+a.example b.example:20-30"}, "b.example", 31, NULL},
        {{"+a.example", "-*:25"}, "a.example", 25, NULL},
        {{"+*.example"}, "example", 1, NULL},
        {{"+*.example"}, "x.example.", 1, "x.example."},
        {{"+*example"}, "10.0.0.1", 1, NULL},
        {{"-*.example."}, "x.example", 1, NULL},
        {{"+10.0.0.0/8"}, "10.255.0.1", 1, "10.255.0.1"},
        {{"+10.0.0.0/8"}, "11.0.0.1", 1, NULL},
        {{"+10.0.0.0/31"}, "10.0.0.2", 1, NULL},
        {{"+[fc00::]/7"}, "[fd00::1]", 1, "[fd00::1]"},
        {{"+[fc00::]/7"}, "[fe00::1]", 1, NULL},
        {{"+[fc00::/7]"}, "[fd00::1]", 1, "[fd00::1]"},
        {{"+[fc00::/7]:80"}, "[fd00::1]", 81, NULL},
        {{"+[::1]:80"}, "[::1]", 80, "[::1]"},
        {{"+[::1]:80"}, "[::1]", 81, NULL},
        {{"-0.0.0.0/0"}, "10.0.0.1", 1, NULL},
        {{"-0.0.0.0/0"}, "[::1]", 1, "[::1]"},
        {{"-10.0.0.0/8"}, "localhost", 1, "127.0.0.1"}, /* looked up: it is to be the one that was looked at */
        {{"+localhost", "-10.0.0.0/8"}, "localhost", 1, "127.0.0.1"},
        {{"+localhost"}, "localhost", 1, "localhost"},
        {{"+127.0.0.1"}, "localhost", 1, "127.0.0.1"},
        {{"-127.0.0.0/8"}, "0x7f.1", 1, NULL},
        {{"-127.0.0.0/8"}, "2130706433", 1, NULL},
        {{"-127.0.0.0/8"}, "0.0.0.0", 1, NULL}, /* leads here, too */
        {{"-127.0.0.1"}, "0", 1, NULL},
        {{"-127.0.0.1"}, "0x0.0", 1, NULL},
        {{"-127.0.0.0/8"}, "[::ffff:0.0.0.0]", 1, NULL},
        {{"-127.0.0.0/8"}, "0.1.2.3", 1, NULL},
        {{"-127.0.0.0/8"}, "[::]", 1, "[::]"},
        {{"-[::1]"}, "[::]", 1, NULL},
        {{"-[::1]"}, "[::0.0.0.0]", 1, NULL},
        {{"-[::1]"}, "[::2]", 1, "[::2]"},
        {{"-0.0.0.0"}, "0", 1, NULL},
        {{"+127.0.0.0/8"}, "0", 1, "0.0.0.0"},
        {{"+10.0.0.0/8"}, "0", 1, NULL},
        {{"-10.9.9.1"}, "0x0a.9.9.1", 1, NULL},
        {{"-10.9.9.1"}, "168364289", 1, NULL},
        {{"-10.9.9.1"}, "012.9.9.1", 1, NULL},
        {{"-10.9.9.1"}, "[::ffff:10.9.9.1]", 1, NULL},
        {{"-[::ffff:10.9.9.1]"}, "10.9.9.1", 1, NULL},
        {{"+*", "-x.example"}, "0x0a.9.9.1", 1, "10.9.9.1"},
        {{"+3.example 10.*.example 0x1f.example"}, "10.a.example", 1, "10.a.example"},
        {{"-127.0.0.0/8:80"}, "localhost", 81, "localhost"},
    };
    static const struct settings ip4 = {.catena = &home, .ip_version = 4};
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct addr a = with_rules(list[i].rules);
        struct rules r;
        struct run run;
        struct err e = {0};
        char host[RULE_HOST_MAX + 1];
        assert_int_equal(run_init(&run, &ip4, NULL, -1, &e), 0);
        assert_int_equal(rules_load(&r, &a, &e), 0);
        (void)strcpy(host, list[i].host);
        int rc = rules_judge(&r, &a, &run, host, list[i].port, &e);
        if (rc != (list[i].becomes ? 0 : -1) || (rc == 0 && strcmp(host, list[i].becomes) != 0) || (rc < 0 && e.kind != ERR_DENIED))
            fail_msg("%s: %s:%d gives %d %s %s", list[i].rules[0], list[i].host, list[i].port, rc, host, e.text);
        rules_free(&r);
        run_fini(&run);
    }
}

static void no_rules(void **state)
{
    static const char *const list[] = {"", " ", "a b/c", "10.0.0.0/33", "10.0.0/8", "[::1", "[::1]/129", "a:", "a:x", "a:1-", "a:2-1",
                                       "a:65536", "a:1:2", "::1", "a|b", "a[b]", "a\\b", "10.0.0.0/-1", "[a]", "a?b",
                                       ":0", "a:0", "a:0-5", "300.1.1.1"};
    static const char *const numbers[] = {"10.*", "127.1", "300.1.1.1", "0", "*.9.9.1", "1*", "0x7f.0.0.1", "0x7F*", "010.0.0.1",
                                          "168364289", "10.", "a 10.*:80", "10.0.0.0.0"};
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct opt o = {.desc = &opt_allow, .v.s = list[i]};
        struct addr a = {.catena = &home, .opts = &o, .nopts = 1};
        struct err e;
        if (rules_load(NULL, &a, &e) == 0)
            fail_msg("\"%s\" is taken", list[i]);
        assert_int_equal(e.kind, ERR_USAGE);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        struct opt o = {.desc = &opt_deny, .v.s = numbers[i]};
        struct addr a = {.catena = &home, .opts = &o, .nopts = 1};
        struct err e;
        if (rules_load(NULL, &a, &e) == 0 || !strstr(e.text, "a network is written like 10.0.0.0/8"))
            fail_msg("\"%s\": %s", numbers[i], e.text);
    }
}

/* ---- logins ---- */

static char dir[] = "/tmp/test_socks_server.XXXXXX", path[64];

static int load(struct logins *l, const char *text, mode_t mode, struct err *e)
{
    struct opt o = {.desc = &opt_auth_file, .v.s = path};
    struct addr a = {.catena = &home, .opts = &o, .nopts = 1};
    struct run run;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
    assert_int_equal(chmod(path, mode), 0);
    assert_int_equal(run_init(&run, &at_home, NULL, -1, e), 0);
    int rc = logins_load(l, &a, &run, e);
    run_fini(&run);
    return rc;
}

static bool admits(const struct logins *l, const char *user, const char *password)
{
    return logins_admit(l, user, strlen(user), password, strlen(password));
}

static void files(void **state)
{
    struct logins l;
    struct err e;
    (void)state;
    assert_int_equal(load(&l, "# people\n\njoe:pass:word\r\n"
                              "sha:$5$saltsalt$i3XICBaq5xOe/MX96pB3uD2a/BLDzj04zvKF4UPDtt6\nnobody:\n"
                              "last:one", 0600, &e), 0);
    assert_int_equal(l.n, 4);
    assert_true(admits(&l, "joe", "pass:word"));
    assert_false(admits(&l, "joe", "pass:wor"));
    assert_false(admits(&l, "joe", "pass:word "));
    assert_false(admits(&l, "joe", ""));
    assert_false(admits(&l, "", ""));
    assert_false(admits(&l, "# people", ""));
    assert_true(admits(&l, "nobody", ""));
    assert_true(admits(&l, "last", "one"));
    assert_false(admits(&l, "sha", "$5$saltsalt$i3XICBaq5xOe/MX96pB3uD2a/BLDzj04zvKF4UPDtt6"));
    assert_false(logins_admit(&l, "joe", 3, "pass:word\0", 10));
    assert_false(logins_admit(&l, "last\0", 5, "one", 3));
    logins_free(&l);
}

static void hashes(void **state)
{
    struct logins l;
    struct err e;
    (void)state;
    assert_int_equal(load(&l, 
                     "five:$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA\n"
                     "six:$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1\n"
                     "one:$1$saltsalt$9xy1btjgzLYfb7hivXtC//\n", 0600, &e), 0);
    for (size_t i = 0; i < l.n; i++) {
        assert_true(l.v[i].hashed);
        assert_true(admits(&l, l.v[i].user, "secret"));
        assert_false(admits(&l, l.v[i].user, "Secret"));
        assert_false(logins_admit(&l, l.v[i].user, strlen(l.v[i].user), "secret\0x", 8));
    }
    assert_false(admits(&l, "nobody", "secret"));
    logins_free(&l);
}

static void no_files(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        const char *why;
    } list[] = {
        {"", 0600, "has nobody in it"},           {"# x\n", 0600, "has nobody in it"},
        {"a:b\njoe\n", 0600, "line 2: <user>:<password> is needed"},
        {":x\n", 0600, "line 1: <user>:<password>"}, {"joe:$9$x\n", 0600, "line 1: a password that begins with \"$\""},
        {"joe:s3cret\n", 0602, "anybody may change this file"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct logins l;
        struct err e;
        assert_int_equal(load(&l, list[i].text, list[i].mode, &e), -1);
        if (!strstr(e.text, list[i].why) || strstr(e.text, "s3cret"))
            fail_msg("%s", e.text);
    }
}

static int prepare(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/logins", dir);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stands), cmocka_unit_test(binds), cmocka_unit_test(udp), cmocka_unit_test(it_has_failed), cmocka_unit_test(refusals), cmocka_unit_test(rules),
        cmocka_unit_test(no_rules),  cmocka_unit_test(files),         cmocka_unit_test(hashes),   cmocka_unit_test(no_files),
    };

    return cmocka_run_group_tests(tests, prepare, clean_up);
}
