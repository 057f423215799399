/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY-PROTOCOL-SERVER: a proxy tells by its header whose connection this is; from then on the line takes him for
 * its peer. Only from proxies that are believed, and never optional: who could leave it out could make it up. */
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/endpoint.h"
#include "catena/facts.h"
#include "catena/handshake.h"
#include "catena/inter.h"
#include "catena/options.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "inter/front/opts_front.h"
#include "inter/front/proxy_believed.h"
#include "inter/front/proxy_header.h"
#include "inter/front/side.h"

enum { PATIENCE_MS = 5000 };

/* ---- who is believed ---- */

/* Whoever is at the other end of the wire. */
struct proxy {
    char host[SOCKNAME_TEXT], port[16];
    bool named, ported; /* somebody has said so; not of pipes, programs, what came with the process */
    struct sockname name; /* of a family that headers know; or len 0 */
};

static void find_proxy(const struct outcome *wire, struct proxy *p)
{
    *p = (struct proxy){.host = "the peer"};
    p->named = outcome_told(wire, "peeraddr", p->host, sizeof p->host);
    p->ported = p->named && outcome_told(wire, "peerport", p->port, sizeof p->port);
    if (p->named && !proxy_address(p->host, p->ported ? p->port : NULL, &p->name))
        p->name = (struct sockname){0};
}

static int admit_proxy(const struct addr *a, const struct proxy *p, struct err *e)
{
    unsigned char ip[16];
    bool known = p->name.len > 0, numbered = known && sockname_ip_bytes(&p->name, ip);
    /* whoever has no name, as what comes with the process, may be anybody behind inetd: that takes a word */
    bool local = p->named ? known && sockname_family(&p->name) == AF_UNIX : opt_find(a, &opt_front_from) != NULL;
    if (proxy_is_believed(a, numbered ? ip : NULL, local))
        return 0;
    return err_set(e, ERR_RANGE, "%s may not say who its clients are (from=<networks> says which proxies may)", p->host);
}

static int tell_proxy(const struct addr *a, struct run *r, const struct proxy *p, struct err *e)
{
    return (p->named && run_set_fact(r, a, "proxyaddr", p->host, e) < 0) ||
                   (p->ported && run_set_fact(r, a, "proxyport", p->port, e) < 0)
               ? -1
               : 0;
}

/* ---- reading ---- */

/* What cannot become the header any more is refused at once. */
static int look_what(struct wire *w, bool *line, struct err *e)
{
    static const char first[] = "PROXY ";
    const unsigned char *p;
    for (size_t n = 1;; n++) {
        if (wire_look(w, n, &p, e) < 0)
            return -1;
        size_t k = w->in.len;
        *line = memcmp(p, first, k < 6 ? k : 6) == 0;
        if (!*line && memcmp(p, PROXY_SIGNATURE, k < PROXY_SIGNATURE_LEN ? k : PROXY_SIGNATURE_LEN) != 0)
            return err_set(e, ERR_PROTOCOL, "the connection does not begin with a PROXY header, which is needed here");
        if (k >= (*line ? 6U : PROXY_SIGNATURE_LEN))
            return 0;
        n = k;
    }
}

static int read_line(struct wire *w, struct proxy_header *h, struct err *e)
{
    char line[PROXY_LINE_MAX + 1];
    const unsigned char *p, *end;
    for (size_t n = 8; n <= PROXY_LINE_MAX; n = w->in.len + 1) {
        if (wire_look(w, n, &p, e) < 0)
            return -1;
        end = memmem(p, w->in.len < PROXY_LINE_MAX ? w->in.len : PROXY_LINE_MAX, "\r\n", 2);
        if (!end)
            continue;
        size_t len = (size_t)(end - p);
        if (wire_read(w, line, len + 2, e) < 0)
            return -1;
        line[len] = '\0';
        return strlen(line) == len ? proxy_parse_line(line, h, e)
                                   : err_set(e, ERR_PROTOCOL, "the PROXY header is wrong: it has a NUL in it");
    }
    return err_set(e, ERR_PROTOCOL, "the PROXY header is wrong: its line does not end within %d bytes", PROXY_LINE_MAX);
}

static int read_binary(struct wire *w, unsigned char **bytes, struct proxy_header *h, struct err *e)
{
    unsigned char head[PROXY_HEAD];
    if (wire_read(w, head, sizeof head, e) < 0)
        return -1;
    size_t n = (size_t)head[14] << 8 | head[15];
    if (!(*bytes = malloc(sizeof head + n)))
        return err_nomem(e);
    memcpy(*bytes, head, sizeof head);
    return wire_read(w, *bytes + sizeof head, n, e) < 0 ? -1 : proxy_parse(*bytes, sizeof head + n, h, e);
}

static int read_header(struct wire *w, unsigned char **bytes, struct proxy_header *h, struct err *e)
{
    bool line;
    if (look_what(w, &line, e) < 0)
        return -1;
    return line ? read_line(w, h, e) : read_binary(w, bytes, h, e);
}

/* ---- telling ---- */

