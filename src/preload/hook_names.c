/* SPDX-License-Identifier: GPL-2.0-or-later
 * Names are not looked up here but where the chain ends: until then an address stands for each, which is nobody's.
 * What is a number already, or is to be listened on, goes its usual way, and what means this host does if no rule is
 * about it by its name. XIO_RESOLVE says otherwise: "here" looks all up here, "both" gives an address of each family
 * to who asks for any. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "preload/gate_address.h"
#include "preload/lease.h"
#include "preload/real.h"

/* ---- asking ---- */

static bool is_number(const char *name)
{
    struct in6_addr a;
    struct in_addr four;
    return inet_aton(name, &four) != 0 || inet_pton(AF_INET6, name, &a) == 1 || strchr(name, ':');
}

static bool means_us(const char *name)
{
    size_t n = strlen(name), l = sizeof ".localhost" - 1;
    return strcasecmp(name, "localhost") == 0 || (n > l && strcasecmp(name + n - l, ".localhost") == 0);
}

static bool resolves(const char *how)
{
    const char *given = getenv("XIO_RESOLVE");
    return given && strcmp(given, how) == 0;
}

static bool goes_its_way(const char *name)
{
    return !name || !*name || is_number(name) || resolves("here");
}

enum found { FOUND, NOT_FOUND, ITS_WAY };

static enum found stand_in(const char *name, struct preload_answer *a)
{
    struct preload_request q = {.ask = ASK_NAME};
    if (goes_its_way(name))
        return ITS_WAY;
    if (strlen(name) >= sizeof q.name)
        return NOT_FOUND;
    memcpy(q.name, name, strlen(name));
    if (!lease_question(&q, a))
        return means_us(name) ? ITS_WAY : NOT_FOUND;
    return a->verdict == SAYS_NAME ? FOUND : a->verdict == SAYS_DIRECT ? ITS_WAY : NOT_FOUND;
}

/* The name that an address stands for. */
static bool name_of(const union address *addr, char name[PRELOAD_NAME_MAX])
{
    struct preload_request q = {.ask = ASK_ADDRESS};
    struct preload_answer a;
    address_tell(addr, &q);
    if (!lease_question(&q, &a) || a.verdict != SAYS_NAME)
        return false;
    memcpy(name, a.name, sizeof a.name);
    name[PRELOAD_NAME_MAX - 1] = '\0';
    return true;
}

/* Only those of the range are asked for. */
static bool stands_for(const struct sockaddr *addr, socklen_t len, char name[PRELOAD_NAME_MAX])
{
    static const unsigned char private6[4] = {0xfd, 0x63, 0x61, 0x74};
    struct preload_request q = {0};
    union address a;
    if (!address_take(addr, len, &a))
        return false;
    address_tell(&a, &q);
    bool ours = q.version == 4 ? q.addr[0] == 198 && (q.addr[1] & 0xfe) == 18 : memcmp(q.addr, private6, 4) == 0;
    return ours && name_of(&a, name);
}

/* ---- getaddrinfo ---- */

/* The system makes the list, of a number. */
static int list_of(const struct preload_answer *a, int family, const char *service, const struct addrinfo *hints,
                   struct addrinfo **out)
{
    char text[INET6_ADDRSTRLEN];
    struct addrinfo wanted = hints ? *hints : (struct addrinfo){0};
    (void)inet_ntop(family, family == AF_INET ? (const void *)a->v4 : a->v6, text, sizeof text);
    wanted.ai_family = family;
    wanted.ai_flags = (wanted.ai_flags & ~(AI_ADDRCONFIG | AI_V4MAPPED | AI_ALL | AI_CANONNAME)) | AI_NUMERICHOST;
    return REAL(getaddrinfo)(text, service, &wanted, out);
}

/* One address is enough: there is one way to all that a name may have, and who gets two tries it twice. */
HOOK int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                     struct addrinfo **restrict out)
{
    struct preload_answer a;
    int flags = hints ? hints->ai_flags : 0, family = hints ? hints->ai_family : AF_UNSPEC;
    bool usual = flags & (AI_PASSIVE | AI_NUMERICHOST) || (family != AF_UNSPEC && family != AF_INET && family != AF_INET6);
    enum found found = usual ? ITS_WAY : stand_in(name, &a);
    if (found == ITS_WAY)
        return REAL(getaddrinfo)(name, service, hints, out);
    if (found == NOT_FOUND)
        return EAI_NONAME;
    int rc = list_of(&a, family == AF_INET6 ? AF_INET6 : AF_INET, service, hints, out);
    if (rc == 0 && flags & AI_CANONNAME)
        (*out)->ai_canonname = strdup(name);
    if (rc == 0 && family == AF_UNSPEC && resolves("both")) {
        struct addrinfo *last = *out;
        while (last->ai_next)
            last = last->ai_next;
        (void)list_of(&a, AF_INET6, service, hints, &last->ai_next);
    }
    return rc;
}

