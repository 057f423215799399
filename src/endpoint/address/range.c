/* SPDX-License-Identifier: GPL-2.0-or-later
 * Access control on passive sockets. All IP addresses are compared as IPv6 ones, so that an IPv4
 * peer of an IPv6 socket needs no rule of its own. */
#include "endpoint/address/range.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "catena/arena.h"
#include "catena/diag.h"
#include "catena/endpoint.h"
#include "catena/host.h"
#include "catena/options.h"
#include "endpoint/options/opts_listen.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/options/opts_transport.h"

enum { LOWPORT_MAX = 1023 };

static void mask_bits(unsigned char *mask, size_t bits)
{
    for (size_t i = 0; i < 16; i++, bits = bits > 8 ? bits - 8 : 0)
        mask[i] = bits >= 8 ? 0xff : (unsigned char)(0xff00U >> bits);
}

/* The text behind the '/': a number of bits; those of IPv4 come behind the 96 of the mapping. */
static int bits_parse(const char *whole, const char *text, int family, unsigned char *mask,
                      struct err *e)
{
    unsigned long most = family == AF_INET ? 32 : 128, bits;
    char *end;

    bits = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0')
        return err_set(e, ERR_BAD_VALUE,
                       "not a valid netmask in \"%.200s\": give 0 to %lu bits behind the '/'",
                       whole, most);
    if (bits > most)
        return err_set(e, ERR_BAD_VALUE, "netmask \"%.200s\" is too large: IPv%d has up to %lu bits",
                       whole, family == AF_INET ? 4 : 6, most);
    mask_bits(mask, bits + (128 - most));
    return 0;
}

static int dotted_parse(const char *whole, const char *text, unsigned char *mask, struct err *e)
{
    struct in_addr in;

    if (inet_aton(text, &in) == 0)
        return err_set(e, ERR_BAD_VALUE,
                       "not a valid netmask in \"%.200s\": give one like 255.0.0.0 behind the ':'",
                       whole);
    mask_bits(mask, 96);
    memcpy(mask + 12, &in, 4);
    return 0;
}

/* The parts of a range of IP addresses; the host is not looked up yet. */
struct parts {
    const char *host;
    int family;
    unsigned char mask[16];
};

static int split4(char *text, struct parts *p, const char *whole, struct err *e)
{
    char *sep = strpbrk(text, "/:");
    bool bits = sep && *sep == '/';

    if (!sep)
        return err_set(e, ERR_BAD_VALUE,
                       "missing netmask delimiter in range \"%.200s\": "
                       "use <address>/<bits> or <address>:<mask>",
                       whole);
    *sep = '\0';
    p->host = text;
    p->family = AF_INET;
    return bits ? bits_parse(whole, sep + 1, AF_INET, p->mask, e)
                : dotted_parse(whole, sep + 1, p->mask, e);
}

/* "[addr]/bits" or "[addr/bits]"; text begins with the bracket. */
static int split6(char *text, struct parts *p, const char *whole, struct err *e)
{
    char *slash = strchr(text, '/'), *close = strchr(text, ']');

    if (!slash)
        return err_set(e, ERR_BAD_VALUE,
                       "missing mask bits delimiter '/' in range \"%.200s\": "
                       "use [<IPv6 address>]/<bits>",
                       whole);
    if (!close || (close > slash ? close[1] != '\0' : close + 1 != slash))
        return err_set(e, ERR_BAD_VALUE, "range \"%.200s\" is not [<IPv6 address>]/<bits>", whole);
    *close = '\0';
    *slash = '\0';
    p->host = text + 1;
    p->family = AF_INET6;
    return bits_parse(whole, slash + 1, AF_INET6, p->mask, e);
}

static int split(char *text, int family, struct parts *p, const char *whole, struct err *e)
{
    if (family != AF_INET && text[0] == '[')
        return split6(text, p, whole, e);
    if (family != AF_INET6)
        return split4(text, p, whole, e);
    return err_set(e, ERR_BAD_VALUE,
                   "missing brackets for IPv6 range definition \"%.200s\": "
                   "use [<IPv6 address>]/<bits>",
                   whole);
}

