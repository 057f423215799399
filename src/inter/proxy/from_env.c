/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY-FROM-ENV: TCP, or a proxy over it, as the variables of the environment say for that target. It is decided in the
 * plan, which shows it. */
#include "inter/proxy/from_env.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "catena/addr.h"
#include "catena/arena.h"
#include "inter/proxy/opts_proxy.h"
#include "inter/proxy/target.h"

enum { HOST, PORT, NAME_MAX_BYTES = 64 };

/* ---- kinds of proxies ---- */

static const struct kind {
    const char *scheme, *keyword;
    bool tls, http, resolves;
} kinds[] = {
    {"http", "PROXY", false, true, false},   {"https", "PROXY", true, true, false},
    {"socks", "SOCKS4", false, false, true}, {"socks4", "SOCKS4", false, false, true},
    {"socks4a", "SOCKS4A"},                  {"socks5", "SOCKS5-CONNECT", false, false, true},
    {"socks5h", "SOCKS5-CONNECT"},
};

static const struct kind *kind_of(const char *scheme)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].scheme, scheme) == 0)
            return &kinds[i];
    return NULL;
}

/* ---- which one ---- */

static bool has_hole(const struct addr *a, size_t param) { return a->holes && a->holes[param]; }

/* The port says it, or the option; a port that is not known leaves both. */
static size_t schemes_of(const struct addr *a, const char *schemes[2])
{
    const char *given = opt_string(a, &opt_proxy_for, NULL), *port = a->params[PORT];
    bool http = strcmp(port, "80") == 0 || strcmp(port, "http") == 0;
    schemes[0] = given ? given : http || has_hole(a, PORT) ? "http" : "https";
    schemes[1] = "https";
    return has_hole(a, PORT) && !given ? 2 : 1;
}

static int choose(const struct addr *a, const char **value, char *name, struct err *e)
{
    char other[NAME_MAX_BYTES];
    const char *schemes[2];
    size_t n = schemes_of(a, schemes);
    *value = from_env_variable(a->catena, schemes[0], name, NAME_MAX_BYTES);
    const char *second = n > 1 ? from_env_variable(a->catena, schemes[1], other, sizeof other) : *value;
    if ((*value == NULL) != (second == NULL) || (*value && strcmp(*value, second) != 0))
        return err_at(e, a->param_at[PORT], "the port is not known here, and http_proxy and https_proxy differ: proxy-for=http or "
                                            "proxy-for=https chooses one");
    return 0;
}

/* Does no_proxy say that the target is reached directly? */
static int except(const struct addr *a, bool *direct, struct err *e)
{
    const char *list = catena_variable(a->catena, "no_proxy");
    if (!list || !list[0])
        list = catena_variable(a->catena, "NO_PROXY");
    *direct = list && strcmp(list, "*") == 0;
    if (!list || !list[0] || *direct)
        return 0;
    char shown[100];
    printable(shown, sizeof shown, list);
    if (has_hole(a, HOST))
        return err_at(e, a->param_at[HOST], "the host is not known here, so no_proxy (\"%s\") cannot be asked about it: it has to "
                                            "be empty, or \"*\"", shown);
    *direct = from_env_excepts(list, a->params[HOST]);
    return 0;
}

/* ---- the parts ---- */

static struct made_part to_target(const char *keyword)
{
    return (struct made_part){.keyword = keyword, .from = {HOST + 1, PORT + 1}, .nparams = 2};
}

static void add_option(struct made_part *p, const struct option_desc *row, const char *value)
{
    p->opts[p->nopts].row = row;
    p->opts[p->nopts++].value = value;
}

static void add_login(struct made_part *p, const struct kind *k, char *userinfo)
{
    if (k->http) {
        add_option(p, &opt_proxy_auth, userinfo);
        return;
    }
    char *colon = strchr(userinfo, ':');
    if (colon)
        *colon = '\0';
    add_option(p, &opt_socksuser, userinfo);
    if (colon)
        add_option(p, &opt_sockspass, colon + 1);
}

static size_t make_parts(const struct kind *k, const struct proxy_url *u, struct made_part *parts)
{
    size_t n = 0;
    parts[n] = to_target(k->keyword);
    if (u->userinfo)
        add_login(&parts[n], k, u->userinfo);
    if (k->resolves)
        add_option(&parts[n], &opt_socks_resolve, NULL);
    n++;
    if (k->tls)
        parts[n++] = (struct made_part){.keyword = "OPENSSL"};
    parts[n++] = (struct made_part){.keyword = "TCP-CONNECT", .params = {u->host, u->port}, .nparams = 2};
    return n;
}

static int make_from_env(const struct addr *a, struct arena *mem, struct made_part parts[MADE_PARTS], size_t *n, struct err *e)
{
    char name[NAME_MAX_BYTES];
    const char *value;
    struct proxy_url u;
    bool direct = false;
    *n = 1;
    parts[0] = to_target("TCP-CONNECT");
    if (choose(a, &value, name, e) < 0 || (value && except(a, &direct, e) < 0))
        return -1;
    if (!value || direct)
        return 0;
    char *text = arena_printf(mem, "%s", value);
    if (!text)
        return err_nomem(e);
    const char *wrong = from_env_parse(text, &u);
    if (wrong) /* it may have a password in it, so it is not shown */
        return err_at(e, a->at, "%s names no proxy: %s", name, wrong);
    const struct kind *k = kind_of(u.scheme);
    char shown[40];
    printable(shown, sizeof shown, u.scheme);
    if (!k)
        return err_at(e, a->at, "%s names a proxy of the kind \"%s\"; http, https, socks4, socks4a, socks5 and socks5h are "
                                "known", name, shown);
    *n = make_parts(k, &u, parts);
    return 0;
}

static const struct compound from_env = {.make = make_from_env};

extern const struct form forms_from_env[];
const struct form forms_from_env[] = {
    {
        .keyword = "PROXY-FROM-ENV",
        .params = ":<host>:<port>",
        .min_params = 2,
        .max_params = 2,
        .left = CTX_RWB,
        .groups = GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY | GROUP_IP4 | GROUP_IP6 | GROUP_TCP | GROUP_HTTP |
                  GROUP_SOCKS | GROUP_OPENSSL,
        .options = options_from_env,
        .target = 1,
        .help = "connects over TCP, through the proxy that the environment names for the target",
        .kind = FORM_COMPOUND,
        .ops.compound = &from_env,
    },
    {0},
};
