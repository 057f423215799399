/* SPDX-License-Identifier: GPL-2.0-or-later
 * What all TLS connections of an address share, made once before any fork or thread: protocol
 * versions, ciphers, and, in files of their own, who we are and whom we trust. Everything that can be wrong with the
 * options and their files is found here, before the first connection. */
#include "inter/libraries/libraries.h"
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls_certs.h"
#include "inter/tls/tls_kernel.h"
#include "inter/tls/tls_psk.h"
#include "inter/tls/tls_resume.h"

#include <openssl/err.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catena/diag.h"
#include "catena/renewed.h"

static const struct version {
    const char *name;
    int number; /* 0: older than anything the library still speaks */
    bool datagram;
} versions[] = {
    {"SSL2", 0, false},
    {"SSL3", 0, false},
    {"TLS1", TLS1_VERSION, false},
    {"TLS1.0", TLS1_VERSION, false},
    {"TLS1.1", TLS1_1_VERSION, false},
    {"TLS1.2", TLS1_2_VERSION, false},
    {"TLS1.3", TLS1_3_VERSION, false},
    {"DTLS1", DTLS1_VERSION, true},
    {"DTLS1.0", DTLS1_VERSION, true},
    {"DTLS1.2", DTLS1_2_VERSION, true},
};

static const char *versions_help(const struct tls_context *t)
{
    return t->datagram ? "DTLS1.0 or DTLS1.2" : "TLS1.0, TLS1.1, TLS1.2 or TLS1.3";
}

/* The numbers of DTLS fall from version to version. */
static bool is_below(const struct tls_context *t, int a, int b)
{
    return t->datagram ? a > b : a < b;
}

static const struct version *find_version(const struct tls_context *t, const char *name)
{
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++)
        if (versions[i].datagram == t->datagram && strcasecmp(versions[i].name, name) == 0)
            return &versions[i];
    return NULL;
}

/* Gives the version an option names, or leaves *number. lowest: a name too old to be spoken means
 * "any"; without it, it is an error. */
static int version_option(const struct tls_context *t, const struct opt *o, bool lowest,
                          int *number, struct err *e)
{
    if (!o)
        return 0;
    const struct version *v = find_version(t, o->v.s);
    if (!v)
        return err_at(e, o->at, "%s=%s: no such protocol version; %s are known",
                      o->desc->name, o->v.s, versions_help(t));
    if (v->number == 0 && !lowest)
        return err_at(e, o->at,
                      "%s=%s: the TLS library does not speak it any more; give %s",
                      o->desc->name, o->v.s, versions_help(t));
    *number = v->number;
    return 0;
}

/* TLS and DTLS 1.2 are the floor, unless the library's configuration names another, or an option. */
static int set_versions(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    (void)r;
    const int floor = t->datagram ? DTLS1_2_VERSION : TLS1_2_VERSION;
    const struct opt *method = tls_text_option(a, &opt_tls_method);
    const struct opt *max_option = tls_text_option(a, &opt_tls_max_version);
    int min = (int)SSL_CTX_get_min_proto_version(t->ctx), max = 0;
    if (min == 0)
        min = floor;
    if (method && strcasecmp(method->v.s, "SSL23") != 0 &&
        strcasecmp(method->v.s, t->datagram ? "DTLS" : "TLS") != 0) {
        if (version_option(t, method, false, &min, e) != 0)
            return -1;
        max = min;
    }
    if (version_option(t, tls_text_option(a, &opt_tls_min_version), true, &min, e) != 0 ||
        version_option(t, max_option, false, &max, e) != 0)
        return -1;
    if (max_option && is_below(t, max, min))
        return err_at(e, max_option->at,
                      "%s=%s is below the lowest version allowed; openssl-min-proto-version=%s "
                      "allows it",
                      max_option->desc->name, max_option->v.s, max_option->v.s);
    if (!SSL_CTX_set_min_proto_version(t->ctx, min) || !SSL_CTX_set_max_proto_version(t->ctx, max))
        return tls_error(e, ERR_TLS_VERSION, "protocol version");
    return 0;
}

