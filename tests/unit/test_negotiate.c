/* SPDX-License-Identifier: GPL-2.0-or-later
 * The negotiators SOCKS4, SOCKS4A and SOCKS5, and what all negotiators share. */
#include <stdio.h>

#include "dialog.h"
#include "inter/proxy/opts_proxy.h"

/* --- SOCKS4 --- */

#define REPLY4(status) BYTES("\0" status "\1\2\3\4\5\6")

static void socks4_works(void **state)
{
    static const struct dialog list[] = {
        {S4("SOCKS4", "10.1.2.3", "258"),
         {{&opt_socksuser, "joe"}},
         BYTES("\4\1\1\2\12\1\2\3joe\0"),
         REPLY4("\x5a")},
        {S4("SOCKS4", "10.1.2.3", "http"),
         {{&opt_socksuser, ""}},
         BYTES("\4\1\0\x50\12\1\2\3\0"),
         REPLY4("\x5a"),
         "SSH-2.0-x\r\n"},
        {S4("SOCKS4", "localhost", "65535"),
         {{&opt_socksuser, "joe"}},
         BYTES("\4\1\xff\xff\x7f\0\0\1joe\0"),
         REPLY4("\x5a"),
         "x"},
        {S4("SOCKS4A", "www.example", "80"),
         {{&opt_socksuser, "joe"}},
         BYTES("\4\1\0\x50\0\0\0\1joe\0www.example\0"),
         REPLY4("\x5a"),
         "early"},
        {S4("SOCKS4A", "1.2.3.4", "80"),
         {{&opt_socksuser, "joe"}},
         BYTES("\4\1\0\x50\0\0\0\1joe\0"
               "1.2.3.4\0"),
         REPLY4("\x5a")},
        {S4("SOCKS4A", "localhost", "80"),
         {{&opt_socksuser, "joe"}, {&opt_socks_resolve, NULL}},
         BYTES("\4\1\0\x50\0\0\0\1joe\0"
               "127.0.0.1\0"),
         REPLY4("\x5a")},
        {S4("SOCKS4A", "[::1]", "80"),
         {{&opt_socksuser, "joe"}},
         BYTES("\4\1\0\x50\0\0\0\1joe\0::1\0"),
         REPLY4("\x5a")},
    };

    (void)state;
    PLAY(list);
}

