/* SPDX-License-Identifier: GPL-2.0-or-later
 * The header of the PROXY protocol, read: see proxy_header.h. */
#include "inter/front/proxy_header.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

uint32_t crc32c(uint32_t crc, const unsigned char *p, size_t n)
{
    crc = ~crc;
    for (; n > 0; n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78U : crc >> 1;
    }
    return ~crc;
}

static int bad(struct err *e, const char *why)
{
    return err_set(e, ERR_PROTOCOL, "the PROXY header is wrong: %s", why);
}

/* ---- addresses ---- */

static void set_ip(struct sockname *out, int family, const void *bytes, int port)
{
    memset(out, 0, sizeof *out);
    out->u.sa.sa_family = (sa_family_t)family;
    out->len = family == AF_INET ? sizeof out->u.in4 : sizeof out->u.in6;
    memcpy(family == AF_INET ? (void *)&out->u.in4.sin_addr : (void *)&out->u.in6.sin6_addr, bytes,
           family == AF_INET ? 4 : 16);
    sockname_set_port(out, port);
}

static void set_unix(struct sockname *out, const unsigned char *path, size_t n)
{
    memset(out, 0, sizeof *out);
    if (n > sizeof out->u.un.sun_path)
        n = sizeof out->u.un.sun_path;
    if (n > 0 && path[0])
        n = strnlen((const char *)path, n);
    while (n > 0 && !path[n - 1])
        n--;
    out->u.un.sun_family = AF_UNIX;
    memcpy(out->u.un.sun_path, path, n);
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static bool parse_ip(const char *text, int family, int port, struct sockname *out)
{
    unsigned char bytes[16];
    if (inet_pton(family, text, bytes) != 1)
        return false;
    set_ip(out, family, bytes, port);
    return true;
}

static bool is_binary(const char *host)
{
    return host[0] == 'x' && host[1] && host[1 + strspn(host + 1, "0123456789abcdef")] == '\0';
}

/* Sockets in the file system have names of any kind, but no port. */
static bool is_unix(const char *host, const char *port)
{
    return host[0] == '/' || strncmp(host, "\\0", 2) == 0 || strcmp(host, "<anon>") == 0 || (!port && !is_binary(host));
}

static bool parse_unix(const char *host, struct sockname *out)
{
    unsigned char path[PROXY_UNIX_PATH] = {0};
    bool abstract = strncmp(host, "\\0", 2) == 0;
    size_t n = strcmp(host, "<anon>") == 0 ? 0 : strlen(host) - abstract;
    if (n > sizeof path)
        return false;
    memcpy(path + abstract, host + 2 * abstract, n - abstract);
    set_unix(out, path, n);
    return true;
}

bool proxy_address(const char *host, const char *port, struct sockname *out)
{
    char copy[INET6_ADDRSTRLEN];
    size_t n = strlen(host);
    if (is_unix(host, port))
        return parse_unix(host, out);
    if (!port || host[0] != '[')
        return port && parse_ip(host, AF_INET, atoi(port), out);
    if (n < 3 || n - 2 >= sizeof copy || host[n - 1] != ']')
        return false;
    memcpy(copy, host + 1, n - 2);
    copy[n - 2] = '\0';
    return parse_ip(copy, AF_INET6, atoi(port), out);
}

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

bool proxy_same_family(struct sockname *a, struct sockname *b)
{
    unsigned char ip[2][16];
    if (sockname_family(a) == AF_UNIX && sockname_family(b) == AF_UNIX)
        return true;
    if (!sockname_ip_bytes(a, ip[0]) || !sockname_ip_bytes(b, ip[1]))
        return false;
    bool ip4 = memcmp(ip[0], mapped, 12) == 0 && memcmp(ip[1], mapped, 12) == 0;
    set_ip(a, ip4 ? AF_INET : AF_INET6, ip[0] + (ip4 ? 12 : 0), sockname_port(a));
    set_ip(b, ip4 ? AF_INET : AF_INET6, ip[1] + (ip4 ? 12 : 0), sockname_port(b));
    return true;
}

/* ---- version 1 ---- */

/* One blank before it, none in it. */
static bool next_word(const char **s, char *word, size_t cap)
{
    size_t n = **s == ' ' ? strcspn(*s + 1, " ") : 0;
    if (n == 0 || n >= cap)
        return false;
    memcpy(word, *s + 1, n);
    word[n] = '\0';
    *s += 1 + n;
    return true;
}

static int port_of(const char *word)
{
    bool digits = word[strspn(word, "0123456789")] == '\0' && (word[0] != '0' || !word[1]);
    return digits && strlen(word) <= 5 && atoi(word) <= UINT16_MAX ? atoi(word) : -1;
}

int proxy_parse_line(const char *line, struct proxy_header *h, struct err *e)
{
    char family[8], from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN], ports[2][8];
    const char *s = line + strlen("PROXY");
    *h = (struct proxy_header){0};
    if (strncmp(line, "PROXY ", 6) != 0 || !next_word(&s, family, sizeof family))
        return bad(e, "it does not begin with PROXY and a family");
    if (strcmp(family, "UNKNOWN") == 0) /* what else it says does not count */
        return 0;
    int af = strcmp(family, "TCP4") == 0 ? AF_INET : strcmp(family, "TCP6") == 0 ? AF_INET6 : -1;
    if (af < 0)
        return bad(e, "its family is neither TCP4 nor TCP6 nor UNKNOWN");
    if (!next_word(&s, from, sizeof from) || !next_word(&s, to, sizeof to) || !next_word(&s, ports[0], 8) ||
        !next_word(&s, ports[1], 8) || *s)
        return bad(e, "it has not two addresses and two ports");
    int from_port = port_of(ports[0]), to_port = port_of(ports[1]);
    if (from_port < 0 || to_port < 0)
        return bad(e, "a port is none");
    if (!parse_ip(from, af, from_port, &h->from) || !parse_ip(to, af, to_port, &h->to))
        return bad(e, "an address is none of its family");
    h->told = true;
    return 0;
}

