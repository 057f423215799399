/* SPDX-License-Identifier: GPL-2.0-or-later
 * Ancillary messages in log lines and facts. Scripts read both, so names and values are fixed. An
 * option asks for each of them: so-timestamp, ip-recvttl, ip-pktinfo and so on. */
#include "endpoint/packet/ancillary.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "catena/addr.h"
#include "catena/diag.h"
#include "catena/sockaddr.h"

enum { TEXT = 256 }; /* bytes of a value's text: IP options have 40 bytes at most */

struct report {
    struct run *run;
    const struct addr *who;
    bool keep;
    const unsigned char *data;
    size_t len;
};

/* One item: in the log under the type's name, as a fact under its own. */
static void item(const struct report *rep, const char *type, const char *name, const char *fact,
                 const char *value)
{
    struct err ignored; /* without memory the fact is missing, the packet is not */

    diag(DIAG_INFO, "ancillary message: %s: %s=%s", type, name, value);
    if (rep->keep)
        (void)run_set_fact(rep->run, rep->who, fact, value, &ignored);
}

/* The number in the message, whose size depends on the type: a byte or an int. */
static int number(const struct report *rep)
{
    int n = 0;

    if (rep->len == 1)
        return rep->data[0];
    memcpy(&n, rep->data, rep->len < sizeof n ? rep->len : sizeof n);
    return n;
}

static void timestamp(const struct report *rep)
{
    struct timeval tv = {0};
    struct tm tm;
    char date[64] = "", text[TEXT];

    memcpy(&tv, rep->data, rep->len < sizeof tv ? rep->len : sizeof tv);
    if (localtime_r(&tv.tv_sec, &tm))
        (void)strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &tm);
    snprintf(text, sizeof text, "%s, %06ld usecs", date, (long)tv.tv_usec);
    item(rep, "SCM_TIMESTAMP", "timestamp", "timestamp", text);
}

static void ttl(const struct report *rep)
{
    char text[TEXT];

    snprintf(text, sizeof text, "%d", number(rep));
    item(rep, "IP_TTL", "ttl", "ip_ttl", text);
}

static void tos(const struct report *rep)
{
    char text[TEXT];

    snprintf(text, sizeof text, "%d", number(rep));
    item(rep, "IP_TOS", "tos", "ip_tos", text);
}

static void options(const struct report *rep)
{
    char text[TEXT] = "x";
    size_t put = 1;

    for (size_t i = 0; i < rep->len && put + 3 < sizeof text; i++)
        put += (size_t)snprintf(text + put, sizeof text - put, "%02x", rep->data[i]);
    item(rep, "IP_OPTIONS", "options", "ip_options", text);
}

static void pktinfo(const struct report *rep)
{
    struct in_pktinfo info = {.ipi_ifindex = 0};
    char name[IF_NAMESIZE], text[INET_ADDRSTRLEN];

    memcpy(&info, rep->data, rep->len < sizeof info ? rep->len : sizeof info);
    if (!if_indextoname((unsigned)info.ipi_ifindex, name))
        snprintf(name, sizeof name, "%d", info.ipi_ifindex);
    item(rep, "IP_PKTINFO", "if", "ip_if", name);
    inet_ntop(AF_INET, &info.ipi_spec_dst, text, sizeof text);
    item(rep, "IP_PKTINFO", "locaddr", "ip_locaddr", text);
    inet_ntop(AF_INET, &info.ipi_addr, text, sizeof text);
    item(rep, "IP_PKTINFO", "dstaddr", "ip_dstaddr", text);
}

static void pktinfo6(const struct report *rep)
{
    struct in6_pktinfo info = {.ipi6_ifindex = 0};
    struct sockname name = {.len = sizeof name.u.in6};
    char text[SOCKNAME_TEXT], device[IF_NAMESIZE];

    memcpy(&info, rep->data, rep->len < sizeof info ? rep->len : sizeof info);
    if (if_indextoname(info.ipi6_ifindex, device))
        item(rep, "IPV6_PKTINFO", "if", "ipv6_if", device);
    name.u.in6.sin6_family = AF_INET6;
    name.u.in6.sin6_addr = info.ipi6_addr;
    item(rep, "IPV6_PKTINFO", "dstaddr", "ipv6_dstaddr", sockname_host(&name, text));
}

