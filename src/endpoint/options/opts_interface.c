/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for network interfaces and tunnels. Flags of an interface are collected by the code that
 * opens it: a is the flag. */
#include <net/if.h>

#include "catena/option_row.h"

#define IFF(n, al, flag, h)                                                                        \
    OPTION(n, al, GROUP_INTERFACE, OFFSET, BOOL, h, .id = OPT_IFF_FLAG, .a = flag)

OPTION_TABLE(interface) = {
    IFF("iff-allmulti", "allmulti", IFF_ALLMULTI, "interface flag: receive all multicasts"),
    IFF("iff-automedia", "automedia", IFF_AUTOMEDIA,
        "interface flag: select the medium automatically"),
    IFF("iff-broadcast", NULL, IFF_BROADCAST, "interface flag: broadcast address is valid"),
    IFF("iff-debug", NULL, IFF_DEBUG, "interface flag: debugging"),
    IFF("iff-loopback", "loopback", IFF_LOOPBACK, "interface flag: loopback"),
    IFF("iff-master", "master", IFF_MASTER, "interface flag: master of a bundle"),
    IFF("iff-multicast", "multicast", IFF_MULTICAST, "interface flag: multicasts are possible"),
    OPTION("iff-no-pi", "no-pi tun-no-pi", GROUP_INTERFACE, FD, BOOL,
           "packets have no four bytes of information in front", .id = OPT_TUN_NO_PI),
    IFF("iff-noarp", "noarp", IFF_NOARP, "interface flag: no address resolution"),
    IFF("iff-notrailers", "notrailers", IFF_NOTRAILERS, "interface flag: no trailers"),
    IFF("iff-pointopoint", "pointopoint", IFF_POINTOPOINT, "interface flag: point-to-point link"),
    IFF("iff-portsel", "portsel", IFF_PORTSEL, "interface flag: medium can be selected"),
    IFF("iff-promisc", "promisc", IFF_PROMISC, "interface flag: receive all packets"),
    IFF("iff-running", "running", IFF_RUNNING, "interface flag: resources are allocated"),
    IFF("iff-slave", "slave", IFF_SLAVE, "interface flag: part of a bundle"),
    OPTION("iff-up", "up", GROUP_INTERFACE, OFFSET, BOOL, "interface flag: the interface works",
           .id = OPT_IFF_UP, .a = IFF_UP),
    OPTION("interface-mtu", "if-mtu", GROUP_INTERFACE, LATE, UINT,
           "largest packet of the interface in bytes", .id = OPT_IF_MTU),
    OPTION("retrieve-vlan", NULL, GROUP_INTERFACE, LATE, CONST,
           "put VLAN tags back into frames received", .id = OPT_RETRIEVE_VLAN),
    OPTION("tun-device", NULL, GROUP_INTERFACE, OPEN, STRING, "device file instead of /dev/net/tun",
           .id = OPT_TUN_DEVICE),
    OPTION("tun-name", NULL, GROUP_INTERFACE, FD, STRING, "name of the interface",
           .id = OPT_TUN_NAME),
    OPTION("tun-type", NULL, GROUP_INTERFACE, FD, STRING,
           "tun for IP packets, tap for Ethernet frames", .id = OPT_TUN_TYPE),
    OPTIONS_END,
};
