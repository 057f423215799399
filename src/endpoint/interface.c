/* SPDX-License-Identifier: GPL-2.0-or-later
 * INTERFACE: frames of a network interface as they are on the wire, with their link level header.
 * What this host sends there itself is not shown. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "dgram.h"
#include "netdev.h"

static const struct sock_kind packet = {
    .family = AF_PACKET,
    .type = SOCK_RAW,
    .name = "packet",
    .shut = PORT_SHUT_NONE,
};

/* The socket receives nothing before it is bound, since its protocol is 0 until then. */
static int bind_to(const struct addr *a, int fd, const char *name, struct err *e)
{
    struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct sockname local = {.len = sizeof ll};
    unsigned index = if_nametoindex(name);
    int on = 1;

    if (index == 0)
        return err_sys(e, "interface \"%.60s\"", name);
    ll.sll_ifindex = (int)index;
    memcpy(&local.u, &ll, sizeof ll);
    if (opt_find(a, OPT_RETRIEVE_VLAN) != NULL &&
        setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) < 0)
        return err_sys(e, "setsockopt(%d, SOL_PACKET, PACKET_AUXDATA)", fd);
    return sock_bind(a, fd, &local, e);
}

static int interface_open(const struct addr *a, struct run *r, void *state, struct port **out,
                          struct err *e)
{
    const struct dgram how = {.frames = true, .vlan = opt_find(a, OPT_RETRIEVE_VLAN) != NULL};
    int fd = sock_open(a, r, &packet, AF_PACKET, false, e);

    (void)state;
    if (fd < 0)
        return -1;
    if (bind_to(a, fd, a->params[0], e) < 0 || netdev_options(a, a->params[0], e) < 0 ||
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
        .kind = FORM_ENDPOINT,
        .records = RECORDS_MANY,
        .ops.endpoint = &interface_ops,
    },
    {.keyword = NULL},
};
