/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a socket is set to: its options, one row each, and its addresses. */
#include "analyze/analyze.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "catena/sockaddr.h"

#ifndef UDPLITE_SEND_CSCOV
#define UDPLITE_SEND_CSCOV 10
#define UDPLITE_RECV_CSCOV 11
#endif

union value {
    int number;
    uint64_t wide;
    struct timeval time;
    struct linger linger;
    struct ucred creds;
    struct tcp_info tcp_info;
    uint32_t words[128];
    unsigned char bytes[512];
    char text[512];
};

/* len: what the system has filled in. */
typedef void show_fn(FILE *f, const union value *v, socklen_t len);

struct sockopt_row {
    const char *name;
    int level, option;
    show_fn *show;
};

static show_fn show_int, show_wide, show_time, show_linger, show_creds, show_text, show_hex,
    show_words;

/* --- the rows -------------------------------------------------------------------------------- */

/* The name printed is the constant's own, without SO_ at the level of sockets. */
#define SO(name, show)       {#name, SOL_SOCKET, SO_##name, show}
#define ROW(level, option, show) {#option, level, option, show}

static const struct sockopt_row socket_rows[] = {
    SO(DEBUG, show_int),
    SO(REUSEADDR, show_int),
    SO(DOMAIN, show_int),
    SO(PROTOCOL, show_int),
    SO(TYPE, show_int),
    SO(ACCEPTCONN, show_int),
    SO(ERROR, show_int),
    SO(DONTROUTE, show_int),
    SO(BROADCAST, show_int),
    SO(SNDBUF, show_int),
    SO(RCVBUF, show_int),
    SO(KEEPALIVE, show_int),
    SO(OOBINLINE, show_int),
    SO(NO_CHECK, show_int),
    SO(PRIORITY, show_int),
    SO(LINGER, show_linger),
    SO(BSDCOMPAT, show_int),
    SO(REUSEPORT, show_int),
    SO(PASSCRED, show_int),
    SO(PASSSEC, show_int),
    SO(PEERCRED, show_creds),
    SO(PEERSEC, show_text),
    SO(RCVLOWAT, show_int),
    SO(SNDLOWAT, show_int),
    SO(RCVTIMEO, show_time),
    SO(SNDTIMEO, show_time),
    SO(TIMESTAMP, show_int),
    SO(TIMESTAMPNS, show_int),
    SO(TIMESTAMPING, show_int),
    SO(BINDTODEVICE, show_text),
    SO(MARK, show_int),
    SO(RXQ_OVFL, show_int),
    SO(WIFI_STATUS, show_int),
    SO(PEEK_OFF, show_int),
    SO(NOFCS, show_int),
    SO(LOCK_FILTER, show_int),
    SO(SELECT_ERR_QUEUE, show_int),
    SO(BUSY_POLL, show_int),
    SO(INCOMING_CPU, show_int),
    SO(INCOMING_NAPI_ID, show_int),
    SO(MAX_PACING_RATE, show_wide),
    SO(COOKIE, show_wide),
    SO(ZEROCOPY, show_int),
};

static const struct sockopt_row ip_rows[] = {
    ROW(SOL_IP, IP_TOS, show_int),
    ROW(SOL_IP, IP_TTL, show_int),
    ROW(SOL_IP, IP_HDRINCL, show_int),
    ROW(SOL_IP, IP_OPTIONS, show_hex),
    ROW(SOL_IP, IP_ROUTER_ALERT, show_int),
    ROW(SOL_IP, IP_RECVOPTS, show_int),
    ROW(SOL_IP, IP_RETOPTS, show_int),
    ROW(SOL_IP, IP_PKTINFO, show_int),
    ROW(SOL_IP, IP_PKTOPTIONS, show_hex),
    ROW(SOL_IP, IP_MTU_DISCOVER, show_int),
    ROW(SOL_IP, IP_RECVERR, show_int),
    ROW(SOL_IP, IP_RECVTTL, show_int),
    ROW(SOL_IP, IP_RECVTOS, show_int),
    ROW(SOL_IP, IP_RECVORIGDSTADDR, show_int),
    ROW(SOL_IP, IP_RECVFRAGSIZE, show_int),
    ROW(SOL_IP, IP_TRANSPARENT, show_int),
    ROW(SOL_IP, IP_MTU, show_int),
    ROW(SOL_IP, IP_FREEBIND, show_int),
    ROW(SOL_IP, IP_BIND_ADDRESS_NO_PORT, show_int),
    ROW(SOL_IP, IP_MINTTL, show_int),
    ROW(SOL_IP, IP_NODEFRAG, show_int),
    ROW(SOL_IP, IP_MULTICAST_TTL, show_int),
    ROW(SOL_IP, IP_MULTICAST_LOOP, show_int),
    ROW(SOL_IP, IP_MULTICAST_ALL, show_int),
};

