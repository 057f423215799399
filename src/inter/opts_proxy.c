/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for HTTP proxies and socks servers. */
#include "option_row.h"

const struct option_desc options_proxy[] = {
    OPTION("http-version", NULL, GROUP_HTTP, LATE, STRING, "version in the request, default 1.0",
           .id = OPT_HTTP_VERSION),
    OPTION("ignorecr", NULL, GROUP_HTTP, LATE, BOOL,
           "take LF alone for a line end in the proxy's answer", .id = OPT_IGNORECR),
    OPTION("proxy-authorization", "proxy-auth proxyauth", GROUP_HTTP, LATE, STRING,
           "<user>:<password> for the proxy", .id = OPT_PROXY_AUTH),
    OPTION("proxy-authorization-file", "proxyauthfile", GROUP_HTTP, LATE, STRING,
           "file that holds <user>:<password> for the proxy", .id = OPT_PROXY_AUTH_FILE),
    OPTION("proxy-resolve", "resolv resolve", GROUP_HTTP, LATE, BOOL,
           "resolve the target's name here, not at the proxy", .id = OPT_PROXY_RESOLVE),
    OPTION("proxyport", NULL, GROUP_HTTP, LATE, STRING, "port of the proxy, default 8080",
           .id = OPT_PROXYPORT),
    OPTION("socks5-password", NULL, GROUP_SOCKS, LATE, STRING, "password for the socks server",
           .id = OPT_SOCKSPASS),
    OPTION("socks5-username", NULL, GROUP_SOCKS, LATE, STRING, "user name for the socks server",
           .id = OPT_SOCKSUSER),
    OPTION("sockspass", NULL, GROUP_SOCKS, LATE, STRING, "password for the socks server",
           .id = OPT_SOCKSPASS),
    OPTION("socksport", NULL, GROUP_SOCKS, LATE, STRING, "port of the socks server, default 1080",
           .id = OPT_SOCKSPORT),
    OPTION("socksuser", NULL, GROUP_SOCKS, LATE, STRING, "user name for the socks server",
           .id = OPT_SOCKSUSER),
    OPTIONS_END,
};