/* ---- version 2 ---- */

static int port_at(const unsigned char *p) { return p[0] << 8 | p[1]; }

/* Takes a field off; false: it is longer than what is there. */
static bool next_field(struct proxy_text *rest, unsigned *type, struct proxy_text *field)
{
    if (rest->n < 3 || (size_t)port_at(rest->p + 1) > rest->n - 3)
        return false;
    *type = rest->p[0];
    *field = (struct proxy_text){rest->p + 3, (size_t)port_at(rest->p + 1)};
    rest->p += 3 + field->n;
    rest->n -= 3 + field->n;
    return true;
}

static int parse_tls(struct proxy_text rest, struct proxy_header *h, struct err *e)
{
    struct proxy_text field;
    unsigned type;
    if (rest.n < 5)
        return bad(e, "its TLS field is too short");
    unsigned client = rest.p[0];
    h->tls = client & PROXY_CLIENT_TLS;
    h->verified = client & (PROXY_CLIENT_CERT_CONN | PROXY_CLIENT_CERT_SESS) && memcmp(rest.p + 1, "\0\0\0", 4) == 0;
    for (rest.p += 5, rest.n -= 5; rest.n > 0;) {
        if (!next_field(&rest, &type, &field))
            return bad(e, "a field of its TLS field goes beyond that");
        if (type == PROXY_TLS_VERSION)
            h->tls_version = field;
        else if (type == PROXY_TLS_CIPHER)
            h->tls_cipher = field;
        else if (type == PROXY_TLS_NAME)
            h->tls_name = field;
    }
    return 0;
}

