/* SPDX-License-Identifier: GPL-2.0-or-later
 * The header of the PROXY protocol (haproxy's proxy-protocol.txt), as bytes and as what it says. Pure. */
#ifndef CATENA_INTER_PROXY_HEADER_H
#define CATENA_INTER_PROXY_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catena/err.h"
#include "catena/sockaddr.h"

#define PROXY_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
enum {
    PROXY_SIGNATURE_LEN = 12,
    PROXY_HEAD = 16,       /* of version 2: signature, command, family, length */
    PROXY_LINE_MAX = 107,  /* of version 1, with its CRLF */
    PROXY_UNIX_PATH = 108,
    PROXY_UNIQUE_ID_MAX = 128,
    PROXY_SEND_MAX = 8192, /* what we send at most; 65535 are possible, but who reads that? */
};
/* Fields of version 2, and those within PROXY_TLS. */
enum proxy_tlv {
    PROXY_ALPN = 1, PROXY_AUTHORITY = 2, PROXY_CRC32C = 3, PROXY_NOOP = 4, PROXY_UNIQUE_ID = 5, PROXY_TLS = 0x20,
    PROXY_TLS_VERSION = 0x21, PROXY_TLS_NAME = 0x22, PROXY_TLS_CIPHER = 0x23,
};
enum { PROXY_CLIENT_TLS = 1, PROXY_CLIENT_CERT_CONN = 2, PROXY_CLIENT_CERT_SESS = 4 };

struct proxy_text { /* in the header's bytes; p NULL: it says nothing of that */
    const unsigned char *p;
    size_t n;
};
struct proxy_header {
    bool told; /* there is a client, who is not the one that sent the header */
    struct sockname from, to;
    struct proxy_text alpn, authority, unique_id;
    bool tls, verified; /* the client's; he has shown a certificate which is good */
    struct proxy_text tls_version, tls_cipher, tls_name;
};

/* CRC-32 of Castagnoli, as iSCSI has it; begin with crc 0. */
uint32_t crc32c(uint32_t crc, const unsigned char *p, size_t n);
/* A line without its CRLF, with a NUL behind; n bytes of a header of version 2, all of it. */
int proxy_parse_line(const char *line, struct proxy_header *h, struct err *e);
int proxy_parse(const unsigned char *p, size_t n, struct proxy_header *h, struct err *e);
/* The most bytes that the line of a header has, NUL included, and how many of them there are. */
size_t proxy_write_line(const struct proxy_header *h, char line[static PROXY_LINE_MAX + 1]);
/* Head and addresses of version 2; gives their length. datagram: packets came from there. The length in it is
 * settled by proxy_finish(), when the fields are behind. */
size_t proxy_write_head(const struct proxy_header *h, bool datagram, unsigned char *to);
void proxy_finish(unsigned char *header, size_t n);

/* A socket's address from the texts of its facts (sockname_tell); port NULL: it has none. False: of no family that a
 * header has. */
bool proxy_address(const char *host, const char *port, struct sockname *out);
/* Both of the same family: IPv4 as mapped into IPv6 if need be, or out of it. False: there is none. */
bool proxy_same_family(struct sockname *a, struct sockname *b);

#endif
