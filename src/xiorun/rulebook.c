/* SPDX-License-Identifier: GPL-2.0-or-later
 * See rulebook.h. */
#include "xiorun/rulebook.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { LONGEST = 65536 };

void rulebook_begin(struct rulebook *r)
{
    *r = (struct rulebook){0};
    r->end = &r->first;
}

static void free_rule(struct rule *rule)
{
    free(rule->host);
    free(rule->ports);
    free(rule->chain);
    free(rule);
}

void rulebook_free(struct rulebook *r)
{
    while (r->first) {
        struct rule *rule = r->first;
        r->first = rule->next;
        free_rule(rule);
    }
    rulebook_begin(r);
}

static int wrong(struct rulebook *r, const char *what, const char *value, const char *accepted)
{
    (void)snprintf(r->why, sizeof r->why, "%s \"%.100s\": %s", what, value, accepted);
    return -1;
}

/* ---- columns ---- */

static char *column(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    char *end = word + strcspn(word, " \t");
    *rest = *end ? end + 1 : end;
    *end = '\0';
    return word;
}

static bool any(const char *word)
{
    return strcmp(word, "*") == 0;
}

/* A number, a network "10.0.0.0/8", both in brackets or not; else it is a pattern of names. */
static int take_network(struct rulebook *r, struct rule *rule, const char *word)
{
    char text[80];
    size_t n = strcspn(word, "/");
    const char *slash = word[n] ? word + n + 1 : NULL;
    if (*word == '[' && n > 2 && word[n - 1] == ']') {
        word++;
        n -= 2;
    }
    if (n >= sizeof text)
        return slash ? wrong(r, "network", word, "ADDRESS/BITS is expected") : 0;
    memcpy(text, word, n);
    text[n] = '\0';
    rule->version = inet_pton(AF_INET, text, rule->net) == 1 ? 4 : inet_pton(AF_INET6, text, rule->net) == 1 ? 6 : 0;
    unsigned most = rule->version == 4 ? 32 : 128;
    char *end = NULL;
    rule->bits = slash ? (unsigned)strtoul(slash, &end, 10) : most;
    if (slash && (rule->version == 0 || !*slash || *end || rule->bits > most))
        return wrong(r, "network", word, "ADDRESS/BITS is expected, as in 10.0.0.0/8 or fd00::/8");
    return 0;
}

static int take_ports(struct rulebook *r, struct rule *rule, const char *word)
{
    const char *p = word;
    if (any(word))
        return 0;
    for (;;) {
        char *end;
        unsigned long from = strtoul(p, &end, 10), to = from;
        bool some = end > p && *p >= '0' && *p <= '9';
        if (some && *end == '-') {
            p = end + 1;
            to = strtoul(p, &end, 10);
            some = end > p && *p >= '0' && *p <= '9';
        }
        if (!some || from > to || to > 65535 || (*end && *end != ','))
            return wrong(r, "port", word, "*, or numbers and ranges are expected, as in 22,8000-8080");
        if (!*end)
            break;
        p = end + 1;
    }
    return (rule->ports = strdup(word)) ? 0 : -1;
}

static int take_protocol(struct rulebook *r, struct rule *rule, const char *word)
{
    rule->tcp = any(word) || strcmp(word, "tcp") == 0;
    rule->udp = any(word) || strcmp(word, "udp") == 0;
    return rule->tcp || rule->udp ? 0 : wrong(r, "protocol", word, "*, tcp or udp is expected");
}

static int take_then(struct rulebook *r, struct rule *rule, const char *text)
{
    static const struct {
        const char *word;
        enum then then;
    } words[] = {{"direct", THEN_DIRECT}, {"refuse", THEN_REFUSE}, {"resolve", THEN_RESOLVE}};
    rule->then = THEN_CHAIN;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(text, words[i].word) == 0)
            rule->then = words[i].then;
    if (rule->then == THEN_RESOLVE && rule->tcp)
        return wrong(r, "rule", text, "the private resolver is asked by udp");
    if (!*text)
        return wrong(r, "rule", text, "direct, refuse, resolve or a chain is expected behind host, port and protocol");
    const char *complaint = rule->then == THEN_CHAIN && r->complaint ? r->complaint(text) : NULL;
    if (complaint) {
        (void)snprintf(r->why, sizeof r->why, "%s", complaint);
        return -1;
    }
    return rule->then != THEN_CHAIN || (rule->chain = strdup(text)) ? 0 : -1;
}

static void trim(char *text)
{
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r\n", text[n - 1]))
        text[--n] = '\0';
}

int rulebook_add_line(struct rulebook *r, char *line)
{
    trim(line);
    line += strspn(line, " \t");
    if (!*line || *line == '#')
        return 0;
    struct rule *rule = calloc(1, sizeof *rule);
    char *host = column(&line), *ports = column(&line), *protocol = column(&line);
    line += strspn(line, " \t");
    if (!rule || (!any(host) && !(rule->host = strdup(host))))
        (void)snprintf(r->why, sizeof r->why, "out of memory");
    else if (take_network(r, rule, host) == 0 && take_ports(r, rule, ports) == 0 &&
             take_protocol(r, rule, protocol) == 0 && take_then(r, rule, line) == 0) {
        *r->end = rule;
        r->end = &rule->next;
        return 0;
    }
    if (rule)
        free_rule(rule);
    return -1;
}