/* Over all of the header, with zeros in the place of the checksum. */
static int check_sum(const unsigned char *p, size_t n, struct proxy_text field, struct err *e)
{
    static const unsigned char zeros[4];
    if (field.n != 4)
        return bad(e, "its checksum has not four bytes");
    uint32_t said = (uint32_t)port_at(field.p) << 16 | (uint32_t)port_at(field.p + 2);
    size_t before = (size_t)(field.p - p);
    uint32_t is = crc32c(crc32c(crc32c(0, p, before), zeros, 4), field.p + 4, n - before - 4);
    return is == said ? 0 : bad(e, "its checksum does not fit");
}

static int parse_fields(const unsigned char *p, size_t n, struct proxy_text rest, struct proxy_header *h, struct err *e)
{
    struct proxy_text field;
    unsigned type;
    while (rest.n > 0) {
        if (!next_field(&rest, &type, &field))
            return bad(e, "a field goes beyond its end");
        if (type == PROXY_ALPN)
            h->alpn = field;
        else if (type == PROXY_AUTHORITY)
            h->authority = field;
        else if (type == PROXY_UNIQUE_ID)
            h->unique_id = field;
        if ((type == PROXY_CRC32C && check_sum(p, n, field, e) < 0) || (type == PROXY_TLS && parse_tls(field, h, e) < 0))
            return -1;
    }
    return 0;
}

/* How many bytes the addresses of a family take; what stands there of families that nobody knows is skipped. */
static size_t addresses_of(unsigned family)
{
    static const size_t sizes[4] = {0, 12, 36, 2 * PROXY_UNIX_PATH};
    bool known = family >> 4 < 4 && ((family & 15) == 1 || (family & 15) == 2);
    return known ? sizes[family >> 4] : 0;
}

/* What is told is shown in lines; NULs are in names that are not of files. */
static bool has_controls(const struct sockname *n)
{
    size_t path = offsetof(struct sockaddr_un, sun_path);
    for (size_t i = 0; sockname_family(n) == AF_UNIX && path + i < n->len; i++)
        if (n->u.un.sun_path[i] && iscntrl((unsigned char)n->u.un.sun_path[i]))
            return true;
    return false;
}

static void take_addresses(unsigned family, const unsigned char *p, struct proxy_header *h)
{
    size_t ip = family >> 4 == 1 ? 4 : 16;
    int af = family >> 4 == 1 ? AF_INET : AF_INET6;
    h->told = true;
    if (family >> 4 == 3) {
        set_unix(&h->from, p, PROXY_UNIX_PATH);
        set_unix(&h->to, p + PROXY_UNIX_PATH, PROXY_UNIX_PATH);
        return;
    }
    set_ip(&h->from, af, p, port_at(p + 2 * ip));
    set_ip(&h->to, af, p + ip, port_at(p + 2 * ip + 2));
}

int proxy_parse(const unsigned char *p, size_t n, struct proxy_header *h, struct err *e)
{
    unsigned command = p[12], family = p[13];
    size_t addresses = addresses_of(family);
    *h = (struct proxy_header){0};
    if (command >> 4 != 2 || (command & 15) > 1)
        return err_set(e, ERR_PROTOCOL, "the PROXY header is wrong: version and command are 0x%02x instead of 0x20 or 0x21",
                       command);
    if ((command & 15) == 0) /* LOCAL: whatever else it says does not count */
        return 0;
    if (n - PROXY_HEAD < addresses)
        return bad(e, "it is shorter than the addresses of its family");
    if (addresses == 0)
        return family == 0 ? parse_fields(p, n, (struct proxy_text){p + PROXY_HEAD, n - PROXY_HEAD}, h, e) : 0;
    take_addresses(family, p + PROXY_HEAD, h);
    if (has_controls(&h->from) || has_controls(&h->to))
        return bad(e, "the name of a socket has control characters in it");
    return parse_fields(p, n, (struct proxy_text){p + PROXY_HEAD + addresses, n - PROXY_HEAD - addresses}, h, e);
}
