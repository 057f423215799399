/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY-PROTOCOL: tells the server, before anything else, who the client on the data side is, so that it takes him
 * for its peer and not us. Who has no client speaks for himself: LOCAL, or UNKNOWN. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/options.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "inter/front/opts_front.h"
#include "inter/front/proxy_header.h"
#include "inter/front/side.h"
#include "inter/tls/opts_tls.h"

struct writing {
    unsigned char header[PROXY_SEND_MAX];
    size_t n;
};

/* ---- fields ---- */

static int put_field(struct writing *h, unsigned type, const void *value, size_t n, struct err *e)
{
    if (n + 3 > sizeof h->header - h->n)
        return err_set(e, ERR_UNFIT, "the PROXY header would have more than %d bytes", PROXY_SEND_MAX);
    unsigned char *to = h->header + h->n;
    to[0] = (unsigned char)type;
    to[1] = (unsigned char)(n >> 8);
    to[2] = (unsigned char)n;
    memcpy(to + 3, value, n);
    h->n += 3 + n;
    return 0;
}

static int put_text(struct writing *h, unsigned type, const char *text, struct err *e)
{
    return put_field(h, type, text, strlen(text), e);
}

/* What the client has told, if he has. */
static int put_fact(struct writing *h, unsigned type, const struct outcome *client, const char *fact, struct err *e)
{
    char value[256];
    bool told = outcome_told(client, fact, value, sizeof value);
    if (told && type == PROXY_ALPN && strchr(value, ',')) /* what he offers; nothing has been agreed upon */
        told = false;
    return told ? put_text(h, type, value, e) : 0;
}

/* The option's value, or without one the client's word. */
static int put_option(struct writing *h, unsigned type, const struct addr *a, const struct option_desc *row,
                      const struct outcome *client, const char *fact, struct err *e)
{
    const struct opt *o = opt_find(a, row);
    if (!o)
        return 0;
    return o->v.s && *o->v.s ? put_text(h, type, o->v.s, e) : put_fact(h, type, client, fact, e);
}

static int put_unique_id(struct writing *h, const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_front_unique_id);
    unsigned char made[16];
    if (!o)
        return 0;
    if (o->v.s && *o->v.s)
        return put_text(h, PROXY_UNIQUE_ID, o->v.s, e);
    if (getrandom(made, sizeof made, 0) != (ssize_t)sizeof made)
        return err_sys(e, "no random bytes for the unique id");
    return put_field(h, PROXY_UNIQUE_ID, made, sizeof made, e);
}

/* Has the session that knows the certificate looked at it? */
static bool looks_at_certificates(const struct plan *p, int data)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct addr *a = p->links[i].fwd;
        if (p->links[i].wire == data && a->form->kind == FORM_SESSION && !opt_int(a, &opt_tls_verify, 1))
            return false;
    }
    return true;
}

static int put_tls(struct writing *h, const struct outcome *client, int data, struct err *e)
{
    char version[64], name[256];
    unsigned char head[5] = {0, 0, 0, 0, 1};
    bool tls = outcome_told(client, "openssl_proto_version", version, sizeof version);
    bool named = outcome_told(client, "openssl_x509_commonname", name, sizeof name);
    size_t at = h->n;
    if (tls)
        head[0] = PROXY_CLIENT_TLS;
    if (tls && named)
        head[0] |= PROXY_CLIENT_CERT_CONN | PROXY_CLIENT_CERT_SESS;
    head[4] = !(tls && named && looks_at_certificates(client->run->plan, data));
    if (put_field(h, PROXY_TLS, head, sizeof head, e) < 0)
        return -1;
    if (tls && (put_text(h, PROXY_TLS_VERSION, version, e) < 0 ||
                (named && put_text(h, PROXY_TLS_NAME, name, e) < 0) ||
                put_fact(h, PROXY_TLS_CIPHER, client, "openssl_cipher", e) < 0))
        return -1;
    size_t n = h->n - at - 3; /* what is in it is part of it */
    h->header[at + 1] = (unsigned char)(n >> 8);
    h->header[at + 2] = (unsigned char)n;
    return 0;
}

static int put_others(struct writing *h, const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < a->nopts; i++)
        if (option_is(a->opts[i].desc, &opt_front_tlv) &&
            put_text(h, (unsigned)a->opts[i].v.i, a->opts[i].v.s, e) < 0)
            return -1;
    return 0;
}

static int put_sum(struct writing *h, struct err *e)
{
    unsigned char sum[4] = {0};
    if (put_field(h, PROXY_CRC32C, sum, sizeof sum, e) < 0)
        return -1;
    proxy_finish(h->header, h->n);
    uint32_t crc = crc32c(0, h->header, h->n);
    for (int i = 0; i < 4; i++)
        h->header[h->n - 4 + (size_t)i] = (unsigned char)(crc >> (24 - 8 * i));
    return 0;
}