static const struct sockopt_row tcp_rows[] = {
    ROW(SOL_TCP, TCP_NODELAY, show_int),
    ROW(SOL_TCP, TCP_MAXSEG, show_int),
    ROW(SOL_TCP, TCP_CORK, show_int),
    ROW(SOL_TCP, TCP_KEEPIDLE, show_int),
    ROW(SOL_TCP, TCP_KEEPINTVL, show_int),
    ROW(SOL_TCP, TCP_KEEPCNT, show_int),
    ROW(SOL_TCP, TCP_SYNCNT, show_int),
    ROW(SOL_TCP, TCP_LINGER2, show_int),
    {"TCP_ACCEPT", SOL_TCP, TCP_DEFER_ACCEPT, show_int},
    ROW(SOL_TCP, TCP_WINDOW_CLAMP, show_int),
    ROW(SOL_TCP, TCP_INFO, show_words),
    ROW(SOL_TCP, TCP_QUICKACK, show_int),
    ROW(SOL_TCP, TCP_CONGESTION, show_text),
    ROW(SOL_TCP, TCP_USER_TIMEOUT, show_int),
    ROW(SOL_TCP, TCP_FASTOPEN, show_int),
    ROW(SOL_TCP, TCP_NOTSENT_LOWAT, show_int),
    ROW(SOL_TCP, TCP_SAVE_SYN, show_int),
    ROW(SOL_TCP, TCP_ULP, show_text),
};

static const struct sockopt_row udp_rows[] = {
    ROW(SOL_UDP, UDP_CORK, show_int),
    ROW(SOL_UDP, UDP_ENCAP, show_int),
    ROW(SOL_UDP, UDP_NO_CHECK6_TX, show_int),
    ROW(SOL_UDP, UDP_NO_CHECK6_RX, show_int),
    ROW(SOL_UDP, UDP_SEGMENT, show_int),
};

static const struct sockopt_row udplite_rows[] = {
    ROW(IPPROTO_UDPLITE, UDPLITE_SEND_CSCOV, show_int),
    ROW(IPPROTO_UDPLITE, UDPLITE_RECV_CSCOV, show_int),
};

static const struct sockopt_row ip6_rows[] = {
    ROW(SOL_IPV6, IPV6_V6ONLY, show_int),
    ROW(SOL_IPV6, IPV6_TCLASS, show_int),
    ROW(SOL_IPV6, IPV6_UNICAST_HOPS, show_int),
    ROW(SOL_IPV6, IPV6_MULTICAST_HOPS, show_int),
    ROW(SOL_IPV6, IPV6_MULTICAST_LOOP, show_int),
    ROW(SOL_IPV6, IPV6_MULTICAST_IF, show_int),
    ROW(SOL_IPV6, IPV6_MTU, show_int),
    ROW(SOL_IPV6, IPV6_MTU_DISCOVER, show_int),
    ROW(SOL_IPV6, IPV6_DONTFRAG, show_int),
    ROW(SOL_IPV6, IPV6_RECVERR, show_int),
    ROW(SOL_IPV6, IPV6_RECVPKTINFO, show_int),
    ROW(SOL_IPV6, IPV6_RECVHOPLIMIT, show_int),
    ROW(SOL_IPV6, IPV6_RECVTCLASS, show_int),
    ROW(SOL_IPV6, IPV6_RECVRTHDR, show_int),
    ROW(SOL_IPV6, IPV6_RECVHOPOPTS, show_int),
    ROW(SOL_IPV6, IPV6_RECVDSTOPTS, show_int),
    ROW(SOL_IPV6, IPV6_RECVPATHMTU, show_int),
    ROW(SOL_IPV6, IPV6_AUTOFLOWLABEL, show_int),
};

/* The counters of TCP_INFO that have an address; STATE and the like are in show_words. */
#define INFO(name, member) {#name, offsetof(struct tcp_info, member)}
static const struct {
    const char *name;
    size_t offset;
} info_rows[] = {
    INFO(RTO, tcpi_rto),           INFO(ATO, tcpi_ato),         INFO(SND_MSS, tcpi_snd_mss),
    INFO(RCV_MSS, tcpi_rcv_mss),   INFO(UNACKED, tcpi_unacked), INFO(LOST, tcpi_lost),
    INFO(RETRANS, tcpi_retrans),   INFO(PMTU, tcpi_pmtu),       INFO(RTT, tcpi_rtt),
    INFO(RTTVAR, tcpi_rttvar),     INFO(SND_CWND, tcpi_snd_cwnd),
    INFO(RCV_SPACE, tcpi_rcv_space), INFO(TOTAL_RETRANS, tcpi_total_retrans),
};