int rulebook_read(struct rulebook *r, const char *file)
{
    FILE *f = fopen(file, "re");
    char *line = NULL, why[sizeof r->why];
    size_t cap = 0, number = 0;
    int rc = 0;
    if (!f) {
        (void)snprintf(r->why, sizeof r->why, "rules \"%.200s\": %s", file, strerror(errno));
        return -1;
    }
    errno = 0;
    while (rc == 0 && getline(&line, &cap, f) >= 0) {
        number++;
        rc = strlen(line) > LONGEST ? wrong(r, "line", "...", "it is too long") : rulebook_add_line(r, line);
    }
    if (rc < 0) {
        memcpy(why, r->why, sizeof why);
        (void)snprintf(r->why, sizeof r->why, "%.150s, line %zu: %.300s", file, number, why);
    } else if (ferror(f)) {
        (void)snprintf(r->why, sizeof r->why, "rules \"%.200s\": %s", file, strerror(errno));
        rc = -1;
    }
    free(line);
    (void)fclose(f);
    return rc;
}

int rulebook_add_last(struct rulebook *r, const char *chain)
{
    char resolve[] = "* 53 udp resolve";
    char *line = NULL;
    if (rulebook_add_line(r, resolve) < 0)
        return -1;
    if (!chain || !*chain)
        return 0;
    if (asprintf(&line, "* * tcp %s", chain) < 0)
        return -1;
    int rc = rulebook_add_line(r, line);
    free(line);
    return rc;
}

/* ---- matching ---- */

static bool in_network(const struct rule *rule, const struct target *t)
{
    unsigned whole = rule->bits / 8, rest = rule->bits % 8;
    uint8_t mask = (uint8_t)(0xff00 >> rest);
    return t->version == rule->version && memcmp(t->addr, rule->net, whole) == 0 &&
           (rest == 0 || ((t->addr[whole] ^ rule->net[whole]) & mask) == 0);
}

/* Programs know that name without looking it up; and who connects to no address at all gets there, too. */
static bool is_localhost(const struct target *t)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t none[16];
    const uint8_t *four = t->version == 4 ? t->addr : memcmp(t->addr, mapped, sizeof mapped) == 0 ? t->addr + 12 : NULL;
    if (t->version == 0)
        return false;
    return four ? four[0] == 127 || memcmp(four, none, 4) == 0 : memcmp(t->addr, none, 15) == 0 && t->addr[15] <= 1;
}

static bool fits_name(const struct rule *rule, const struct target *t)
{
    return fnmatch(rule->host, t->host, FNM_CASEFOLD) == 0 ||
           (is_localhost(t) && fnmatch(rule->host, "localhost", FNM_CASEFOLD) == 0);
}

static bool fits_host(const struct rule *rule, const struct target *t)
{
    return !rule->host || (rule->version ? in_network(rule, t) : fits_name(rule, t));
}

static bool fits_port(const struct rule *rule, unsigned port)
{
    for (const char *p = rule->ports; p;) {
        char *end;
        unsigned long from = strtoul(p, &end, 10), to = *end == '-' ? strtoul(end + 1, &end, 10) : from;
        if (port >= from && port <= to)
            return true;
        p = *end ? end + 1 : NULL;
    }
    return !rule->ports;
}

const struct rule *rulebook_match(const struct rulebook *r, const struct target *t)
{
    for (const struct rule *rule = r->first; rule; rule = rule->next)
        if ((t->packets ? rule->udp : rule->tcp) && fits_host(rule, t) && fits_port(rule, t->port))
            return rule;
    return NULL;
}

/* A name without the root's dot. */
static struct target named(const char *host)
{
    struct target t = {0};
    size_t n = strlen(host);
    n -= n > 1 && host[n - 1] == '.';
    (void)snprintf(t.host, sizeof t.host, "%.*s", (int)n, host);
    return t;
}

/* What stands behind one that fits all is never looked at. */
bool rulebook_names(const struct rulebook *r, const char *host)
{
    struct target t = named(host);
    for (const struct rule *rule = r->first; rule; rule = rule->next) {
        if (rule->host && fits_host(rule, &t))
            return true;
        if (!rule->host && !rule->ports && rule->tcp && rule->udp)
            return false;
    }
    return false;
}

bool rulebook_means_us(const char *host)
{
    static const char us[] = ".localhost";
    struct target t = named(host);
    size_t n = strlen(t.host), l = sizeof us - 1;
    return strcasecmp(t.host, us + 1) == 0 || (n > l && strcasecmp(t.host + n - l, us) == 0);
}

bool rulebook_leave(const struct rulebook *r, const char *host)
{
    struct target t = named(host);
    if (rulebook_names(r, host))
        return false;
    if (rulebook_means_us(host))
        return true;
    for (const struct rule *rule = r->first; rule; rule = rule->next)
        if (fits_host(rule, &t))
            return rule->then == THEN_DIRECT && !rule->ports && rule->tcp;
    return false;
}
