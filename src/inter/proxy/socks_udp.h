/* SPDX-License-Identifier: GPL-2.0-or-later
 * UDP of SOCKS5 (RFC 1928, 7): packets that begin with where they go to, or come from, beside the connection over
 * which that was agreed on. */
#ifndef CATENA_INTER_SOCKS_UDP_H
#define CATENA_INTER_SOCKS_UDP_H

#include "catena/inter.h"
#include "catena/sockaddr.h"

struct wish;

#define SOCKS_UDP "udp" /* the fact command, of who asks for it */
enum { SOCKS_ADDRESS_IP4 = 1, SOCKS_ADDRESS_NAME = 3, SOCKS_ADDRESS_IP6 = 4, SOCKS_HEAD_MAX = 4 + 1 + 255 + 2 };

/* The head of a packet. */
struct socks_head {
    int type;                   /* SOCKS_ADDRESS_... */
    const unsigned char *bytes; /* of the address, in the packet */
    size_t nbytes;
    int port;
    size_t len;
};
/* Gives NULL, or why the packet is none. */
const char *socks_head_read(const unsigned char *p, size_t n, struct socks_head *h);
/* Gives its length. */
size_t socks_head_write(unsigned char head[static SOCKS_HEAD_MAX], int type, const void *address, size_t n, int port);
/* Its address as text, IPv6 in brackets; host has room for RULE_HOST_MAX + 1 bytes. False: it cannot be one. */
bool socks_head_host(const struct socks_head *h, char *host);
/* The bytes of a host that is a number, IPv6 in brackets. Gives how many, 0: it is none. */
size_t socks_host_bytes(const char *host, unsigned char bytes[static 16], int *type);

/* Both give 0. */
int socks_packet_drop(struct buf *in, const char *why);
/* What is behind so many bytes, with another head, or -1. */
int socks_packet_give(struct buf *in, size_t taken, const unsigned char *head, size_t nhead, struct buf *out, struct err *e);

/* Option udp-address: replaces all but the port. False: it is not given. */
bool udp_address(const struct addr *a, struct sockname *to);
int udp_address_check(const struct addr *a, struct err *e);
/* Option udp-ports; without it any. */
struct beside_ports;
int udp_ports(const struct addr *a, struct beside_ports *ports, struct err *e);

/* associate.c, the server's side: are clients served so? */
bool associate_may_be(const struct addr *a);
/* He may go where each of his packets says. */
int associate_grant(const struct addr *a, struct run *r, struct wish *wish, struct err *e);
/* The socket goes into the wire; *at: where he is to send to. */
int associate_open(const struct addr *a, struct wire *w, const struct outcome *o, struct sockname *at, struct err *e);
extern const struct codec_pair associate_packets;

/* socks5_udp.c, the client's side: the server awaits packets there, a number, a name, or any address. */
int socks5_udp_open(const struct addr *a, struct wire *w, const char *host, unsigned port, struct err *e);
extern const struct codec_pair socks5_packets;

#endif
