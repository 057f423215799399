/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for HTTP proxies and socks servers, and the one of all who talk to their peer before the
 * data. */
#include "catena/option_row.h"

NAMED_OPTION(opt_handshake_timeout, "handshake-timeout", NULL,
             GROUP_OPENSSL | GROUP_HTTP | GROUP_SOCKS, LATE, TIMEVAL,
             "seconds the peer may take until the data begins, default 30, 0 for ever",
             FROM_TO(0, 1000000));
NAMED_OPTION(opt_http_version, "http-version", NULL, GROUP_HTTP, LATE, STRING,
             "version in the request: 1.0 (default), 1.1, or 2");
NAMED_OPTION(opt_ignorecr, "ignorecr", NULL, GROUP_HTTP, LATE, BOOL,
             "take LF alone for a line end in the proxy's answer");
NAMED_SECRET(opt_proxy_auth, "proxy-authorization", "proxy-auth proxyauth", "proxyauthfile",
             "proxyauthenv", GROUP_HTTP, LATE, "<user>:<password> for the proxy");
NAMED_OPTION(opt_auth_helper, "proxy-auth-helper", NULL, GROUP_HTTP, LATE, STRING,
             "a program that speaks NTLM or Negotiate, by the lines of squid's helpers", .secret = SECRET_TEXT);
NAMED_OPTION(opt_auth_scheme, "proxy-auth-scheme", NULL, GROUP_HTTP, LATE, STRING,
             "any, basic, digest, ntlm or negotiate: no other one tells the proxy who we are");
NAMED_OPTION(opt_proxy_resolve, "proxy-resolve", "resolv resolve", GROUP_HTTP, LATE, BOOL,
             "resolve the target's name here, not at the proxy");
NAMED_OPTION(opt_share, "share", NULL, GROUP_HTTP, LATE, INT_NULL,
             "HTTP/2: one connection to the proxy for all of a listener with thread; seconds it stays when none is left, default 60",
             FROM_TO(0, 1000000));
NAMED_OPTION(opt_proxyport, "proxyport", NULL, GROUP_HTTP, LATE, STRING,
             "port of the proxy, default 8080");
NAMED_OPTION(opt_socks_resolve, "socks-resolve", NULL, GROUP_SOCKS, LATE, BOOL,
             "resolve the target's name here, not at the socks server");
NAMED_SECRET(opt_sockspass, "sockspass", NULL, NULL, NULL, GROUP_SOCKS, LATE,
             "password for the socks server");
NAMED_OPTION(opt_socksport, "socksport", NULL, GROUP_SOCKS, LATE, STRING,
             "port of the socks server, default 1080");
NAMED_OPTION(opt_socksuser, "socksuser", NULL, GROUP_SOCKS, LATE, STRING,
             "user name for the socks server");

NAMED_OPTION(opt_proxy_for, "proxy-for", NULL, 0, SPECIFIC, STRING,
             "scheme of the URLs whose proxy it is, default http for port 80, else https");

OPTION_TABLE(from_env) = {
    &opt_proxy_for,
    OPTIONS_END,
};

OPTION_TABLE(proxy) = {
    &opt_handshake_timeout, &opt_http_version, &opt_ignorecr,
    NAMED_SECRET_ROWS(opt_proxy_auth),
    &opt_auth_helper, &opt_auth_scheme, &opt_share,
    &opt_proxy_resolve, &opt_proxyport, &opt_socks_resolve,
    SECRET_ALSO(&opt_sockspass, "socks5-password", NULL, NULL, NULL, GROUP_SOCKS, LATE,
                "password for the socks server"),
    OPTION("socks5-username", NULL, GROUP_SOCKS, LATE, STRING, "user name for the socks server",
           .same_as = &opt_socksuser),
    NAMED_SECRET_ROWS(opt_sockspass),
    &opt_socksport, &opt_socksuser,
    OPTIONS_END,
};
