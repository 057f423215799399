/* SPDX-License-Identifier: GPL-2.0-or-later
 * The names of facts, and which values may stand where: see catena/facts.h. */
#include "catena/facts.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "catena/registry.h"

enum {
    VALUE_MAX = 255, /* bytes: a component of a path, a host name */
    PORT_MAX = 65535,
};

#define X509(field, help_) {"openssl_x509_" field, FACT_TEXT, help_ " of the peer's certificate"}

const struct fact_desc fact_table[] = {
    {"peeraddr", FACT_ADDRESS, "address of the peer"},
    {"peerport", FACT_PORT, "port of the peer"},
    {"peerpid", FACT_NUMBER, "process of the peer on a UNIX socket"},
    {"peeruid", FACT_NUMBER, "user of the peer on a UNIX socket, as a number"},
    {"sockaddr", FACT_ADDRESS, "own address, to which the peer connected"},
    {"sockport", FACT_PORT, "own port, to which the peer connected"},
    {"proxyaddr", FACT_ADDRESS, "address of the proxy that has told of the peer"},
    {"proxyport", FACT_PORT, "port of the proxy that has told of the peer"},
    {"uniqueid", FACT_TEXT, "what a proxy calls the connection"},
    {"sni", FACT_HOST, "name of the server that a TLS client asks for"},
    {"alpn", FACT_TEXT, "protocol that was agreed upon in a TLS handshake"},
    {"targethost", FACT_HOST, "host that a client wants to reach"},
    {"targetport", FACT_PORT, "port that a client wants to reach"},
    {"targetuser", FACT_TEXT, "name by which a client has logged in"},
    {"command", FACT_TEXT, "what a client asks for: connect or bind"},
    {"proto", FACT_TEXT, "protocol that a client speaks"},
    {"route", FACT_NUMBER, "line of a map by which a connection goes"},
    {"host", FACT_HOST, "host that the program which uses this one wants to reach"},
    {"port", FACT_PORT, "port that the program which uses this one wants to reach"},
    {"term", FACT_TEXT, "type of the terminal that a telnet client has"},
    {"user", FACT_TEXT, "name that a telnet client gives its user"},
    {"wsuri", FACT_TEXT, "path that a WebSocket client asks for"},
    {"wsorigin", FACT_TEXT, "origin of a WebSocket client, which browsers tell"},
    {"wssubprotocol", FACT_TEXT, "subprotocol that was agreed upon in a WebSocket handshake"},
    {"timestamp", FACT_TEXT, "time when the packet came"},
    {"ip_ttl", FACT_NUMBER, "time to live of the packet"},
    {"ip_tos", FACT_NUMBER, "type of service of the packet"},
    {"ip_options", FACT_TEXT, "IP options of the packet"},
    {"ip_if", FACT_TEXT, "interface that the packet came by"},
    {"ip_locaddr", FACT_ADDRESS, "own address of that interface"},
    {"ip_dstaddr", FACT_ADDRESS, "address that the packet was sent to"},
    {"ipv6_if", FACT_TEXT, "interface that the packet came by"},
    {"ipv6_dstaddr", FACT_ADDRESS, "address that the packet was sent to"},
    {"ipv6_hoplimit", FACT_NUMBER, "hop limit of the packet"},
    {"ipv6_tclass", FACT_TEXT, "traffic class of the packet"},
    {"openssl_cipher", FACT_TEXT, "cipher suite of the TLS connection"},
    {"openssl_psk_identity", FACT_TEXT, "name of the pre-shared key that the TLS client has"},
    {"openssl_proto_version", FACT_TEXT, "version of TLS"},
    X509("subject", "subject"),
    X509("issuer", "issuer"),
    X509("commonname", "commonName"),
    X509("countryname", "countryName"),
    X509("localityname", "localityName"),
    X509("organizationalunitname", "organizationalUnitName"),
    X509("organizationname", "organizationName"),
    X509("stateorprovincename", "stateOrProvinceName"),
    X509("emailaddress", "emailAddress"),
    {"openssl_x509v3_dns", FACT_TEXT, "host names of the peer's certificate"},
    {.name = NULL},
};

const struct fact_desc *fact_lookup(const char *name, size_t n)
{
    for (const struct fact_desc *f = fact_table; f->name; f++)
        if (strlen(f->name) == n && memcmp(f->name, name, n) == 0)
            return f;
    return NULL;
}