static void append_name(char *list, const char *name, size_t n)
{
    size_t len = strlen(list);
    if (len > 0)
        list[len++] = ':';
    memcpy(list + len, name, n);
    list[len + n] = '\0';
}

/* OpenSSL keeps the TLS 1.3 suites apart; a user has one list of names. Both results have room for
 * the whole list. */
static void split_ciphers(const char *list, char *old, char *suites)
{
    while (*list) {
        size_t n = strcspn(list, ":, ");
        if (n > 0)
            append_name(strncmp(list, "TLS_", 4) == 0 ? suites : old, list, n);
        list += n + strspn(list + n, ":, ");
    }
}

/* Without the option the library's own list is used, or what its configuration says; version 1 has
 * one of its own, with DSA keys and more old ones. */
static int set_ciphers(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    SSL_CTX *ctx = t->ctx;
    const struct opt *o = tls_text_option(a, &opt_tls_cipher);
    if (!o && r->settings->v1_name && !t->psks && !SSL_CTX_set_cipher_list(ctx, "HIGH:-NULL:-PSK:-aNULL"))
        return tls_error(e, ERR_TLS_CIPHER, "the ciphers of version 1");
    if (!o)
        return 0;
    size_t size = strlen(o->v.s) + 1;
    char *old = calloc(2, size);
    if (!old)
        return err_nomem(e);
    char *suites = old + size;
    int rc = 0;
    split_ciphers(o->v.s, old, suites);
    if ((*suites && !SSL_CTX_set_ciphersuites(ctx, suites)) ||
        (*old && !SSL_CTX_set_cipher_list(ctx, old)))
        rc = tls_option_error(o, e);
    else if (!*old && *suites && !t->datagram) /* none of TLS 1.2 was named: none may be used */
        (void)SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    free(old);
    return rc;
}

static int set_fragments(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    (void)r;
    static const struct {
        long long bytes;
        uint8_t code;
    } lengths[] = {
        {512, TLSEXT_max_fragment_length_512},
        {1024, TLSEXT_max_fragment_length_1024},
        {2048, TLSEXT_max_fragment_length_2048},
        {4096, TLSEXT_max_fragment_length_4096},
    };
    const struct opt *ask = opt_find(a, &opt_tls_maxfraglen);
    const struct opt *send = opt_find(a, &opt_tls_maxsendfrag);
    if (send && (send->v.i < 512 || send->v.i > 16384))
        return err_at(e, send->at, "%s=%lld: give 512 to 16384 bytes", send->desc->name, send->v.i);
    if (send && !SSL_CTX_set_max_send_fragment(t->ctx, (long)send->v.i))
        return tls_error(e, ERR_OTHER, "%s=%lld", send->desc->name, send->v.i);
    if (!ask)
        return 0;
    uint8_t code = 0;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        if (lengths[i].bytes == ask->v.i)
            code = lengths[i].code;
    if (code == 0)
        return err_at(e, ask->at, "%s=%lld: give 512, 1024, 2048 or 4096 bytes", ask->desc->name,
                      ask->v.i);
    if (t->server)
        diag(DIAG_WARN, "%s has no effect on a TLS server: it is the client who asks",
             ask->desc->name);
    else if (!SSL_CTX_set_tlsext_max_fragment_length(t->ctx, code))
        return tls_error(e, ERR_OTHER, "%s=%lld", ask->desc->name, ask->v.i);
    return 0;
}

