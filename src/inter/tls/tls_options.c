/* SPDX-License-Identifier: GPL-2.0-or-later
 * What can be said of TLS options before anything is opened. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"
#include "inter/tls/tls_kernel.h"
#include "inter/tls/tls_psk.h"

static int refuse_any(const struct addr *a, const struct option_desc *const *rows, const char *why, struct err *e)
{
    for (; *rows; rows++) {
        const struct opt *o = opt_find(a, *rows);
        if (o)
            return err_at(e, o->at, "%s %s", o->desc->name, why);
    }
    return 0;
}

static int refuse_empty(const struct addr *a, const struct option_desc *const *rows, struct err *e)
{
    for (size_t i = 0; i < a->nopts; i++)
        for (size_t k = 0; rows[k]; k++) {
            const struct opt *o = &a->opts[i];
            if (option_is(o->desc, rows[k]) && !(o->v.s && *o->v.s))
                return err_at(e, o->at, "%s= has no value: give one, or leave the option out", o->desc->name);
        }
    return 0;
}

int tls_check_silent(const struct addr *a, struct tls_context *t, struct run *r, struct err *e)
{
    static const struct option_desc *const keys[] = {&opt_tls_key, NULL}, *const others[] = {&opt_tls_dhparam, NULL};
    bool v1 = r->settings->v1_name;
    const struct opt *name = tls_text_option(a, &opt_tls_commonname);
    if (name && t->server && !t->verify && !v1)
        return err_at(e, name->at, "%s: with verify=0 no certificate is looked at", name->desc->name);
    if ((!v1 || opt_find(a, &opt_tls_cert)) && refuse_empty(a, keys, e) < 0)
        return -1;
    return v1 ? 0 : refuse_empty(a, others, e);
}

static int check_both(const struct addr *a, struct err *e)
{
    static const struct option_desc *const wanted[] = {
        &opt_tls_cafile, &opt_tls_capath, &opt_tls_cert, &opt_tls_cipher, &opt_tls_compress, &opt_tls_crlfile,
        &opt_tls_crlpath, &opt_tls_keylog, &opt_tls_max_version, &opt_tls_method, &opt_tls_min_version,
        &opt_tls_ocsp_file, &opt_tls_p12, &opt_tls_psk_file, NULL,
    };
    if (refuse_empty(a, wanted, e) < 0)
        return -1;
    return tls_check_alpn(a, e) < 0 || tls_check_pins(a, e) < 0 || tls_kernel_check(a, e) < 0 ? -1 : 0;
}

int tls_check_client(const struct addr *a, struct err *e)
{
    static const struct option_desc *const of_server[] = {&opt_tls_ocsp_file, &opt_tls_strict_sni, NULL};
    if (refuse_any(a, of_server, "is for a TLS server, and this is a client", e) < 0 || check_both(a, e) < 0 ||
        tls_check_ocsp(a, e) < 0 || tls_psk_check(a, e) < 0)
        return -1;
    return tls_check_host(a, e);
}

int tls_check_server(const struct addr *a, struct err *e)
{
    static const struct option_desc *const of_client[] = {&opt_tls_ocsp, NULL};
    if (refuse_any(a, of_client, "is for a TLS client; a server has ocsp-file=<file>", e) < 0)
        return -1;
    return check_both(a, e);
}
