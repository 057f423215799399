/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of STARTTLS and STARTTLS-SERVER, and of the short forms of TLS addresses that have them inside. */
#include "inter/starttls/opts_starttls.h"

#include "catena/option_row.h"
#include "catena/options.h"

NAMED_OPTION(opt_helo, "helo", NULL, 0, SPECIFIC, STRING,
             "how we are called in EHLO, LHLO and a server's answers, default the host's name");
NAMED_OPTION(opt_starttls, "starttls", NULL, 0, SPECIFIC, STRING,
             "begin in plain text, as this protocol does: smtp, imap, ldap, postgres, mysql and their like");
NAMED_OPTION(opt_xmpp_domain, "xmpp-domain", NULL, 0, SPECIFIC, STRING,
             "the XMPP domain wanted, default the host that is reached");

OPTION_TABLE(starttls) = {
    &opt_helo, &opt_xmpp_domain, &opt_handshake_timeout,
    OPTIONS_END,
};
OPTION_TABLE(starttls_server) = {
    &opt_helo, &opt_handshake_timeout,
    OPTIONS_END,
};
OPTION_TABLE(starttls_short) = {
    &opt_starttls, &opt_helo, &opt_xmpp_domain,
    OPTIONS_END,
};
OPTION_TABLE(starttls_server_short) = {
    &opt_starttls, &opt_helo,
    OPTIONS_END,
};
