/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for HTTP proxies and socks servers, and the one of all who talk to their peer before the
 * data. */
#include "catena/option_row.h"

OPTION_TABLE(proxy) = {
    OPTION("handshake-timeout", NULL, GROUP_OPENSSL | GROUP_HTTP | GROUP_SOCKS, LATE, TIMEVAL,
           "seconds the peer may take until the data begins, default 30, 0 for ever",
           .id = OPT_HANDSHAKE_TIMEOUT),
    OPTION("http-version", NULL, GROUP_HTTP, LATE, STRING, "version in the request, default 1.0",
           .id = OPT_HTTP_VERSION),
    OPTION("ignorecr", NULL, GROUP_HTTP, LATE, BOOL,
           "take LF alone for a line end in the proxy's answer", .id = OPT_IGNORECR),
    SECRET("proxy-authorization", "proxy-auth proxyauth", "proxyauthfile", "proxyauthenv",
           GROUP_HTTP, LATE, OPT_PROXY_AUTH, "<user>:<password> for the proxy"),
    OPTION("proxy-resolve", "resolv resolve", GROUP_HTTP, LATE, BOOL,
           "resolve the target's name here, not at the proxy", .id = OPT_PROXY_RESOLVE),
    OPTION("proxyport", NULL, GROUP_HTTP, LATE, STRING, "port of the proxy, default 8080",
           .id = OPT_PROXYPORT),
    SECRET("socks5-password", NULL, NULL, NULL, GROUP_SOCKS, LATE, OPT_SOCKSPASS,
           "password for the socks server"),
    OPTION("socks5-username", NULL, GROUP_SOCKS, LATE, STRING, "user name for the socks server",
           .id = OPT_SOCKSUSER),
    SECRET("sockspass", NULL, NULL, NULL, GROUP_SOCKS, LATE, OPT_SOCKSPASS,
           "password for the socks server"),
    OPTION("socksport", NULL, GROUP_SOCKS, LATE, STRING, "port of the socks server, default 1080",
           .id = OPT_SOCKSPORT),
    OPTION("socksuser", NULL, GROUP_SOCKS, LATE, STRING, "user name for the socks server",
           .id = OPT_SOCKSUSER),
    OPTIONS_END,
};
