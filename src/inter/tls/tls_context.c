/* SPDX-License-Identifier: GPL-2.0-or-later
 * What all TLS connections of an address share, made once before any fork or thread: protocol
 * versions, ciphers, certificate and key, trust store. Everything that can be wrong with the
 * options and their files is found here, before the first connection. */
#include "inter/libraries/libraries.h"
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/secret.h"
#include "catena/key_file.h"

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

/* An option of which only the text counts, NULL when it is not given or empty. */
static const struct opt *text_option(const struct addr *a, const struct option_desc *row)
{
    const struct opt *o = opt_find(a, row);
    return o && o->v.s && *o->v.s ? o : NULL;
}

/* The OpenSSL error queue as an error about an option. */
static int option_error(const struct opt *o, struct err *e)
{
    (void)tls_error(e, ERR_OTHER, "%s=%s", o->desc->name, o->v.s);
    e->where = o->at;
    return -1;
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
static int set_versions(const struct addr *a, const struct tls_context *t, struct err *e)
{
    const int floor = t->datagram ? DTLS1_2_VERSION : TLS1_2_VERSION;
    const struct opt *method = text_option(a, &opt_tls_method);
    const struct opt *max_option = text_option(a, &opt_tls_max_version);
    int min = (int)SSL_CTX_get_min_proto_version(t->ctx), max = 0;
    if (min == 0)
        min = floor;
    if (method && strcasecmp(method->v.s, "SSL23") != 0 &&
        strcasecmp(method->v.s, t->datagram ? "DTLS" : "TLS") != 0) {
        if (version_option(t, method, false, &min, e) != 0)
            return -1;
        max = min;
    }
    if (version_option(t, text_option(a, &opt_tls_min_version), true, &min, e) != 0 ||
        version_option(t, max_option, false, &max, e) != 0)
        return -1;
    if (max_option && is_below(t, max, min))
        return err_at(e, max_option->at,
                      "%s=%s is below the lowest version allowed; openssl-min-proto-version=%s "
                      "allows it",
                      max_option->desc->name, max_option->v.s, max_option->v.s);
    if (!SSL_CTX_set_min_proto_version(t->ctx, min) || !SSL_CTX_set_max_proto_version(t->ctx, max))
        return tls_error(e, ERR_OTHER, "protocol version");
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
static int set_ciphers(const struct addr *a, const struct tls_context *t, const struct run *r,
                       struct err *e)
{
    SSL_CTX *ctx = t->ctx;
    const struct opt *o = text_option(a, &opt_tls_cipher);
    if (!o && r->settings->v1_name && !SSL_CTX_set_cipher_list(ctx, "HIGH:-NULL:-PSK:-aNULL"))
        return tls_error(e, ERR_OTHER, "the ciphers of version 1");
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
        rc = option_error(o, e);
    else if (!*old && *suites && !t->datagram) /* none of TLS 1.2 was named: none may be used */
        (void)SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    free(old);
    return rc;
}

static bool has_anonymous_cipher(const SSL_CTX *ctx)
{
    STACK_OF(SSL_CIPHER) *list = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++)
        if (SSL_CIPHER_get_auth_nid(sk_SSL_CIPHER_value(list, i)) == NID_auth_null)
            return true;
    return false;
}

struct pass_phrase {
    struct secret_value value;
    bool given;
    struct run *run;
    struct err why; /* kind != ERR_NONE: asking for it failed */
};

/* What the options say; else asks, but only where there is somebody to ask: OpenSSL itself would
 * fall back to standard input, which is data here, and no signal would end its question. */
static int give_pass_phrase(char *text, int size, int writing, void *arg)
{
    struct pass_phrase *p = arg;
    (void)writing;
    if (p->why.kind != ERR_NONE) /* OpenSSL tries one format after the other, and asks each time */
        return -1;
    if (!p->given && secret_ask(p->run, "Enter PEM pass phrase:", &p->value, &p->why) <= 0)
        return -1;
    size_t n = strlen(p->value.text);
    if (n > (size_t)size)
        return -1;
    memcpy(text, p->value.text, n);
    return (int)n;
}

/* There are ciphers that do without. Version 1 leaves it to the client to find none. */
static int do_without(const struct addr *a, const struct tls_context *t, const struct run *r,
                      struct err *e)
{
    if (r->settings->v1_name)
        diag(DIAG_WARN, "no certificate given; consider option \"cert\"");
    else if (!has_anonymous_cipher(t->ctx))
        return err_at(e, a->at,
                      "a TLS server needs a certificate: cert=<file> (PEM, with the "
                      "private key in it or in key=<file>)");
    return 0;
}

static int load_certificate(const struct addr *a, struct tls_context *t,
                            const struct tls_file *cert, const struct tls_file *key,
                            const struct run *r, struct err *e)
{
    const struct tls_file *from = key->path ? key : cert;
    if (!cert->path && t->server && do_without(a, t, r, e) < 0)
        return -1;
    if (cert->path && SSL_CTX_use_certificate_chain_file(t->ctx, cert->path) != 1)
        return option_error(cert->option, e);
    if (!from->path)
        return 0;
    if (SSL_CTX_use_PrivateKey_file(t->ctx, from->path, SSL_FILETYPE_PEM) != 1) {
        (void)option_error(from->option, e);
        return err_wrap(e, from == key ? "no private key"
                                       : "no private key, and key=<file> is not given");
    }
    if (cert->path && key->path && !SSL_CTX_check_private_key(t->ctx))
        return option_error(key->option, e);
    return 0;
}

/* The same with the pass phrase at hand. */
static int unlock_certificate(const struct addr *a, struct tls_context *t,
                              const struct tls_file *cert, const struct tls_file *key,
                              struct run *r, struct err *e)
{
    struct pass_phrase phrase = {.run = r};
    int rc = secret_value(a, &opt_tls_passphrase, r, -1, &phrase.value, e);
    phrase.given = rc > 0;
    if (rc >= 0) {
        SSL_CTX_set_default_passwd_cb(t->ctx, give_pass_phrase);
        SSL_CTX_set_default_passwd_cb_userdata(t->ctx, &phrase);
        rc = load_certificate(a, t, cert, key, r, e);
        /* a key of another kind is taken, and then has no certificate: say whose it is not */
        if (rc < 0 && phrase.why.kind != ERR_NONE)
            *e = phrase.why;
        else if (rc < 0 && cert->path && SSL_CTX_get0_privatekey(t->ctx) &&
                 !SSL_CTX_get0_certificate(t->ctx))
            rc = err_wrap(e, "the key is not the one of the certificate in cert=%s",
                          cert->option->v.s);
        SSL_CTX_set_default_passwd_cb(t->ctx, NULL);
        SSL_CTX_set_default_passwd_cb_userdata(t->ctx, NULL);
    }
    secret_value_wipe(&phrase.value);
    return rc;
}

static int set_certificate(const struct addr *a, struct tls_context *t,
                           const struct tls_file *cert, struct run *r, struct err *e)
{
    struct tls_file key;
    if (tls_file_open(&key, text_option(a, &opt_tls_key), r, e) < 0)
        return -1;
    int rc = unlock_certificate(a, t, cert, &key, r, e);
    tls_file_close(&key);
    return rc;
}

/* Reads Diffie-Hellman parameters from a PEM file that may hold other things too; NULL if there are
 * none. */
static EVP_PKEY *read_dh(const char *path)
{
    BIO *b = BIO_new_file(path, "r");
    EVP_PKEY *p = NULL;
    char *name = NULL, *header = NULL;
    unsigned char *data = NULL;
    long n = 0;
    while (b && !p && PEM_read_bio(b, &name, &header, &data, &n)) {
        if (strcmp(name, PEM_STRING_DHPARAMS) == 0 || strcmp(name, PEM_STRING_DHXPARAMS) == 0) {
            BIO *block = BIO_new(BIO_s_mem());
            if (block && PEM_write_bio(block, name, "", data, n) > 0)
                p = PEM_read_bio_Parameters(block, NULL);
            BIO_free(block);
        }
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
    BIO_free(b);
    return p;
}

/* dhparam=, or what the certificate file holds, or what suits the key. */
static int set_dh(const struct addr *a, struct tls_context *t, const struct tls_file *cert,
                  struct run *r, struct err *e)
{
    struct tls_file own;
    if (!t->server)
        return 0;
    if (tls_file_open(&own, text_option(a, &opt_tls_dhparam), r, e) < 0)
        return -1;
    const struct tls_file *from = own.path ? &own : cert;
    EVP_PKEY *dh = from->path ? read_dh(from->path) : NULL;
    tls_file_close(&own);
    if (!dh && own.option)
        return option_error(own.option, e);
    ERR_clear_error();
    if (!dh) {
        (void)SSL_CTX_set_dh_auto(t->ctx, 1);
        return 0;
    }
    if (SSL_CTX_set0_tmp_dh_pkey(t->ctx, dh) == 1)
        return 0;
    EVP_PKEY_free(dh);
    return option_error(from->option, e);
}

/* The certificate's file may also hold its key and parameters. */
static int set_identity(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    struct tls_file cert;
    if (tls_file_open(&cert, text_option(a, &opt_tls_cert), r, e) < 0)
        return -1;
    int rc = set_certificate(a, t, &cert, r, e) < 0 ? -1 : set_dh(a, t, &cert, r, e);
    tls_file_close(&cert);
    return rc;
}

/* With revocation lists each authority of a chain has to have one that is valid. */
static int set_revoked(const struct addr *a, const struct tls_context *t, struct run *r,
                       struct err *e)
{
    struct tls_file list;
    const struct opt *o = text_option(a, &opt_tls_crlfile);
    X509_STORE *store = SSL_CTX_get_cert_store(t->ctx);
    if (!o)
        return 0;
    if (!t->verify)
        return err_at(e, o->at, "%s: with verify=0 no certificate is looked at", o->desc->name);
    if (tls_file_open(&list, o, r, e) < 0)
        return -1;
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    bool loaded = lookup && X509_load_crl_file(lookup, list.path, X509_FILETYPE_PEM) > 0;
    tls_file_close(&list);
    if (!loaded)
        return option_error(o, e);
    if (!X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
        return tls_error(e, ERR_OTHER, "%s", o->desc->name);
    return 0;
}

static int trust_file(struct tls_context *t, const struct opt *o, struct run *r, struct err *e)
{
    struct tls_file f;
    if (tls_file_open(&f, o, r, e) < 0)
        return -1;
    bool loaded = SSL_CTX_load_verify_file(t->ctx, f.path) == 1;
    tls_file_close(&f);
    return loaded ? 0 : option_error(o, e);
}

static int set_trust(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    const struct opt *file = text_option(a, &opt_tls_cafile);
    const struct opt *dir = text_option(a, &opt_tls_capath);
    if (!t->verify) {
        SSL_CTX_set_verify(t->ctx, SSL_VERIFY_NONE, NULL);
        return 0;
    }
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       tls_verify_callback);
    if (file && trust_file(t, file, r, e) < 0)
        return -1;
    if (dir && access(dir->v.s, R_OK | X_OK) != 0) {
        (void)err_sys(e, "%s=%s", dir->desc->name, dir->v.s);
        e->where = dir->at;
        return err_as(e, ERR_OTHER);
    }
    if (dir && SSL_CTX_load_verify_dir(t->ctx, dir->v.s) != 1)
        return option_error(dir, e);
    if (!file && !dir && SSL_CTX_set_default_verify_paths(t->ctx) != 1)
        return tls_error(e, ERR_OTHER, "the system's trusted certificates");
    return 0;
}

static int set_fragments(const struct addr *a, struct tls_context *t, struct err *e)
{
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
static int look_at_relics(const struct addr *a, struct tls_context *t, struct err *e)
{
    const struct opt *compress = text_option(a, &opt_tls_compress);
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

static int new_context(struct tls_context *t, struct err *e)
{
    t->ctx = SSL_CTX_new(method_of(t));
    t->bio = tls_bio_method();
    if (!t->ctx || !t->bio)
        return tls_error(e, ERR_OTHER, "the TLS library does not start");
    /* No resumption: a relay's connections are few and long, and tickets sent behind the handshake
     * lie unread at a peer that only writes, which turns its close into a reset. */
    (void)SSL_CTX_set_options(t->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_num_tickets(t->ctx, 0);
    (void)SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_read_ahead(t->ctx, 1);
    (void)SSL_CTX_set_mode(t->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
                                       SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_AUTO_RETRY |
                                       SSL_MODE_RELEASE_BUFFERS);
    if (t->datagram)
        dtls_prepare(t);
    return 0;
}

int tls_prepare(const struct addr *a, struct run *r, void **shared, struct err *e)
{
    const struct tls_role *role = a->form->arg;
    if (libraries_load_openssl(e) < 0)
        return -1;
    struct tls_context *t = calloc(1, sizeof *t);
    if (!t)
        return err_nomem(e);
    t->server = role->server;
    t->datagram = role->datagram;
    t->verify = opt_int(a, &opt_tls_verify, 1) != 0;
    t->common_name = opt_true(a, &opt_tls_commonname_match);
    t->key_log = SINK_NONE;
    ERR_clear_error();
    if (new_context(t, e) != 0 || set_versions(a, t, e) != 0 ||
        set_ciphers(a, t, r, e) != 0 || set_identity(a, t, r, e) != 0 || set_trust(a, t, r, e) != 0 ||
        set_revoked(a, t, r, e) != 0 || set_fragments(a, t, e) != 0 ||
        look_at_relics(a, t, e) != 0 || tls_key_log_prepare(a, r, t, e) != 0) {
        tls_release(t);
        return -1;
    }
    if (t->verify && r->settings->v1_name && !text_option(a, &opt_tls_crlfile))
        diag(DIAG_WARN, "OpenSSL: Warning: this implementation does not check CRLs");
    *shared = t;
    return 0;
}

void tls_release(void *shared)
{
    struct tls_context *t = shared;
    if (!t)
        return;
    SSL_CTX_free(t->ctx);
    BIO_meth_free(t->bio);
    sink_close(&t->key_log);
    free(t);
}