static int look_up(const struct addr *a, struct run *r, const struct parts *p, struct range *out,
                   struct err *e)
{
    struct ip_version version = {.forced = p->family, .preferred = p->family};
    struct names names;

    if (resolve_host(a, r, p->host, 0, &version, false, &names, e) < 0)
        return err_wrap(e, "range");
    sockname_ip_bytes(&names.v[0], out->addr);
    names_fini(&names);
    memcpy(out->mask, p->mask, sizeof p->mask);
    return 0;
}

/* One half of a binary range; its bytes go to out, which has room for any address. */
static int binary_half(const char *text, unsigned char *out, size_t *len, struct err *e)
{
    struct arena arena = {0};
    const unsigned char *bytes;
    int rc = dalan_convert(&arena, text, &bytes, len, e);

    if (rc == 0 && *len > sizeof(struct sockaddr_storage) - offsetof(struct sockaddr, sa_data))
        rc = err_set(e, ERR_BAD_VALUE, "\"%.200s\" is longer than any socket address", text);
    if (rc == 0)
        memcpy(out, bytes, *len);
    arena_free(&arena);
    return rc;
}

static int binary_parse(char *text, struct range *out, const char *whole, struct err *e)
{
    char *colon = strchr(text, ':');
    size_t mask_len;

    if (!colon)
        return err_set(e, ERR_BAD_VALUE,
                       "missing netmask delimiter in range \"%.200s\": use <address>:<mask>, both "
                       "as binary data",
                       whole);
    *colon = '\0';
    out->ip = false;
    if (binary_half(text, out->addr, &out->len, e) < 0 ||
        binary_half(colon + 1, out->mask, &mask_len, e) < 0)
        return -1;
    if (mask_len == out->len)
        return 0;
    return err_set(e, ERR_BAD_VALUE, "range \"%.200s\": the address has %zu bytes and the mask %zu",
                   whole, out->len, mask_len);
}

int range_parse(const struct addr *a, struct run *r, const char *text, int family,
                struct range *out, struct err *e)
{
    struct parts parts;
    char *copy = strdup(text);
    int rc;

    *out = (struct range){.ip = true, .len = 16};
    if (!copy)
        return err_nomem(e);
    if (family == RANGE_BINARY)
        rc = binary_parse(copy, out, text, e);
    else if ((rc = split(copy, family, &parts, text, e)) == 0)
        rc = look_up(a, r, &parts, out, e);
    free(copy);
    return rc;
}

int range_check(const struct addr *a, int family, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_range);
    struct range binary = {0};
    struct parts parts;
    char *copy;
    int rc;

    if (!o)
        return 0;
    copy = strdup(o->v.s);
    if (!copy)
        return err_nomem(e);
    rc = family == RANGE_BINARY ? binary_parse(copy, &binary, o->v.s, e)
                                : split(copy, family, &parts, o->v.s, e);
    free(copy);
    if (rc < 0)
        e->where = o->at;
    return rc;
}

bool range_match(const struct range *range, const struct sockname *peer)
{
    unsigned char ip[16];
    const unsigned char *bytes = ip;
    size_t head = offsetof(struct sockaddr, sa_data);

    if (range->ip) {
        if (!sockname_ip_bytes(peer, ip))
            return false;
    } else {
        if (peer->len < head + range->len)
            return false;
        bytes = (const unsigned char *)&peer->u + head;
    }
    for (size_t i = 0; i < range->len; i++) {
        if (((bytes[i] ^ range->addr[i]) & range->mask[i]) != 0)
            return false;
    }
    return true;
}

static bool wants_tcpwrap(const struct addr *a)
{
    return opt_find(a, &opt_tcpwrap) || opt_find(a, &opt_tcpwrap_etc) ||
           opt_find(a, &opt_tcpwrap_allow) || opt_find(a, &opt_tcpwrap_deny);
}

