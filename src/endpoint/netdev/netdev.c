/* SPDX-License-Identifier: GPL-2.0-or-later
 * Settings of network interfaces: see netdev.h. Each is an ioctl() on any socket. */
#include "endpoint/netdev/netdev.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "catena/diag.h"
#include "endpoint/options/opts_interface.h"

static int request(const char *name, struct ifreq *ifr, struct err *e)
{
    if (strlen(name) >= sizeof ifr->ifr_name)
        return err_set(e, ERR_BAD_VALUE, "interface name \"%.60s\" is too long: %zu bytes are possible",
                       name, sizeof ifr->ifr_name - 1);
    memset(ifr, 0, sizeof *ifr);
    memcpy(ifr->ifr_name, name, strlen(name));
    return 0;
}

static int call(int fd, unsigned long code, const char *what, struct ifreq *ifr, struct err *e)
{
    if (ioctl(fd, code, ifr) == 0)
        return 0;
    (void)err_sys(e, "cannot set up the interface \"%.*s\"", IFNAMSIZ, ifr->ifr_name);
    if (e->kind == ERR_DENIED)
        (void)err_hint(e, "it needs root or the capability net_admin");
    return err_call(e, "ioctl(%d, %s, {\"%.*s\"})", fd, what, IFNAMSIZ, ifr->ifr_name);
}

static int open_control(struct err *e)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0)
        return fd;
    (void)err_sys(e, "the system gives no IPv4 socket");
    return err_call(e, "socket(%d, %d, 0)", AF_INET, SOCK_DGRAM);
}

/* The flags that options set and clear: all rows of their phase. */
static void wanted_flags(const struct addr *a, unsigned *set, unsigned *clear)
{
    *set = *clear = 0;
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        unsigned flag = (unsigned)o->desc->a;

        if (o->desc->groups != GROUP_INTERFACE || o->desc->phase != PHASE_OFFSET)
            continue;
        *set = o->v.i != 0 ? *set | flag : *set & ~flag;
        *clear = o->v.i != 0 ? *clear & ~flag : *clear | flag;
    }
}

static int set_flags(const struct addr *a, int fd, const char *name, struct err *e)
{
    struct ifreq ifr;
    unsigned set, clear, flags;

    wanted_flags(a, &set, &clear);
    if (set == 0 && clear == 0)
        return 0;
    if (request(name, &ifr, e) < 0 || call(fd, SIOCGIFFLAGS, "SIOCGIFFLAGS", &ifr, e) < 0)
        return -1;
    flags = ((unsigned)(unsigned short)ifr.ifr_flags | set) & ~clear;
    ifr.ifr_flags = (short)flags;
    return call(fd, SIOCSIFFLAGS, "SIOCSIFFLAGS", &ifr, e);
}

static int set_mtu(const struct addr *a, int fd, const char *name, struct err *e)
{
    struct ifreq ifr;

    if (!opt_find(a, &opt_if_mtu))
        return 0;
    if (request(name, &ifr, e) < 0)
        return -1;
    ifr.ifr_mtu = (int)opt_int(a, &opt_if_mtu, 0);
    return call(fd, SIOCSIFMTU, "SIOCSIFMTU", &ifr, e);
}

int netdev_options(const struct addr *a, const char *name, struct err *e)
{
    int fd = open_control(e), rc;

    if (fd < 0)
        return -1;
    rc = set_mtu(a, fd, name, e) < 0 || set_flags(a, fd, name, e) < 0 ? -1 : 0;
    close(fd);
    return rc;
}

/* The mask behind the address: bits or dotted. */
static int parse_mask(const char *whole, const char *sep, struct in_addr *mask, struct err *e)
{
    char *end;
    unsigned long bits = strtoul(sep + 1, &end, 10);

    if (*sep == ':' && inet_aton(sep + 1, mask) != 0)
        return 0;
    if (*sep == '/' && sep[1] >= '0' && sep[1] <= '9' && *end == '\0' && bits <= 32) {
        mask->s_addr = htonl(bits == 0 ? 0 : UINT32_MAX << (32 - bits));
        return 0;
    }
    return err_set(e, ERR_BAD_VALUE, "\"%.60s\": the netmask is not /0 to /32 or :<mask>", whole);
}

static int parse_address(const char *text, struct in_addr *addr, struct in_addr *mask,
                         struct err *e)
{
    char host[INET_ADDRSTRLEN];
    const char *sep = strpbrk(text, "/:");

    if (!sep)
        return err_set(e, ERR_BAD_VALUE,
                       "\"%.60s\" has no netmask: the address of an interface is written "
                       "<IPv4 address>/<bits>",
                       text);
    if ((size_t)(sep - text) < sizeof host) {
        memcpy(host, text, (size_t)(sep - text));
        host[sep - text] = '\0';
        if (inet_pton(AF_INET, host, addr) == 1)
            return parse_mask(text, sep, mask, e);
    }
    return err_set(e, ERR_BAD_VALUE, "\"%.60s\" does not begin with an IPv4 address", text);
}

int netdev_check_address(const char *text, struct err *e)
{
    struct in_addr addr, mask;

    return parse_address(text, &addr, &mask, e);
}

static int set_address(int fd, const char *name, unsigned long code, const char *what,
                       struct in_addr value, struct err *e)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = value};
    struct ifreq ifr;

    if (request(name, &ifr, e) < 0)
        return -1;
    memcpy(&ifr.ifr_addr, &in, sizeof in);
    return call(fd, code, what, &ifr, e);
}

int netdev_address(const char *name, const char *text, struct err *e)
{
    struct in_addr addr, mask;
    int fd, rc;

    if (parse_address(text, &addr, &mask, e) < 0)
        return -1;
    fd = open_control(e);
    if (fd < 0)
        return -1;
    rc = set_address(fd, name, SIOCSIFADDR, "SIOCSIFADDR", addr, e);
    if (rc == 0)
        rc = set_address(fd, name, SIOCSIFNETMASK, "SIOCSIFNETMASK", mask, e);
    close(fd);
    return rc;
}
