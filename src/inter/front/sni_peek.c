/* SPDX-License-Identifier: GPL-2.0-or-later
 * SNI-PEEK: which server does a TLS client want? Only looks: what it has read is read again by whoever is behind it,
 * who shakes hands, so no certificate is needed here. */
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/facts.h"
#include "catena/inter.h"
#include "catena/options.h"
#include "catena/routes.h"
#include "catena/run.h"
#include "inter/front/client_hello.h"
#include "inter/front/opts_front.h"
#include "inter/proxy/opts_server.h"
#include "inter/proxy/rules.h"

/* ---- which names ---- */

/* Nothing but names is known here. */
static int check_rules(const struct addr *a, const struct rules *rules, struct err *e)
{
    for (size_t i = 0; i < rules->n; i++) {
        const struct rule *rule = &rules->v[i];
        if (rule->network || rule->from > 0 || rule->to < UINT16_MAX)
            return err_at(e, a->at, "allow and deny: \"%s\" has numbers or ports, but a TLS client says nothing but a name here",
                          rule->said);
    }
    return 0;
}

static int load_rules(const struct addr *a, struct rules *rules, struct err *e)
{
    if (rules_load(rules, a, e) < 0)
        return -1;
    if (check_rules(a, rules, e) == 0)
        return 0;
    rules_free(rules);
    return -1;
}

static int check_name(const struct addr *a, const struct option_desc *row, struct err *e)
{
    const struct opt *o = opt_find(a, row);
    struct err why;
    if (!o)
        return 0;
    const struct saying said = {o->v.s, strlen(o->v.s), NULL};
    if (fact_check(fact_lookup("sni", 3), &said, IN_HOST, &why) == 0)
        return 0;
    return err_at(e, o->at, "%s: \"%s\" cannot be the name of a server", row->name, o->v.s);
}

static int check(const struct addr *a, struct err *e)
{
    struct rules rules;
    if (load_rules(a, &rules, e) < 0)
        return -1;
    rules_free(&rules);
    return check_name(a, &opt_front_no_sni, e) < 0 ? -1 : check_name(a, &opt_front_no_tls, e);
}

static int prepare(const struct addr *a, struct run *r, void **shared, struct err *e)
{
    struct rules *rules = calloc(1, sizeof *rules);
    (void)r;
    if (!rules)
        return err_nomem(e);
    if (load_rules(a, rules, e) < 0) {
        free(rules);
        return -1;
    }
    *shared = rules;
    return 0;
}

static void release(void *shared)
{
    rules_free(shared);
    free(shared);
}

static bool serves_anybody(const struct addr *a)
{
    return !opt_find(a, &opt_allow) && !opt_true(a, &opt_open);
}

static int judge(const struct rules *rules, const struct addr *a, struct run *r, const char *name, struct err *e)
{
    char host[RULE_HOST_MAX + 1];
    (void)strcpy(host, name);
    if (rules_judge(rules, a, r, host, 0, e) == 0)
        return 0;
    return err_set(e, ERR_DENIED, *name ? "the server \"%s\" may not be reached (options allow and deny)"
                                        : "the client names no server%s, so none may be reached (options allow and deny)", name);
}

/* ---- looking ---- */

static enum hello_is look(struct wire *w, struct client_hello *hello, struct err *e)
{
    const unsigned char *p;
    if (wire_expect(w, HELLO_LOOK, e) < 0)
        return HELLO_WRONG;
    for (;;) {
        if (wire_look(w, w->in.len + 1, &p, e) < 0)
            return HELLO_WRONG;
        enum hello_is is = client_hello_read(p, w->in.len, hello);
        if (is == HELLO_WRONG)
            (void)err_set(e, ERR_PROTOCOL, "the client's TLS ClientHello is wrong: %s", hello->wrong);
        if (is != HELLO_SHORT)
            return is;
    }
}

/* As the names of hosts are compared. */
static void set_name(struct client_hello *hello, const char *name)
{
    size_t n = 0;
    for (; name[n] && n < HELLO_NAME_MAX; n++)
        hello->name[n] = name[n];
    hello->name[n] = '\0';
}

static int no_tls(const struct addr *a, const struct wire *w, struct client_hello *hello, struct err *e)
{
    const char *instead = opt_string(a, &opt_front_no_tls, NULL);
    if (!instead)
        return err_set(e, ERR_PROTOCOL, "the client does not speak TLS: it begins with byte 0x%02x (no-tls=<name> takes it for "
                                        "one that wants that server)", buf_data(&w->in)[0]);
    *hello = (struct client_hello){.wrong = NULL};
    set_name(hello, instead);
    return 0;
}

static int tell(const struct addr *a, struct run *r, const struct client_hello *hello, bool tls, struct err *e)
{
    diag(DIAG_INFO, "the client %s%s%s", tls ? "speaks TLS and wants " : "does not speak TLS and is to get ",
         *hello->name ? hello->name : "no server by name", *hello->alpn ? ", with ALPN" : "");
    if (run_set_fact(r, a, "proto", tls ? "tls" : "other", e) < 0 ||
        (*hello->name && run_set_fact(r, a, "sni", hello->name, e) < 0) ||
        (*hello->alpn && run_set_fact(r, a, "alpn", hello->alpn, e) < 0))
        return -1;
    return routes_choose(a, r, hello->name, e);
}

static int learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    struct client_hello hello;
    const struct rules *rules = run_shared_of(r, a);
    (void)st;
    enum hello_is is = look(w, &hello, e);
    if (is == HELLO_WRONG || (is == HELLO_NO_TLS && no_tls(a, w, &hello, e) < 0))
        return -1;
    if (is == HELLO_WHOLE && !*hello.name)
        set_name(&hello, opt_string(a, &opt_front_no_sni, ""));
    return judge(rules, a, r, hello.name, e) < 0 ? -1 : tell(a, r, &hello, is == HELLO_WHOLE, e);
}

static bool wants_facts(const struct addr *a)
{
    return opt_find(a, &opt_to) != NULL;
}

static const char *untold(const struct addr *a, const struct fact_desc *f)
{
    bool of_map = strncmp(f->name, "target", 6) == 0;
    return of_map && !opt_find(a, &opt_to) ? "with option to" : NULL;
}

static const struct negotiator_ops ops = {.common = {.prepare = prepare, .release = release}, .learn = learn, .rests = true};

extern const struct form forms_sni_peek[];
const struct form forms_sni_peek[] = {
    {
        .keyword = "SNI-PEEK",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_sni_peek,
        .role = ROLE_SERVER,
        .gives = "sni alpn proto targethost targetport",
        .untold = untold,
        .help = "learns from a TLS client which server it wants, and leaves TLS to others",
        .check = check,
        .wants_facts = wants_facts,
        .serves_anybody = serves_anybody,
        .serves_by = "sni",
        .kind = FORM_NEGOTIATOR,
        .ops.negotiator = &ops,
    },
    {0},
};
