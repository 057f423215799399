/* SPDX-License-Identifier: GPL-2.0-or-later
 * The values that constants have on this system, for those who give numbers to generic options and
 * socket addresses. One row each: how it is written, and the constant. */
#include <sys/socket.h> /* which linux/vm_sockets.h needs */

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <termios.h>

#include "analyze/procan.h"

enum base { DECIMAL, HEXADECIMAL, OCTAL };

#define DEC(name) {DECIMAL, #name, (unsigned long)(name)}
#define HEX(name) {HEXADECIMAL, #name, (unsigned long)(name)}
#define OCT(name) {OCTAL, #name, (unsigned long)(name)}

static const struct {
    enum base base;
    const char *name;
    unsigned long value;
} rows[] = {
    /* files */
    DEC(FD_SETSIZE),
    DEC(NFDBITS),
    DEC(O_RDONLY),
    DEC(O_WRONLY),
    DEC(O_RDWR),
    HEX(O_CREAT),
    HEX(O_EXCL),
    HEX(O_NOCTTY),
    HEX(O_TRUNC),
    HEX(O_APPEND),
    HEX(O_NONBLOCK),
    HEX(O_DSYNC),
    HEX(O_ASYNC),
    HEX(O_DIRECT),
    HEX(O_DIRECTORY),
    HEX(O_NOFOLLOW),
    HEX(O_NOATIME),
    HEX(O_CLOEXEC),
    HEX(O_SYNC),
    HEX(O_PATH),
    HEX(O_TMPFILE),
    DEC(SHUT_RD),
    DEC(SHUT_WR),
    DEC(SHUT_RDWR),
    /* terminals */
    OCT(CRDLY),
    OCT(CR0),
    OCT(CR1),
    OCT(CR2),
    OCT(CR3),
    OCT(TABDLY),
    OCT(TAB0),
    OCT(TAB1),
    OCT(TAB2),
    OCT(TAB3),
    OCT(CSIZE),
    HEX(TIOCEXCL),
    HEX(TIOCNXCL),
    HEX(TIOCSCTTY),
    HEX(TIOCNOTTY),
    HEX(TIOCGWINSZ),
    HEX(TIOCSWINSZ),
    HEX(TIOCMGET),
    HEX(TIOCMSET),
    HEX(TIOCGPTN),
    HEX(TIOCSPTLCK),
    HEX(FIONREAD),
    HEX(FIONBIO),
    DEC(FOPEN_MAX),
    /* families */
    DEC(PF_UNIX),
    DEC(PF_INET),
    DEC(PF_INET6),
    DEC(PF_APPLETALK),
    DEC(PF_PACKET),
    DEC(PF_NETLINK),
    DEC(PF_BLUETOOTH),
    DEC(PF_VSOCK),
    /* types */
    DEC(SOCK_STREAM),
    DEC(SOCK_DGRAM),
    DEC(SOCK_RAW),
    DEC(SOCK_RDM),
    DEC(SOCK_SEQPACKET),
    DEC(SOCK_DCCP),
    DEC(SOCK_PACKET),
    /* protocols */
    DEC(IPPROTO_IP),
    DEC(IPPROTO_ICMP),
    DEC(IPPROTO_TCP),
    DEC(IPPROTO_UDP),
    DEC(IPPROTO_IPV6),
    DEC(IPPROTO_ICMPV6),
    DEC(IPPROTO_SCTP),
    DEC(IPPROTO_DCCP),
    DEC(IPPROTO_UDPLITE),
    DEC(IPPROTO_RAW),
    /* levels of options */
    HEX(SOL_SOCKET),
    HEX(SOL_PACKET),
    HEX(SOL_IP),
    HEX(SOL_IPV6),
    HEX(SOL_TCP),
    HEX(SOL_UDP),
    HEX(SOL_DCCP),
    HEX(SOL_NETLINK),
    /* options */
    DEC(SO_DEBUG),
    DEC(SO_REUSEADDR),
    DEC(SO_TYPE),
    DEC(SO_ERROR),
    DEC(SO_DONTROUTE),
    DEC(SO_BROADCAST),
    DEC(SO_SNDBUF),
    DEC(SO_RCVBUF),
    DEC(SO_SNDBUFFORCE),
    DEC(SO_RCVBUFFORCE),
    DEC(SO_KEEPALIVE),
    DEC(SO_OOBINLINE),
    DEC(SO_PRIORITY),
    DEC(SO_LINGER),
    DEC(SO_REUSEPORT),
    DEC(SO_PASSCRED),
    DEC(SO_PEERCRED),
    DEC(SO_RCVLOWAT),
    DEC(SO_SNDLOWAT),
    DEC(SO_RCVTIMEO),
    DEC(SO_SNDTIMEO),
    DEC(SO_BINDTODEVICE),
    DEC(SO_TIMESTAMP),
    DEC(SO_ACCEPTCONN),
    DEC(SO_MARK),
    DEC(SO_PROTOCOL),
    DEC(SO_DOMAIN),
    DEC(IP_TOS),
    DEC(IP_TTL),
    DEC(IP_HDRINCL),
    DEC(IP_OPTIONS),
    DEC(IP_PKTINFO),
    DEC(IP_MTU_DISCOVER),
    DEC(IP_FREEBIND),
    DEC(IP_TRANSPARENT),
    DEC(IP_MULTICAST_IF),
    DEC(IP_MULTICAST_TTL),
    DEC(IP_MULTICAST_LOOP),
    DEC(IP_ADD_MEMBERSHIP),
    DEC(IPV6_V6ONLY),
    DEC(IPV6_UNICAST_HOPS),
    DEC(IPV6_MULTICAST_HOPS),
    DEC(IPV6_JOIN_GROUP),
    DEC(IPV6_TCLASS),
    DEC(TCP_NODELAY),
    DEC(TCP_MAXSEG),
    DEC(TCP_CORK),
    DEC(TCP_KEEPIDLE),
    DEC(TCP_KEEPINTVL),
    DEC(TCP_KEEPCNT),
    DEC(TCP_SYNCNT),
    DEC(TCP_LINGER2),
    DEC(TCP_DEFER_ACCEPT),
    DEC(TCP_WINDOW_CLAMP),
    DEC(TCP_INFO),
    DEC(TCP_QUICKACK),
    DEC(TCP_CONGESTION),
    DEC(TCP_MD5SIG),
    DEC(TCP_USER_TIMEOUT),
    DEC(TCP_FASTOPEN),
    DEC(TCP_FASTOPEN_CONNECT),
    DEC(UDP_CORK),
    DEC(UDP_ENCAP),
    /* tunnels, virtual machines */
    HEX(TUNSETIFF),
    HEX(IFF_TUN),
    HEX(IFF_TAP),
    HEX(IFF_NO_PI),
    HEX(VMADDR_CID_ANY),
    HEX(VMADDR_CID_HOST),
};

void procan_defines(FILE *f)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fprintf(f, "#define %s ", rows[i].name);
        switch (rows[i].base) {
        case DECIMAL: fprintf(f, "%lu\n", rows[i].value); break;
        case HEXADECIMAL: fprintf(f, "0x%lx\n", rows[i].value); break;
        case OCTAL: fprintf(f, "%012lo\n", rows[i].value); break;
        }
    }
}