/* --- values ---------------------------------------------------------------------------------- */

static void show_int(FILE *f, const union value *v, socklen_t len)
{
    fprintf(f, "%d", len == 1 ? v->bytes[0] : v->number);
}

static void show_wide(FILE *f, const union value *v, socklen_t len)
{
    if (len == sizeof v->wide)
        fprintf(f, "%ju", (uintmax_t)v->wide);
    else
        show_int(f, v, len);
}

static void show_time(FILE *f, const union value *v, socklen_t len)
{
    (void)len;
    fprintf(f, "{%jd,%jd}", (intmax_t)v->time.tv_sec, (intmax_t)v->time.tv_usec);
}

static void show_linger(FILE *f, const union value *v, socklen_t len)
{
    (void)len;
    fprintf(f, "{%d,%d}", v->linger.l_onoff, v->linger.l_linger);
}

static void show_creds(FILE *f, const union value *v, socklen_t len)
{
    (void)len;
    fprintf(f, "{%d,%d}", v->creds.pid, (int)v->creds.uid);
}

static void show_text(FILE *f, const union value *v, socklen_t len)
{
    (void)len; /* there is a NUL behind */
    putc('"', f);
    analyze_name(f, v->text);
    putc('"', f);
}

static void show_hex(FILE *f, const union value *v, socklen_t len)
{
    fputs(len > 0 ? "\"x" : "\"", f);
    for (socklen_t i = 0; i < len; i++)
        fprintf(f, "%02x", v->bytes[i]);
    putc('"', f);
}

static void show_words(FILE *f, const union value *v, socklen_t len)
{
    for (size_t i = 0; i < len / sizeof *v->words; i++)
        fprintf(f, "%c%08x", i == 0 ? '{' : ' ', v->words[i]);
    fprintf(f, "}\tTCPI_STATE={%u}\tTCPI_OPTIONS={%u}\tTCPI_SND_WSCALE={%u}\tTCPI_RCV_WSCALE={%u}",
            v->tcp_info.tcpi_state, v->tcp_info.tcpi_options, v->tcp_info.tcpi_snd_wscale,
            v->tcp_info.tcpi_rcv_wscale);
    for (size_t i = 0; i < sizeof info_rows / sizeof *info_rows; i++)
        fprintf(f, "\tTCPI_%s={%u}", info_rows[i].name,
                v->words[info_rows[i].offset / sizeof *v->words]);
}

/* --- a socket -------------------------------------------------------------------------------- */

static void put_row(FILE *f, int fd, const struct sockopt_row *row)
{
    union value v = {0};
    socklen_t len = sizeof v - 1; /* keeps a NUL behind any text */
    if (getsockopt(fd, row->level, row->option, &v, &len) < 0)
        return;
    fprintf(f, "\t%s=", row->name);
    row->show(f, &v, len);
}

#define PUT_ROWS(f, fd, rows) put_rows(f, fd, rows, sizeof(rows) / sizeof *(rows))

static void put_rows(FILE *f, int fd, const struct sockopt_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put_row(f, fd, &rows[i]);
}

/* How many instructions the filter has. The length counts instructions too: 0 only asks. */
static void put_filter(FILE *f, int fd)
{
    socklen_t n = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, NULL, &n) == 0)
        fprintf(f, "\tATTACH_FILTER=%u", n);
}

static void put_addresses(FILE *f, const struct sockname *local, const struct sockname *peer)
{
    char text[SOCKNAME_TEXT];
    putc('\t', f);
    analyze_name(f, sockname_text(local, text));
    if (sockname_family(peer) == AF_UNSPEC) /* there is none */
        return;
    fputs(" <-> ", f);
    analyze_name(f, sockname_text(peer, text));
}

static void put_protocol(FILE *f, int fd)
{
    int protocol = -1;
    socklen_t len = sizeof protocol;
    (void)getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
    switch (protocol) {
    case IPPROTO_TCP: PUT_ROWS(f, fd, tcp_rows); break;
    case IPPROTO_UDP: PUT_ROWS(f, fd, udp_rows); break;
    case IPPROTO_UDPLITE: PUT_ROWS(f, fd, udplite_rows); break;
    default: break;
    }
}

void analyze_socket(FILE *f, int fd)
{
    struct sockname local, peer;
    sockname_local(&local, fd);
    sockname_peer(&peer, fd);
    int family = sockname_family(&local);
    PUT_ROWS(f, fd, socket_rows);
    put_filter(f, fd);
    put_addresses(f, &local, &peer);
    if (family != AF_INET && family != AF_INET6)
        return;
    PUT_ROWS(f, fd, ip_rows);
    put_protocol(f, fd);
    if (family == AF_INET6)
        PUT_ROWS(f, fd, ip6_rows);
}
