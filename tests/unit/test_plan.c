/* SPDX-License-Identifier: GPL-2.0-or-later
 * From two arguments to one line: which reading, which form, contexts, mirror, duals, where options
 * go, what becomes of each link, the border, and every mistake with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ctype.h>

#include <cmocka.h>

#include "catena/options.h"
#include "catena/plan.h"
#include "catena/registry.h"
#include "endpoint/options/opts_fd.h"
#include "endpoint/options/opts_socket.h"
#include "inter/compress/opts_compress.h"
#include "inter/tls/opts_tls.h"
#include "../home.h"

/* Switches as text: u, U, 1 (--v1), g, s, f (--unfused), p (-cp), v (called as socat). */
static struct settings settings_of(const char *switches)
{
    static char shell[] = "SHELL=/bin/sh", *variables[] = {shell, NULL};
    home.environment = variables;
    struct settings s = {.catena = &home, .to_right = !strchr(switches, 'U'),
                         .to_left = !strchr(switches, 'u'),
                         .block = 8192,
                         .linger = -1,
                         .idle = -1,
                         .ip_version = 4,
                         .comm = strchr(switches, 'p') ? 'p' : 'S',
                         .comm_given = strchr(switches, 'p') != NULL,
                         .v1_only = strchr(switches, '1') != NULL,
                         .no_group_check = strchr(switches, 'g') != NULL,
                         .sloppy = strchr(switches, 's') != NULL,
                         .v1_name = strchr(switches, 'v') != NULL,
                         .unfused = strchr(switches, 'f') != NULL,
                         .env_prefix = "SOCAT"};
    return s;
}

static struct settings current; /* a plan borrows its settings */

static struct plan *plan(const char *switches, const char *left, const char *right)
{
    struct plan *p = NULL;
    struct err e = {.kind = ERR_NONE};
    current = settings_of(switches);
    if (plan_make(&current, left, right, &p, &e) != 0)
        fail_msg("%s  %s: %s", left, right, e.text);
    return p;
}

/* Note number n of that level, or NULL. */
static const char *note(const struct plan *p, enum diag_level level, size_t n)
{
    for (const struct plan_note *i = p->notes; i; i = i->next)
        if (i->level == level && n-- == 0)
            return i->what.text;
    return NULL;
}

static int warnings_of(const struct plan *p)
{
    int n = 0;
    while (note(p, DIAG_WARN, (size_t)n))
        n++;
    return n;
}

/* ---- a line in one line ---- */

static void put(char *out, size_t cap, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void put(char *out, size_t cap, const char *fmt, ...)
{
    size_t n = strlen(out);
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(out + n, cap - n, fmt, ap);
    va_end(ap);
}

static void put_addr(char *out, size_t cap, const struct addr *a)
{
    for (const char *k = a->form->keyword; *k; k++)
        put(out, cap, "%c", tolower((unsigned char)*k));
    for (size_t i = 0; i < a->nparams; i++)
        put(out, cap, ":%s", a->params[i]);
    for (size_t i = 0; i < a->nopts; i++)
        put(out, cap, ",%s", a->opts[i].desc->name);
}

static char side(enum ctx c)
{
    return c == CTX_R ? 'r' : c == CTX_W ? 'w' : c == CTX_B ? 'b' : '-';
}

static void put_end(char *out, size_t cap, const struct plan_end *e)
{
    put_addr(out, cap, e->fwd);
    if (e->back) {
        put(out, cap, "%%");
        put_addr(out, cap, e->back);
    }
    put(out, cap, "/%c%s", side(e->fwd->left), "");
}

/* name/left context, right context, where its wire side is, what becomes of it:
 * - nothing, d dialog, E engine, P program */
static void put_link(char *out, size_t cap, const struct plan_link *l)
{
    static const char fates[] = {[FATE_NOTHING] = '-', [FATE_DIALOG] = 'd', [FATE_ENGINE] = 'E',
                                 [FATE_PROGRAM] = 'P'};
    put(out, cap, "%s%s", l->reversed ? "^" : "", l->fwd_swapped ? "^" : "");
    put_addr(out, cap, l->fwd);
    if (l->back) {
        put(out, cap, "%%%s", l->back_swapped ? "^" : "");
        put_addr(out, cap, l->back);
    }
    put(out, cap, "/%c%c%c%c", side(l->fwd->left), side(l->fwd->right), l->wire == LEFT ? '<' : '>',
        fates[l->fate]);
}

/* Stations and dialogs: r a plain relay, * behind the one at the border. */
static void put_items(char *out, size_t cap, const struct plan *p)
{
    for (size_t i = 0; i < p->nitems; i++) {
        const struct plan_item *it = &p->items[i];
        char c = it->kind == ITEM_DIALOG ? 'd' : !it->link ? 'r'
                                         : it->link->fate == FATE_PROGRAM ? 'P' : 'E';
        put(out, cap, "%c%s", c, i == p->border ? "*" : "");
    }
}

static const char *summary(const struct plan *p)
{
    static char out[1024];
    out[0] = '\0';
    put_end(out, sizeof out, &p->end[LEFT]);
    for (size_t i = 0; i < p->nlinks; i++) {
        put(out, sizeof out, "%s", i == p->nleft ? " | " : " ");
        put_link(out, sizeof out, &p->links[i]);
    }
    put(out, sizeof out, "%s", p->nleft == p->nlinks ? " | " : " ");
    put_end(out, sizeof out, &p->end[RIGHT]);
    put(out, sizeof out, "  ");
    put_items(out, sizeof out, p);
    return out;
}

struct row {
    const char *switches, *left, *right, *line;
};

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct plan *p = plan(rows[i].switches, rows[i].left, rows[i].right);
        const char *line = summary(p);
        if (strcmp(line, rows[i].line) != 0)
            fail_msg("%s  %s\n  is       %s\n  expected %s", rows[i].left, rows[i].right, line,
                     rows[i].line);
        plan_free(p);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof(rows)[0])

