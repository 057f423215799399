/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_resolver.c that code asks for by name. */
#ifndef OPTS_RESOLVER_H
#define OPTS_RESOLVER_H

#include "catena/option.h"

extern const struct option_desc opt_ai_addrconfig, opt_ai_all, opt_ai_passive, opt_ai_v4mapped,
    opt_res_aaonly, opt_res_debug, opt_res_defnames, opt_res_dnsrch, opt_res_igntc, opt_res_nsaddr,
    opt_res_primary, opt_res_recurse, opt_res_retrans, opt_res_retry, opt_res_stayopen,
    opt_res_usevc;

#endif
