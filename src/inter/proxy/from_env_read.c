/* SPDX-License-Identifier: GPL-2.0-or-later
 * Reading the variables that name proxies: see from_env.h. */
#include "inter/proxy/from_env.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- which one ---- */

/* An empty one is none. */
static const char *variable(const struct catena *c, const char *name)
{
    const char *value = catena_variable(c, name);
    return value && value[0] ? value : NULL;
}

static const char *either(const struct catena *c, const char *what, bool upper, char *name, size_t cap)
{
    (void)snprintf(name, cap, "%s_proxy", what);
    const char *value = variable(c, name);
    if (value || !upper)
        return value;
    for (char *p = name; *p; p++)
        *p = (char)toupper((unsigned char)*p);
    return variable(c, name);
}

/* What a web server has of its client, "Proxy: ...", it calls HTTP_PROXY before its programs. */
static bool is_cgi(const struct catena *c)
{
    return catena_variable(c, "REQUEST_METHOD") || catena_variable(c, "GATEWAY_INTERFACE");
}

const char *from_env_variable(const struct catena *c, const char *scheme, char *name, size_t cap)
{
    bool http = strcmp(scheme, "http") == 0;
    const char *value = either(c, scheme, !http || !is_cgi(c), name, cap);
    return value ? value : either(c, "all", true, name, cap);
}

/* ---- for whom not ---- */

struct ip {
    int family; /* 0: it is a name */
    unsigned char bytes[16];
};

static struct ip ip_of(const char *s, size_t n)
{
    char text[64];
    struct ip ip = {0};
    if (n >= 2 && s[0] == '[' && s[n - 1] == ']') {
        s++;
        n -= 2;
    }
    if (n >= sizeof text)
        return ip;
    memcpy(text, s, n);
    text[n] = '\0';
    ip.family = inet_pton(AF_INET, text, ip.bytes) == 1 ? AF_INET : inet_pton(AF_INET6, text, ip.bytes) == 1 ? AF_INET6 : 0;
    return ip;
}

static bool same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    return memcmp(a, b, whole) == 0 && (rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0);
}

/* An address, or a network: 10.0.0.0/8. */
static bool holds_address(const char *word, size_t n, const struct ip *host)
{
    const char *slash = memchr(word, '/', n);
    struct ip ip = ip_of(word, slash ? (size_t)(slash - word) : n);
    unsigned most = ip.family == AF_INET ? 32 : 128;
    unsigned long bits = slash ? strtoul(slash + 1, NULL, 10) : most;
    return ip.family && ip.family == host->family && bits <= most && (!slash || isdigit((unsigned char)slash[1])) &&
           same_bits(ip.bytes, host->bytes, (unsigned)bits);
}

/* example.org is itself and all below; a dot at either end means nothing. */
static bool holds_name(const char *word, size_t n, const char *host, size_t nhost)
{
    if (n > 0 && word[n - 1] == '.')
        n--;
    if (n > 0 && word[0] == '.') {
        word++;
        n--;
    }
    if (n == 0 || n > nhost || strncasecmp(host + nhost - n, word, n) != 0)
        return false;
    return n == nhost || host[nhost - n - 1] == '.';
}

bool from_env_excepts(const char *no_proxy, const char *host)
{
    size_t nhost = strlen(host);
    struct ip ip = ip_of(host, nhost);
    if (strcmp(no_proxy, "*") == 0)
        return true;
    if (nhost > 0 && host[nhost - 1] == '.')
        nhost--;
    for (size_t n; *no_proxy; no_proxy += n) {
        no_proxy += strspn(no_proxy, " \t,");
        n = strcspn(no_proxy, " \t,");
        if (n > 0 && (ip.family ? holds_address(no_proxy, n, &ip) : holds_name(no_proxy, n, host, nhost)))
            return true;
    }
    return false;
}

/* ---- its parts ---- */

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
}

/* In place; false: there would be a NUL in it, or the end of a line. */
static bool decode(char *s)
{
    char *to = s;
    for (; *s; s++, to++) {
        bool coded = s[0] == '%' && digit(s[1]) >= 0 && digit(s[2]) >= 0;
        *to = coded ? (char)(digit(s[1]) << 4 | digit(s[2])) : *s;
        s += coded ? 2 : 0;
        if (*to == '\0' || *to == '\n' || *to == '\r')
            return false;
    }
    *to = '\0';
    return true;
}

static void take_scheme(char **text, struct proxy_url *out)
{
    char *colon = strstr(*text, "://");
    out->scheme = "http";
    if (!colon)
        return;
    *colon = '\0';
    for (char *p = *text; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    out->scheme = *text;
    *text = colon + 3;
}

/* curl's default, 1080, holds for all but https. */
static const char *take_port(char *behind, struct proxy_url *out)
{
    out->port = strcmp(out->scheme, "https") == 0 ? "443" : "1080";
    if (*behind == '\0')
        return NULL;
    if (*behind != ':')
        return "something stands between the host and its port";
    *behind = '\0';
    if (behind[1] == '\0')
        return NULL;
    out->port = behind + 1;
    unsigned long port = strtoul(out->port, NULL, 10);
    bool good = strspn(out->port, "0123456789") == strlen(out->port) && strlen(out->port) < 6 && port > 0 && port < 65536;
    return good ? NULL : "its port is no number from 1 to 65535";
}

const char *from_env_parse(char *text, struct proxy_url *out)
{
    *out = (struct proxy_url){0};
    take_scheme(&text, out);
    text[strcspn(text, "/?#")] = '\0';
    char *at = strrchr(text, '@');
    if (at) {
        *at = '\0';
        out->userinfo = text;
        text = at + 1;
        if (!decode(out->userinfo))
            return "its user or password has a line end or NUL in it";
    }
    out->host = text;
    char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    if (text[0] == '[' && !end)
        return "the bracket of its IPv6 address is not closed";
    const char *wrong = take_port(end ? end + 1 : text + strcspn(text, ":"), out);
    return wrong ? wrong : out->host[0] == '\0' ? "it has no host" : NULL;
}