/* ---- which reading ---- */

static void readings(void **state)
{
    static const struct row rows[] = {
        {"", "-", "EXEC:date +%s", "stdio/b | exec:date +%s/b  r*"},
        {"", "-", "SYSTEM:date +%s >/tmp/x", "stdio/b | system:date +%s >/tmp/x/b  r*"},
        {"", "-", "SYSTEM:date +%3", "stdio/b | system:date +%3/b  r*"},
        {"", "-", "SYSTEM:ps ax | grep foo", "stdio/b | system:ps ax | grep foo/b  r*"},
        {"", "-", "SYSTEM:ls|/bin/cat", "stdio/b | system:ls|/bin/cat/b  r*"},
        {"", "-", "/tmp/a|b", "stdio/b | gopen:/tmp/a|b/b  r*"},
        {"", "-", "/tmp/x|pipe", "stdio/b | gopen:/tmp/x|pipe/b  r*"},
        {"", "-", "open:a%b", "stdio/b | open:a%b/b  r*"},
        {"", "-", "create:a%", "stdio/b | create:a%/b  r*"},
        {"", "-", "pipe", "stdio/b | pipe/b  r*"},
        {"", "-", "5", "stdio/b | fd:5/b  r*"},
        {"", "-", "fd:4:5", "stdio/b | fd:4:5/b  r*"},
        {"", "-", "stdin!!stdout", "stdio/b | stdout%stdin/w  r*"},
        {"", "-", "stdout%stdin", "stdio/b | stdout%stdin/w  r*"},
        {"", "-", "0!!1", "stdio/b | fd:1%fd:0/w  r*"},
        {"", "-", "nop|pipe", "stdio/b | nop/bb>- pipe/b  r*"},
        {"", "-", "system:ps ax|pipe", "stdio/b | system:ps ax/bb>P pipe/b  r*Pr"},
        {"1", "-", "system:ps ax|pipe", "stdio/b | system:ps ax|pipe/b  r*"},
        {"1", "-", "exec:a%pipe", "stdio/b | exec:a%pipe/b  r*"},
        {"", "-", "Exec2:a | ECHO", "stdio/b | exec:a/bb>P pipe/b  r*Pr"},
        /* a guess makes no chain of text, under neither name */
        {"", "-", "SYSTEM:cat | gzip | /s/store", "stdio/b | system:cat | gzip | /s/store/b  r*"},
        {"", "-", "SYSTEM:cat | gzip | gunzip | tee /tmp/t",
         "stdio/b | system:cat | gzip | gunzip | tee /tmp/t/b  r*"},
        {"", "-", "SYSTEM:a | gzip | ssh -i /k h cat",
         "stdio/b | system:a | gzip | ssh -i /k h cat/b  r*"},
        {"", "-", "SHELL:echo hi | /bin/cat", "stdio/b | shell:echo hi | /bin/cat/b  r*"},
        {"", "-", "SHELL:expr 7 % 4", "stdio/b | shell:expr 7 % 4/b  r*"},
        {"", "-", "OPEN:dir/report%20", "stdio/b | open:dir/report%20/b  r*"},
        {"", "-", "UNIX-LISTEN:dir/app%40", "stdio/b | unix-listen:dir/app%40/b  r*"},
        {"", "-", "TEXT:100%1", "stdio/b | text:100%1/b  r*"},
        {"", "-", "./a%./b", "stdio/b | gopen:./a%./b/b  r*"},
        {"", "-", "./a%pipe", "stdio/b | gopen:./a%pipe/b  r*"},
        {"", "-", "TCP6:[::1]:80,bind=fe80::1%4", "stdio/b | tcp6-connect:[::1]:80,bind/b  r*"},
        {"", "-", "proxy:p:h:80,proxyauth=a:b%21",
         "stdio/b | proxy:h:80,proxy-authorization/bb>d tcp-connect:p:8080/b  r*d"},
        /* the chain reading fails: not in the right place, not so many parameters, not such a value */
        {"", "-", "proxy:p:h:80,proxyauth=a:b|nop",
         "stdio/b | proxy:h:80,proxy-authorization/bb>d tcp-connect:p:8080/b  r*d"},
        {"", "-", "proxy:p:h:80,proxyauth=a:b|pipe",
         "stdio/b | proxy:h:80,proxy-authorization/bb>d tcp-connect:p:8080/b  r*d"},
        {"", "-", "SYSTEM:cat | gzip | pipe,stderr",
         "stdio/b | system:cat | gzip | pipe,stderr/b  r*"},
        {"", "-", "open:a|tcp", "stdio/b | open:a|tcp/b  r*"},
        /* both work */
        {"", "-", "SYSTEM:cat | gzip | pipe", "stdio/b | system:cat/bb>P gzip/bb>E pipe/b  r*PE"},
        {"v", "-", "SYSTEM:cat | gzip | pipe", "stdio/b | system:cat | gzip | pipe/b  r*"},
        {"", "-", "gzip|./f", "stdio/b | gzip/bb>E gopen:./f/b  E*"},
        {"v", "-", "gzip|./f", "stdio/b | gopen:gzip|./f/b  r*"},
        {"", "-", "-%./f", "stdio/b | stdio%gopen:./f/w  r*"},
        {"v", "-", "-%./f", "stdio/b | gopen:-%./f/b  r*"},
        /* guesses in the text of a link, beside operators */
        {"", "-", "proxy:h:80,proxyauth=a:b%20%21|tcp:p:1",
         "stdio/b | proxy:h:80,proxy-authorization/bb>d tcp-connect:p:1/b  r*d"},
        {"v", "-", "proxy:h:80,proxyauth=a:b|5|tcp:p:1",
         "stdio/b | proxy:h:80,proxy-authorization/bb>d tcp-connect:p:1/b  r*d"},
        {"", "-", "nop|unix:dir/a%40", "stdio/b | nop/bb>- unix-client:dir/a%40/b  r*"},
        {"", "-", "nop|tcp:h:80%0", "stdio/b | nop/bb>- tcp-connect:h:80%fd:0/w  r*"},
        /* only the chain works, with what is guessed */
        {"v", "-", "gzip,level=3|./f", "stdio/b | gzip,level/bb>E gopen:./f/b  E*"},
        {"v", "-", "openssl,verify=0|./f", "stdio/b | openssl-client,openssl-verify/bb>E gopen:./f/b  E*"},
        {"v", "-", "1%0", "stdio/b | fd:1%fd:0/w  r*"},
        {"v", "-", "- % -", "stdio/b | stdio%stdio/w  r*"},
        /* the line decides, where one reading is none */
        {"", "tcp-l:1,thread", "system:a | pipe,chdir=/",
         "tcp-listen:1,thread/b | system:a | pipe,chdir/b  r*"},
    };
    (void)state;
    CHECK(rows);
}