static void socks4_user_default(void **state)
{
    static const struct {
        const char *logname, *user;
        const char *request;
        size_t n;
    } list[] = {
        {"ann", "bob",
         BYTES("\4\1\0\1\1\2\3\4"
               "ann\0")},
        {NULL, "bob",
         BYTES("\4\1\0\1\1\2\3\4"
               "bob\0")},
        {"", "bob",
         BYTES("\4\1\0\1\1\2\3\4"
               "bob\0")},
        {NULL, NULL,
         BYTES("\4\1\0\1\1\2\3\4"
               "anonymous\0")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        const struct dialog d = {S4("SOCKS4", "1.2.3.4", "1"), .request = list[i].request,
                                 .nrequest = list[i].n, REPLY4("\x5a")};

        struct err e;
        home.environment = (char *[]){NULL};
        if (list[i].logname != NULL)
            assert_int_equal(catena_set_variable(&home, "LOGNAME", list[i].logname, &e), 0);
        if (list[i].user != NULL)
            assert_int_equal(catena_set_variable(&home, "USER", list[i].user, &e), 0);
        play(&d);
        catena_fini(&home);
    }
}

#define REFUSED4(status, k, t)                                                                     \
    {                                                                                              \
        S4("SOCKS4", "10.1.2.3", "25"), .answer = "\0" status "\1\2\3\4\5\6", .nanswer = 8,        \
                                        .kind = k,                                                 \
                                        .text = "the SOCKS4 server refused 10.1.2.3:25" t          \
    }

static void socks4_refuses(void **state)
{
    static const struct dialog list[] = {
        REFUSED4("\x5b", ERR_REFUSED, ": request rejected or failed"),
        REFUSED4("\x5c", ERR_DENIED, ": the server cannot reach an identd on this host"),
        REFUSED4("\x5d", ERR_DENIED, ": identd here names another user than the request"),
        REFUSED4("\x5e", ERR_PROTOCOL, " with unknown status 94"),
        REFUSED4("\0", ERR_PROTOCOL, " with unknown status 0"),
        {S4("SOCKS4", "1.2.3.4", "25"), .answer = "\4\x5a\0\0\0\0\0\0", .nanswer = 8,
         .kind = ERR_PROTOCOL, .text = "no SOCKS4 reply: it begins with byte 4 instead of 0"},
        {S4("SOCKS4A", "a", "25"), .answer = "HTTP/1.1 400 Bad", .nanswer = 16,
         .kind = ERR_PROTOCOL, .text = "no SOCKS4A reply: it begins with byte 72 instead of 0"},
        {S4("SOCKS4A", "a", "25"), .answer = "\0\x5a\0\0\0\0\0", .nanswer = 7, .kind = ERR_PROTOCOL,
         .text = "SOCKS4A dialog: the peer closed the connection during the dialog"},
        {S4("SOCKS4A", "a", "25"), .kind = ERR_PROTOCOL,
         .text = "SOCKS4A dialog: the peer closed the connection during the dialog"},
        {S4("SOCKS4", "[::1]", "25"), .request = "", .kind = ERR_USAGE,
         .text = "SOCKS4 cannot reach IPv6 address ::1; SOCKS5 can"},
    };

    (void)state;
    PLAY(list);
}

/* --- SOCKS5 --- */

#define BOUND     "\0\1\1\2\3\4\0\x50"
#define S5L(h, p) .forms = forms_socks5, .keyword = "SOCKS5-LISTEN", .host = h, .port = p
#define JOE                                                                                        \
    {                                                                                              \
        {&opt_socksuser, "joe"},                                                                   \
        {                                                                                          \
            &opt_sockspass, "secret"                                                               \
        }                                                                                          \
    }
#define JOE_REQUEST "\5\2\0\2\1\3joe\6secret"

static void socks5_works(void **state)
{
    static const struct dialog list[] = {
        {S5("10.1.2.3", "258"), .request = "\5\1\0\5\1\0\1\12\1\2\3\1\2", .nrequest = 13,
         BYTES("\5\0\5\0" BOUND), "SSH-2.0-x"},
        {S5("www.example", "https"), .request = "\5\1\0\5\1\0\3\13www.example\1\xbb",
         .nrequest = 21, BYTES("\5\0\5\0\0\3\4host\0\1"), "e"},
        {S5("[::1]", "1"), .request = "\5\1\0\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1",
         .nrequest = 25, BYTES("\5\0\5\0\0\4abcdefghijklmnop\0\1")},
        /* an empty bound name, and one with a NUL in it, are the server's own business */
        {S5("a", "1"), .request = "\5\1\0\5\1\0\3\1a\0\1", .nrequest = 11,
         BYTES("\5\0\5\0\0\3\0\0\1"), "early"},
        {S5("a", "1"), .request = "\5\1\0\5\1\0\3\1a\0\1", .nrequest = 11,
         BYTES("\5\0\5\0\0\3\3\0\x1b\0\0\1"), "early"},
        {S5("a", "1"), JOE, BYTES(JOE_REQUEST "\5\1\0\3\1a\0\1"), BYTES("\5\2\1\0\5\0" BOUND), "x"},
        {S5("a", "1"), JOE, BYTES(JOE_REQUEST "\5\1\0\3\1a\0\1"), BYTES("\5\2\5\0\5\0" BOUND), "x"},
        /* the server may do without the login */
        {S5("a", "1"), JOE, BYTES("\5\2\0\2\5\1\0\3\1a\0\1"), BYTES("\5\0\5\0" BOUND)},
        {S5("a", "1"),
         {{&opt_socksuser, "joe"}},
         BYTES("\5\2\0\2\1\3joe\0\5\1\0\3\1a\0\1"),
         BYTES("\5\2\1\0\5\0" BOUND)},
        {S5("a", "1"),
         {{&opt_sockspass, "x"}},
         BYTES("\5\1\0\5\1\0\3\1a\0\1"),
         BYTES("\5\0\5\0" BOUND)},
        {S5L("0.0.0.0", "0"), .request = "\5\1\0\5\2\0\1\0\0\0\0\0\0", .nrequest = 13,
         BYTES("\5\0\5\0" BOUND "\5\0\0\4abcdefghijklmnop\0\1"), "hello"},
    };

    (void)state;
    PLAY(list);
}

#define FAILS5(a_, k, t)                                                                           \
    {                                                                                              \
        S5("a", "1"), .answer = a_, .nanswer = sizeof(a_) - 1, .kind = k,                          \
                      .text = "SOCKS5 dialog: " t                                                  \
    }
#define REFUSED5(status, k, t) FAILS5("\5\0\5" status, k, "the server refused a:1" t)

static void socks5_refuses(void **state)
{
    static const struct dialog list[] = {
        REFUSED5("\1", ERR_REFUSED, ": general SOCKS server failure"),
        REFUSED5("\2", ERR_DENIED, ": connection not allowed by ruleset"),
        REFUSED5("\3", ERR_UNREACHABLE, ": network unreachable"),
        REFUSED5("\4", ERR_UNREACHABLE, ": host unreachable"),
        REFUSED5("\5", ERR_REFUSED, ": connection refused"),
        REFUSED5("\6", ERR_UNREACHABLE, ": TTL expired"),
        REFUSED5("\7", ERR_OTHER, ": command not supported"),
        REFUSED5("\10", ERR_OTHER, ": address type not supported"),
        REFUSED5("\11", ERR_PROTOCOL, " with unknown status 9"),
        REFUSED5("\xff", ERR_PROTOCOL, " with unknown status 255"),
        FAILS5("\4\0", ERR_PROTOCOL, "the greeting's reply has version 4 instead of 5"),
        FAILS5(
            "\5\xff", ERR_DENIED,
            "the server accepts none of the offered logins; it may want socksuser and sockspass"),
        FAILS5("\5\2", ERR_PROTOCOL, "the server chose login method 2, which was not offered"),
        FAILS5("\5\0\4\0", ERR_PROTOCOL, "the reply has version 4 instead of 5"),
        FAILS5("\5\0\5\0\0\2", ERR_PROTOCOL, "the reply holds an address of unknown type 2"),
        FAILS5("", ERR_PROTOCOL, CLOSED),
        FAILS5("\5", ERR_PROTOCOL, CLOSED),
        FAILS5("\5\0\5", ERR_PROTOCOL, CLOSED),
        FAILS5("\5\0\5\0\0\1\1\2\3\4\0", ERR_PROTOCOL, CLOSED),
        FAILS5("\5\0\5\0\0\3\xff"
               "abc",
               ERR_PROTOCOL, CLOSED),
        {S5("a", "1"), JOE, BYTES(JOE_REQUEST), BYTES("\5\2\1\1"), NULL, ERR_DENIED,
         "SOCKS5 dialog: the server refused the login of user \"joe\" (status 1)"},
        {S5("a", "1"), JOE, BYTES(JOE_REQUEST), BYTES("\5\2\2\0"), NULL, ERR_PROTOCOL,
         "SOCKS5 dialog: the login reply has version 2 instead of 1"},
        {S5("a", "1"), JOE, BYTES("\5\2\0\2"), BYTES("\5\1"), NULL, ERR_PROTOCOL,
         "SOCKS5 dialog: the server chose login method 1, which was not offered"},
        {S5("a", "1"), JOE, BYTES("\5\2\0\2"), BYTES("\5\xff"), NULL, ERR_DENIED,
         "SOCKS5 dialog: the server accepts none of the offered logins"},
        {S5L("a", "1"),
         {{0}},
         NULL,
         0,
         BYTES("\5\0\5\0" BOUND),
         NULL,
         ERR_PROTOCOL,
         "SOCKS5 dialog: " CLOSED},
        {S5L("a", "1"),
         {{0}},
         NULL,
         0,
         BYTES("\5\0\5\0" BOUND "\5\6"),
         NULL,
         ERR_UNREACHABLE,
         "SOCKS5 dialog: the server refused a:1: TTL expired"},
    };

    (void)state;
    PLAY(list);
}

/* --- what all share --- */

static void bad_targets(void **state)
{
    static const struct {
        const char *host, *port, *text;
    } list[] = {
        {"", "1", "the target's host name is empty"},
        {"[]", "1", "the target's host name is empty"},
        {"[1.2.3.4]", "1", "\"1.2.3.4\" is not an IPv6 address"},
        {"a b", "1", "blank or control character in host name \"a b\""},
        {"a\r\nX", "1", "blank or control character in host name \"a\r\nX\""},
        {"a", "", "port \"\" is neither a number from 1 to 65535 nor a known TCP service"},
        {"a", "0", "port \"0\" is neither a number from 1 to 65535 nor a known TCP service"},
        {"a", "65536",
         "port \"65536\" is neither a number from 1 to 65535 nor a known TCP service"},
        {"a", "-1", "port \"-1\" is neither a number from 1 to 65535 nor a known TCP service"},
        {"a", "80x", "port \"80x\" is neither a number from 1 to 65535 nor a known TCP service"},
        {"a", "99999999999999999999",
         "port \"99999999999999999999\" is neither a number from 1 to 65535 nor a known TCP "
         "service"},
        {"a", "nonesuch",
         "port \"nonesuch\" is neither a number from 1 to 65535 nor a known TCP service"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        const struct dialog all[] = {
            {S4("SOCKS4", list[i].host, list[i].port), .request = "", .kind = ERR_USAGE,
             .text = list[i].text},
            {S4("SOCKS4A", list[i].host, list[i].port), .request = "", .kind = ERR_USAGE,
             .text = list[i].text},
            {S5(list[i].host, list[i].port), .request = "", .kind = ERR_USAGE,
             .text = list[i].text},
            {P(list[i].host, list[i].port), .request = "", .kind = ERR_USAGE, .text = list[i].text},
        };
        PLAY(all);
    }
}

static void lengths(void **state)
{
    char name[300], request[600] = "\5\1\0\5\1\0\3\xff", want[100];
    struct dialog d = {S5(name, "1"), .request = request, .nrequest = 8 + 255 + 2,
                       BYTES("\5\0\5\0" BOUND)};
    struct dialog user = {S5("a", "1"),
                          {{&opt_socksuser, name}, {&opt_sockspass, "x"}},
                          "",
                          0,
                          NULL,
                          0,
                          NULL,
                          ERR_USAGE,
                          "the socks user name has 256 bytes; 1 to 255 are possible"};
    struct dialog pass = {
        S5("a", "1"), {{&opt_socksuser, "x"}, {&opt_sockspass, name}}, "", 0, NULL, 0, NULL,
        ERR_USAGE,    "the socks password has more than 255 bytes"};
    struct dialog user4 = {S4("SOCKS4", "1.2.3.4", "1"),
                           {{&opt_socksuser, name}},
                           "",
                           0,
                           NULL,
                           0,
                           NULL,
                           ERR_USAGE,
                           "the socks user name has 256 bytes; at most 255 are possible"};

    (void)state;
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    memcpy(request + 8, name, 255);
    memcpy(request + 8 + 255, "\0\1", 2);
    play(&d);
    name[255] = 'n';
    name[256] = '\0';
    snprintf(want, sizeof want, "the target's host name has 256 bytes; at most 255 are possible");
    d.kind = ERR_USAGE;
    d.text = want;
    d.nrequest = 0;
    play(&d);
    play(&user);
    play(&pass);
    play(&user4);
}

/* The first reply says where the server listens, the second who has come; "any" and names are no news. */
static void socks5_tells(void **state)
{
    static const struct {
        const char *answer;
        size_t n;
        const char *facts[4];
    } list[] = {
        {BYTES("\5\0\5\0\0\1\12\1\2\3\1\2\5\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\7"),
         {"10.1.2.3", "258", "[::1]", "7"}},
        {BYTES("\5\0\5\0\0\1\0\0\0\0\1\2\5\0\0\3\4host\0\7"), {NULL, NULL, NULL, NULL}},
        {BYTES("\5\0\5\0\0\1\12\1\2\3\1\2\5\1"), {"10.1.2.3", "258", NULL, NULL}},
    };
    static const char *const names[] = {"sockaddr", "sockport", "peeraddr", "peerport"};

    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        const struct dialog d = {S5L("0.0.0.0", "0"), .answer = list[i].answer, .nanswer = list[i].n};
        static struct script s;
        char rest[100];
        size_t nrest;
        struct err e = {0};
        (void)talk(&d, 100, &s, rest, &nrest, &e);
        for (size_t k = 0; k < 4; k++) {
            char *value = run_get_fact(&run, names[k]);
            assert_true((value != NULL) == (list[i].facts[k] != NULL));
            if (value)
                assert_string_equal(value, list[i].facts[k]);
            free(value);
        }
        run_forget(&run);
    }
}

/* The compounds spell the same thing as the inter address over TCP-CONNECT. */
static void compounds(void **state)
{
    static const struct form *const tables[] = {forms_socks4, forms_socks5, forms_http_connect};
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (const struct form *f = tables[i]; f->keyword != NULL; f++) {
            const struct compound *c = f->ops.compound;

            if (f->kind != FORM_COMPOUND)
                continue;
            n++;
            assert_string_equal(c->inter, f->keyword);
            assert_string_equal(c->endpoint, "TCP-CONNECT");
            assert_int_equal(c->inter_params[0], f->min_params - 1);
            assert_int_equal(c->inter_params[1], f->min_params);
            assert_int_equal(f->min_params, f->max_params);
            assert_true((c->port_default != NULL) == (f->min_params == 3));
            assert_int_equal(form_of(tables[i], f->keyword)->left, CTX_RWB);
            assert_int_equal(form_of(tables[i], f->keyword)->right, RIGHT_BOTH);
        }
    assert_int_equal(n, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(socks4_works),   cmocka_unit_test(socks4_user_default),
        cmocka_unit_test(socks4_refuses), cmocka_unit_test(socks5_works),
        cmocka_unit_test(socks5_tells),
        cmocka_unit_test(socks5_refuses), cmocka_unit_test(bad_targets),
        cmocka_unit_test(lengths),        cmocka_unit_test(compounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