HOOK int getnameinfo(const struct sockaddr *restrict addr, socklen_t len, char *restrict host, socklen_t cap,
                     char *restrict service, socklen_t service_cap, int flags)
{
    char name[PRELOAD_NAME_MAX];
    if (!host || cap == 0 || flags & NI_NUMERICHOST || !stands_for(addr, len, name))
        return REAL(getnameinfo)(addr, len, host, cap, service, service_cap, flags);
    if (strlen(name) >= cap)
        return EAI_OVERFLOW;
    memcpy(host, name, strlen(name) + 1);
    return service ? REAL(getnameinfo)(addr, len, NULL, 0, service, service_cap, flags) : 0;
}

/* ---- the older ones ---- */

struct host_room { /* at the beginning of the caller's buffer */
    char *none[1];
    char *list[2];
    unsigned char address[16];
    char name[];
};

/* False: the buffer is too small. */
static bool fill_host(const char *name, const void *address, int family, struct hostent *h, char *buf, size_t cap)
{
    size_t align = (size_t)(-(intptr_t)buf & (intptr_t)(_Alignof(struct host_room) - 1));
    if (cap < align || cap - align < sizeof(struct host_room) + strlen(name) + 1)
        return false;
    struct host_room *room = (struct host_room *)(void *)(buf + align);
    *room = (struct host_room){.list = {(char *)room->address, NULL}};
    memcpy(room->address, address, family == AF_INET ? 4 : 16);
    memcpy(room->name, name, strlen(name) + 1);
    *h = (struct hostent){room->name, room->none, family, family == AF_INET ? 4 : 16, room->list};
    return true;
}

static enum found of_family(const char *name, int family, struct preload_answer *a)
{
    return family == AF_INET || family == AF_INET6 ? stand_in(name, a) : ITS_WAY;
}

HOOK int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict h, char *restrict buf,
                          size_t cap, struct hostent **restrict out, int *restrict error)
{
    struct preload_answer a;
    enum found found = of_family(name, family, &a);
    if (found == ITS_WAY)
        return REAL(gethostbyname2_r)(name, family, h, buf, cap, out, error);
    *out = NULL;
    *error = found == NOT_FOUND ? HOST_NOT_FOUND : NETDB_INTERNAL;
    if (found == NOT_FOUND)
        return 0;
    if (!fill_host(name, family == AF_INET ? (const void *)a.v4 : a.v6, family, h, buf, cap))
        return ERANGE;
    *out = h;
    *error = 0;
    return 0;
}

HOOK int gethostbyname_r(const char *restrict name, struct hostent *restrict h, char *restrict buf, size_t cap,
                         struct hostent **restrict out, int *restrict error)
{
    return goes_its_way(name) ? REAL(gethostbyname_r)(name, h, buf, cap, out, error)
                              : gethostbyname2_r(name, AF_INET, h, buf, cap, out, error);
}

/* What the caller gets is the thread's until its next call. */
HOOK struct hostent *gethostbyname2(const char *name, int family)
{
    static _Thread_local struct hostent host;
    static _Thread_local char buf[sizeof(struct host_room) + PRELOAD_NAME_MAX + 16];
    struct preload_answer a;
    enum found found = of_family(name, family, &a);
    if (found == ITS_WAY)
        return REAL(gethostbyname2)(name, family);
    if (found == FOUND && fill_host(name, family == AF_INET ? (const void *)a.v4 : a.v6, family, &host, buf, sizeof buf))
        return &host;
    h_errno = found == NOT_FOUND ? HOST_NOT_FOUND : NETDB_INTERNAL;
    return NULL;
}

HOOK struct hostent *gethostbyname(const char *name)
{
    return goes_its_way(name) ? REAL(gethostbyname)(name) : gethostbyname2(name, AF_INET);
}

/* ---- and back ---- */

static bool name_of_number(const void *number, socklen_t len, int family, char name[PRELOAD_NAME_MAX])
{
    union address a = {.any.sa_family = (sa_family_t)family};
    if (!number || (family != AF_INET && family != AF_INET6) || len != (family == AF_INET ? 4 : 16))
        return false;
    memcpy(family == AF_INET ? (void *)&a.in.sin_addr : &a.in6.sin6_addr, number, len);
    return stands_for(&a.any, address_length(&a), name);
}

HOOK int gethostbyaddr_r(const void *restrict number, socklen_t len, int family, struct hostent *restrict h,
                         char *restrict buf, size_t cap, struct hostent **restrict out, int *restrict error)
{
    char name[PRELOAD_NAME_MAX];
    if (!name_of_number(number, len, family, name))
        return REAL(gethostbyaddr_r)(number, len, family, h, buf, cap, out, error);
    bool fits = fill_host(name, number, family, h, buf, cap);
    *out = fits ? h : NULL;
    *error = fits ? 0 : NETDB_INTERNAL;
    return fits ? 0 : ERANGE;
}

HOOK struct hostent *gethostbyaddr(const void *number, socklen_t len, int family)
{
    static _Thread_local struct hostent host;
    static _Thread_local char buf[sizeof(struct host_room) + PRELOAD_NAME_MAX + 16];
    char name[PRELOAD_NAME_MAX];
    if (!name_of_number(number, len, family, name))
        return REAL(gethostbyaddr)(number, len, family);
    return fill_host(name, number, family, &host, buf, sizeof buf) ? &host : NULL;
}
