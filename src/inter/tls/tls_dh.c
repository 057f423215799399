/* SPDX-License-Identifier: GPL-2.0-or-later
 * Diffie-Hellman parameters of a server. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls_certs.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <string.h>

#include "catena/key_file.h"

EVP_PKEY *tls_dh_read(const char *path)
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

int tls_dh_set(const struct addr *a, struct tls_context *t, EVP_PKEY **found, struct run *r, struct err *e)
{
    struct tls_file f;
    if (tls_file_open(&f, tls_text_option(a, &opt_tls_dhparam), r, e) < 0)
        return -1;
    EVP_PKEY *own = f.path ? tls_dh_read(f.path) : NULL;
    tls_file_close(&f);
    if (!own && f.option)
        return tls_option_error(f.option, e);
    ERR_clear_error();
    if (own) {
        EVP_PKEY_free(*found);
        *found = own;
    }
    if (!*found) {
        (void)SSL_CTX_set_dh_auto(t->ctx, 1);
        return 0;
    }
    if (SSL_CTX_set0_tmp_dh_pkey(t->ctx, *found) != 1)
        return tls_error(e, ERR_TLS_FILE, "the Diffie-Hellman parameters of %s",
                         f.option ? f.option->v.s : "the certificate's file");
    *found = NULL;
    return 0;
}
