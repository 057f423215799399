/* SPDX-License-Identifier: GPL-2.0-or-later
 * The negotiator PROXY. */
#include <stdio.h>
#include <unistd.h>

#include "dialog.h"
#include "inter/proxy/opts_proxy.h"

#define OK "HTTP/1.0 200 OK\r\n\r\n"

static void proxy_works(void **state)
{
    static const struct dialog list[] = {
        {P("www.example", "443"), .request = "CONNECT www.example:443 HTTP/1.0\r\n\r\n",
         .nrequest = 36, BYTES(OK), "early\r\n\r\n"},
        {P("www.example", "ssh"),
         {{0}},
         BYTES("CONNECT www.example:22 HTTP/1.0\r\n\r\n"),
         BYTES("HTTP/1.1 299\r\nA: b\r\nVia: \xff\x1b[m\r\n\r\n"),
         "\r\nx"},
        {P("[::1]", "1"),
         {{0}},
         BYTES("CONNECT [::1]:1 HTTP/1.0\r\n\r\n"),
         BYTES("HTTP/1.9 200 \n\n"),
         "\n"},
        {P("a", "1"), {{0}}, BYTES("CONNECT a:1 HTTP/1.0\r\n\r\n"),
         BYTES("HTTP/1.0   200   OK\r\n\r\n")},
        {P("a", "1"), {{0}}, BYTES("CONNECT a:1 HTTP/1.0\r\n\r\n"),
         BYTES("HTTP/1.0 \t 200\tOK\r\n\r\n")},
        {P("a", "1"),
         {{&opt_http_version, "1.1"}},
         BYTES("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
         BYTES("HTTP/1.1 100 Go on\r\nA: b\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n" OK), "x"},
        {P("localhost", "1"),
         {{&opt_proxy_resolve, NULL}},
         BYTES("CONNECT 127.0.0.1:1 HTTP/1.0\r\n\r\n"),
         BYTES(OK)},
        {P("a", "1"),
         {{&opt_ignorecr, NULL}},
         BYTES("CONNECT a:1 HTTP/1.0\r\n\r\n"),
         BYTES("HTTP/1.0 \r200 OK\r\r\nA: b\r\n\r\r\r\n"),
         "\r"},
        {P("a", "1"),
         {{&opt_proxy_auth, "user:pass"}},
         BYTES("CONNECT a:1 HTTP/1.0\r\n"
               "Proxy-authorization: Basic dXNlcjpwYXNz\r\n\r\n"),
         BYTES(OK),
         "x"},
        {P("a", "1"),
         {{&opt_proxy_auth, "f"}},
         BYTES("CONNECT a:1 HTTP/1.0\r\nProxy-authorization: Basic Zg==\r\n\r\n"),
         BYTES(OK)},
        {P("a", "1"),
         {{&opt_proxy_auth, "fo"}},
         BYTES("CONNECT a:1 HTTP/1.0\r\nProxy-authorization: Basic Zm8=\r\n\r\n"),
         BYTES(OK)},
        {P("a", "1"),
         {{&opt_proxy_auth, "\xff\xfe\xfd?>"}},
         BYTES("CONNECT a:1 HTTP/1.0\r\nProxy-authorization: Basic //79Pz4=\r\n\r\n"),
         BYTES(OK)},
    };

    (void)state;
    PLAY(list);
}

#define FAILSP(a_, k, t)                                                                           \
    {                                                                                              \
        P("a", "1"), .answer = a_, .nanswer = sizeof(a_) - 1, .kind = k,                           \
                     .text = "proxy dialog: " t                                                    \
    }

static void proxy_refuses(void **state)
{
    static const struct dialog list[] = {
        FAILSP("HTTP/1.1 403 Filtered\r\n", ERR_DENIED, "the proxy refused a:1: 403 Filtered"),
        FAILSP("HTTP/1.0 100 Continue\r\n", ERR_PROTOCOL, CLOSED),
        FAILSP("HTTP/1.0 100 Continue\r\n\r\nHTTP/1.1 403 No\r\n", ERR_DENIED, "the proxy refused a:1: 403 No"),
        FAILSP("HTTP/1.0 101 Switched\r\n", ERR_OTHER, "the proxy refused a:1: 101 Switched"),
        FAILSP("HTTP/1.0 302\r\n", ERR_OTHER, "the proxy refused a:1: 302"),
        FAILSP("HTTP/1.0 429 Slow\r\n", ERR_BUSY, "the proxy refused a:1: 429 Slow"),
        FAILSP("HTTP/1.0 502 \x1b[31mred\a\xc3\xa9\r\n", ERR_UNREACHABLE,
               "the proxy refused a:1: 502 [31mred"),
        FAILSP("HTTP/1.1 407 Who\r\n", ERR_DENIED,
               "the proxy refused a:1: 407 Who; give proxy-authorization"),
        FAILSP("HTTP/2 200\r\n", ERR_PROTOCOL, "the reply is not HTTP/1: \"HTTP/2 200\""),
        FAILSP("HTTP/1.1   404 No\r\n", ERR_OTHER, "the proxy refused a:1: 404 No"),
        FAILSP("HTTP/1.1 20\r\n", ERR_PROTOCOL, "the reply is not HTTP/1: \"HTTP/1.1 20\""),
        FAILSP("HTTP/1.1  2 0\r\n", ERR_PROTOCOL, "the reply is not HTTP/1: \"HTTP/1.1  2 0\""),
        FAILSP("HTTP/1.1 2000\r\n", ERR_PROTOCOL, "the reply is not HTTP/1: \"HTTP/1.1 2000\""),
        FAILSP("HTTP/1.x 200 OK\r\n", ERR_PROTOCOL, "the reply is not HTTP/1: \"HTTP/1.x 200 OK\""),
        FAILSP("HTTP/1.", ERR_PROTOCOL, CLOSED),
        FAILSP("HTTP/1.\r\n", ERR_PROTOCOL, "the reply is not HTTP/1: \"HTTP/1.\""),
        FAILSP("\r\n", ERR_PROTOCOL, "the reply is not HTTP/1: \"\""),
        FAILSP("220 mail\a.example\r\n", ERR_PROTOCOL,
               "the reply is not HTTP/1: \"220 mail.example\""),
        FAILSP("HTTP/1.0 200 OK\0\r\n\r\n", ERR_PROTOCOL,
               "the peer sent a line with a NUL byte in it"),
        FAILSP("HTTP/1.0 200 OK\r\nA\0\r\n\r\n", ERR_PROTOCOL,
               "the peer sent a line with a NUL byte in it"),
        FAILSP("HTTP/1.0 200 OK\r\nA: b\r\n", ERR_PROTOCOL, CLOSED),
        FAILSP("HTTP/1.0 200 OK\r\n\r", ERR_PROTOCOL, CLOSED),
        FAILSP("", ERR_PROTOCOL, CLOSED),
        {P("a", "1"),
         {{&opt_proxy_auth, "u:p"}},
         NULL,
         0,
         BYTES("HTTP/1.1 407 No\r\n"),
         NULL,
         ERR_DENIED,
         "proxy dialog: the proxy refused a:1: 407 No (the credentials were sent)"},
        {P("a", "1"),
         {{&opt_http_version, "1.1\r\nX: y"}},
         "",
         0,
         NULL,
         0,
         NULL,
         ERR_USAGE,
         "proxy dialog: http-version=1.1\r\nX: y: 1.0, 1.1 and 2 are possible"},
        {P("a", "1"),
         {{&opt_proxy_auth, "/nonexistent", true}},
         "",
         0,
         NULL,
         0,
         NULL,
         ERR_OTHER,
         "proxy dialog: proxy-authorization-file \"/nonexistent\": no such file or directory"},
    };

    (void)state;
    PLAY(list);
}

/* What has no end is given up at a bound. */
static void proxy_bounds(void **state)
{
    enum { N = 70000 };
    char *answer = malloc(N);
    struct dialog d = {P("a", "1"), .answer = answer, .nanswer = N, .kind = ERR_PROTOCOL,
                       .text = "proxy dialog: the peer sent a line of more than 8191 bytes"};
    size_t start = sizeof "HTTP/1.0 200 OK\r\n" - 1;

    (void)state;
    assert_non_null(answer);
    memset(answer, 'a', N);
    play(&d);
    memcpy(answer, "HTTP/1.0 200 OK\r\n", start);
    play(&d);
    for (size_t i = start + 1000; i + 1 < N; i += 1000)
        memcpy(answer + i, "\r\n", 2);
    d.text = "proxy dialog: the reply's header has more than 65536 bytes";
    play(&d);
    free(answer);
}

static void credentials_file(void **state)
{
    static const struct {
        const char *content, *request;
    } list[] = {
        {"user:pass", "CONNECT a:1 HTTP/1.0\r\nProxy-authorization: Basic dXNlcjpwYXNz\r\n\r\n"},
        {"user:pass\n", "CONNECT a:1 HTTP/1.0\r\nProxy-authorization: Basic dXNlcjpwYXNz\r\n\r\n"},
        {"user:pass\r\nmore\n",
         "CONNECT a:1 HTTP/1.0\r\nProxy-authorization: Basic dXNlcjpwYXNz\r\n\r\n"},
        {"", "CONNECT a:1 HTTP/1.0\r\n\r\n"},
    };
    char path[] = "/tmp/test_negotiate.XXXXXX", text[200];
    int fd = mkstemp(path);
    struct dialog d = {P("a", "1"), {{&opt_proxy_auth, path, true}}, NULL, 0, BYTES(OK)};

    (void)state;
    assert_true(fd >= 0);
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        size_t n = strlen(list[i].content);

        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, list[i].content, n, 0), (ssize_t)n);
        d.request = list[i].request;
        d.nrequest = strlen(d.request);
        play(&d);
    }
    assert_int_equal(ftruncate(fd, 4097), 0);
    d.request = "";
    d.nrequest = 0;
    d.kind = ERR_OTHER;
    snprintf(text, sizeof text,
             "proxy dialog: proxy-authorization-file \"%s\": more than 4096 bytes", path);
    d.text = text;
    play(&d);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proxy_works),
        cmocka_unit_test(proxy_refuses),
        cmocka_unit_test(proxy_bounds),
        cmocka_unit_test(credentials_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
