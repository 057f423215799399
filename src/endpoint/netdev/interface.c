/* SPDX-License-Identifier: GPL-2.0-or-later
 * INTERFACE: frames of a network interface as they are on the wire, with their link level header, or
 * as another family (pf=) has them.
 * What this host sends there itself is not shown. */
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "endpoint/options/opts_interface.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/packet/dgram.h"
#include "endpoint/netdev/netdev.h"

static const struct sock_kind packet = {
    .type = SOCK_RAW,
    .shut = PORT_SHUT_NONE,
};

/* pf= is a number here; another family than that of packets is one whose addresses have the number of
 * the interface in the same place, as CAN's have. */
static int family_of(const struct addr *a, int *family, struct err *e)
{
    const struct opt *pf = opt_find(a, &opt_pf);
    char *end;
    long n = pf ? strtol(pf->v.s, &end, 0) : AF_PACKET;

    *family = (int)n;
    if (pf && (end == pf->v.s || *end != '\0' || n < 0 || n > USHRT_MAX))
        return err_at(e, pf->at, "unknown protocol family \"%.60s\"; for an interface use a number: "
                                 "17 packets as they are (the default), 29 CAN", pf->v.s);
    return 0;
}

static int check(const struct addr *a, struct err *e)
{
    int family;
    return family_of(a, &family, e);
}

/* The socket receives nothing before it is bound, since its protocol is 0 until then. */
static int bind_to(const struct addr *a, int fd, int family, const char *name, struct err *e)
{
    struct sockaddr_ll ll = {.sll_family = (unsigned short)family,
                             .sll_protocol = htons(ETH_P_ALL)};
    struct sockname local = {.len = sizeof ll};
    unsigned index = if_nametoindex(name);
    int on = 1;

    if (index == 0)
        return err_sys(e, "interface \"%.60s\"", name);
    ll.sll_ifindex = (int)index;
    memcpy(&local.u, &ll, sizeof ll);
    if (opt_find(a, &opt_retrieve_vlan) &&
        setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0)
        return err_sys(e, "setsockopt(%d, SOL_PACKET, PACKET_AUXDATA)", fd);
    return sock_bind(a, fd, &local, e);
}

static int interface_open(const struct addr *a, struct run *r, void *state, struct port **out,
                          struct err *e)
{
    const struct dgram how = {.frames = true, .vlan = opt_find(a, &opt_retrieve_vlan) != NULL};
    int family, fd;

    (void)state;
    if (family_of(a, &family, e) < 0 || (fd = sock_open(a, r, &packet, family, false, e)) < 0)
        return -1;
    if (bind_to(a, fd, family, a->params[0], e) < 0 || netdev_options(a, a->params[0], e) < 0 ||
        opts_apply(a, PHASE_CONNECTED, fd, e) < 0) {
        close(fd);
        return -1;
    }
    diag(DIAG_NOTICE, "using interface \"%s\"", a->params[0]);
    return dgram_port(a, r, &packet, fd, &how, out, e);
}

static const struct endpoint_ops interface_ops = {.open = interface_open};

extern const struct form forms_interface[];
const struct form forms_interface[] = {
    {
        .keyword = "INTERFACE",
        .aliases = "IF",
        .params = ":<interface>",
        .min_params = 1,
        .max_params = 1,
        .left = CTX_RWB,
        .right = RIGHT_NONE,
        .groups = GROUP_FD | GROUP_SOCKET | GROUP_INTERFACE,
        .help = "the frames of a network interface",
        .check = check,
        .kind = FORM_ENDPOINT,
        .records = RECORDS_MANY,
        .ops.endpoint = &interface_ops,
    },
    {.keyword = NULL},
};
