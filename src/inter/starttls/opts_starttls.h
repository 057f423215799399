/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_starttls.c that code asks for by name. */
#ifndef OPTS_STARTTLS_H
#define OPTS_STARTTLS_H

#include "catena/option.h"

extern const struct option_desc opt_helo, opt_starttls, opt_xmpp_domain;
extern const struct option_desc *const options_starttls[], *const options_starttls_server[],
    *const options_starttls_short[], *const options_starttls_server_short[];

#endif
