/* SPDX-License-Identifier: GPL-2.0-or-later
 * UDP of SOCKS5: see socks_udp.h. What is no such packet is dropped, as the network drops some, too. */
#include "inter/proxy/socks_udp.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "catena/beside.h"
#include "catena/diag.h"
#include "inter/proxy/opts_server.h"
#include "inter/proxy/rules.h"

/* ---- heads ---- */

const char *socks_head_read(const unsigned char *p, size_t n, struct socks_head *h)
{
    *h = (struct socks_head){0};
    if (n < 5)
        return "it is cut short";
    if (p[2] != 0)
        return "it is a fragment";
    size_t at = p[3] == SOCKS_ADDRESS_NAME ? 5 : 4;
    h->type = p[3];
    h->nbytes = h->type == SOCKS_ADDRESS_IP4 ? 4 : h->type == SOCKS_ADDRESS_IP6 ? 16 : p[4];
    if (h->type != SOCKS_ADDRESS_IP4 && h->type != SOCKS_ADDRESS_IP6 && h->type != SOCKS_ADDRESS_NAME)
        return "its address is of unknown type";
    h->len = at + h->nbytes + 2;
    if (n < h->len || h->nbytes == 0)
        return "it is cut short";
    h->bytes = p + at;
    h->port = p[h->len - 2] << 8 | p[h->len - 1];
    return NULL;
}

size_t socks_head_write(unsigned char head[static SOCKS_HEAD_MAX], int type, const void *address, size_t n, int port)
{
    unsigned char *p = head;
    memset(p, 0, 3);
    p += 3;
    *p++ = (unsigned char)type;
    if (type == SOCKS_ADDRESS_NAME)
        *p++ = (unsigned char)n;
    memcpy(p, address, n);
    p += n;
    *p++ = (unsigned char)(port >> 8);
    *p++ = (unsigned char)(port & 0xff);
    return (size_t)(p - head);
}

bool socks_head_host(const struct socks_head *h, char *host)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (h->type == SOCKS_ADDRESS_NAME) {
        memcpy(host, h->bytes, h->nbytes);
        host[h->nbytes] = '\0';
        for (size_t i = 0; i < h->nbytes; i++)
            if (host[i] <= ' ' || host[i] > '~')
                return false;
        return true;
    }
    (void)inet_ntop(h->type == SOCKS_ADDRESS_IP6 ? AF_INET6 : AF_INET, h->bytes, text, sizeof text);
    (void)snprintf(host, RULE_HOST_MAX + 1, h->type == SOCKS_ADDRESS_IP6 ? "[%s]" : "%s", text);
    return true;
}

size_t socks_host_bytes(const char *host, unsigned char bytes[static 16], int *type)
{
    char text[INET6_ADDRSTRLEN + 1];
    size_t n = strlen(host);
    *type = SOCKS_ADDRESS_IP4;
    if (inet_pton(AF_INET, host, bytes) == 1)
        return 4;
    if (n < 3 || n > sizeof text || host[0] != '[' || host[n - 1] != ']')
        return 0;
    memcpy(text, host + 1, n - 2);
    text[n - 2] = '\0';
    *type = SOCKS_ADDRESS_IP6;
    return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

/* ---- where the socket is ---- */

bool udp_address(const struct addr *a, struct sockname *to)
{
    const char *s = opt_string(a, &opt_udp_address, NULL);
    char bracketed[80];
    unsigned char bytes[16];
    int type;
    if (!s)
        return false;
    (void)snprintf(bracketed, sizeof bracketed, strchr(s, ':') && s[0] != '[' ? "[%s]" : "%s", s);
    size_t n = socks_host_bytes(bracketed, bytes, &type);
    int port = sockname_port(to);
    if (n == 0)
        return false;
    sockname_wildcard(to, n == 16 ? AF_INET6 : AF_INET);
    memcpy(n == 16 ? (void *)&to->u.in6.sin6_addr : (void *)&to->u.in4.sin_addr, bytes, n);
    sockname_set_port(to, port);
    return true;
}

int udp_address_check(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_udp_address);
    struct sockname ignored = {0};
    return !o || udp_address(a, &ignored) ? 0 : err_at(e, o->at, "udp-address: \"%s\" is no IP address", o->v.s ? o->v.s : "");
}

int udp_ports(const struct addr *a, struct beside_ports *ports, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_udp_ports);
    int end = 0;
    *ports = (struct beside_ports){0};
    if (!o)
        return 0;
    if (sscanf(o->v.s ? o->v.s : "", "%5d-%5d%n", &ports->first, &ports->last, &end) == 2 && o->v.s[end] == '\0' &&
        ports->first > 0 && ports->first <= ports->last && ports->last <= UINT16_MAX)
        return 0;
    return err_at(e, o->at, "udp-ports: \"%s\" is no range of ports as 40000-40099", o->v.s ? o->v.s : "");
}

/* ---- packets ---- */

int socks_packet_drop(struct buf *in, const char *why)
{
    diag(DIAG_INFO, "dropping packet with %zu bytes: %s", in->len, why);
    buf_consume(in, in->len);
    return 0;
}

int socks_packet_give(struct buf *in, size_t taken, const unsigned char *head, size_t nhead, struct buf *out, struct err *e)
{
    size_t n = in->len - taken;
    if (buf_grow(out, nhead + n + 1) < 0)
        return err_nomem(e);
    if (nhead > 0)
        (void)buf_put(out, head, nhead);
    if (n > 0)
        (void)buf_put(out, buf_data(in) + taken, n);
    out->record = true;
    buf_consume(in, in->len);
    return 0;
}
