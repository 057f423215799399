/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_front.c that code asks for by name. */
#ifndef OPTS_FRONT_H
#define OPTS_FRONT_H

#include "catena/option.h"

extern const struct option_desc opt_front_alpn, opt_front_authority, opt_front_crc32c, opt_front_from, opt_front_no_sni, opt_front_no_tls,
    opt_front_on_timeout, opt_front_sniff_timeout, opt_front_timeout,
    opt_front_tls, opt_front_tlv, opt_front_unique_id, opt_front_unknown, opt_front_version;
extern const struct option_desc *const options_proxy_protocol[], *const options_proxy_protocol_server[], *const options_sni_peek[],
    *const options_sniff[];

#endif