/* What cannot be printed is nothing that anybody has to know. */
static int tell_text(struct run *r, const struct addr *a, const char *fact, struct proxy_text t, struct err *e)
{
    char text[256];
    if (!t.p || t.n == 0 || t.n >= sizeof text)
        return 0;
    memcpy(text, t.p, t.n);
    text[t.n] = '\0';
    const struct saying said = {text, t.n, "the proxy"};
    struct err why;
    if (fact_check(fact_lookup(fact, strlen(fact)), &said, strcmp(fact, "sni") == 0 ? IN_HOST : IN_URI, &why) < 0) {
        diag(DIAG_INFO, "the PROXY header's %s is left out: %s", fact, why.text);
        return 0;
    }
    return run_set_fact(r, a, fact, text, e);
}

/* Bytes are told as digits. */
static int tell_id(struct run *r, const struct addr *a, struct proxy_text id, struct err *e)
{
    char text[2 * PROXY_UNIQUE_ID_MAX + 1];
    bool shown = id.n > 0;
    for (size_t i = 0; i < id.n; i++)
        shown &= id.p[i] > ' ' && id.p[i] <= '~';
    if (shown || id.n == 0 || id.n > PROXY_UNIQUE_ID_MAX)
        return tell_text(r, a, "uniqueid", id, e);
    for (size_t i = 0; i < id.n; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", id.p[i]);
    return run_set_fact(r, a, "uniqueid", text, e);
}

/* Sockets of this host's kind have no ports, and those of the proxy's connection are not theirs. */
static int tell_addresses(struct run *r, const struct addr *a, const struct proxy_header *h, struct err *e)
{
    bool to_right = side_of_data(r, a) == LEFT;
    if (sockname_port(&h->from) < 0) {
        run_take_back(r, a, to_right, "peerport");
        run_take_back(r, a, to_right, "sockport");
    }
    return sockname_tell(r, a, &h->from, &h->to, e);
}

static int tell(struct run *r, const struct addr *a, const struct proxy_header *h, struct err *e)
{
    struct proxy_text none = {0}, name = h->verified ? h->tls_name : none;
    if (h->told && tell_addresses(r, a, h, e) < 0)
        return -1;
    return tell_text(r, a, "sni", h->authority, e) < 0 || tell_text(r, a, "alpn", h->alpn, e) < 0 ||
                   tell_id(r, a, h->unique_id, e) < 0 ||
                   (h->tls && (tell_text(r, a, "openssl_proto_version", h->tls_version, e) < 0 ||
                               tell_text(r, a, "openssl_cipher", h->tls_cipher, e) < 0 ||
                               tell_text(r, a, "openssl_x509_commonname", name, e) < 0))
               ? -1
               : 0;
}

/* The rules of whom the wire leads to are about him. */
static int admit_client(struct run *r, const struct addr *a, const struct sockname *client, struct err *e)
{
    char text[SOCKNAME_TEXT];
    const char *why = "";
    int rc = endpoint_admits(run_addr(r, r->plan->end[!side_of_data(r, a)].fwd), r, client, &why, e);
    return rc == 0 ? err_set(e, ERR_RANGE, "refusing connection from %s due to %s", sockname_name(client, text), why) : rc;
}

static int introduce(struct run *r, const struct addr *a, const struct proxy_header *h, const struct sockname *proxy,
                     struct err *e)
{
    char text[SOCKNAME_TEXT], own[SOCKNAME_TEXT];
    if (!h->told)
        diag(DIAG_INFO, "the PROXY header names no client");
    else
        diag(DIAG_NOTICE, "the PROXY header names the client %s, who connected to %s", sockname_name(&h->from, text),
             sockname_name(&h->to, own));
    if (admit_client(r, a, h->told ? &h->from : proxy, e) < 0 || tell(r, a, h, e) < 0)
        return -1;
    if (h->told)
        run_introduce(r, sockname_name(&h->from, text));
    return 0;
}

/* ---- the dialog ---- */

static int learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    unsigned char *bytes = NULL;
    struct proxy_header h;
    struct proxy proxy;
    const struct outcome wire = {.run = r, .place = a->place, .to_right = side_of_data(r, a) == LEFT};
    (void)st;
    find_proxy(&wire, &proxy);
    if (!opt_find(a, &opt_handshake_timeout))
        wire_patience(w, PATIENCE_MS);
    if (admit_proxy(a, &proxy, e) < 0 || tell_proxy(a, r, &proxy, e) < 0)
        return -1;
    int rc = read_header(w, &bytes, &h, e);
    if (rc == 0)
        rc = introduce(r, a, &h, &proxy.name, e);
    free(bytes);
    return rc;
}

static bool wants_facts(const struct addr *a)
{
    (void)a;
    return true;
}

static const struct negotiator_ops ops = {.learn = learn, .rests = true};

extern const struct form forms_proxy_protocol_server[];
const struct form forms_proxy_protocol_server[] = {
    {
        .keyword = "PROXY-PROTOCOL-SERVER",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_proxy_protocol_server,
        .role = ROLE_SERVER,
        .introduces = proxy_believed_who,
        .gives = GIVES_PEER " proxyaddr proxyport sni alpn uniqueid openssl_proto_version openssl_cipher openssl_x509_commonname",
        .help = "learns from a proxy, by its PROXY header, who its client is",
        .check = proxy_believed_check,
        .wants_facts = wants_facts,
        .kind = FORM_NEGOTIATOR,
        .ops.negotiator = &ops,
    },
    {0},
};
