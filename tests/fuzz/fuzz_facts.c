/* SPDX-License-Identifier: GPL-2.0-or-later
 * Facts in parameters and values: the first byte chooses an address with holes, the second one a fact
 * that is told otherwise than by its typical value, the rest is what a peer said, NUL and all. An instance
 * has that value in its holes and nowhere else, and nothing more of a path than one component; or it
 * is refused with a message. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/facts.h"
#include "catena/plan.h"
#include "catena/registry.h"
#include "catena/run.h"
#include "../home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const addresses[] = {
    "tcp:{sni}:{targetport}",
    "tcp:{openssl_x509_commonname}:{openssl_x509_commonname},bind={sockaddr}",
    "tcp6:{peeraddr}:443,sourceport={peerport},so-bindtodevice={ip_if}",
    "open:/var/log/{peeraddr}-{peerport}/x{sni},creat,lockfile=/run/{openssl_x509_commonname}.lock",
    "open:{alpn}/.{alpn}/{alpn}.,waitlock={proto},user={targetuser},mode=0{ip_tos}",
    "unix:{host}.sock,bind=/tmp/{targetuser}",
    "unix-listen:/x/{peeraddr},unlink-early",
    "abstract-connect:{sni}",
    "tcp-l:{port},bind={sockaddr},range={peeraddr}/32",
    "udp:{targethost}:{targetport},sp={peerport},ttl={ip_ttl}",
    "pty,link=/dev/shm/{peerport}-{targetuser}",
    "openssl:{targethost}:{targetport},commonname={sni},snihost=x.{sni},cafile=/ca/{targetuser}.pem,verify=0",
    "socks5:{targethost}:{targetport},socksuser={targetuser},sockspass={targetuser}|tcp:{host}:{port}",
    "proxy:{targethost}:{targetport},proxyauth={targetuser}:x|tcp:{host}:{port}",
    "gzip,level={ip_ttl}|openssl,commonname={targethost}|nop|tcp:{sni}:1",
    "socket-connect:2:{ip_tos}:{alpn},setsockopt-string=1:{ip_ttl}:{proto}",
    "text:{sni},chdir=/{proto}",
    "ip4-sendto:{sni}:{ip_ttl},ip-add-membership={ip_dstaddr}:{ip_if}",
};
enum { NADDRESSES = sizeof addresses / sizeof addresses[0] };

static char all[4096]; /* the names of all facts */
static struct plan *plans[NADDRESSES];

static void set_up(void)
{
    static struct settings settings = {.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                       .ip_version = 4, .comm = 'S', .facts = all,
                                       .env_prefix = "SOCAT"};
    struct err e;
    for (const struct fact_desc *f = fact_table; f->name; f++)
        (void)snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", f->name);
    for (size_t i = 0; i < NADDRESSES; i++)
        if (plan_make(&settings, "-", addresses[i], &plans[i], &e) < 0) {
            fprintf(stderr, "%s: %s\n", addresses[i], e.text);
            abort();
        }
}

/* The value of the fact that is told otherwise. */
struct told {
    const struct fact_desc *fact;
    const char *value;
    size_t len;
};

static const char *value_of(const struct told *t, const struct fact_desc *f, size_t *n)
{
    unsigned first = 0;
    struct saying s;
    if (f == t->fact) {
        *n = t->len;
        return t->value;
    }
    (void)fact_sample(&first, 0, f, &s);
    *n = s.len;
    return s.value;
}

static size_t slashes(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += *s == '/';
    return n;
}

/* got is the text with its holes filled, no more and no less. */
static void compare(const struct told *told, const struct template *t, const char *got)
{
    const char *text = t->text;
    const char *p = got;
    for (size_t i = 0; i < t->nholes; i++) {
        size_t n, before = t->holes[i].off - (size_t)(text - t->text);
        const char *value = value_of(told, t->holes[i].fact, &n);
        if (strncmp(p, text, before) != 0 || strncmp(p + before, value, n) != 0 || n == 0 || n > 255 ||
            strlen(p) < before + n)
            abort();
        p += before + n;
        text += before + t->holes[i].len;
    }
    if (strcmp(p, text) != 0 || slashes(got) != slashes(t->text))
        abort();
    for (p = got; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            abort();
    for (p = got; *p; p += *p == '/') { /* no component leads elsewhere */
        size_t n = strcspn(p, "/");
        if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            abort();
        p += n;
    }
}

static void check(const struct told *told, const struct addr *t, const struct addr *got)
{
    if (!t->varies) {
        if (got != t)
            abort();
        return;
    }
    if (got->form != t->form || got->nparams != t->nparams || got->nopts != t->nopts ||
        got->label != t->label || got->left != t->left)
        abort();
    for (size_t i = 0; i < t->nparams; i++)
        if (t->holes && t->holes[i])
            compare(told, t->holes[i], got->params[i]);
        else if (got->params[i] != t->params[i])
            abort();
    for (size_t i = 0; i < t->nopts; i++) {
        if (got->opts[i].desc != t->opts[i].desc)
            abort();
        if (!t->opts[i].hole && memcmp(&got->opts[i].v, &t->opts[i].v, sizeof got->opts[i].v) != 0)
            abort();
        if (t->opts[i].hole && t->opts[i].desc->type == VALUE_STRING)
            compare(told, t->opts[i].hole, got->opts[i].v.s);
    }
}

static void one(struct run *r, const struct told *told, const struct addr *t)
{
    struct err e = {.kind = ERR_NONE};
    const struct addr *got;
    if (!t)
        return;
    if (run_instance(r, t, &got, &e) == 0)
        check(told, t, got);
    else if (e.kind == ERR_NONE || e.kind == ERR_USAGE || !e.text[0] || e.where.text)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run r;
    struct err e;
    size_t nfacts = 0;
    if (!plans[0])
        set_up();
    while (fact_table[nfacts].name)
        nfacts++;
    if (size < 2)
        return 0;
    const struct plan *p = plans[data[0] % NADDRESSES];
    const struct told told = {&fact_table[data[1] % nfacts], (const char *)data + 2, size - 2};
    if (run_init(&r, p->settings, p, -1, &e) < 0)
        abort();
    for (const struct fact_desc *f = fact_table; f->name; f++) {
        size_t n;
        const char *value = value_of(&told, f, &n);
        if (run_tell(&r, NULL, f->name, value, n, &e) < 0)
            abort();
    }
    one(&r, &told, p->end[RIGHT].fwd);
    one(&r, &told, p->end[RIGHT].back);
    for (size_t i = p->nlinks; i-- > 0;)
        if (p->links[i].fwd->form->kind != FORM_SESSION || p->links[i].fwd->form->ops.session->common.shares(p->links[i].fwd))
            one(&r, &told, p->links[i].fwd); /* others would read files */
    char **env = run_environment(&r, &e);
    if (!env)
        abort();
    run_free_environment(env);
    run_fini(&r);
    return 0;
}
