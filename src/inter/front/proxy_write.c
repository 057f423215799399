/* SPDX-License-Identifier: GPL-2.0-or-later
 * The header of the PROXY protocol, written: see proxy_header.h. */
#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "inter/front/proxy_header.h"

size_t proxy_write_line(const struct proxy_header *h, char line[static PROXY_LINE_MAX + 1])
{
    char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
    int af = sockname_family(&h->from);
    if (!h->told || (af != AF_INET && af != AF_INET6))
        return (size_t)snprintf(line, PROXY_LINE_MAX + 1, "PROXY UNKNOWN\r\n");
    bool ip6 = af == AF_INET6;
    (void)inet_ntop(af, ip6 ? (const void *)&h->from.u.in6.sin6_addr : &h->from.u.in4.sin_addr, from, sizeof from);
    (void)inet_ntop(af, ip6 ? (const void *)&h->to.u.in6.sin6_addr : &h->to.u.in4.sin_addr, to, sizeof to);
    return (size_t)snprintf(line, PROXY_LINE_MAX + 1, "PROXY TCP%d %s %s %d %d\r\n", ip6 ? 6 : 4, from, to,
                            sockname_port(&h->from), sockname_port(&h->to));
}

static size_t put_port(unsigned char *to, int port)
{
    to[0] = (unsigned char)(port >> 8);
    to[1] = (unsigned char)port;
    return 2;
}

static size_t put_ip(unsigned char *to, const struct sockname *n)
{
    bool ip6 = sockname_family(n) == AF_INET6;
    memcpy(to, ip6 ? (const void *)&n->u.in6.sin6_addr : &n->u.in4.sin_addr, ip6 ? 16 : 4);
    return ip6 ? 16 : 4;
}

static size_t put_path(unsigned char *to, const struct sockname *n)
{
    size_t len = n->len - offsetof(struct sockaddr_un, sun_path);
    memset(to, 0, PROXY_UNIX_PATH);
    memcpy(to, n->u.un.sun_path, len < PROXY_UNIX_PATH ? len : PROXY_UNIX_PATH);
    return PROXY_UNIX_PATH;
}

static size_t put_addresses(unsigned char *to, const struct proxy_header *h)
{
    size_t n = 0;
    if (sockname_family(&h->from) == AF_UNIX) {
        n += put_path(to, &h->from);
        return n + put_path(to + n, &h->to);
    }
    n += put_ip(to, &h->from);
    n += put_ip(to + n, &h->to);
    n += put_port(to + n, sockname_port(&h->from));
    return n + put_port(to + n, sockname_port(&h->to));
}

size_t proxy_write_head(const struct proxy_header *h, bool datagram, unsigned char *to)
{
    int af = h->from.len > 0 ? sockname_family(&h->from) : AF_UNSPEC;
    unsigned family = af == AF_INET ? 1 : af == AF_INET6 ? 2 : af == AF_UNIX ? 3 : 0;
    memcpy(to, PROXY_SIGNATURE, PROXY_SIGNATURE_LEN);
    to[12] = h->told ? 0x21 : 0x20;
    to[13] = (unsigned char)(h->told && family ? family << 4 | (datagram ? 2 : 1) : 0);
    return PROXY_HEAD + (to[13] ? put_addresses(to + PROXY_HEAD, h) : 0);
}

void proxy_finish(unsigned char *header, size_t n)
{
    (void)put_port(header + 14, (int)(n - PROXY_HEAD));
}