/* Options of v1 that current TLS libraries have no use for. */
static int look_at_relics(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    (void)r;
    const struct opt *compress = tls_text_option(a, &opt_tls_compress);
    const struct opt *egd = opt_find(a, &opt_tls_egd), *pseudo = opt_find(a, &opt_tls_pseudo);
    if (compress && strcasecmp(compress->v.s, "auto") == 0) {
        (void)SSL_CTX_clear_options(t->ctx, SSL_OP_NO_COMPRESSION);
        if (sk_SSL_COMP_num(SSL_COMP_get_compression_methods()) <= 0)
            diag(DIAG_WARN, "%s=auto has no effect: the TLS library has no compression",
                 compress->desc->name);
    } else if (compress && strcasecmp(compress->v.s, "none") == 0) {
        (void)SSL_CTX_set_options(t->ctx, SSL_OP_NO_COMPRESSION);
    } else if (compress) {
        return err_at(e, compress->at, "%s=%s: give none or auto", compress->desc->name,
                      compress->v.s);
    }
    if (egd || (pseudo && pseudo->v.i))
        diag(DIAG_WARN,
             "%s has no effect: the TLS library takes its random numbers from the "
             "kernel",
             (egd ? egd : pseudo)->desc->name);
    return 0;
}

static const SSL_METHOD *method_of(const struct tls_context *t)
{
    if (t->datagram)
        return t->server ? DTLS_server_method() : DTLS_client_method();
    return t->server ? TLS_server_method() : TLS_client_method();
}

static int begin(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    (void)a;
    (void)r;
    t->ctx = SSL_CTX_new(method_of(t));
    t->bio = tls_bio_method();
    if (!t->ctx || !t->bio)
        return tls_error(e, ERR_OTHER, "the TLS library does not start");
    (void)SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_read_ahead(t->ctx, 1);
    (void)SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY |
                                       SSL_MODE_RELEASE_BUFFERS);
    if (t->datagram)
        dtls_prepare(t);
    return 0;
}

const struct opt *tls_text_option(const struct addr *a, const struct option_desc *row)
{
    const struct opt *o = opt_find(a, row);
    return o && o->v.s && *o->v.s ? o : NULL;
}

int tls_option_error(const struct opt *o, struct err *e)
{
    (void)tls_error(e, ERR_TLS_FILE, "%s=%s", o->desc->name, o->v.s);
    e->where = o->at;
    return -1;
}

/* In this order; each takes its options and leaves the rest. */
static int (*const steps[])(const struct addr *, struct tls_context *, struct run *, struct err *) = {
    tls_check_silent, begin, tls_psk_prepare, set_versions, set_ciphers, tls_set_identity, tls_set_staples, tls_set_trust, tls_set_revoked, tls_set_pins,
    tls_set_ocsp, tls_set_alpn, set_fragments, look_at_relics, tls_resume_prepare, tls_kernel_prepare, tls_key_log_prepare,
};

static int take_steps(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    const struct tls_role *role = a->form->arg;
    t->server = role->server;
    t->datagram = role->datagram;
    t->verify = opt_int(a, &opt_tls_verify, 1) != 0;
    t->common_name = opt_true(a, &opt_tls_commonname_match);
    t->key_log = SINK_NONE;
    ERR_clear_error();
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
        if (steps[i](a, t, r, e) != 0)
            return -1;
    return 0;
}

static void release(void *context)
{
    struct tls_context *t = context;
    if (!t)
        return;
    SSL_CTX_free(t->ctx);
    tls_resume_release(t);
    tls_psk_release(t);
    BIO_meth_free(t->bio);
    sink_close(&t->key_log);
    tls_certs_free(t->certs);
    free(t->alpn);
    free(t->pins);
    free(t);
}

static int make(const struct addr *a, struct run *r, void **context, struct err *e)
{
    if (libraries_load_openssl(e) < 0)
        return -1;
    struct tls_context *t = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(e);
    if (take_steps(a, t, r, e) != 0) {
        release(t);
        return -1;
    }
    *context = t;
    return 0;
}

int tls_prepare(const struct addr *a, struct run *r, void **shared, struct err *e)
{
    static const struct renewed_ops ops = {make, release};
    return renewed_new(&ops, a, r, (struct renewed **)shared, e);
}
