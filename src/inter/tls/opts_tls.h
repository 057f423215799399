/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_tls.c that code asks for by name. */
#ifndef OPTS_TLS_H
#define OPTS_TLS_H

#include "catena/option.h"

extern const struct option_desc opt_tls_alpn, opt_tls_cafile, opt_tls_capath, opt_tls_cert, opt_tls_cipher,
    opt_tls_commonname, opt_tls_commonname_match, opt_tls_compress, opt_tls_crlfile, opt_tls_crlpath,
    opt_tls_dhparam, opt_tls_egd, opt_tls_key, opt_tls_keylog, opt_tls_kernel, opt_tls_max_version, opt_tls_maxfraglen,
    opt_tls_maxsendfrag, opt_tls_method, opt_tls_min_version, opt_tls_no_sni, opt_tls_ocsp, opt_tls_ocsp_file,
    opt_tls_p12, opt_tls_passphrase, opt_tls_pin, opt_tls_pseudo, opt_tls_psk, opt_tls_psk_file, opt_tls_resume,
    opt_tls_snihost, opt_tls_strict_sni, opt_tls_verify;

#endif
