/* SPDX-License-Identifier: GPL-2.0-or-later
 * UDP ASSOCIATE, the client's side: packets for one target, which is named in each of them. */
#include <string.h>

#include "catena/beside.h"
#include "catena/diag.h"
#include "catena/host.h"
#include "inter/proxy/socks_udp.h"
#include "inter/proxy/target.h"

/* ---- the socket ---- */

/* Any address is the server's own, as the connection knows it. */
static int server_address(const struct addr *a, struct wire *w, const char *host, int port, struct sockname *to, struct err *e)
{
    static const unsigned char any[16];
    static const struct ip_version version = {AF_UNSPEC, AF_UNSPEC, false};
    unsigned char bytes[16];
    struct sockname local;
    struct names found;
    int type;
    size_t n = socks_host_bytes(host, bytes, &type);
    if (n == 0 && host[0]) {
        if (resolve_host(a, w->run, host, port, &version, false, &found, e) < 0)
            return -1;
        *to = found.v[0];
        names_fini(&found);
        return 0;
    }
    if (memcmp(bytes, any, n) == 0) {
        if (beside_addresses(w->end_fd, &local, to, e) < 0)
            return err_wrap(e, "the server tells no address for packets (option udp-address can)");
    } else {
        sockname_wildcard(to, n == 16 ? AF_INET6 : AF_INET);
        memcpy(n == 16 ? (void *)&to->u.in6.sin6_addr : (void *)&to->u.in4.sin_addr, bytes, n);
    }
    sockname_set_port(to, port);
    return 0;
}

int socks5_udp_open(const struct addr *a, struct wire *w, const char *host, unsigned port, struct err *e)
{
    struct sockname to = {0};
    char text[SOCKNAME_TEXT];
    sockname_wildcard(&to, AF_INET);
    sockname_set_port(&to, (int)port);
    if (port == 0)
        return err_set(e, ERR_PROTOCOL, "the server awaits packets at port 0");
    if (!udp_address(a, &to) && server_address(a, w, host, (int)port, &to, e) < 0)
        return -1;
    diag(DIAG_INFO, "sending packets to the SOCKS5 server at %s", sockname_text(&to, text));
    return beside_connect(a, &to, &w->beside, e);
}

/* ---- packets ---- */

struct packets { /* one direction */
    unsigned char head[SOCKS_HEAD_MAX];
    size_t nhead;
};

static int init(void *st, const struct addr *a, struct err *e)
{
    struct packets *s = st;
    struct target t;
    if (target_parse(a, false, &t, e) < 0)
        return -1;
    s->nhead = t.kind == TARGET_NAME  ? socks_head_write(s->head, SOCKS_ADDRESS_NAME, t.host, strlen(t.host), t.port)
               : t.kind == TARGET_IP4 ? socks_head_write(s->head, SOCKS_ADDRESS_IP4, &t.ip.ip4, 4, t.port)
                                      : socks_head_write(s->head, SOCKS_ADDRESS_IP6, &t.ip.ip6, 16, t.port);
    return 0;
}

static int encode(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    const struct packets *s = st;
    if (buf_holds(in) && socks_packet_give(in, 0, s->head, s->nhead, out, e) < 0)
        return -1;
    return mode != CODEC_RUN && !buf_holds(in);
}

/* What number a name has is the server's business. */
static const char *stranger(const struct packets *s, const struct socks_head *h)
{
    struct socks_head target;
    (void)socks_head_read(s->head, s->nhead, &target);
    bool same = h->port == target.port &&
                (target.type == SOCKS_ADDRESS_NAME || (h->type == target.type && memcmp(h->bytes, target.bytes, h->nbytes) == 0));
    return same ? NULL : "it does not come from the target";
}

static int take_packet(const struct packets *s, struct buf *in, struct buf *out, struct err *e)
{
    struct socks_head h;
    const char *why = socks_head_read(in->len > 0 ? buf_data(in) : (const unsigned char *)"", in->len, &h);
    if (!why)
        why = stranger(s, &h);
    return why ? socks_packet_drop(in, why) : socks_packet_give(in, h.len, NULL, 0, out, e);
}

static int decode(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    if (buf_holds(in) && take_packet(st, in, out, e) < 0)
        return -1;
    return mode != CODEC_RUN && !buf_holds(in);
}

#define PACKETS .takes_records = true, .gives_records = true, .state_size = sizeof(struct packets), .init = init
static const struct codec_ops encoder = {PACKETS, .push = encode};
static const struct codec_ops decoder = {PACKETS, .push = decode};
const struct codec_pair socks5_packets = {.encode = &encoder, .decode = &decoder};
