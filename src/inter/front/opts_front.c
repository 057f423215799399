/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of what stands in front of servers: it says, or is told, who their clients are. */
#include "inter/front/opts_front.h"

#include "catena/option_row.h"
#include "catena/options.h"
#include "inter/proxy/opts_server.h"

NAMED_OPTION(opt_front_alpn, "alpn", NULL, 0, LATE, STRING_NULL,
             "the protocol that was agreed upon; without a value what the TLS of the client says");
NAMED_OPTION(opt_front_authority, "authority", NULL, 0, LATE, STRING_NULL,
             "the name that the client asked for; without a value what the TLS of the client says");
NAMED_OPTION(opt_front_crc32c, "crc32c", NULL, 0, LATE, BOOL, "a checksum over the header");
NAMED_OPTION(opt_front_from, "from", NULL, 0, LATE, STRING,
             "proxies that are believed: networks, unix, any, with blanks between; default private ones and unix");
NAMED_OPTION(opt_front_no_sni, "no-sni", NULL, 0, LATE, STRING, "the name that counts if a client of TLS names no server");
NAMED_OPTION(opt_front_no_tls, "no-tls", NULL, 0, LATE, STRING,
             "the name that counts if a client does not speak TLS, which is an error otherwise");
NAMED_OPTION(opt_front_on_timeout, "on-timeout", NULL, 0, LATE, STRING,
             "the protocol of a client who waits for the server to begin, default other");
NAMED_OPTION(opt_front_sniff_timeout, "sniff-timeout", NULL, 0, LATE, TIMEVAL,
             "seconds until a client is one who waits, default 2");
NAMED_OPTION(opt_front_timeout, "handshake-timeout", NULL, 0, LATE, TIMEVAL,
             "seconds the header may take, default 5, 0 for ever", .same_as = &opt_handshake_timeout);
NAMED_OPTION(opt_front_tls, "tls", "ssl", 0, LATE, BOOL, "what is known of the client's TLS: version, cipher, certificate");
NAMED_OPTION(opt_front_tlv, "tlv", NULL, 0, LATE, INT_STRING, "<type>:<text>, one more field of the header");
NAMED_OPTION(opt_front_unique_id, "unique-id", NULL, 0, LATE, STRING_NULL,
             "a name for the connection; without a value one is made");
NAMED_OPTION(opt_front_unknown, "unknown", NULL, 0, LATE, BOOL, "tell of no client: the connection is our own (LOCAL)");
NAMED_OPTION(opt_front_version, "version", NULL, 0, LATE, INT,
             "of the header, 1 or 2; default 1, or 2 where other options need it");

NAMED_OPTION(opt_to, "to", NULL, 0, LATE, STRING, "a file that says by name where connections go", .file = true);

OPTION_TABLE(proxy_protocol) = {
    &opt_front_alpn, &opt_front_authority, &opt_front_crc32c, &opt_handshake_timeout, &opt_front_tls, &opt_front_tlv,
    &opt_front_unique_id, &opt_front_unknown, &opt_front_version,
    OPTIONS_END,
};
OPTION_TABLE(proxy_protocol_server) = {
    &opt_front_from, &opt_front_timeout,
    OPTIONS_END,
};
OPTION_TABLE(sni_peek) = {
    &opt_allow, &opt_deny, &opt_handshake_timeout, &opt_front_no_sni, &opt_front_no_tls, &opt_open, &opt_to,
    OPTIONS_END,
};
OPTION_TABLE(sniff) = {
    &opt_front_on_timeout, &opt_front_sniff_timeout, &opt_to,
    OPTIONS_END,
};
