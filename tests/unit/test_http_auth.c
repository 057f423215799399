/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a proxy asks of its clients, and what they answer: challenges, Digest, and the turns of the dialog. */
#include <stdio.h>
#include <unistd.h>

#include "dialog.h"
#include "inter/proxy/http_auth.h"
#include "inter/proxy/http_digest.h"

/* ---- challenges ---- */

static void challenges_are_read(void **state)
{
    enum { B = 1 << SCHEME_BASIC, D = 1 << SCHEME_DIGEST, N = 1 << SCHEME_NTLM, G = 1 << SCHEME_NEGOTIATE };
    static const struct {
        const char *fields[3];
        unsigned offered;
        const char *names, *realm, *nonce, *word, *token;
    } list[] = {
        {{"Basic realm=\"a, Digest nonce=b\""}, B, "Basic"},
        {{"Basic"}, B, "Basic"},
        {{"NTLM, Negotiate"}, N | G, "NTLM, Negotiate"},
        {{"Negotiate", "NTLM", "Basic realm=x"}, B | N | G, "Negotiate, NTLM, Basic"},
        {{"negotiate oYG2MIGzoAMKAQ=="}, G, "negotiate", .token = "oYG2MIGzoAMKAQ=="},
        {{"Negotiate abc== , Basic realm=x"}, B | G, "Negotiate, Basic", .token = "abc=="},
        {{"Digest realm=\"a\\\"\\\\b\", nonce=\"n,\", qop=\"auth,auth-int\""}, D, "Digest", "a\"\\b", "n,"},
        {{"Digest realm = \"r\" , nonce = n , stale=TRUE, Basic realm=\"z\""}, B | D, "Digest, Basic", "r", "n"},
        {{"Digest nonce=1, algorithm=MD5", "Digest nonce=2, algorithm=sha-256, qop=auth", "Digest nonce=3,algorithm=MD5-sess"},
         D, "Digest, Digest, Digest", "", "2", "SHA-256"},
        {{"Digest nonce=1, algorithm=SHA-512-256-sess, Digest nonce=2"}, D, "Digest, Digest", "", "1", "SHA-512-256-sess"},
        {{"Digest realm=r, nonce=n, qop=\"auth-int\""}, 0, "Digest"},
        {{"Digest realm=r, nonce=n, algorithm=TIGER"}, 0, "Digest"},
        {{"Digest realm=r"}, 0, "Digest"},
        {{"Bearer realm=\"x\", Basic realm=\"y\""}, B, "Bearer, Basic"},
        {{"Bearer a68=, Basic"}, B, "Bearer, Basic"},
        {{"Digest realm=\"no end, nonce=n"}, 0, "Digest"},
        {{"", ",, ,", "\x01"}, 0, ""},
        {{"=a, Basic realm=x"}, 0, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct challenges c = {0};
        for (size_t k = 0; k < 3 && list[i].fields[k]; k++)
            assert_int_equal(challenges_add(&c, list[i].fields[k]), 0);
        assert_string_equal(c.names, list[i].names);
        assert_int_equal(c.offered, list[i].offered);
        if (list[i].nonce) {
            assert_string_equal(c.digest.realm, list[i].realm);
            assert_string_equal(c.digest.nonce, list[i].nonce);
        }
        if (list[i].word)
            assert_string_equal(c.digest.word, list[i].word);
        if (list[i].token)
            assert_string_equal(c.token[SCHEME_NEGOTIATE], list[i].token);
        challenges_fini(&c);
    }
}

static void long_values_are_no_challenge(void **state)
{
    char text[2000] = "Digest realm=r, nonce=\"";
    struct challenges c = {0};
    (void)state;
    memset(text + strlen(text), 'a', 511);
    strcat(text, "\"");
    assert_int_equal(challenges_add(&c, text), 0);
    assert_int_equal(c.offered, 1 << SCHEME_DIGEST);
    text[strlen(text) - 1] = 'a';
    strcat(text, "\", Basic realm=r");
    challenges_fini(&c);
    assert_int_equal(challenges_add(&c, text), 0);
    assert_int_equal(c.offered, 1 << SCHEME_BASIC);
    challenges_fini(&c);
}

/* ---- Digest ---- */

static void digests(void **state)
{
    static const struct digest_answer mufasa = {"Mufasa", "Circle of Life", "GET", "/dir/index.html",
                                                "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1},
                                      lion = {"Mufasa", "Circle Of Life", "GET", "/dir/index.html", "0a4f113b", 1},
                                      cub = {"Mufasa", "CircleOfLife", "GET", "/dir/index.html", "c", 1},
                              joe = {"joe", "pw", "CONNECT", "h:1", "c", 16},
                                      jason = {"J\xc3\xa4s\xc3\xb8n Doe", "Secret, or not?", "GET", "/doe.json",
                                               "NTg6RKcb9boFIAS3KrFK9BGeh+niz/sm", 1};
#define MD5_SESS    "606e8f7e34a866a274546827369247bd"
#define SHA256_SESS "903c6384819ccd821450273c5d0767de6c249fd18dfecb7222bf094e39f2e3f4"
#define SHA512_SESS "578df4a21eed0a35119b28647630cd50ce9ddbca7c9866a320e9465e2751ef6c"
#define RFC7616 "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", " \
                "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
#define RFC2617 "realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\""
    static const struct {
        const char *challenge;
        const struct digest_answer *w;
        const char *parts[4]; /* of what is said */
        const char *none;     /* no part of it */
    } list[] = {
        {"Digest algorithm=MD5, " RFC7616, &mufasa,
         {"Digest username=\"Mufasa\", realm=\"http-auth@example.org\", nonce=\"7ypf", "response=\"8ca523f5e9506fed4657c9700eebdbec\"",
          "algorithm=MD5,", "qop=auth, nc=00000001"}, "userhash"},
        {"Digest algorithm=SHA-256, " RFC7616, &mufasa,
         {"response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"",
          "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"", "cnonce=\"f2/wE4", "uri=\"/dir/index.html\""}, "stale"},
        {"Digest qop=auth, " RFC2617, &lion, {"response=\"6629fae49393a05397450978507c4ef1\""}, "algorithm"},
        {"Digest " RFC2617, &cub,
         {"response=\"1949323746fe6a43ef61f9606e7febea\""}, "cnonce"},
        {"Digest realm=r, nonce=n, qop=auth, algorithm=MD5-sess", &joe,
         {"response=\"" MD5_SESS "\"", "algorithm=MD5-sess", "nc=00000010", "qop=auth"}, "opaque"},
        {"Digest realm=r, nonce=n, qop=auth, algorithm=SHA-256-sess", &joe, {"response=\"" SHA256_SESS "\""}, "opaque"},
        {"Digest realm=r, nonce=n, qop=auth, algorithm=SHA-512-256-sess", &joe, {"response=\"" SHA512_SESS "\""}, "opaque"},
        {"Digest realm=\"a\\\"b\", nonce=n", &joe, {"realm=\"a\\\"b\""}, "qop"},
        {"Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
         "charset=UTF-8, userhash=true", &jason,
         {"username=\"793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b\"",
          "response=\"7a4e1192babbba02e91182d2895bfdbf7adafc6e48d4e517ca301974843d840c\"", "userhash=true"}, "username*"},
        {"Digest realm=r, nonce=n, charset=UTF-8", &jason, {"username*=UTF-8''%4A%C3%A4%73%C3%B8%6E%20%44%6F%65, "}, "username="},
        {"Digest realm=r, nonce=n", &jason, {"username=\"J\xc3\xa4s\xc3\xb8n Doe\", "}, "username*"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        struct challenges c = {0};
        struct buf said = {0};
        struct err e = {0};
        assert_int_equal(challenges_add(&c, list[i].challenge), 0);
        assert_int_equal(c.offered, 1 << SCHEME_DIGEST);
        assert_int_equal(digest_write(&c.digest, list[i].w, &said, &e), 0);
        assert_int_equal(buf_grow(&said, said.len + 1), 0);
        buf_put(&said, "", 1);
        const char *text = (const char *)buf_data(&said);
        for (size_t k = 0; k < 4 && list[i].parts[k]; k++)
            if (!strstr(text, list[i].parts[k]))
                fail_msg("%s\nlacks %s", text, list[i].parts[k]);
        assert_null(strstr(text, list[i].none));
        buf_fini(&said);
        challenges_fini(&c);
    }
}

/* ---- turns ---- */

#define ASKS(fields, more) "HTTP/1.1 407 Who\r\n" fields "Content-Length: 3\r\n\r\nno\n" more
#define OK                 "HTTP/1.1 200 OK\r\n\r\n"
#define DIGEST             "Proxy-Authenticate: Digest realm=r, nonce=n, qop=auth\r\n"
#define STALE              "Proxy-Authenticate: Digest realm=r, nonce=n2, qop=auth, stale=true\r\n"
#define BASIC              "Proxy-Authenticate: Basic realm=r\r\n"
#define NTLM               "Proxy-Authenticate: NTLM\r\n"
#define FIRST              "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nProxy-Connection: keep-alive\r\n"
#define BASIC_SAID         "Proxy-authorization: Basic dTpw\r\n\r\n"
#define U                  {&opt_proxy_auth, "u:p"}
#define ANY                {&opt_auth_scheme, "any"}
#define SAYS(text_)        .request = text_, .nrequest = sizeof(text_) - 1
#define WORKS(answer_, ...) {P("a", "1"), .answer = answer_, .nanswer = sizeof(answer_) - 1, .early = "\r\nx", __VA_ARGS__}
#define FAILS(answer_, kind_, text_, ...)                                                          \
    {P("a", "1"), .answer = answer_, .nanswer = sizeof(answer_) - 1, .kind = kind_, .text = "proxy dialog: " text_, __VA_ARGS__}
/* Speaks all helpers' language: YR first, then what it was told; T (no token) where it is asked to fail. */
#define HELPER "while read w t; do case $w.$t in YR.*) echo 'YR TlRMTVNTUAAB';; TT.dHlwZTI=) echo KK dHlwZTM=;; *) echo BH no;; esac; done"
#define HELPED(command) {&opt_auth_helper, command}

static void turns(void **state)
{
    static const struct dialog list[] = {
        WORKS(ASKS(DIGEST, OK), .settings = {U}),
        WORKS(ASKS(DIGEST, OK), .settings = {U, ANY}),
        WORKS(ASKS(DIGEST, ASKS(STALE, OK)), .settings = {U}),
        WORKS(ASKS(BASIC, OK), SAYS(FIRST "\r\n" FIRST BASIC_SAID), .settings = {U, ANY}),
        WORKS("HTTP/1.1 407 Who\r\nTransfer-Encoding: chunked\r\n" BASIC "\r\n1;x\r\na\r\n0\r\nB: c\r\n\r\n" OK,
              SAYS(FIRST "\r\n" FIRST BASIC_SAID), .settings = {U, ANY}),
        WORKS(ASKS(NTLM, ASKS("Proxy-Authenticate: NTLM dHlwZTI=\r\n", OK)),
              SAYS(FIRST "\r\n" FIRST "Proxy-authorization: NTLM TlRMTVNTUAAB\r\n\r\n" FIRST
                               "Proxy-authorization: NTLM dHlwZTM=\r\n\r\n"), .settings = {HELPED(HELPER)}),
        WORKS(ASKS("Proxy-Authenticate: Negotiate\r\n", ASKS("Proxy-Authenticate: Negotiate dHlwZTI=\r\n", OK)),
              SAYS(FIRST "\r\n" FIRST "Proxy-authorization: Negotiate TlRMTVNTUAAB\r\n\r\n" FIRST
                               "Proxy-authorization: Negotiate dHlwZTM=\r\n\r\n"), .settings = {HELPED(HELPER), U}),
        /* what the helper speaks, of both */
        WORKS(ASKS("Proxy-Authenticate: Negotiate, NTLM, Basic realm=r\r\n", OK),
              SAYS(FIRST "\r\n" FIRST "Proxy-authorization: NTLM TlRMTVNTUAAB\r\n\r\n"), .settings = {HELPED(HELPER), U}),
        WORKS(ASKS("Proxy-Authenticate: NTLM, Negotiate\r\n", OK),
              SAYS(FIRST "\r\n" FIRST "Proxy-authorization: Negotiate YII=\r\n\r\n"),
              .settings = {HELPED("while read x; do echo AF '*' YII=; done")}),
        /* a password that it asks for */
        WORKS(ASKS(NTLM, OK), SAYS(FIRST "\r\n" FIRST "Proxy-authorization: NTLM cA==\r\n\r\n"),
              .settings = {U, HELPED("while read w t; do case $w in PW) p=$t; echo OK;; *) echo ${p:+YR} ${p:-PW};; esac; done")}),
        /* the next best, when that was refused */
        WORKS(ASKS(NTLM BASIC, ASKS(NTLM BASIC, OK)),
              SAYS(FIRST "\r\n" FIRST "Proxy-authorization: NTLM TlRMTVNTUAAB\r\n\r\n" FIRST BASIC_SAID),
              .settings = {U, HELPED(HELPER)}),
        FAILS(ASKS(DIGEST, ASKS(DIGEST, "")), ERR_DENIED, "the proxy refused a:1: 407 Who (the credentials were sent; it offers Digest)",
              .settings = {U, ANY}),
        FAILS(ASKS(BASIC, ASKS(BASIC, "")), ERR_DENIED, "the proxy refused a:1: 407 Who (the credentials were sent; it offers Basic)",
              .settings = {U, ANY}),
        FAILS(ASKS(BASIC, ""), ERR_DENIED, "the proxy refused a:1: 407 Who; none of what it offers is to be used (it offers Basic)",
              .settings = {U, {&opt_auth_scheme, "digest"}}),
        FAILS(ASKS(NTLM, ""), ERR_DENIED, "the proxy refused a:1: 407 Who; give proxy-auth-helper (it offers NTLM)",
              .settings = {{NULL}}),
        FAILS(ASKS(DIGEST, ASKS(STALE, ASKS(STALE, ASKS(STALE, ASKS(STALE, ASKS(STALE, ASKS(STALE, ASKS(STALE, "")))))))), ERR_DENIED,
              "the proxy has asked 8 times who we are, and still does", .settings = {U}),
        FAILS(ASKS(NTLM, ""), ERR_DENIED, "the helper has nothing to say to the proxy: \"BH nobody\"",
              .settings = {HELPED("read x; echo BH nobody")}),
        FAILS(ASKS(NTLM, ""), ERR_OTHER, "the helper has ended without an answer", .settings = {HELPED("read x; exit 3")}),
        FAILS(ASKS(NTLM, ""), ERR_PROTOCOL, "the helper's answer has more than 65536 bytes",
              .settings = {HELPED("exec cat /dev/zero")}),
        FAILS(ASKS(NTLM, ""), ERR_DENIED, "the helper wants a password; give proxy-authorization",
              .settings = {HELPED("read x; echo PW")}),
        FAILS(ASKS(NTLM, ASKS("Connection: close\r\nProxy-Authenticate: NTLM dHlwZTI=\r\n", "")), ERR_DENIED,
              "the proxy closes the connection, which the dialog of NTLM belongs to", .settings = {HELPED(HELPER)}),
    };
    (void)state;
    PLAY(list);
}

/* Nothing of a dialog that is cut off anywhere is taken for one that went well. */
static void turns_cut_off(void **state)
{
    static const char whole[] = ASKS(BASIC, "HTTP/1.1 100 Wait\r\n\r\n" ASKS(DIGEST, OK));
    static struct script s;
    (void)state;
    for (size_t n = 0; n < sizeof whole; n++) {
        const struct dialog d = {P("a", "1"), .settings = {U, ANY}, .answer = whole, .nanswer = n};
        struct err e = {0};
        char rest[8];
        size_t nrest;
        int rc = talk(&d, 5, &s, rest, &nrest, &e);
        if (rc != (n == sizeof whole - 1 ? 0 : -1))
            fail_msg("%zu bytes: %s", n, rc < 0 ? e.text : "works");
        assert_true(n == sizeof whole - 1 || e.text[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(challenges_are_read), cmocka_unit_test(long_values_are_no_challenge), cmocka_unit_test(digests),
        cmocka_unit_test(turns),               cmocka_unit_test(turns_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