/* ---- contexts, mirror, ^ ---- */

static void contexts(void **state)
{
    static const struct row rows[] = {
        {"", "-", "test|pipe", "stdio/b | test/bb>E pipe/b  E*"},
        {"", "-", "^test|pipe", "stdio/b | ^test/bb<E pipe/b  E*"},
        {"", "test|stdio", "pipe", "stdio/b test/bb<E | pipe/b  E*"},
        {"", "^test|stdio", "pipe", "stdio/b ^test/bb>E | pipe/b  E*"},
        {"", "test|stdio", "test|pipe", "stdio/b test/bb<E | test/bb>E pipe/b  EE*"},
        {"", "test|nop|stdio", "pipe", "stdio/b nop/bb<- test/bb<E | pipe/b  E*"},
        {"u", "-", "testuni|stdout", "stdio/r | testuni/wr>E stdout/w  E*"},
        {"U", "stdout", "test|stdin", "stdout/w | test/rw>E stdin/r  E*"},
        {"u", "test|stdin", "stdout", "stdin/r test/rw<E | stdout/w  E*"},
        {"u", "^testuni|stdin", "stdout", "stdin/r ^testuni/rw>E | stdout/w  E*"},
        {"U", "stdout", "^testuni|stdin", "stdout/w | ^testuni/rw<E stdin/r  E*"},
        {"u", "^exec1:tr a b|stdin", "stdout", "stdin/r ^exec1:tr a b/rw>P | stdout/w  rPr*"},
        {"u", "-", "openssl|tcp:h:1", "stdio/r | openssl-client/wb>E tcp-connect:h:1/b  E*"},
        {"U", "-", "proxy:a:1|tcp:h:1", "stdio/w | proxy:a:1/rb>d tcp-connect:h:1/b  r*d"},
        {"u", "-", "tcp:h:1", "stdio/r | tcp-connect:h:1/w  r*"},
        {"", "-", "^openssl-server|exec:x", "stdio/b | ^openssl-server/bb<E exec:x/b  E*"},
    };
    (void)state;
    CHECK(rows);
}

static void duals(void **state)
{
    static const struct row rows[] = {
        {"", "-", "testuni%testrev|pipe", "stdio/b | testuni%testrev/wr>E pipe/b  E*"},
        {"", "-", "test | testuni%testrev | pipe",
         "stdio/b | test/bb>E testuni%testrev/wr>E pipe/b  E*E"},
        {"", "-", "nop%nop|pipe", "stdio/b | nop%nop/wr>- pipe/b  r*"},
        {"", "-", "test%^test|pipe", "stdio/b | test%^test/wr>E pipe/b  E*"},
        {"", "-", "exec1:gzip % exec1:gunzip|pipe",
         "stdio/b | exec1:gzip%exec1:gunzip/wr>P pipe/b  r*Pr"},
        {"", "-", "system1:x%nop|test|pipe", "stdio/b | system1:x%nop/wr>P test/bb>E pipe/b  r*PE"},
        {"", "exec1:a%exec1:b|pipe", "-", "pipe/b exec1:a%exec1:b/wr<P | stdio/b  rPr*"},
    };
    (void)state;
    CHECK(rows);
}