/* "127.0.0.1", "127.1:80", "localhost", "[::1]", "[::ffff:127.0.0.1]" ... */
static bool is_of_this_host(const char *bind)
{
    struct in_addr ip4;
    struct in6_addr ip6;
    bool brackets = bind[0] == '[';
    bind += brackets;
    size_t n = strcspn(bind, brackets ? "]" : ":");
    char host[INET6_ADDRSTRLEN];
    if (n >= sizeof host)
        return false;
    memcpy(host, bind, n);
    host[n] = '\0';
    if (brackets)
        return inet_pton(AF_INET6, host, &ip6) == 1 &&
               (IN6_IS_ADDR_LOOPBACK(&ip6) || (IN6_IS_ADDR_V4MAPPED(&ip6) && ip6.s6_addr[12] == 127));
    return strcmp(host, "localhost") == 0 || (inet_aton(host, &ip4) && ntohl(ip4.s_addr) >> 24 == 127);
}

static bool is_everybody(const char *range)
{
    const char *slash = strrchr(range, '/'), *colon = strrchr(range, ':');
    struct in_addr mask;
    if (slash)
        return strtoul(slash + 1, NULL, 10) == 0;
    return colon && inet_aton(colon + 1, &mask) && mask.s_addr == 0;
}

enum admits access_admits(const struct addr *a)
{
    const struct opt *bind_to = opt_find(a, &opt_bind);
    if (bind_to && bind_to->v.s && is_of_this_host(bind_to->v.s))
        return ADMITS_THIS_HOST;
    const struct opt *range = opt_find(a, &opt_range);
    return (range && range->v.s && !is_everybody(range->v.s)) || wants_tcpwrap(a) ? ADMITS_SOME : ADMITS_ANYBODY;
}

static int load(const struct addr *a, struct run *r, int family, struct access *out, struct err *e)
{
    const struct opt *range = opt_find(a, &opt_range);

    *out = (struct access){
        .ranged = range != NULL,
        .wrapped = wants_tcpwrap(a),
        .lowport = opt_true(a, &opt_lowport),
        .sourceport = (int)opt_int(a, &opt_sourceport, -1),
    };
    if (range && range_parse(a, r, range->v.s, family, &out->range, e) < 0) {
        e->where = range->at;
        return -1;
    }
    return out->wrapped ? tcpwrap_load(e) : 0;
}

/* Of one whose peers are introduced it is known that the rules can be read; they are about who is introduced. */
int access_init(const struct addr *a, struct run *r, int family, struct access *out, struct err *e)
{
    if (load(a, r, a->introduced ? AF_UNSPEC : family, out, e) < 0)
        return -1;
    if (a->introduced)
        *out = (struct access){.sourceport = -1};
    return 0;
}

int endpoint_admits(const struct addr *a, struct run *r, const struct sockname *client, const char **why, struct err *e)
{
    struct access access;
    return load(a, r, AF_UNSPEC, &access, e) < 0 ? -1 : access_check(&access, a, r, -1, client, why, e);
}

int access_check(const struct access *access, const struct addr *a, struct run *r, int fd,
                 const struct sockname *peer, const char **why, struct err *e)
{
    char text[SOCKNAME_TEXT];
    int allowed;

    if (access->ranged) {
        *why = "range option";
        if (!range_match(&access->range, peer))
            return 0;
        diag(DIAG_INFO, "permitting connection from %s due to range option",
             sockname_text(peer, text));
    }
    if (access->wrapped) {
        *why = "tcpwrapper option";
        allowed = tcpwrap_check(a, r, fd, peer, e);
        if (allowed <= 0)
            return allowed;
    }
    *why = "wrong sourceport";
    if (access->sourceport >= 0 && sockname_port(peer) != access->sourceport)
        return 0;
    *why = "lowport option";
    return !access->lowport || sockname_port(peer) <= LOWPORT_MAX;
}
