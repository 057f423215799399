/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options that name multicast groups and interfaces: <group>:<interface>[:...]. An interface is its
 * IPv4 address, its name or its index. */
#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "endpoint/options/apply.h"
#include "catena/host.h"

enum { MAX_PART = 256, MAX_PARTS = 3, MAX_NUMBER = 48 };

/* Copies what stands before the next colon outside of brackets, without brackets; *at moves on. */
static int take_part(const char **at, char *part, struct err *e)
{
    const char *p = *at, *end;
    if (*p == '[' && (end = strchr(p, ']')) && (end[1] == ':' || !end[1])) {
        p++;
        *at = end[1] ? end + 2 : end + 1;
    } else {
        end = p + strcspn(p, ":");
        *at = *end ? end + 1 : end;
    }
    if (end - p >= MAX_PART)
        return err_set(e, ERR_BAD_VALUE, "\"%.32s...\" is too long for an address", p);
    memcpy(part, p, (size_t)(end - p));
    part[end - p] = '\0';
    return 0;
}

static int numeric(const char *name, int family, struct sockaddr_storage *out, struct err *e)
{
    struct addrinfo *list = NULL;
    struct addrinfo hints = {
        .ai_family = family, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICHOST};
    int rc = getaddrinfo(name, NULL, &hints, &list);
    if (rc != 0) {
        (void)err_set(e, ERR_NO_NAME, "cannot resolve \"%s\"", name);
        return err_because(e, gai_strerror(rc));
    }
    memset(out, 0, sizeof *out);
    memcpy(out, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    return 0;
}

static int numeric4(const char *name, struct in_addr *out, struct err *e)
{
    struct sockaddr_storage sa;
    struct sockaddr_in in;
    if (numeric(name, AF_INET, &sa, e) < 0)
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
    bool any = *s && s[strspn(s, "0")] == '\0'; /* the system is to choose */
    if (i <= 0x7fffffff && (i > 0 || any))
        return 0;
    return err_set(e, ERR_ABSENT, "no interface has the name or index \"%s\"", s);
}

static int set(const struct opt *o, int fd, const void *value, size_t n, struct err *e)
{
    if (setsockopt(fd, (int)o->desc->a, (int)o->desc->b, value, (socklen_t)n) == 0)
        return 0;
    return err_sys(e, "setsockopt(fd %d, %s, \"%s\")", fd, o->desc->name, o->v.s);
}

/* The interface part of an IPv4 option: name or index first, since no address looks like those. */
static int interface4(const char *s, struct ip_mreqn *m, struct err *e)
{
    unsigned index = interface_index(s);
    if (index > 0 && index <= 0x7fffffff) {
        m->imr_ifindex = (int)index;
        return 0;
    }
    return *s ? numeric4(s, &m->imr_address, e) : 0;
}

int apply_ip_membership(const struct opt *o, int fd, struct err *e)
{
    struct ip_mreqn m = {.imr_ifindex = 0};
    char part[MAX_PART];
    const char *at = o->v.s;

    if (take_part(&at, part, e) < 0 || numeric4(part, &m.imr_multiaddr, e) < 0)
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

    if (take_part(&at, part, e) < 0 || numeric4(part, &m.imr_multiaddr, e) < 0)
        return -1;
    if (take_part(&at, part, e) < 0 || numeric4(part, &m.imr_interface, e) < 0)
        return -1;
    if (take_part(&at, part, e) < 0 || numeric4(part, &m.imr_sourceaddr, e) < 0)
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

    if (take_part(&at, part, e) < 0 || numeric(part, AF_INET6, &sa, e) < 0)
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

    if (take_part(&at, part, e) < 0 || numeric(part, AF_INET6, &m.gsr_group, e) < 0)
        return -1;
    if (take_part(&at, part, e) < 0 || need_interface(part, &index, e) < 0)
        return -1;
    if (take_part(&at, part, e) < 0 || numeric(part, AF_INET6, &m.gsr_source, e) < 0)
        return -1;
    m.gsr_interface = (uint32_t)index;
    return set(o, fd, &m, sizeof m, e);
}

/* ---- names ---- */

/* What the parts are: an address of version 4 or 6, an interface, or i: the one or the other. */
static const struct {
    long level, name;
    const char *parts;
} shapes[] = {
    {SOL_IP, IP_ADD_MEMBERSHIP, "4i-"},         {SOL_IP, IP_ADD_SOURCE_MEMBERSHIP, "444"},
    {SOL_IP, IP_MULTICAST_IF, "i"},             {SOL_IPV6, IPV6_JOIN_GROUP, "6-"},
    {SOL_IPV6, MCAST_JOIN_SOURCE_GROUP, "6-6"},
};

static const char *parts_of(const struct option_desc *d)
{
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        if (shapes[i].level == d->a && shapes[i].name == d->b)
            return shapes[i].parts;
    return "";
}

static bool is_name(const char *part, char kind)
{
    struct sockaddr_storage ignored;
    struct err none;
    if (*part == '\0' || kind == '-' || (kind == 'i' && interface_index(part) > 0))
        return false;
    return numeric(part, kind == '6' ? AF_INET6 : AF_INET, &ignored, &none) < 0;
}

static int look_up_part(const char *name, char kind, const struct addr *a, struct run *r,
                        char number[static MAX_NUMBER], struct err *e)
{
    int family = kind == '6' ? AF_INET6 : AF_INET;
    const struct ip_version version = {.forced = family, .preferred = family};
    struct names found;
    if (resolve_host(a, r, name, 0, &version, false, &found, e) < 0)
        return -1;
    const struct sockname *first = &found.v[0];
    (void)inet_ntop(family, family == AF_INET6 ? (const void *)&first->u.in6.sin6_addr
                                               : (const void *)&first->u.in4.sin_addr,
                    number, MAX_NUMBER); /* always has room */
    names_fini(&found);
    return 0;
}

int look_up_mcast(const struct opt *o, const struct addr *a, struct run *r, char **out,
                  struct err *e)
{
    char text[MAX_PARTS * (MAX_PART + 3)], part[MAX_PART], number[MAX_NUMBER];
    const char *at = o->v.s;
    size_t n = 0;
    bool any = false;

    for (const char *kind = parts_of(o->desc); *kind && *at; kind++) {
        if (take_part(&at, part, e) < 0)
            return -1;
        bool name = is_name(part, *kind);
        if (name && look_up_part(part, *kind, a, r, number, e) < 0)
            return -1;
        any = any || name;
        n += (size_t)snprintf(text + n, sizeof text - n, *kind == '6' ? "%s[%s]" : "%s%s",
                              n > 0 ? ":" : "", name ? number : part);
    }
    *out = any ? strdup(text) : NULL;
    return any && !*out ? err_nomem(e) : 0;
}
