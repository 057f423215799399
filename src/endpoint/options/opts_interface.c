/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for network interfaces and tunnels. Flags of an interface are collected by the code that
 * opens it: a is the flag. */
#include <net/if.h>

#include "catena/option_row.h"

#define IFF(n, al, flag, h)                                                                        \
    OPTION(n, al, GROUP_INTERFACE, OFFSET, BOOL, h, .a = flag)

NAMED_OPTION(opt_tun_no_pi, "iff-no-pi", "no-pi tun-no-pi", GROUP_INTERFACE, FD, BOOL,
             "packets have no four bytes of information in front");
NAMED_OPTION(opt_if_mtu, "interface-mtu", "if-mtu", GROUP_INTERFACE, LATE, UINT,
             "largest packet of the interface in bytes");
NAMED_OPTION(opt_retrieve_vlan, "retrieve-vlan", NULL, GROUP_INTERFACE, LATE, CONST,
             "put VLAN tags back into frames received");
NAMED_OPTION(opt_tun_device, "tun-device", NULL, GROUP_INTERFACE, OPEN, STRING,
             "device file instead of /dev/net/tun");
NAMED_OPTION(opt_tun_name, "tun-name", NULL, GROUP_INTERFACE, FD, STRING, "name of the interface");
NAMED_OPTION(opt_tun_type, "tun-type", NULL, GROUP_INTERFACE, FD, STRING,
             "tun for IP packets, tap for Ethernet frames");

OPTION_TABLE(interface) = {
    IFF("iff-allmulti", "allmulti", IFF_ALLMULTI, "interface flag: receive all multicasts"),
    IFF("iff-automedia", "automedia", IFF_AUTOMEDIA,
        "interface flag: select the medium automatically"),
    IFF("iff-broadcast", NULL, IFF_BROADCAST, "interface flag: broadcast address is valid"),
    IFF("iff-debug", NULL, IFF_DEBUG, "interface flag: debugging"),
    IFF("iff-loopback", "loopback", IFF_LOOPBACK, "interface flag: loopback"),
    IFF("iff-master", "master", IFF_MASTER, "interface flag: master of a bundle"),
    IFF("iff-multicast", "multicast", IFF_MULTICAST, "interface flag: multicasts are possible"),
    &opt_tun_no_pi,
    IFF("iff-noarp", "noarp", IFF_NOARP, "interface flag: no address resolution"),
    IFF("iff-notrailers", "notrailers", IFF_NOTRAILERS, "interface flag: no trailers"),
    IFF("iff-pointopoint", "pointopoint", IFF_POINTOPOINT, "interface flag: point-to-point link"),
    IFF("iff-portsel", "portsel", IFF_PORTSEL, "interface flag: medium can be selected"),
    IFF("iff-promisc", "promisc", IFF_PROMISC, "interface flag: receive all packets"),
    IFF("iff-running", "running", IFF_RUNNING, "interface flag: resources are allocated"),
    IFF("iff-slave", "slave", IFF_SLAVE, "interface flag: part of a bundle"),
    IFF("iff-up", "up", IFF_UP, "interface flag: the interface works"),
    &opt_if_mtu, &opt_retrieve_vlan, &opt_tun_device, &opt_tun_name, &opt_tun_type,
    OPTIONS_END,
};
