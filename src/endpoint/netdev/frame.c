/* SPDX-License-Identifier: GPL-2.0-or-later
 * Frames of network interfaces: see frame.h. */
#include "endpoint/netdev/frame.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <string.h>

enum { ADDRESSES = 12, TAG = 4 }; /* bytes */

bool frame_is_ours(const struct sockname *from)
{
    struct sockaddr_ll ll;

    if (sockname_family(from) != AF_PACKET)
        return false;
    memcpy(&ll, &from->u, sizeof ll);
    return ll.sll_pkttype == PACKET_OUTGOING;
}

/* What the kernel tells about the tag; false if the frame had none. */
static bool find_tag(struct msghdr *msg, unsigned char tag[static TAG])
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        struct tpacket_auxdata aux;
        uint16_t type, tci;

        if (c->cmsg_level != SOL_PACKET || c->cmsg_type != PACKET_AUXDATA ||
            c->cmsg_len < CMSG_LEN(sizeof aux))
            continue;
        memcpy(&aux, CMSG_DATA(c), sizeof aux);
        if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0)
            return false;
        type = htons(aux.tp_status & TP_STATUS_VLAN_TPID_VALID ? aux.tp_vlan_tpid : ETH_P_8021Q);
        tci = htons(aux.tp_vlan_tci);
        memcpy(tag, &type, sizeof type);
        memcpy(tag + sizeof type, &tci, sizeof tci);
        return true;
    }
    return false;
}

ssize_t frame_put_tag(struct msghdr *msg, unsigned char *frame, ssize_t n, size_t cap)
{
    unsigned char tag[TAG];

    if (n < ADDRESSES || (size_t)n + TAG > cap || !find_tag(msg, tag))
        return n;
    memmove(frame + ADDRESSES + TAG, frame + ADDRESSES, (size_t)n - ADDRESSES);
    memcpy(frame + ADDRESSES, tag, TAG);
    return n + TAG;
}
