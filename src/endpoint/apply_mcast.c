/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options that name multicast groups and interfaces: <group>:<interface>[:...]. An interface is its
 * IPv4 address, its name or its index. */
#include <ctype.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "apply.h"

enum { MAX_PART = 256 };

/* Copies what stands before the next colon outside of brackets, without brackets; *at moves on. */
static int take_part(const char **at, char *part, struct err *e)
{
    const char *p = *at, *end;
    if (*p == '[' && (end = strchr(p, ']')) != NULL && (end[1] == ':' || !end[1])) {
        p++;
        *at = end[1] ? end + 2 : end + 1;
    } else {
        end = p + strcspn(p, ":");
        *at = *end ? end + 1 : end;
    }
    if (end - p >= MAX_PART)
        return err_set(e, ERR_USAGE, "\"%.32s...\" is too long for an address", p);
    memcpy(part, p, (size_t)(end - p));
    part[end - p] = '\0';
    return 0;
}

static int resolve(const char *name, int family, struct sockaddr_storage *out, struct err *e)
{
    struct addrinfo *list = NULL, hints = {.ai_family = family, .ai_socktype = SOCK_DGRAM};
    int rc = getaddrinfo(name, NULL, &hints, &list);
    if (rc != 0)
        return err_set(e, ERR_TRANSIENT, "address \"%s\": %s", name, gai_strerror(rc));
    memset(out, 0, sizeof *out);
    memcpy(out, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return 0;
}

static int resolve4(const char *name, struct in_addr *out, struct err *e)
{
    struct sockaddr_storage sa;
    struct sockaddr_in in;
    if (resolve(name, AF_INET, &sa, e) < 0)
        return -1;
    memcpy(&in, &sa, sizeof in);
    *out = in.sin_addr;
    return 0;
}

static bool is_index(const char *s)
{
    return *s && strspn(s, "0123456789") == strlen(s);
}

/* 0: there is no such interface */
static unsigned interface_index(const char *s)
{
    unsigned index = if_nametoindex(s);
    return index == 0 && is_index(s) ? (unsigned)strtoul(s, NULL, 10) : index;
}

static int need_interface(const char *s, int *index, struct err *e)
{
    unsigned i = interface_index(s);
    *index = (int)i;
    if (i > 0 && i <= 0x7fffffff)
        return 0;
    return err_set(e, ERR_PERMANENT, "no interface has the name or index \"%s\"", s);
}

static int set(const struct opt *o, int fd, const void *value, size_t n, struct err *e)
{
    if (setsockopt(fd, (int)o->desc->a, (int)o->desc->b, value, (socklen_t)n) == 0)
        return 0;
    return err_sys(e, ERR_PERMANENT, "setsockopt(fd %d, %s, \"%s\")", fd, o->desc->name, o->v.s);
}

/* The interface part of an IPv4 option: name or index first, since no address looks like those. */
static int interface4(const char *s, struct ip_mreqn *m, struct err *e)
{
    unsigned index = interface_index(s);
    if (index > 0 && index <= 0x7fffffff) {
        m->imr_ifindex = (int)index;
        return 0;
    }
    return *s ? resolve4(s, &m->imr_address, e) : 0;
}

int apply_ip_membership(const struct opt *o, int fd, struct err *e)
{
    struct ip_mreqn m = {.imr_ifindex = 0};
    char part[MAX_PART];
    const char *at = o->v.s;

    if (take_part(&at, part, e) < 0 || resolve4(part, &m.imr_multiaddr, e) < 0)
        return -1;
    if (take_part(&at, part, e) < 0 || interface4(part, &m, e) < 0)
        return -1;
    if (*at && (take_part(&at, part, e) < 0 || need_interface(part, &m.imr_ifindex, e) < 0))
        return -1;
    return set(o, fd, &m, sizeof m, e);
}

/* Here the system wants the address of the interface. */
int apply_ip_source_membership(const struct opt *o, int fd, struct err *e)
{
    struct ip_mreq_source m = {.imr_multiaddr = {0}};
    char part[MAX_PART];
    const char *at = o->v.s;

    if (take_part(&at, part, e) < 0 || resolve4(part, &m.imr_multiaddr, e) < 0)
        return -1;
    if (take_part(&at, part, e) < 0 || resolve4(part, &m.imr_interface, e) < 0)
        return -1;
    if (take_part(&at, part, e) < 0 || resolve4(part, &m.imr_sourceaddr, e) < 0)
        return -1;
    return set(o, fd, &m, sizeof m, e);
}

int apply_ip_multicast_if(const struct opt *o, int fd, struct err *e)
{
    struct ip_mreqn m = {.imr_ifindex = 0};
    return interface4(o->v.s, &m, e) < 0 ? -1 : set(o, fd, &m, sizeof m, e);
}

int apply_ip6_membership(const struct opt *o, int fd, struct err *e)
{
    struct sockaddr_storage sa;
    struct sockaddr_in6 in6;
    struct ipv6_mreq m;
    char part[MAX_PART];
    const char *at = o->v.s;
    int index;

    if (take_part(&at, part, e) < 0 || resolve(part, AF_INET6, &sa, e) < 0)
        return -1;
    if (take_part(&at, part, e) < 0 || need_interface(part, &index, e) < 0)
        return -1;
    memcpy(&in6, &sa, sizeof in6);
    m.ipv6mr_multiaddr = in6.sin6_addr;
    m.ipv6mr_interface = (unsigned)index;
    return set(o, fd, &m, sizeof m, e);
}

int apply_ip6_source_membership(const struct opt *o, int fd, struct err *e)
{
    struct group_source_req m = {.gsr_interface = 0};
    char part[MAX_PART];
    const char *at = o->v.s;
    int index;

    if (take_part(&at, part, e) < 0 || resolve(part, AF_INET6, &m.gsr_group, e) < 0)
        return -1;
    if (take_part(&at, part, e) < 0 || need_interface(part, &index, e) < 0)
        return -1;
    if (take_part(&at, part, e) < 0 || resolve(part, AF_INET6, &m.gsr_source, e) < 0)
        return -1;
    m.gsr_interface = (uint32_t)index;
    return set(o, fd, &m, sizeof m, e);
}
