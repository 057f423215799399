/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_proxy.c that code asks for by name. */
#ifndef OPTS_PROXY_H
#define OPTS_PROXY_H

#include "catena/option.h"

extern const struct option_desc opt_auth_helper, opt_auth_scheme, opt_http_version, opt_ignorecr, opt_proxy_auth, opt_proxy_for, opt_proxy_resolve,
    opt_proxyport, opt_share, opt_socks_resolve, opt_sockspass, opt_socksport, opt_socksuser;

extern const struct option_desc *const options_from_env[];

/* What PROXY is with http-version=2 (inter/http2). */
extern const struct form forms_http2[];

#endif
