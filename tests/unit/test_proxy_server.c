/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY-SERVER: its dialog, and what stays of it on the line. */
#include "server_dialog.h"

#include "inter/proxy/http_server.h"

#define END "\r\n\r\n"
#define OK200 "HTTP/1.1 200 Connection established" END
#define PLAIN(length) "Content-Type: text/plain; charset=us-ascii\r\nContent-Length: " length "\r\n"
#define CLOSED "Connection: close" END
#define NO400(length, sentence) "HTTP/1.1 400 Bad Request\r\n" PLAIN(length) CLOSED sentence "\n"
#define NO403 "HTTP/1.1 403 Forbidden\r\n" PLAIN("51") CLOSED "This target may not be reached through this proxy.\n"
#define ASKS "Proxy-Authenticate: Basic realm=\"catena\"\r\n"
#define NO407(more) "HTTP/1.1 407 Proxy Authentication Required\r\n" PLAIN("40") ASKS more "This proxy wants a user and a password.\n"
#define LOGIN "Proxy-Authorization: Basic am9lOnMzY3JldA==\r\n" /* joe:s3cret */
#define WRONG "Proxy-Authorization: Basic am9lOnMzY3JlZA==\r\n"
#define CONNECT "CONNECT www.example:443 HTTP/1.1\r\n"
#define GET "GET http://www.example/a?b=c HTTP/1.1\r\nHost: www.example\r\n"
#define STAYS(head) BYTES(head), "", 0, .follows = head "early", .nfollows = sizeof(head "early") - 1

