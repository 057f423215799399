/* SPDX-License-Identifier: GPL-2.0-or-later
 * Whom we trust: authorities, and what they have revoked. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"

#include <unistd.h>

#include "catena/diag.h"
#include "catena/key_file.h"

/* With revocation lists each authority of a chain has to have one that is valid. */
int tls_set_revoked(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    struct tls_file list;
    const struct opt *o = tls_text_option(a, &opt_tls_crlfile);
    X509_STORE *store = SSL_CTX_get_cert_store(t->ctx);
    if (!o && t->verify && r->settings->v1_name)
        diag(DIAG_WARN, "OpenSSL: Warning: this implementation does not check CRLs");
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
        return tls_option_error(o, e);
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
    if (dir && access(dir->v.s, R_OK | X_OK) != 0) {
        (void)err_sys(e, "%s=%s", dir->desc->name, dir->v.s);
        e->where = dir->at;
        return err_as(e, ERR_OTHER);
    }
    if (dir && SSL_CTX_load_verify_dir(t->ctx, dir->v.s) != 1)
        return tls_option_error(dir, e);
    if (!file && !dir && SSL_CTX_set_default_verify_paths(t->ctx) != 1)
        return tls_error(e, ERR_OTHER, "the system's trusted certificates");
    return 0;
}
