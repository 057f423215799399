/* SPDX-License-Identifier: GPL-2.0-or-later
 * Whom we trust: authorities, and what they have revoked. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"

#include <sys/stat.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/key_file.h"

static X509_STORE *open_directory(const char *path)
{
    X509_STORE *store = X509_STORE_new();
    X509_LOOKUP *lookup = store ? X509_STORE_add_lookup(store, X509_LOOKUP_hash_dir()) : NULL;
    if (lookup && X509_LOOKUP_add_dir(lookup, path, X509_FILETYPE_PEM) == 1)
        return store;
    X509_STORE_free(store);
    return NULL;
}

/* A store remembers what it has found, so each search has one of its own: lists are renewed in their place. */
static STACK_OF(X509_CRL) *find_in_directory(const struct tls_context *t, const X509_NAME *issuer)
{
    X509_STORE *store = t->revoked ? open_directory(t->revoked) : NULL;
    X509_STORE_CTX *own = store ? X509_STORE_CTX_new() : NULL;
    STACK_OF(X509_CRL) *lists = NULL;
    if (own && X509_STORE_CTX_init(own, store, NULL, NULL) == 1)
        lists = X509_STORE_CTX_get1_crls(own, issuer);
    X509_STORE_CTX_free(own);
    X509_STORE_free(store);
    return lists;
}

/* Lists in a directory are found by their issuer's name. Certificates that lie there, too, are nothing to go by, so
 * the directory is not the one of whom we trust. Of several lists the library takes the newest. */
static STACK_OF(X509_CRL) *find_lists(const X509_STORE_CTX *store, const X509_NAME *issuer)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    const struct tls_session *s = ssl ? SSL_get_app_data(ssl) : NULL;
    STACK_OF(X509_CRL) *of_file = X509_STORE_CTX_get1_crls(store, issuer);
    STACK_OF(X509_CRL) *lists = s ? find_in_directory(s->shared, issuer) : NULL;
    if (!lists)
        return of_file;
    for (X509_CRL *list; (list = sk_X509_CRL_pop(of_file));)
        if (!sk_X509_CRL_push(lists, list))
            X509_CRL_free(list);
    sk_X509_CRL_free(of_file);
    return lists;
}

static int add_list(const struct opt *o, X509_STORE *store, struct run *r, struct err *e)
{
    struct tls_file list;
    if (tls_file_open(&list, o, r, e) < 0)
        return -1;
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    bool loaded = lookup && X509_load_crl_file(lookup, list.path, X509_FILETYPE_PEM) > 0;
    tls_file_close(&list);
    return loaded ? 0 : tls_option_error(o, e);
}

static int check_directory(const struct opt *o, struct err *e)
{
    struct stat st;
    if (stat(o->v.s, &st) == 0 && !S_ISDIR(st.st_mode))
        return err_at(e, o->at, "%s=%s: it is no directory", o->desc->name, o->v.s);
    if (access(o->v.s, R_OK | X_OK) == 0)
        return 0;
    (void)err_sys(e, "%s=%s", o->desc->name, o->v.s);
    e->where = o->at;
    return err_as(e, ERR_OTHER);
}

static int add_lists(const struct opt *o, struct tls_context *t, X509_STORE *store, struct err *e)
{
    if (check_directory(o, e) < 0)
        return -1;
    t->revoked = o->v.s;
    X509_STORE_set_lookup_crls(store, find_lists);
    return 0;
}

/* With revocation lists each authority of a chain has to have one that is valid. */
int tls_set_revoked(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    const struct opt *file = tls_text_option(a, &opt_tls_crlfile), *dir = tls_text_option(a, &opt_tls_crlpath);
    const struct opt *any = file ? file : dir;
    X509_STORE *store = SSL_CTX_get_cert_store(t->ctx);
    if (!any && t->verify && r->settings->v1_name)
        diag(DIAG_WARN, "OpenSSL: Warning: this implementation does not check CRLs");
    if (!any)
        return 0;
    if (!t->verify)
        return err_at(e, any->at, "%s: with verify=0 no certificate is looked at", any->desc->name);
    if ((file && add_list(file, store, r, e) < 0) || (dir && add_lists(dir, t, store, e) < 0))
        return -1;
    if (!X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
        return tls_error(e, ERR_TLS_FILE, "%s", any->desc->name);
    return 0;
}

static int trust_file(struct tls_context *t, const struct opt *o, struct run *r, struct err *e)
{
    struct tls_file f;
    if (tls_file_open(&f, o, r, e) < 0)
        return -1;
    bool loaded = SSL_CTX_load_verify_file(t->ctx, f.path) == 1;
    tls_file_close(&f);
    return loaded ? 0 : tls_option_error(o, e);
}

int tls_set_trust(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    const struct opt *file = tls_text_option(a, &opt_tls_cafile);
    const struct opt *dir = tls_text_option(a, &opt_tls_capath);
    if (!t->verify) {
        SSL_CTX_set_verify(t->ctx, SSL_VERIFY_NONE, NULL);
        return 0;
    }
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       tls_verify_callback);
    if (file && trust_file(t, file, r, e) < 0)
        return -1;
    if (dir && check_directory(dir, e) < 0)
        return -1;
    if (dir && SSL_CTX_load_verify_dir(t->ctx, dir->v.s) != 1)
        return tls_option_error(dir, e);
    if (!file && !dir && SSL_CTX_set_default_verify_paths(t->ctx) != 1)
        return tls_error(e, ERR_TLS_FILE, "the system's trusted certificates");
    return 0;
}