static int put_fields(struct writing *h, const struct addr *a, const struct outcome *client, int data, struct err *e)
{
    if (put_option(h, PROXY_ALPN, a, &opt_front_alpn, client, "alpn", e) < 0 ||
        put_option(h, PROXY_AUTHORITY, a, &opt_front_authority, client, "sni", e) < 0 || put_unique_id(h, a, e) < 0 ||
        (opt_true(a, &opt_front_tls) && put_tls(h, client, data, e) < 0) || put_others(h, a, e) < 0)
        return -1;
    return opt_true(a, &opt_front_crc32c) ? put_sum(h, e) : 0;
}

/* ---- the header ---- */

static bool needs_version_2(const struct addr *a)
{
    static const struct option_desc *const rows[] = {&opt_front_alpn, &opt_front_authority, &opt_front_crc32c, &opt_front_tls,
                                                     &opt_front_tlv, &opt_front_unique_id};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (opt_find(a, rows[i]))
            return true;
    return false;
}

static void find_client(const struct addr *a, const struct outcome *client, struct proxy_header *h)
{
    static const char *const facts[2][2] = {{"peeraddr", "peerport"}, {"sockaddr", "sockport"}};
    struct sockname *const to[2] = {&h->from, &h->to};
    *h = (struct proxy_header){.told = !opt_true(a, &opt_front_unknown)};
    for (int i = 0; i < 2; i++) {
        char host[SOCKNAME_TEXT], port[16];
        if (!h->told || !outcome_told(client, facts[i][0], host, sizeof host)) {
            h->told = false;
            return;
        }
        bool has_port = outcome_told(client, facts[i][1], port, sizeof port);
        if (!proxy_address(host, has_port ? port : NULL, to[i]))
            h->from = h->to = (struct sockname){0}; /* somebody from where no header can say */
    }
    if (!proxy_same_family(&h->from, &h->to))
        h->from = h->to = (struct sockname){0};
}

static int send_header(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    struct writing *h = st;
    struct proxy_header says;
    char line[PROXY_LINE_MAX + 1], text[SOCKNAME_TEXT];
    int data = side_of_data(r, a);
    struct outcome client = {.run = r, .place = a->place, .to_right = data == RIGHT};
    long long version = opt_int(a, &opt_front_version, needs_version_2(a) ? 2 : 1);
    find_client(a, &client, &says);
    if (says.told && says.from.len > 0)
        diag(DIAG_INFO, "the PROXY header names the client %s", sockname_name(&says.from, text));
    else
        diag(DIAG_INFO, "the PROXY header names no client");
    if (version == 1)
        return wire_write(w, line, proxy_write_line(&says, line), e);
    h->n = proxy_write_head(&says, r->plan->end[data].fwd->form->records != RECORDS_NONE, h->header);
    if (put_fields(h, a, &client, data, e) < 0)
        return -1;
    proxy_finish(h->header, h->n);
    return wire_write(w, h->header, h->n, e);
}

/* ---- what can be known wrong ---- */

static int check_tlv(const struct opt *o, struct err *e)
{
    static const struct {
        int type;
        const char *option;
    } own[] = {{PROXY_ALPN, "alpn"}, {PROXY_AUTHORITY, "authority"}, {PROXY_CRC32C, "crc32c"},
               {PROXY_UNIQUE_ID, "unique-id"}, {PROXY_TLS, "tls"}};
    if (o->v.i < 0 || o->v.i > 255)
        return err_at(e, o->at, "tlv: the type of a field is from 0 to 255, those from 0xE0 to 0xEF are for everybody's use");
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        if (o->v.i == own[i].type)
            return err_at(e, o->at, "tlv: the field of type %d is what option %s makes", own[i].type, own[i].option);
    return 0;
}

static int check(const struct addr *a, struct err *e)
{
    const struct opt *version = opt_find(a, &opt_front_version), *id = opt_find(a, &opt_front_unique_id);
    if (version && version->v.i != 1 && version->v.i != 2)
        return err_at(e, version->at, "version=%lld: there are versions 1 and 2 of the PROXY header", version->v.i);
    if (version && version->v.i == 1 && needs_version_2(a))
        return err_at(e, version->at, "version=1: a header of version 1 has nothing but addresses; the other options need "
                                      "version 2");
    if (id && id->v.s && strlen(id->v.s) > PROXY_UNIQUE_ID_MAX)
        return err_at(e, id->at, "unique-id: %zu bytes are too many, at most %d are possible", strlen(id->v.s),
                      PROXY_UNIQUE_ID_MAX);
    for (size_t i = 0; i < a->nopts; i++)
        if (option_is(a->opts[i].desc, &opt_front_tlv) && check_tlv(&a->opts[i], e) < 0)
            return -1;
    return 0;
}

static bool wants_facts(const struct addr *a)
{
    return !opt_true(a, &opt_front_unknown);
}

static const struct negotiator_ops ops = {.state_size = sizeof(struct writing), .learn = send_header};

extern const struct form forms_proxy_protocol[];
const struct form forms_proxy_protocol[] = {
    {
        .keyword = "PROXY-PROTOCOL",
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_proxy_protocol,
        .role = ROLE_CLIENT,
        .help = "tells the server by a PROXY header who the client is",
        .check = check,
        .wants_facts = wants_facts,
        .kind = FORM_NEGOTIATOR,
        .ops.negotiator = &ops,
    },
    {0},
};