/* ---- what becomes of links, and the border ---- */

static void fates(void **state)
{
    static const struct row rows[] = {
        {"", "-", "gzip|openssl|proxy:h:443|tcp:p:8080",
         "stdio/b | gzip/bb>E openssl-client/bb>E proxy:h:443/bb>d tcp-connect:p:8080/b  E*Ed"},
        {"", "gzip|pipe", "-", "pipe/b gzip/bb<E | stdio/b  E*"},
        {"", "gzip|pipe", "gzip|pipe", "pipe/b gzip/bb<E | gzip/bb>E pipe/b  EE*"},
        {"", "exec1:a%nop|pipe", "exec1:b%nop|pipe",
         "pipe/b exec1:a%nop/wr<P | exec1:b%nop/wr>P pipe/b  rPr*Pr"},
        {"", "gzip|pipe", "exec1:b%nop|pipe",
         "pipe/b gzip/bb<E | exec1:b%nop/wr>P pipe/b  E*Pr"},
        {"", "-", "proxy:a:1|openssl|tcp:h:1",
         "stdio/b | proxy:a:1/bb>d openssl-client/bb>E tcp-connect:h:1/b  dE*"},
        {"f", "-", "nop|pipe", "stdio/b | nop/bb>E pipe/b  E*"},
        {"f", "-", "proxy:a:1|tcp:h:1", "stdio/b | proxy:a:1/bb>d tcp-connect:h:1/b  r*d"},
        {"f", "nop|-", "nop|nop|pipe", "stdio/b nop/bb<E | nop/bb>E nop/bb>E pipe/b  EE*E"},
        {"", "exec1:a%nop|pipe", "-", "pipe/b exec1:a%nop/wr<P | stdio/b  rPr*"},
    };
    (void)state;
    CHECK(rows);
}

/* ---- v1's combined forms, and where options go ---- */

static void compounds(void **state)
{
    static const struct row rows[] = {
        {"", "-", "openssl:host:4433,verify=0,mss=1400",
         "stdio/b | openssl-client,openssl-verify/bb>E tcp-connect:host:4433,tcp-maxseg/b  E*"},
        {"", "-", "proxy:server:host:443,proxyport=3129",
         "stdio/b | proxy:host:443,proxyport/bb>d tcp-connect:server:3129/b  r*d"},
        {"", "-", "proxy:server:host:443,ttl=3",
         "stdio/b | proxy:host:443/bb>d tcp-connect:server:8080,ip-ttl/b  r*d"},
        {"", "-", "socks4:server:host:80,socksuser=x",
         "stdio/b | socks4:host:80,socksuser/bb>d tcp-connect:server:1080/b  r*d"},
        {"", "-", "socks4a:server:host:80",
         "stdio/b | socks4a:host:80/bb>d tcp-connect:server:1080/b  r*d"},
        {"", "-", "socks5:server:1081:host:80",
         "stdio/b | socks5-connect:host:80/bb>d tcp-connect:server:1081/b  r*d"},
        {"", "openssl-listen:4433,fork,cert=x", "-",
         "tcp-listen:4433,fork/b openssl-server,openssl-certificate/bb<E | stdio/b  E*"},
        {"u", "-", "ssl:h:1", "stdio/r | openssl-client/wb>E tcp-connect:h:1/b  E*"},
    };
    (void)state;
    CHECK(rows);
}