static void it_stands(void **state)
{
    static const struct meeting list[] = {
        {"proxy-server", BYTES(CONNECT "\r\n"), BYTES(OK200), .wish = "@www.example:443"},
        {"proxy-server", BYTES("\r\n\nCONNECT [::1]:1 HTTP/1.0\nHost:\t x \n\n"), BYTES(OK200), .wish = "@[::1]:1"},
        {"proxy-server,auth=joe:s3cret", BYTES(CONNECT "pROXY-authorization:bASIC  am9lOnMzY3JldA \r\n\r\n"), BYTES(OK200),
         .wish = "joe@www.example:443"},
        {"proxy-server,auth=joe:s3cret", BYTES(CONNECT "\r\n" CONNECT WRONG "\r\n" CONNECT LOGIN "\r\n"),
         BYTES(NO407("\r\n") NO407("\r\n") OK200), .wish = "joe@www.example:443"},
        {"proxy-server,auth=joe:s3cret", BYTES("POST http://a/ HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody" CONNECT LOGIN "\r\n"),
         BYTES(NO407("\r\n") OK200), .wish = "joe@www.example:443"},
        {"proxy-server", STAYS(GET "\r\n"), .wish = "@www.example:80"},
        {"proxy-server", STAYS("PUT HTTP://10.1.2.3:8080 HTTP/1.0\nContent-Length: 3\n\nabcd"), .wish = "@10.1.2.3:8080"},
        {"proxy-server,allow=*:80", STAYS(GET "\r\n"), .wish = "@www.example:80"},
        {"proxy-server,commands=forward", STAYS(GET "\r\n"), .wish = "@www.example:80"},
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
    } classes[] = {
        {ERR_REFUSED, "HTTP/1.1 502 Bad Gateway\r\n" PLAIN("32") CLOSED "The target refuses connections.\n"},
        {ERR_UNREACHABLE, "HTTP/1.1 502 Bad Gateway\r\n" PLAIN("28") CLOSED "No way leads to the target.\n"},
        {ERR_NO_NAME, "HTTP/1.1 502 Bad Gateway\r\n" PLAIN("23") CLOSED "There is no such name.\n"},
        {ERR_OTHER, "HTTP/1.1 502 Bad Gateway\r\n" PLAIN("30") CLOSED "The target cannot be reached.\n"},
        {ERR_TIMEOUT, "HTTP/1.1 504 Gateway Timeout\r\n" PLAIN("36") CLOSED "The target does not answer in time.\n"},
        {ERR_UNFIT, "HTTP/1.1 400 Bad Request\r\n" PLAIN("19") CLOSED "That is no target.\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        const char *reply = classes[i].reply;
        const struct meeting tunnel = {"proxy-server", BYTES(CONNECT "\r\n"), reply, strlen(reply), "@www.example:443", classes[i].kind};
        const struct meeting request = {"proxy-server", BYTES(GET "\r\n"), reply, strlen(reply), "@www.example:80", classes[i].kind};
        const char *body = strstr(reply, END) + 4;
        const struct meeting head = {"proxy-server", BYTES("HEAD http://www.example/ HTTP/1.1" END), reply, (size_t)(body - reply),
                                     "@www.example:80", classes[i].kind};
        meet(&tunnel);
        meet(&request);
        meet(&head);
    }
}

/* What is no request: the sentence is the answer, too. */
static void no_request(void **state)
{
    static const char method[] = "the request does not begin with <method> <target> HTTP/1.1", field[] = "the request has a line that is no field",
                      port[] = "the request names no port", bad_port[] = "the request's port is no number from 1 to 65535", host[] = "the request names no host",
                      blanks[] = "the request's target has blanks or other than printable characters in it";
    static const struct {
        const char *head, *why;
    } list[] = {
        {"GET / HTTP/1.1" END, "this is a proxy: it takes CONNECT <host>:<port>, and whole addresses that begin with http://"},
        {"GET https://a/ HTTP/1.1" END, "this is a proxy: it takes CONNECT <host>:<port>, and whole addresses that begin with http://"},
        {"connect a:1 HTTP/1.1" END, "this is a proxy: it takes CONNECT <host>:<port>, and whole addresses that begin with http://"},
        {"GET http://a/" END, method},
        {"GET\thttp://a/ HTTP/1.1" END, method},
        {" GET http://a/ HTTP/1.1" END, method},
        {"G(T http://a/ HTTP/1.1" END, method},
        {"GET http://a/ b HTTP/1.1" END, blanks},
        {"GET http://a/\xff HTTP/1.1" END, blanks},
        {"GET http://a/ HTTP/2.0" END, "the request is not of HTTP/1"},
        {"GET http://a/ HTTP/1.10" END, "the request is not of HTTP/1"},
        {"GET http://a/ http/1.1" END, "the request is not of HTTP/1"},
        {"CONNECT a HTTP/1.1" END, port},
        {"CONNECT a: HTTP/1.1" END, port},
        {"CONNECT a:0 HTTP/1.1" END, bad_port},
        {"CONNECT a:65536 HTTP/1.1" END, bad_port},
        {"CONNECT a:99999999999999999999 HTTP/1.1" END, bad_port},
        {"CONNECT a:8o HTTP/1.1" END, bad_port},
        {"CONNECT :80 HTTP/1.1" END, host},
        {"GET http:///x HTTP/1.1" END, host},
        {"GET http://:80/x HTTP/1.1" END, host},
        {"GET http://joe:pw@a/ HTTP/1.1" END, "the address has parts that are not for a proxy"},
        {"GET http://a/#x HTTP/1.1" END, "the address has parts that are not for a proxy"},
        {"GET http://a/ HTTP/1.1\r\nno colon" END, field},
        {"GET http://a/ HTTP/1.1\r\nA : b" END, field},
        {"GET http://a/ HTTP/1.1\r\nA: b\r\n folded" END, field},
        {"GET http://a/ HTTP/1.1\r\nA: b\rc: d" END, field},
        {"GET http://a/ HTTP/1.1\r\nA: \x1b[m" END, field},
        {"GET http://a/ HTTP/1.1\r\n: b" END, field},
        {"GET http://a/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked" END, "the request has a length and is chunked"},
        {"GET http://a/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2" END, "the request has several lengths"},
        {"GET http://a/ HTTP/1.1\r\nContent-Length: 1, 1" END, "the request's Content-Length is no number"},
        {"GET http://a/ HTTP/1.1\r\nContent-Length: +1" END, "the request's Content-Length is no number"},
        {"GET http://a/ HTTP/1.1\r\nContent-Length: 9999999999999999999" END, "the request's Content-Length is no number"},
        {"GET http://a/ HTTP/1.1\r\nContent-Length:" END, "the request has several lengths"},
        {"GET http://a/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked" END, "the request's Transfer-Encoding is not chunked alone"},
        {"GET http://a/ HTTP/1.0\r\nTransfer-Encoding: chunked" END, "the request's Transfer-Encoding is not chunked alone"},
        {"GET http://a/ HTTP/1.1\r\nConnection: a\r\nConnection: b" END, "the request has Connection twice"},
        {"GET http://a/ HTTP/1.1\r\n" LOGIN LOGIN "\r\n", "the request has several logins"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        char hears[400], length[24];
        (void)snprintf(length, sizeof length, "%zu", strlen(list[i].why) + 1);
        (void)snprintf(hears, sizeof hears, "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=us-ascii\r\nContent-Length: %s\r\n"
                                            "Connection: close\r\n\r\n%s\n", length, list[i].why);
        const struct meeting m = {"proxy-server", list[i].head, strlen(list[i].head), hears, strlen(hears), .message = list[i].why};
        meet(&m);
    }
}

static void refusals(void **state)
{
    static const struct meeting list[] = {
        {"proxy-server", BYTES("CONNECT a;b:1 HTTP/1.1" END), BYTES(NO400("19", "That is no target.")), .message = "is no host name"},
        {"proxy-server", BYTES("CONNECT {sni}:1 HTTP/1.1" END), BYTES(NO400("19", "That is no target.")), .message = "is no host name"},
        {"proxy-server", BYTES("GET http://a|exec/ HTTP/1.1" END), BYTES(NO400("19", "That is no target.")), .message = "is no host name"},
        {"proxy-server", BYTES("CONNECT a\0b:1 HTTP/1.1" END), BYTES(NO400("41", "the request has control characters in it")),
         .message = "control characters"},
        {"proxy-server", BYTES("GET http://a/ HTTP/1.1\r\nA: b"), BYTES(NO400("29", "The request is no whole one.")), .message = "closed the connection"},
        {"proxy-server,deny=*", BYTES(CONNECT "\r\n"), BYTES(NO403), .message = "may not be reached"},
        {"proxy-server,deny=127.0.0.0/8", BYTES("CONNECT 0:80 HTTP/1.1\r\n\r\n"), BYTES(NO403), .message = "may not be reached"},
        {"proxy-server,deny=127.0.0.0/8", BYTES("GET http://[::ffff:0.0.0.0]/ HTTP/1.1\r\n\r\n"), BYTES(NO403), .message = "may not be reached"},
        {"proxy-server,deny=10.9.9.1", BYTES("CONNECT 0x0a.9.9.1:80 HTTP/1.1\r\n\r\n"), BYTES(NO403), .message = "may not be reached"},
        {"proxy-server,commands=connect", BYTES(GET "\r\n"),
         BYTES("HTTP/1.1 405 Method Not Allowed\r\n" PLAIN("31") "Allow: CONNECT\r\n" CLOSED "This proxy makes tunnels only.\n"),
         .message = "a request forwarded, which is not served"},
        {"proxy-server,commands=forward", BYTES(CONNECT "\r\n"),
         BYTES("HTTP/1.1 405 Method Not Allowed\r\n" PLAIN("29") "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n" CLOSED
               "This proxy makes no tunnels.\n"), .message = "a tunnel, which is not served"},
        {"proxy-server,deny=*", BYTES("OPTIONS http://a/ HTTP/1.1\r\nMax-Forwards: 00\r\nContent-Length: 2" END "hi"),
         BYTES("HTTP/1.1 200 OK\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\nContent-Length: 0\r\n" CLOSED),
         .message = "asks this proxy itself"},
        {"proxy-server,auth=joe:s3cret", BYTES("OPTIONS http://a/ HTTP/1.0\r\nMax-Forwards: 0" END), BYTES(NO407(CLOSED)),
         .message = "has not logged in"},
        {"proxy-server,auth=joe:s3cret", BYTES("CONNECT a:1 HTTP/1.0" END), BYTES(NO407(CLOSED)), .message = "has not logged in"},
        {"proxy-server,auth=joe:s3cret", BYTES(CONNECT "Proxy-Connection: keep-alive, Close\r\n" WRONG "\r\n"), BYTES(NO407(CLOSED)),
         .message = "do not belong together"},
        {"proxy-server,auth=joe:s3cret", BYTES("POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked" END), BYTES(NO407(CLOSED)),
         .message = "has not logged in"},
        {"proxy-server,auth=joe:s3cret", BYTES(CONNECT "Authorization: Basic am9lOnMzY3JldA==\r\nConnection: close" END), BYTES(NO407(CLOSED)),
         .message = "has not logged in"},
        {"proxy-server,auth=joe:s3cret", BYTES(CONNECT "Proxy-Authorization: Basic am9l!\r\nConnection: close" END), BYTES(NO407(CLOSED)),
         .message = "do not belong together"},
    };
    static const char eight[] = CONNECT "\r\n" CONNECT "\r\n" CONNECT "\r\n" CONNECT "\r\n" CONNECT "\r\n" CONNECT "\r\n" CONNECT "\r\n" CONNECT "\r\n";
    static const struct meeting often = {
        "proxy-server,auth=joe:s3cret", BYTES(eight),
        BYTES(NO407("\r\n") NO407("\r\n") NO407("\r\n") NO407("\r\n") NO407("\r\n") NO407("\r\n") NO407("\r\n") NO407(CLOSED)),
        .message = "has not logged in"};
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        meet(&list[i]);
    meet(&often);
}

static void too_much(void **state)
{
    static char says[HTTP_HEAD_MAX + 100], line[] = "A: 0123456789012345678901234567890123456789\r\n";
    static const char hears[] = NO400("29", "The request is no whole one.");
    size_t n = sizeof GET - 1;
    (void)state;
    memcpy(says, GET, n);
    while (n < HTTP_HEAD_MAX + 10) {
        memcpy(says + n, line, sizeof line - 1);
        n += sizeof line - 1;
    }
    const struct meeting m = {"proxy-server", says, n, hears, sizeof hears - 1, .message = "more than 65536 bytes"};
    struct stage stage;
    stage_open(&stage, m.address);
    meet_once(&m, stage.plan, stage.shared, says, n, 1000);
    stage_close(&stage);
}

/* ---- what stays ---- */

struct passage {
    const char *address, *comes, *goes;
    int ends; /* the codec ends the flow, 2; fails, -1 */
};

static size_t push_all(const struct codec_ops *ops, void *st, const char *comes, size_t n, char *goes, size_t cap, size_t room, int *rc)
{
    struct buf in, out;
    struct err e = {0};
    size_t ngoes = 0;
    assert_int_equal(buf_init(&in, n + 1), 0);
    assert_int_equal(buf_init(&out, room), 0);
    buf_put(&in, comes, n);
    do {
        *rc = ops->push(st, &in, &out, CODEC_RUN, &e);
        assert_true(ngoes + out.len <= cap);
        if (out.len > 0)
            memcpy(goes + ngoes, buf_data(&out), out.len);
        ngoes += out.len;
        buf_consume(&out, out.len);
    } while (*rc == 0);
    buf_fini(&in);
    buf_fini(&out);
    return ngoes;
}

static void pass_once(const struct passage *x, struct run *r, const struct addr *a, size_t cut, size_t room)
{
    const struct codec_ops *ops = http_forward.decode;
    static char goes[4096];
    struct err e;
    const struct codec_place place = {.addr = a, .run = r, .to_right = true};
    void *st = calloc(1, ops->state_size);
    int rc = 0;
    size_t n = strlen(x->comes), got;
    assert_non_null(st);
    assert_int_equal(ops->init(st, a, &e), 0);
    assert_int_equal(ops->start(st, &place, &e), 0);
    got = push_all(ops, st, x->comes, cut, goes, sizeof goes, room, &rc);
    if (rc == 1)
        got += push_all(ops, st, x->comes + cut, n - cut, goes + got, sizeof goes - got, room, &rc);
    if (got != strlen(x->goes) || memcmp(goes, x->goes, got) != 0 || rc != (x->ends ? x->ends : 1))
        fail_msg("cut at %zu of \"%s\": %d \"%.*s\"", cut, x->comes, rc, (int)got, goes);
    ops->fini(st);
    free(st);
}

#define VIA "Via: 1.1 catena\r\n"
#define ABS(path) "GET http://a" path " HTTP/1.1\r\n"
#define GONE(path) "GET " path " HTTP/1.1\r\nHost: a\r\n"
static void what_stays(void **state)
{
    static const struct passage list[] = {
        {"", ABS("/x") "\r\n", GONE("/x") VIA "\r\n"},
        {"", ABS("") "Host: other\r\n\r\n", GONE("/") VIA "\r\n"},
        {"", ABS("?q") "A:b\r\n\r\n", GONE("/?q") "A: b\r\n" VIA "\r\n"},
        {"", "OPTIONS http://a:80 HTTP/1.1" END, "OPTIONS * HTTP/1.1\r\nHost: a:80\r\n" VIA "\r\n"},
        {"", "OPTIONS http://a/ HTTP/1.1\r\nMax-Forwards: 10" END ABS("/2") "Max-Forwards: 0\r\n\r\n"
             "TRACE http://a/ HTTP/1.1\r\nmax-forwards: 99999999999999999999999\r\nA: b" END,
         "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 9\r\n" VIA "\r\n" GONE("/2") "Max-Forwards: 0\r\n" VIA "\r\n"
         "TRACE / HTTP/1.1\r\nHost: a\r\nA: b\r\nMax-Forwards: 4294967294\r\n" VIA "\r\n"},
        {"", ABS("/1") "\r\nOPTIONS http://a/ HTTP/1.1\r\nMax-Forwards: 0" END, GONE("/1") VIA "\r\n", 2},
        {"", ABS("/1") "\r\nTRACE http://a/ HTTP/1.1\r\nMax-Forwards: -1" END, GONE("/1") VIA "\r\n", 2},
        {"", ABS("/") "Connection: x-a, keep-alive, Content-Length\r\nX-A: 1\r\nX-B: 2\r\nKeep-Alive: 3\r\nTE: x\r\nUpgrade: y\r\n"
             "Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic x\r\nContent-Length: 0" END,
         GONE("/") "X-B: 2\r\nContent-Length: 0\r\n" VIA "\r\n"},
        {"", ABS("/1") "\r\n" ABS("/2") "\r\n\r\nGET http://A:80/3 HTTP/1.1" END,
         GONE("/1") VIA "\r\n" GONE("/2") VIA "\r\n" "GET /3 HTTP/1.1\r\nHost: A:80\r\n" VIA "\r\n"},
        {"", "POST http://a/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello" ABS("/2") "\r\n",
         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" VIA "\r\nhello" GONE("/2") VIA "\r\n"},
        {"", "POST http://a/ HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=\"y\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\n" ABS("/2") "\r\n",
         "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n" VIA "\r\n3;x=\"y\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\n" GONE("/2") VIA "\r\n"},
        {"", ABS("/") "Connection: close\r\n\r\n" ABS("/2") "\r\n", GONE("/") VIA "Connection: close" END},
        {"", "GET http://a/ HTTP/1.0" END ABS("/2") "\r\n", "GET / HTTP/1.0\r\nHost: a\r\nVia: 1.0 catena\r\nConnection: close" END},
        {"", ABS("/1") "\r\nGET http://b/2 HTTP/1.1" END "more", GONE("/1") VIA "\r\n", 2},
        {"", ABS("/1") "\r\nGET http://a:81/2 HTTP/1.1" END, GONE("/1") VIA "\r\n", 2},
        {"", ABS("/1") "\r\nCONNECT a:80 HTTP/1.1" END, GONE("/1") VIA "\r\n", 2},
        {"", ABS("/1") "\r\nGET /2 HTTP/1.1" END, GONE("/1") VIA "\r\n", 2},
        {",auth=joe:s3cret", ABS("/1") LOGIN "\r\n" ABS("/2") LOGIN "\r\n", GONE("/1") VIA "\r\n" GONE("/2") VIA "\r\n"},
        {",auth=joe:s3cret", ABS("/1") LOGIN "\r\n" ABS("/2") "\r\n", GONE("/1") VIA "\r\n", 2},
        {",auth=joe:s3cret", ABS("/1") LOGIN "\r\n" ABS("/2") WRONG "\r\n", GONE("/1") VIA "\r\n", 2},
#define CHUNKS "POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
#define PASSED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" VIA "\r\n"
        {"", CHUNKS "x", PASSED "x", -1},
        {"", CHUNKS "\r\n", PASSED "\r\n", -1},
        {"", CHUNKS "3\n", PASSED "3\n", -1},
        {"", CHUNKS "3\r\r", PASSED "3\r\r", -1},
        {"", CHUNKS "3 \rx", PASSED "3 \rx", -1},
        {"", CHUNKS "3x", PASSED "3x", -1},
        {"", CHUNKS "-3", PASSED "-", -1},
        {"", CHUNKS "11112222333344445", PASSED "1111222233334444", -1},
        {"", CHUNKS "1\r\nab", PASSED "1\r\nab", -1},
        {"", CHUNKS "1\r\na\r\r", PASSED "1\r\na\r\r", -1},
        {"", CHUNKS "0\r\nA\rb", PASSED "0\r\nA\rb", -1},
        {"", CHUNKS "0\r\nA: b\n", PASSED "0\r\nA: b\n", -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        char address[100];
        struct stage stage;
        (void)snprintf(address, sizeof address, "proxy-server%s", list[i].address);
        stage_open(&stage, address);
        for (size_t cut = 0; cut <= strlen(list[i].comes); cut++)
            for (size_t room = 1; room < 5000; room *= 70)
                pass_once(&list[i], &stage.run, stage.addr, cut, room);
        stage_close(&stage);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_stands), cmocka_unit_test(it_has_failed), cmocka_unit_test(no_request),
        cmocka_unit_test(refusals),  cmocka_unit_test(too_much),      cmocka_unit_test(what_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
