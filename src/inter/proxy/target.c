/* SPDX-License-Identifier: GPL-2.0-or-later
 * Targets of negotiators: checking, and resolving where the server cannot. */
#include "inter/proxy/target.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/host.h"

void printable(char *to, size_t cap, const char *from)
{
    size_t n = 0;

    for (; *from != '\0' && n + 1 < cap; from++)
        if (*from >= ' ' && *from <= '~')
            to[n++] = *from;
    to[n] = '\0';
}

static void target_describe(struct target *t)
{
    (void)snprintf(t->text, sizeof t->text, t->kind == TARGET_IP6 ? "[%s]:%u" : "%s:%u", t->host,
                   (unsigned)t->port);
}

static struct span where(const struct addr *a, size_t param)
{
    return a->param_at ? a->param_at[param] : a->at;
}

static int parse_host(const struct addr *a, struct target *t, struct err *e)
{
    const char *host = a->params[0];
    size_t n = strlen(host);
    bool bracketed = n >= 2 && host[0] == '[' && host[n - 1] == ']';

    if (bracketed) {
        host++;
        n -= 2;
    }
    if (n == 0)
        return err_at(e, where(a, 0), "the target's host name is empty");
    if (n > HOST_MAX)
        return err_at(e, where(a, 0),
                      "the target's host name has %zu bytes; at most %d are possible", n, HOST_MAX);
    for (size_t i = 0; i < n; i++)
        if (iscntrl((unsigned char)host[i]) || host[i] == ' ')
            return err_at(e, where(a, 0), "blank or control character in host name \"%s\"",
                          a->params[0]);
    memcpy(t->host, host, n);
    t->host[n] = '\0';

    if (inet_pton(AF_INET6, t->host, &t->ip.ip6) == 1)
        t->kind = TARGET_IP6;
    else if (bracketed)
        return err_at(e, where(a, 0), "\"%s\" is not an IPv6 address", t->host);
    else
        t->kind = inet_pton(AF_INET, t->host, &t->ip.ip4) == 1 ? TARGET_IP4 : TARGET_NAME;
    return 0;
}

static bool look_up_port(const char *name, struct target *t)
{
    struct servent entry, *found = NULL;
    char room[1024];

    if (getservbyname_r(name, "tcp", &entry, room, sizeof room, &found) != 0 || !found)
        return false;
    t->port = ntohs((uint16_t)found->s_port);
    return true;
}

/* Names are looked up when they are needed, not when they are checked. */
static int parse_port(const struct addr *a, bool port_zero, bool look_up, struct target *t,
                      struct err *e)
{
    const char *text = a->params[1];
    char *end;
    unsigned long port;

    if (isdigit((unsigned char)text[0])) {
        port = strtoul(text, &end, 10);
        if (*end == '\0' && port <= UINT16_MAX && (port > 0 || port_zero)) {
            t->port = (uint16_t)port;
            return 0;
        }
    } else if (resolve_is_word(text) && (!look_up || look_up_port(text, t))) {
        return 0;
    }
    return err_at(e, where(a, 1),
                  "port \"%s\" is neither a number from %d to %d nor a known TCP service", text,
                  port_zero ? 0 : 1, UINT16_MAX);
}

static int parse(const struct addr *a, bool port_zero, bool look_up, struct target *t,
                 struct err *e)
{
    *t = (struct target){0};
    if (a->nparams != 2)
        return err_at(e, a->at, "<host>:<port> is needed, %zu parameters are given", a->nparams);
    if (parse_host(a, t, e) < 0 || parse_port(a, port_zero, look_up, t, e) < 0)
        return -1;
    target_describe(t);
    return 0;
}

int target_parse(const struct addr *a, bool port_zero, struct target *t, struct err *e)
{
    return parse(a, port_zero, true, t, e);
}

int target_check(const struct addr *a, struct err *e)
{
    struct target t;
    return parse(a, false, false, &t, e);
}

int target_check_any_port(const struct addr *a, struct err *e)
{
    struct target t;
    return parse(a, true, false, &t, e);
}

int target_foresee(const struct addr *a, struct err *e)
{
    struct target t;
    return parse(a, true, true, &t, e);
}

static int look_up(const struct addr *a, struct target *t, struct run *r, const struct ip_version *version, const char *what,
                   struct err *e)
{
    struct names found;

    if (t->kind != TARGET_NAME)
        return 0;
    if (resolve_host(a, r, t->host, t->port, version, false, &found, e) < 0)
        return err_is_end(e) ? -1 : err_wrap(e, "no %s address for host \"%s\"", what, t->host);
    const struct sockname *first = &found.v[0];
    bool ip6 = first->u.sa.sa_family == AF_INET6;
    t->kind = ip6 ? TARGET_IP6 : TARGET_IP4;
    if (ip6)
        t->ip.ip6 = first->u.in6.sin6_addr;
    else
        t->ip.ip4 = first->u.in4.sin_addr;
    names_fini(&found);
    (void)inet_ntop(ip6 ? AF_INET6 : AF_INET, &t->ip, t->host, sizeof t->host);
    target_describe(t);
    return 0;
}

int target_resolve(const struct addr *a, struct target *t, struct run *r, struct err *e)
{
    struct ip_version version;
    return resolve_version(a, r, AF_UNSPEC, false, &version, e) < 0 ? -1 : look_up(a, t, r, &version, "known", e);
}

int target_resolve_ip4(const struct addr *a, struct target *t, struct run *r, struct err *e)
{
    static const struct ip_version ip4 = {AF_INET, AF_INET};
    return look_up(a, t, r, &ip4, "IPv4", e);
}
