/* SPDX-License-Identifier: GPL-2.0-or-later
 * TUN: a network interface of our own; what the system sends to it is read here, packet by packet,
 * and the other way round. It vanishes with its descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "catena/diag.h"
#include "endpoint/netdev/netdev.h"
#include "endpoint/options/opts_interface.h"

static const char default_device[] = "/dev/net/tun";

static int type_of(const struct addr *a, short *flags, struct err *e)
{
    const struct opt *type = opt_find(a, &opt_tun_type);

    *flags = IFF_TUN;
    if (type && strcasecmp(type->v.s, "tap") == 0)
        *flags = IFF_TAP;
    else if (type && strcasecmp(type->v.s, "tun") != 0)
        return err_at(e, type->at, "unknown tun-type \"%.60s\"; use tun or tap", type->v.s);
    if (opt_true(a, &opt_tun_no_pi))
        *flags = (short)(*flags | IFF_NO_PI);
    return 0;
}

static int check(const struct addr *a, struct err *e)
{
    const struct opt *name = opt_find(a, &opt_tun_name);
    short flags;

    if (name && strlen(name->v.s) >= IFNAMSIZ)
        return err_at(e, name->at, "tun-name \"%.60s\" is too long: %d bytes are possible",
                      name->v.s, IFNAMSIZ - 1);
    if (a->nparams > 0 && netdev_check_address(a->params[0], e) < 0) {
        e->where = a->param_at[0];
        return -1;
    }
    return type_of(a, &flags, e);
}

static int make_failed(int fd, const struct ifreq *ifr, struct err *e)
{
    (void)err_sys(e, "cannot make the tunnel interface \"%.*s\"", IFNAMSIZ, ifr->ifr_name);
    if (e->kind == ERR_DENIED)
        (void)err_hint(e, "it needs root or the capability net_admin");
    else if (e->sys == EBUSY)
        (void)err_hint(e, "another process has it");
    return err_call(e, "ioctl(%d, TUNSETIFF, {\"%.*s\"})", fd, IFNAMSIZ, ifr->ifr_name);
}

/* Makes the interface; its name, which the system may have chosen, goes to ifr. */
static int make_device(const struct addr *a, int fd, struct ifreq *ifr, struct err *e)
{
    const struct opt *name = opt_find(a, &opt_tun_name);

    memset(ifr, 0, sizeof *ifr);
    if (name)
        memcpy(ifr->ifr_name, name->v.s, strnlen(name->v.s, sizeof ifr->ifr_name - 1));
    if (type_of(a, &ifr->ifr_flags, e) < 0)
        return -1;
    if (ioctl(fd, TUNSETIFF, ifr) < 0)
        return make_failed(fd, ifr, e);
    diag(DIAG_NOTICE, "TUN: new device \"%.*s\"", IFNAMSIZ, ifr->ifr_name);
    return 0;
}

static int set_up(const struct addr *a, int fd, struct err *e)
{
    struct ifreq ifr;
    char name[IFNAMSIZ + 1] = "";

    if (make_device(a, fd, &ifr, e) < 0)
        return -1;
    memcpy(name, ifr.ifr_name, IFNAMSIZ);
    if (a->nparams > 0 && netdev_address(name, a->params[0], e) < 0)
        return -1;
    return netdev_options(a, name, e);
}

static int tun_open(const struct addr *a, struct run *r, void *state, struct port **out,
                    struct err *e)
{
    const char *device = opt_string(a, &opt_tun_device, default_device);
    int fd, flags;

    (void)state;
    diag(DIAG_NOTICE, "creating tunnel network interface");
    flags = opts_open_flags(a, O_RDWR);
    fd = open(device, flags | O_CLOEXEC);
    if (fd < 0) {
        (void)err_sys(e, "cannot open the tunnel device \"%.200s\"", device);
        return err_call(e, "open(\"%.200s\", 0%o)", device, (unsigned)flags);
    }
    if (set_up(a, fd, e) < 0) {
        close(fd);
        return -1;
    }
    return endpoint_port(a, r, a->left == CTX_W ? -1 : fd, a->left == CTX_R ? -1 : fd,
                         PORT_MSG | PORT_ENDLESS, PORT_SHUT_NONE, out, e);
}

static const struct endpoint_ops tun_ops = {.open = tun_open};

extern const struct form forms_tun[];
const struct form forms_tun[] = {
    {
        .keyword = "TUN",
        .params = "[:<ip-addr>/<bits>]",
        .min_params = 0,
        .max_params = 1,
        .left = CTX_RWB,
        .right = RIGHT_NONE,
        .groups = GROUP_FD | GROUP_CHR | GROUP_OPEN | GROUP_INTERFACE,
        .help = "the wire side of a new network interface",
        .check = check,
        .kind = FORM_ENDPOINT,
        .records = RECORDS_MANY,
        .ops.endpoint = &tun_ops,
    },
    {.keyword = NULL},
};