static void hosts(void **state)
{
    static const struct {
        const char *right, *host;
    } rows[] = {
        {"openssl:www:443", "www"},
        {"openssl|tcp:www:443", "www"},
        {"openssl|proxy:www:443|tcp:proxy:8080", "www"},
        {"openssl|socks5:inner:1|openssl|tcp:outer:2", "inner"},
        {"openssl|gzip|tcp:www:1", "www"},
        {"openssl,verify=0|exec:x", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct plan *p = plan("", "-", rows[i].right);
        if (rows[i].host)
            assert_string_equal(p->links[0].fwd->host, rows[i].host);
        else
            assert_null(p->links[0].fwd->host);
        plan_free(p);
    }
}

static void chain_options(void **state)
{
    (void)state;
    struct plan *p = plan("", "gzip,level=3|tcp-l:1,fork,max-children=3,crnl",
                          "openssl,retry=2|tcp:h:1,retry=5,readbytes=7,escape=27");
    assert_int_equal(plan_chain_opt(p, LEFT, &opt_fork)->v.i, 1);
    assert_int_equal(plan_chain_opt(p, LEFT, &opt_level)->v.i, 3);
    assert_int_equal(plan_chain_opt(p, LEFT, &opt_max_children)->v.i, 3);
    assert_int_equal(plan_chain_opt(p, RIGHT, &opt_retry)->v.i, 2); /* it covers the rest */
    assert_null(plan_chain_opt(p, RIGHT, &opt_fork));
    assert_int_equal(p->eol[LEFT].eol, EOL_CRNL);
    assert_int_equal(p->eol[RIGHT].eol, EOL_KEEP);
    assert_int_equal(p->eol[RIGHT].readbytes, 7);
    assert_int_equal(p->eol[RIGHT].escape, 27);
    assert_int_equal(p->eol[LEFT].escape, -1);
    assert_string_equal(plan_chain_addr(p, LEFT, 0)->form->keyword, "GZIP");
    assert_string_equal(plan_chain_addr(p, LEFT, 1)->form->keyword, "TCP-LISTEN");
    assert_null(plan_chain_addr(p, LEFT, 2));
    plan_free(p);

    p = plan("g", "-,retry=3", "pipe"); /* -g: options of other groups pass */
    assert_int_equal(plan_chain_opt(p, LEFT, &opt_retry)->v.i, 3);
    plan_free(p);
}

/* One direction alone in a two-way place is v1's business: a warning, and on. */
static void warnings(void **state)
{
    (void)state;
    struct plan *p = plan("", "stdin", "stdout");
    assert_int_equal(warnings_of(p), 2);
    assert_non_null(strstr(note(p, DIAG_WARN, 0), "read-only"));
    assert_non_null(strstr(note(p, DIAG_WARN, 1), "write-only"));
    plan_free(p);
    p = plan("u", "stdin", "stdout");
    assert_int_equal(warnings_of(p), 0);
    plan_free(p);
    p = plan("u", "stdout", "stdin");
    assert_int_equal(warnings_of(p), 2);
    assert_non_null(strstr(note(p, DIAG_WARN, 0), "read-only mode but only supports write-only"));
    assert_non_null(strstr(note(p, DIAG_WARN, 1), "write-only mode but only supports read-only"));
    plan_free(p);
    p = plan("", "-", "stdout!!stdin");
    assert_int_equal(warnings_of(p), 2);
    plan_free(p);
    p = plan("u", "udp-sendto:h:1", "udp-recvfrom:1"); /* both ways: one is no news */
    assert_int_equal(warnings_of(p), 0);
    plan_free(p);
}

struct remark {
    const char *switches, *left, *right;
    enum diag_level level;
    const char *says; /* "": there is no note of that level */
};

static void remark(const struct remark *m)
{
    struct plan *p = plan(m->switches, m->left, m->right);
    const char *text = note(p, m->level, 0);
    bool said = m->says[0] ? text && strstr(text, m->says) && !note(p, m->level, 1) : !text;
    if (!said)
        fail_msg("%s  %s: \"%s\" instead of \"%s\"", m->left, m->right, text ? text : "", m->says);
    plan_free(p);
}

/* What is said of a plan that was made: of the reading chosen, not of the others. */
static void remarks(void **state)
{
    static const char turn[] = "a \"^\" before it", no_turn[] = "without the \"^\"";
    static const struct remark rows[] = {
        {"", "-", "SYSTEM:cat | gzip | pipe", DIAG_NOTICE, "taken for a chain"},
        {"v", "-", "SYSTEM:cat | gzip | pipe", DIAG_NOTICE, "as v1 does"},
        {"1", "-", "SYSTEM:cat | gzip | pipe", DIAG_NOTICE, ""},
        {"", "-", "OPEN:a%20", DIAG_NOTICE, "as v1 does"},
        {"", "-", "nop|pipe", DIAG_NOTICE, ""},
        {"", "-", "EXEC:date +%s", DIAG_NOTICE, ""},
        {"s", "-", "tcp:h:80,mss=abc", DIAG_ERROR, "\"tcp-maxseg\""},
        {"s", "-", "proxy:p:h:80,mss=abc,proxyauth=a|nop", DIAG_ERROR, "\"tcp-maxseg\""},
        {"s", "-", "openssl,verify=0|tcp:h:80,mss=abc", DIAG_ERROR, "\"tcp-maxseg\""},
        /* options go right */
        {"", "-", "openssl,verify=0,connect-timeout=5|TCP:h:80", DIAG_NOTICE,
         "goes to second address, link 2 \"tcp\""},
        {"", "openssl,verify=0,mss=5|nop|TCP:h:80", "-", DIAG_NOTICE,
         "goes to first address, link 3 \"tcp\""},
        {"", "-", "gzip,cafile=x|openssl,cafile=y|tcp:h:80", DIAG_NOTICE, "link 2 \"openssl\""},
        /* wires */
        {"", "tcp-l:1,fork", "openssl-server,cert=x|tcp:h:1", DIAG_WARN, turn},
        {"", "tcp-l:1,fork", "^openssl-server,cert=x|tcp:h:1", DIAG_WARN, ""},
        {"", "openssl-server,cert=x|tcp-l:1,fork", "tcp:h:1", DIAG_WARN, ""},
        {"", "^openssl-server,cert=x|tcp-l:1,fork", "tcp:h:1", DIAG_WARN, no_turn},
        {"", "tcp-l:1", "^openssl,verify=0|tcp:h:1", DIAG_WARN, no_turn},
        {"", "tcp-l:1", "openssl,verify=0|proxy:a:1|tcp:h:1", DIAG_WARN, ""},
        {"", "-", "openssl,verify=0|tcp-l:1", DIAG_WARN, "is the TLS server meant?"},
        {"", "-", "openssl-server,cert=x|socks5:a:1|tcp:h:1", DIAG_WARN, "is the TLS client meant?"},
        {"", "-", "openssl-server,cert=x|stdio", DIAG_WARN, ""},
        {"", "-", "openssl,verify=0|^openssl-server,cert=x|tcp:h:1", DIAG_WARN, ""},
        {"", "-", "openssl-listen:1,cert=x", DIAG_WARN, ""},
        /* packets */
        {"u", "udp-recv:1", "tcp:h:1", DIAG_WARN, "second address \"tcp\": the boundaries"},
        {"uv", "udp-recv:1", "tcp:h:1", DIAG_WARN, ""},
        {"uv", "udp-recv:1", "tcp:h:1", DIAG_NOTICE, "the boundaries"},
        {"", "udp:h:1", "tcp:h:1", DIAG_WARN, "of packets from first address \"udp\""},
        {"", "tcp:h:1", "udp:h:1", DIAG_WARN, "first address \"tcp\": the boundaries"},
        {"", "udp:h:1", "udp:h:2", DIAG_WARN, ""},
        {"", "udp:h:1", "nop|proxy:a:1|tcp:h:2", DIAG_WARN, "link 3 \"tcp\""},
        {"", "tun", "gzip|tcp:h:2", DIAG_WARN, "link 1 \"gzip\""},
        {"u", "tun", "gzip|udp:h:2", DIAG_WARN, "link 1 \"gzip\""},
        {"u", "tun", "gzip|gunzip|udp:h:2", DIAG_WARN, "link 1 \"gzip\""},
        {"u", "udp:h:1", "exec1:cat|create:x", DIAG_WARN, "link 1 \"exec1\""},
        {"", "tun", "openssl,verify=0|tcp:h:2", DIAG_WARN, ""},
        {"", "tun", "openssl,verify=0|gzip|tcp:h:2", DIAG_WARN, ""},
        {"", "openssl-listen:1,cert=x", "udp:h:2", DIAG_WARN, ""},
        {"", "tun", "exec:ssh", DIAG_WARN, "second address \"exec\""},
        {"", "tun", "exec:ssh,socktype=5", DIAG_WARN, ""},
        {"", "udp-recvfrom:1,fork", "exec:cat", DIAG_WARN, ""}, /* one packet a program */
        {"", "udp:h:1", "udp-recv:1!!udp-sendto:h:1", DIAG_WARN, ""},
        {"", "udp:h:1", "udp-recv:1!!tcp:h:1", DIAG_WARN, "second address \"tcp\": the bound"},
        {"", "tcp:h:1", "udp-recv:1!!stdout", DIAG_WARN, "first address \"tcp\": the bound"},
        {"u", "udp-recv:1", "create:x", DIAG_WARN, ""},
        {"u", "udp-recv:1", "create:x", DIAG_NOTICE, "the boundaries"},
        {"u", "tcp:h:1", "udp:h:1", DIAG_NOTICE, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        remark(&rows[i]);
}

/* What is typed at the address itself wins over what comes from the left. */
static void strays(void **state)
{
    (void)state;
    struct plan *p = plan("", "-", "openssl,verify=0,mss=500,connect-timeout=5|tcp:h:1,mss=600");
    assert_int_equal(opt_int(p->end[RIGHT].fwd, &opt_connect_timeout, 0), 0);
    assert_true(opt_time(p->end[RIGHT].fwd, &opt_connect_timeout, 0) > 4);
    assert_int_equal(p->end[RIGHT].fwd->nopts, 3);
    assert_int_equal(p->end[RIGHT].fwd->opts[2].v.i, 600);
    assert_int_equal(p->links[0].fwd->nopts, 1);
    plan_free(p);
    p = plan("", "-", "nop,cafile=/x|openssl:h:1,verify=0"); /* through v1's combined form */
    assert_non_null(opt_find(p->links[1].fwd, &opt_tls_cafile));
    plan_free(p);
}

/* Names are no business of planning: what is not there is a note of a dry run, an error of another. */
static void names(void **state)
{
    struct err e;
    (void)state;
    struct plan *p = plan("", "-", "open:x,user=nosuchuser");
    assert_int_equal(plan_look_up(p, &e), -1);
    assert_non_null(strstr(e.text, "no such user \"nosuchuser\""));
    assert_int_equal(e.where.off, 12);
    current.dry_run = true;
    assert_int_equal(plan_look_up(p, &e), 0);
    assert_non_null(strstr(p->missing->what.text, "no such user"));
    assert_null(p->missing->next);
    assert_null(p->notes);
    plan_free(p);
    p = plan("s", "-", "create:x,user=nosuchuser,group=root");
    assert_int_equal(plan_look_up(p, &e), 0);
    assert_non_null(strstr(note(p, DIAG_ERROR, 0), "no such user"));
    assert_null(opt_find(p->end[RIGHT].fwd, &opt_user));
    assert_non_null(opt_find(p->end[RIGHT].fwd, &opt_group));
    plan_free(p);
    p = plan("", "-", "tcp:h:1,sourceport=http");
    assert_int_equal(plan_look_up(p, &e), 0);
    assert_int_equal(opt_int(p->end[RIGHT].fwd, &opt_sourceport, 0), 80);
    plan_free(p);
}

/* ---- mistakes ---- */

struct mistake {
    const char *switches, *left, *right;
    const char *at; /* what the caret stands under; "": its place only */
    size_t off;
    const char *says;
};

static void expect(const struct mistake *m)
{
    struct plan *p = NULL;
    struct err e = {.kind = ERR_NONE};
    current = settings_of(m->switches);
    if (plan_make(&current, m->left, m->right, &p, &e) == 0)
        fail_msg("%s  %s is accepted", m->left, m->right);
    assert_null(p);
    assert_int_equal(e.kind, ERR_USAGE);
    if (!strstr(e.text, m->says))
        fail_msg("%s  %s: \"%s\" does not say \"%s\"", m->left, m->right, e.text, m->says);
    assert_non_null(e.where.text);
    bool placed = e.where.off == m->off && e.where.len == strlen(m->at) &&
                  strncmp(e.where.text + e.where.off, m->at, e.where.len) == 0;
    if (!placed)
        fail_msg("%s  %s: the caret is at [%zu, +%zu)", m->left, m->right, e.where.off,
                 e.where.len);
}

static void mistakes(void **state)
{
    static const struct mistake rows[] = {
        /* addresses */
        {"", "-", "tpc:h:1", "tpc", 0, "unknown device/address \"tpc\"; did you mean \"tcp\"?"},
        {"", "-", "zzzzzz", "zzzzzz", 0, "unknown device/address \"zzzzzz\""},
        {"", "", "-", "", 0, "unknown device/address \"\""},
        {"", "-", "test|", "", 5, "unknown device/address \"\""},
        {"", "-", "|pipe", "", 0, "unknown device/address \"\""},
        {"", "-", "test||pipe", "", 5, "unknown device/address \"\""},
        {"", "-", "nop|tpc:h:1", "tpc", 4, "did you mean \"tcp\"?"},
        {"", "-", "nop|test", "test", 4, "inter address and cannot be the last"},
        {"", "-", "gzip", "gzip", 0, "inter address and cannot be the last"},
        {"", "-", "tcp:h:1|pipe", "tcp", 0, "endpoint address and can only be the last"},
        {"", "-", "^pipe", "pipe", 1, "\"^\" swaps the two sides of an inter address"},
        {"", "-", "tcp:h", "tcp:h", 0, "wrong number of parameters (1 instead of 2)"},
        {"", "-", "tcp:h:1:2", "tcp:h:1:2", 0, "wrong number of parameters (3 instead of 2)"},
        {"", "-", "nop:x|pipe", "nop:x", 0, "wrong number of parameters (1 instead of 0)"},
        {"", "-", "exec1|pipe", "exec1", 0, "wrong number of parameters (0 instead of 1)"},
        /* contexts */
        {"", "-", "testuni|pipe", "testuni", 0,
         "is used read-write here, but supports only write-only"},
        {"u", "testuni|stdin", "stdout", "testuni", 0, "is used read-only here"},
        {"U", "stdout", "testuni|stdin", "testuni", 0, "is used read-only here"},
        {"u", "-", "^testuni|stdout", "testuni", 1, "is used write-only here"},
        {"u", "-", "openssl|stdout", "stdout", 8,
         "is used read-write here, but supports only write-only"},
        {"u", "-", "nop|stdin", "stdin", 4, "is used write-only here"},
        {"u", "-", "nop|pipe", "pipe", 4, "is used write-only here"},
        {"u", "create:x", "-", "create:x", 0, "is used read-only here"},
        {"u", "-", "^openssl|pipe", "openssl", 1, "needs both directions"},
        {"", "-", "pipe%pipe", "pipe", 0, "is used write-only here"},
        /* duals */
        {"u", "-", "test%test|stdout", "test%test", 0, "only one is used here"},
        {"", "-", "openssl%test|tcp:h:1", "openssl", 0, "cannot be one half of a dual"},
        {"", "-", "test!!test|pipe", "test!!test", 0, "must end the chain"},
        {"", "-", "openssl:h:1%stdin", "openssl:h:1", 0, "cannot be half of a dual"},
        {"", "-", "stdout%x", "x", 7, "unknown device/address \"x\""},
        /* options */
        {"", "-", "openssl,verfy=0|tcp:a:1", "verfy", 8,
         "unknown option \"verfy\"; did you mean \"verify\"?"},
        {"", "-", "openssl,cafile=/x|tcp:p:1,verify=0", "verify", 26, "is not for this address"},
        {"", "-", "openssl,cafile=/x,level=3|tcp:p:1", "level", 18, "is not for this address"},
        {"", "-", "gzip,mss=5%gunzip,mss=4|pipe", "mss", 5, "is not for this address"},
        {"", "-", "create:x,mss=5%tcp:h:1", "mss", 9, "is not for this address"},
        {"g", "-", "gzip,cafile=/x|pipe", "cafile", 5, "could not be used"},
        {"", "-", "pipe,retry=3", "retry", 5, "is not for this address"},
        {"", "-", "tcp:h:1,ttl=abc", "abc", 12, "missing numerical value"},
        {"", "-", "tcp:h:1,ttl=3x", "3x", 12, "trailing garbage"},
        {"", "-", "tcp:h:1,ttl=", "", 12, "missing numerical value"},
        {"", "-,escape=300", "pipe", "300", 9, "from 0 to 255"},
        {"", "gzip,level=11|pipe", "-", "11", 11, "11"},
        /* the line */
        {"", "tcp-l:1,thread", "pipe,chdir=/", "/", 11, "changes the whole process"},
        {"", "tcp-l:1,thread,fork", "pipe", "tcp-l:1,thread,fork", 0, "exclude each other"},
        {"", "-", "tcp-l:1,thread", "thread", 8, "first chain"},
        {"", "exec:x,nofork", "-", "nofork", 7, "nofork is not allowed here"},
        {"", "-", "nop|exec:x,nofork", "nofork", 11, "nofork is not allowed here"},
        {"", "nop|gzip|gzip|tcp:h:1,fork", "-", "fork", 22, "engines at work when it forks"},
        /* where no reading works: about the chain, and how text is protected */
        {"", "-", "OPEN:dir/x%20,bogus", "bogus", 14, "unknown option \"bogus\"; if \"|\""},
        {"", "-", "proxy:p:h:80,proxyauth=a|nop,x", "proxy:p:h:80,proxyauth=a", 0, "put a backslash before it"},
        {"", "-", "a%b%c", "%", 3, "--v1"},
        {"s", "-", "tcp:h:80,mss=abc,bogus|nosuch:1", "tcp", 0, "can only be the last of a chain"},
        {"v", "-", "tcp:h:80,mss=abc,bogus|nosuch:1", "tcp", 0, "--v1"},
        /* syntax is told with its place as well */
        {"", "-", "exec:'x", "'", 5, "unexpected end"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(&rows[i]);
}

/* Dialogs that wait for each other are refused before anything is opened. */
static void facing(void **state)
{
    static const char *const rows[][2] = {
        {"^proxy:a:1|tcp:h:1", "proxy:b:2|tcp:h:2"},
    };
    (void)state;
    struct plan *p = plan("", rows[0][0], "pipe"); /* alone it may talk to the other chain */
    plan_free(p);
    p = plan("", "proxy:a:1|tcp:h:1", "proxy:b:2|tcp:h:2"); /* away from each other: fine */
    plan_free(p);
    struct err e = {.kind = ERR_NONE};
    p = NULL;
    assert_int_equal(
        plan_make(&current, rows[0][0], "^proxy:b:2|tcp:h:2", &p, &e), -1);
    assert_non_null(strstr(e.text, "towards each other"));
    assert_int_equal(e.where.off, 1);
}

/* ---- as printed ---- */

static void printed(void **state)
{
    static const char expected[] =
        "line, left to right:\n"
        "  stdio\n"
        "      left chain, endpoint, 0 parameters, used b\n"
        "  gzip\n"
        "      right chain, inter, 0 parameters, left b, right b; wire side right\n"
        "      options: level=3\n"
        "      becomes: engine 1, in the main thread (border of the two chains)\n"
        "    -- memory --\n"
        "  openssl-client\n"
        "      right chain, inter, 0 parameters, left b, right b; wire side right\n"
        "      host: h\n"
        "      becomes: engine 2, in a thread of its own\n"
        "  proxy:h:443\n"
        "      right chain, inter, 2 parameters, left b, right b; wire side right\n"
        "      options: proxy-authorization=***\n"
        "      becomes: a dialog at open time, then nothing\n"
        "  tcp-connect:p:8080\n"
        "      right chain, endpoint, 2 parameters, used b\n";
    char *text = NULL;
    size_t n = 0;
    (void)state;
    struct plan *p =
        plan("", "-", "gzip,level=3|openssl|proxy:h:443,proxyauth=me:secret|tcp:p:8080");
    FILE *f = open_memstream(&text, &n);
    assert_non_null(f);
    plan_print(p, f);
    assert_int_equal(fclose(f), 0);
    assert_null(strstr(text, "secret"));
    if (strncmp(text, expected, sizeof expected - 1) != 0)
        fail_msg("%s\nexpected\n%s", text, expected);
    const char *order = strstr(text, "opening order:\n");
    assert_non_null(order);
    const char *tcp = strstr(order, "tcp-connect"), *proxy = strstr(order, "proxy"),
               *tls = strstr(order, "openssl"), *gzip = strstr(order, "gzip");
    assert_true(tcp && proxy && tls && gzip && tcp < proxy && proxy < tls && tls < gzip);
    free(text);
    plan_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readings),  cmocka_unit_test(contexts), cmocka_unit_test(duals),
        cmocka_unit_test(fates),     cmocka_unit_test(compounds), cmocka_unit_test(hosts),
        cmocka_unit_test(chain_options), cmocka_unit_test(warnings), cmocka_unit_test(mistakes),
        cmocka_unit_test(remarks),   cmocka_unit_test(strays),    cmocka_unit_test(names),
        cmocka_unit_test(facing),    cmocka_unit_test(printed),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
