/* SPDX-License-Identifier: GPL-2.0-or-later
 * STARTTLS and STARTTLS-SERVER: the plain words of a protocol in front of TLS, toward a server or toward a client.
 * The greeting is the point: a server has one in plain text and none in TLS, and who talks through us in plain
 * text hears it all the same, once. Toward a server it is handed on beyond TLS; toward a client the server behind
 * is asked for its own, first of all. */
#include "inter/starttls/starttls.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include "catena/diag.h"
#include "inter/proxy/target.h"
#include "inter/starttls/opts_starttls.h"

/* ---- for all protocols ---- */

const char *starttls_own_name(const struct addr *a, char name[static OWN_NAME])
{
    struct utsname host;
    const char *given = opt_string(a, &opt_helo, NULL);
    if (!given && uname(&host) == 0 && host.nodename[0])
        given = host.nodename;
    (void)snprintf(name, OWN_NAME, "%s", given ? given : "localhost");
    return name;
}

const char *starttls_domain(const struct addr *a)
{
    return opt_string(a, &opt_xmpp_domain, a->host);
}

int starttls_nothing_behind(const struct wire *w, const char *whose, struct err *e)
{
    return w->in.len == 0 ? 0
                          : err_set(e, ERR_PROTOCOL, "plain text came behind %s, where TLS has to begin: somebody on the way "
                                                     "may have put it there", whose);
}

int starttls_refused(const char *what, const char *text, struct err *e)
{
    char shown[200];
    printable(shown, sizeof shown, text);
    (void)err_set(e, shown[0] == '4' ? ERR_BUSY : ERR_OTHER, "the server %s: \"%s\"", what, shown);
    return err_called(e, ERR_STARTTLS);
}

int starttls_not_offered(struct err *e)
{
    return err_set(e, ERR_STARTTLS, "the server offers no TLS here, and nothing is sent without it");
}

int starttls_left(struct err *e)
{
    return err_set(e, ERR_REFUSED, "the client has left without asking for TLS");
}

/* ---- forms ---- */

#define LINK_CLIENT(how)                                                                           \
    {                                                                                              \
        .keyword = "STARTTLS", .params = ":<protocol>", .min_params = 1, .max_params = 1,          \
        .left = CTX_RWB, .right = RIGHT_BOTH, .groups = GROUP_CHILD | GROUP_RETRY,                 \
        .options = options_starttls, .role = ROLE_CLIENT, .check = client_check,                   \
        .becomes = client_becomes, .help = "asks the server on its right to go on in TLS",         \
        .kind = FORM_NEGOTIATOR, .ops.negotiator = &(how)                                          \
    }
#define LINK_SERVER(how)                                                                           \
    {                                                                                              \
        .keyword = "STARTTLS-SERVER", .params = ":<protocol>", .min_params = 1, .max_params = 1,   \
        .left = CTX_RWB, .right = RIGHT_BOTH, .groups = GROUP_CHILD | GROUP_RETRY,                 \
        .options = options_starttls_server, .role = ROLE_SERVER, .check = server_check,            \
        .becomes = server_becomes, .help = "is asked by the client on its right to go on in TLS",  \
        .kind = FORM_NEGOTIATOR, .ops.negotiator = &(how)                                          \
    }

static int client_check(const struct addr *a, struct err *e);
static int server_check(const struct addr *a, struct err *e);
static const struct form *client_becomes(const struct addr *a);
static const struct form *server_becomes(const struct addr *a);

extern const struct form forms_starttls[];
const struct form forms_starttls[] = {LINK_CLIENT(lines_client_ops), LINK_SERVER(lines_server_ops), {0}};

static const struct form ldap_client = LINK_CLIENT(ldap_client_ops), xmpp_client = LINK_CLIENT(xmpp_client_ops),
                         postgres_client = LINK_CLIENT(postgres_client_ops), mysql_client = LINK_CLIENT(mysql_client_ops),
                         lines_alone = LINK_SERVER(lines_alone_ops), ldap_server = LINK_SERVER(ldap_server_ops),
                         xmpp_server = LINK_SERVER(xmpp_server_ops), postgres_server = LINK_SERVER(postgres_server_ops),
                         mysql_server = LINK_SERVER(mysql_server_ops);