size_t hole_at(const char *s, const struct fact_desc **fact)
{
    size_t n = *s == '{' ? strspn(s + 1, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
    *fact = n > 0 && s[1 + n] == '}' ? fact_lookup(s + 1, n) : NULL;
    return *fact ? n + 2 : 0;
}

static bool is_name(const char *word, size_t n, void *name)
{
    return strlen(name) == n && strncmp(word, name, n) == 0;
}

bool fact_in(const char *list, const struct fact_desc *f)
{
    return list && each_word(list, is_name, (void *)(uintptr_t)f->name);
}

/* ---- typical values ---- */

bool fact_sample(void *arg, unsigned place, const struct fact_desc *f, struct saying *out)
{
    static const char *const samples[][FACT_SAMPLES] = {
        [FACT_TEXT] = {"text", "1"},
        [FACT_ADDRESS] = {"192.0.2.1", "[2001:0db8:0000:0000:0000:0000:0000:0001]"},
        [FACT_PORT] = {"1024", "1024"},
        [FACT_HOST] = {"host.example", "192.0.2.1"},
        [FACT_NUMBER] = {"1", "64"},
    };
    const char *value = samples[f->type][*(const unsigned *)arg];
    (void)place;
    *out = (struct saying){value, strlen(value), NULL};
    return true;
}

/* ---- which values may stand where ---- */

static bool only(const char *value, bool (*may)(unsigned char c))
{
    for (const char *p = value; *p; p++)
        if (!may((unsigned char)*p))
            return false;
    return true;
}

static bool is_shown(unsigned char c) { return c >= 0x20 && c != 0x7f; }
static bool is_digit(unsigned char c) { return c >= '0' && c <= '9'; }
static bool is_of_name(unsigned char c) { return c < 0x80 && (isalnum(c) || strchr("-._", c)); }
static bool is_of_ip6(unsigned char c) { return isxdigit(c) || strchr(":.%", c); }

static const char *no_number(const char *value)
{
    return strlen(value) > 20 || !only(value, is_digit) ? "is no number" : NULL;
}

static const char *no_port(const char *value)
{
    int port = 0;
    for (const char *p = value; is_digit((unsigned char)*p) && port <= PORT_MAX; p++)
        port = 10 * port + (*p - '0');
    return port > PORT_MAX || !only(value, is_digit) ? "is no port" : NULL;
}

/* [IPv6], as facts have it. Whether the number is one is for whoever takes it to say. */
static bool in_brackets(const char *value)
{
    size_t n = strlen(value);
    if (n < 4 || value[0] != '[' || value[n - 1] != ']')
        return false;
    for (size_t i = 1; i < n - 1; i++)
        if (!is_of_ip6((unsigned char)value[i]))
            return false;
    return true;
}

static const char *no_host(const char *value)
{
    bool name = only(value, is_of_name) && value[0] != '-' && value[0] != '.' &&
                !strstr(value, "..");
    return name || in_brackets(value) ? NULL : "is no host name";
}

/* With other text around it, too, it leads to no other directory. */
static const char *more_than_a_name(const char *value)
{
    return strchr(value, '/')                                  ? "has a slash in it"
           : strcmp(value, ".") == 0 || strcmp(value, "..") == 0 ? "is another directory"
                                                               : NULL;
}

static const char *more_than_a_word(const struct fact_desc *f, const char *value)
{
    bool colon = strchr(value, ':') && !(f->type == FACT_ADDRESS && in_brackets(value));
    return colon ? "has a colon in it" : more_than_a_name(value);
}

static const char *no_such_type(const struct fact_desc *f, const char *value)
{
    return f->type == FACT_PORT     ? no_port(value)
           : f->type == FACT_HOST   ? no_host(value)
           : f->type == FACT_NUMBER ? no_number(value)
                                    : NULL;
}

static const char *no_such_place(const struct fact_desc *f, const char *value, enum hole_in in)
{
    switch (in) {
    case IN_HOST: return no_host(value);
    case IN_PORT: return no_port(value);
    case IN_NUMBER: return no_number(value);
    case IN_URI: return strpbrk(value, " #\"<>\\^`{|}") ? "cannot be part of a URI" : NULL;
    case IN_WORD: return more_than_a_word(f, value);
    case IN_NAME: break;
    }
    return more_than_a_name(value);
}

static const char *objection(const struct fact_desc *f, const struct saying *s, enum hole_in in)
{
    if (s->len == 0)
        return "is empty";
    if (s->len > VALUE_MAX)
        return "is too long";
    if (memchr(s->value, '\0', s->len) || !only(s->value, is_shown))
        return "has control characters in it";
    const char *why = no_such_type(f, s->value);
    return why ? why : no_such_place(f, s->value, in);
}

int fact_check(const struct fact_desc *f, const struct saying *s, enum hole_in in, struct err *e)
{
    const char *why = objection(f, s, in);
    if (!why)
        return 0;
    const char *more = s->len > 100 ? "..." : "";
    if (!s->who)
        return err_set(e, ERR_UNFIT, "{%s}, something like \"%s\", %s", f->name, s->value, why);
    return err_set(e, ERR_UNFIT, "{%s} is \"%.100s%s\", which %s, so it cannot stand there (%s said it)",
                   f->name, s->value, more, why, s->who);
}
