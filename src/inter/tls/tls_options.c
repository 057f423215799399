/* SPDX-License-Identifier: GPL-2.0-or-later
 * What can be said of TLS options before anything is opened. */
#include "inter/tls/opts_tls.h"
#include "inter/tls/tls.h"
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

static int check_both(const struct addr *a, struct err *e)
{
    return tls_check_alpn(a, e) < 0 || tls_check_pins(a, e) < 0 ? -1 : 0;
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
    return refuse_any(a, of_client, "is for a TLS client; a server has ocsp-file=<file>", e) < 0 ? -1 : check_both(a, e);
}
