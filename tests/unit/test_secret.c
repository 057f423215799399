/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is hidden of an argument that holds secrets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/diag.h"
#include "catena/err.h"
#include "catena/registry.h"
#include "engine/cli/secret_environment.h"
#include "engine/plan/secret.h"

static const struct mask_case {
    const char *text, *masked;
    bool v1;
} masks[] = {
    {"tcp:host:80", "tcp:host:80", false},
    {"socks5:a:1,sockspass=pw|tcp:b:2", "socks5:a:1,sockspass=**|tcp:b:2", false},
    {"socks5:a:1,socksuser=u,sockspass=pw,crnl", "socks5:a:1,socksuser=u,sockspass=**,crnl", false},
    {"x,SOCKS5-PASSWORD=pw", "x,SOCKS5-PASSWORD=**", false},
    {"x , sockspass =pw", "x , sockspass =**", false},
    {"x,\"socks\"pass=pw", "x,\"socks\"pass=**", false},
    {"x,proxyauth=u:p,passphrase=pp", "x,proxyauth=***,passphrase=**", false},
    {"x,passphrase=", "x,passphrase=", false},
    {"x,passphrase", "x,passphrase", false},
    /* quotes and what they protect */
    {"x,sockspass=\"a,b\",c=d", "x,sockspass=*****,c=d", false},
    {"x,sockspass=a'b|tcp'c,d", "x,sockspass=*********,d", false},
    {"x,sockspass=a\\,b,c", "x,sockspass=****,c", false},
    {"x,sockspass=[a,{b,c}],d", "x,sockspass=*********,d", false},
    {"x,sockspass=\"a,b", "x,sockspass=****", false},
    {"x,sockspass=a\\", "x,sockspass=**", false},
    /* operators, where the planner takes them for operators */
    {"socks5:h:1,sockspass=a |tcp:b:2", "socks5:h:1,sockspass=* |tcp:b:2", false},
    {"socks5:h:1,sockspass=a|^gzip|tcp:b:2", "socks5:h:1,sockspass=*|^gzip|tcp:b:2", false},
    {"socks5:h:1,sockspass=a|^gzip|tcp:b:2", "socks5:h:1,sockspass=***************", true},
    {"tcp:a:1,sockspass=a%pipe", "tcp:a:1,sockspass=*%pipe", false},
    /* which is not sure where a piece cannot stand there, or is only guessed */
    {"x,sockspass=a|^gzip|tcp:b:2", "x,sockspass=***************", false},
    {"proxy:p:h:80,proxyauth=joe:pa|nop", "proxy:p:h:80,proxyauth=**********", false},
    {"proxy:p:h:80,proxyauth=joe:pa|pipe", "proxy:p:h:80,proxyauth=***********", false},
    {"proxy:p:h:80,proxyauth=joe:pw%21", "proxy:p:h:80,proxyauth=*********", false},
    {"proxy:h:80,proxyauth=joe:pw%21|tcp:p:1", "proxy:h:80,proxyauth=*********|tcp:p:1", false},
    {"proxy:h:80,proxyauth=joe:pw|./s", "proxy:h:80,proxyauth=**********", false},
    {"x!!y!!z,sockspass=a", "x!!y!!z,sockspass=*", false},
    {"x,sockspass=a!!pipe", "x,sockspass=*!!pipe", false},
    {"x,sockspass=a|b", "x,sockspass=***", false},
    {"x,sockspass=a|pipe|b", "x,sockspass=********", false},
    {"x,sockspass=a|tcp:b:2,c", "x,sockspass=*********,c", true},
    /* slips */
    {"x,sockspas=pw", "x,sockspas=**", false},
    {"x,sockpass=pw,b", "x,sockpass=**,b", false},
    /* names of places are not secret */
    {"x,sockspass-file=/etc/pw,passphrase-env=PW", "x,sockspass-file=/etc/pw,passphrase-env=PW",
     false},
    {"x,sockspass-fil=/etc/pw", "x,sockspass-fil=/etc/pw", false},
    {"exec:'a b=c',bind=x", "exec:'a b=c',bind=x", false},
    {"x,sockspass=a,sockspass=bb", "x,sockspass=*,sockspass=**", false},
    {",", ",", false},
    {"", "", false},
};

static void test_mask(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
        char text[128];
        struct err e;
        (void)snprintf(text, sizeof text, "%s", masks[i].text);
        assert_int_equal(secret_mask(&builtin_registry, text, masks[i].v1, &e), 0);
        if (strcmp(text, masks[i].masked) != 0)
            fail_msg("%s: %s instead of %s", masks[i].text, text, masks[i].masked);
    }
}

static void test_copy(void **state)
{
    char plain[] = "tcp:a:1,crnl", secret[] = "x,sockspass=pw", *copy;
    struct err e;
    (void)state;
    assert_int_equal(secret_hide_argument(&builtin_registry, plain, false, &copy, &e), 0);
    assert_null(copy);
    assert_string_equal(plain, "tcp:a:1,crnl");
    assert_int_equal(secret_hide_argument(&builtin_registry, secret, false, &copy, &e), 0);
    assert_string_equal(copy, "x,sockspass=pw");
    assert_string_equal(secret, "x,sockspass=**");
    secret_free(copy);
    secret_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mask), cmocka_unit_test(test_copy)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