static const struct protocol {
    const char *name;
    const struct form *client, *server;
    bool client_named, server_named; /* which of them says a name: option helo */
} protocols[] = {
    {"smtp", &forms_starttls[0], &forms_starttls[1], true, true},
    {"lmtp", &forms_starttls[0], &forms_starttls[1], true, true},
    {"imap", &forms_starttls[0], &forms_starttls[1]},
    {"pop3", &forms_starttls[0], &forms_starttls[1]},
    {"sieve", &forms_starttls[0], &forms_starttls[1]},
    {"ftp", &forms_starttls[0], &forms_starttls[1]},
    {"nntp", &forms_starttls[0], &forms_starttls[1]},
    {"irc", &forms_starttls[0], &lines_alone, false, true},
    {"ldap", &ldap_client, &ldap_server},
    {"xmpp", &xmpp_client, &xmpp_server},
    {"xmpp-server", &xmpp_client, &xmpp_server},
    {"postgres", &postgres_client, &postgres_server},
    {"mysql", &mysql_client, &mysql_server},
};
enum { NPROTOCOLS = sizeof protocols / sizeof protocols[0] };

static const struct protocol *protocol_of(const struct addr *a)
{
    for (int i = 0; i < NPROTOCOLS; i++)
        if (strcasecmp(protocols[i].name, a->params[0]) == 0)
            return &protocols[i];
    return NULL;
}

static const struct form *client_becomes(const struct addr *a)
{
    const struct protocol *p = protocol_of(a);
    return p ? p->client : a->form;
}

static const struct form *server_becomes(const struct addr *a)
{
    const struct protocol *p = protocol_of(a);
    return p ? p->server : a->form;
}

static int unknown(const struct addr *a, struct err *e)
{
    char all[200];
    size_t n = 0;
    for (int i = 0; i < NPROTOCOLS; i++)
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", n ? ", " : "", protocols[i].name);
    return err_at(e, a->param_at[0], "\"%s\" is no protocol that has STARTTLS; known are %s", a->params[0], all);
}

static int check_word(const struct addr *a, const struct option_desc *row, bool counts, const char *where, struct err *e)
{
    const struct opt *o = opt_find(a, row);
    const char *text = o ? o->v.s : "x";
    if (o && !counts)
        return err_at(e, o->at, "%s is for %s; with %s no such name is told", row->name, where, a->params[0]);
    bool good = text && *text && strlen(text) < OWN_NAME;
    for (const char *p = text; good && *p; p++)
        good = *p > ' ' && *p != 0x7f && !strchr("<>&'\"", *p);
    return good ? 0 : err_at(e, o->at, "%s: a name of up to %d characters without blanks, quotes, <, > and &", row->name,
                             OWN_NAME - 1);
}

/* Its kind has been settled: facts cannot make another one of it. */
static int check_settled(const struct addr *a, const struct form *want, bool named, const char *where, struct err *e)
{
    return a->form == want ? check_word(a, &opt_helo, named, where, e) : unknown(a, e);
}

static int client_check(const struct addr *a, struct err *e)
{
    const struct protocol *p = protocol_of(a);
    if (!p)
        return unknown(a, e);
    if (p->client == &xmpp_client && !starttls_domain(a))
        return err_at(e, a->at, "xmpp: which domain is wanted? Give xmpp-domain");
    return check_settled(a, p->client, p->client_named, "smtp and lmtp", e) < 0
               ? -1
               : check_word(a, &opt_xmpp_domain, p->client == &xmpp_client, "xmpp", e);
}

static int server_check(const struct addr *a, struct err *e)
{
    const struct protocol *p = protocol_of(a);
    return p ? check_settled(a, p->server, p->server_named, "smtp, lmtp and irc", e) : unknown(a, e);
}