static void hoplimit(const struct report *rep)
{
    char text[TEXT];

    snprintf(text, sizeof text, "%d", number(rep));
    item(rep, "IPV6_HOPLIMIT", "hoplimit", "ipv6_hoplimit", text);
}

static void tclass(const struct report *rep)
{
    char text[TEXT];

    snprintf(text, sizeof text, "x%08x", (unsigned)number(rep));
    item(rep, "IPV6_TCLASS", "tclass", "ipv6_tclass", text);
}

static const struct {
    int level, type;
    void (*report)(const struct report *rep);
} types[] = {
    {SOL_SOCKET, SCM_TIMESTAMP, timestamp},
    {SOL_IP, IP_TTL, ttl},
    {SOL_IP, IP_TOS, tos},
    {SOL_IP, IP_RECVOPTS, options},
    {SOL_IP, IP_RETOPTS, options},
    {SOL_IP, IP_PKTINFO, pktinfo},
    {SOL_IPV6, IPV6_PKTINFO, pktinfo6},
    {SOL_IPV6, IPV6_HOPLIMIT, hoplimit},
    {SOL_IPV6, IPV6_TCLASS, tclass},
};

/* The options that ask for each fact: the first is the one to be told of. */
static const struct {
    const char *fact, *with, *option, *other;
} asking[] = {
#define ASK(fact_, option_, other_) {fact_, "with option " option_, option_, other_}
    ASK("timestamp", "so-timestamp", ""),
    ASK("ip_ttl", "ip-recvttl", ""),
    ASK("ip_tos", "ip-recvtos", ""),
    ASK("ip_options", "ip-recvopts", "ip-retopts"),
    ASK("ip_if", "ip-pktinfo", ""),
    ASK("ip_locaddr", "ip-pktinfo", ""),
    ASK("ip_dstaddr", "ip-pktinfo", ""),
    ASK("ipv6_if", "ipv6-recvpktinfo", ""),
    ASK("ipv6_dstaddr", "ipv6-recvpktinfo", ""),
    ASK("ipv6_hoplimit", "ipv6-recvhoplimit", ""),
    ASK("ipv6_tclass", "ipv6-recvtclass", ""),
};

static bool asks(const struct addr *a, const char *option)
{
    bool yes = false;
    for (size_t i = 0; i < a->nopts; i++)
        if (strcmp(a->opts[i].desc->name, option) == 0)
            yes = a->opts[i].v.i != 0;
    return yes;
}

const char *ancillary_untold(const struct addr *a, const struct fact_desc *f)
{
    for (size_t i = 0; i < sizeof asking / sizeof asking[0]; i++)
        if (strcmp(asking[i].fact, f->name) == 0)
            return asks(a, asking[i].option) || asks(a, asking[i].other) ? NULL : asking[i].with;
    return NULL;
}

static void close_passed(const struct cmsghdr *c, size_t len)
{
    int fd;

    for (size_t at = 0; at + sizeof fd <= len; at += sizeof fd) {
        memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
        close(fd);
    }
}

void ancillary_close_passed(struct msghdr *msg)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            close_passed(c, c->cmsg_len - CMSG_LEN(0));
    }
}

void ancillary_report(struct run *r, const struct addr *who, struct msghdr *msg, bool keep)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
        struct report rep = {r, who, keep, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0)};

        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
            if (types[i].level == c->cmsg_level && types[i].type == c->cmsg_type)
                types[i].report(&rep);
        }
    }
}

void ancillary_forget(struct run *r, const struct addr *who)
{
    struct err ignored;

    for (size_t i = 0; i < sizeof asking / sizeof asking[0]; i++) {
        char *value = run_get_fact(r, asking[i].fact);

        if (value && value[0] != '\0')
            (void)run_set_fact(r, who, asking[i].fact, "", &ignored);
        free(value);
    }
}
