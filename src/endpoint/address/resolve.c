/* SPDX-License-Identifier: GPL-2.0-or-later
 * Name resolution. A lookup runs in wait_call() and may be left behind there when a signal comes;
 * so all it needs lies in a job of its own, which the last of the two sides frees. */
#include "catena/host.h"

#include "catena/catena.h"
#include "catena/diag.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catena/wait.h"
#include "endpoint/options/opts_resolver.h"
#include "endpoint/options/opts_socket.h"

enum { TEXT_MAX = 1024 }; /* bytes of a host or service name, NUL included */

/* What the res-* options say; zero means: as the system is set up. */
struct res_setup {
    bool any;
    unsigned long set, clear; /* bits of _res.options */
    int retrans, retry;
    struct sockaddr_in server; /* sin_family 0: not given */
};

struct job {
    char host[TEXT_MAX], service[TEXT_MAX];
    bool by_name; /* look the host up; else the service */
    int socktype, port;
    struct addrinfo hints, *found;
    struct res_setup res;
    int gai, sys;
};

static const struct {
    const struct option_desc *row;
    unsigned long bit;
} res_bits[] = {
    {&opt_res_debug, RES_DEBUG},     {&opt_res_defnames, RES_DEFNAMES},
    {&opt_res_dnsrch, RES_DNSRCH},   {&opt_res_igntc, RES_IGNTC},
    {&opt_res_recurse, RES_RECURSE}, {&opt_res_stayopen, RES_STAYOPEN},
    {&opt_res_usevc, RES_USEVC},
};

static const struct {
    const struct option_desc *row;
    int flag;
} ai_bits[] = {
    {&opt_ai_addrconfig, AI_ADDRCONFIG},
    {&opt_ai_all, AI_ALL},
    {&opt_ai_passive, AI_PASSIVE},
    {&opt_ai_v4mapped, AI_V4MAPPED},
};

void names_fini(struct names *names)
{
    free(names->v);
    *names = (struct names){0};
}

static struct job *job_new(struct err *e)
{
    struct job *job = calloc(1, sizeof *job);

    if (!job)
        err_nomem(e);
    return job;
}

static void job_drop(void *arg)
{
    struct job *job = arg;

    if (job && job->found)
        freeaddrinfo(job->found);
    free(job);
}

/* The resolver's state belongs to the thread, and the thread was made for this lookup. */
static void res_prepare(const struct res_setup *s)
{
    if (!s->any || res_init() < 0)
        return;
    _res.options = (_res.options | s->set) & ~s->clear;
    if (s->retrans > 0)
        _res.retrans = s->retrans;
    if (s->retry > 0)
        _res.retry = s->retry;
    if (s->server.sin_family == AF_INET) {
        _res.nsaddr_list[0] = s->server;
        _res.nscount = 1;
    }
}

bool resolve_is_word(const char *text)
{
    return isalnum((unsigned char)*text) && strspn(text, "0123456789") < strlen(text) &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789-_.+*/")] == '\0';
}

static int lookup_service(const char *name, int socktype)
{
    const char *proto = socktype == SOCK_DGRAM ? "udp" : "tcp";
    struct servent room, *found = NULL;
    char text[4096];

    if (getservbyname_r(name, proto, &room, text, sizeof text, &found) != 0 || !found)
        getservbyname_r(name, NULL, &room, text, sizeof text, &found);
    return found ? ntohs((uint16_t)found->s_port) : -1;
}

bool resolve_knows_service(const char *name, int socktype)
{
    return lookup_service(name, socktype) >= 0;
}

static void job_run(void *arg)
{
    struct job *job = arg;

    res_prepare(&job->res);
    if (job->by_name) {
        job->gai = getaddrinfo(job->host, NULL, &job->hints, &job->found);
        job->sys = errno;
    } else {
        job->port = lookup_service(job->service, job->socktype);
    }
}

/* 0, or -1 interrupted: then *job is the helper's, and NULL. */
static int job_wait(struct job **job, struct run *r, struct err *e)
{
    int rc = wait_call(r, job_run, job_drop, *job, e);

    if (rc < 0)
        *job = NULL;
    return rc;
}

/* A name server that gives no answer, or says that it has none now, may have one later. */
static enum err_kind lookup_kind(int code, int sys)
{
    switch (code) {
    case EAI_AGAIN:
    case EAI_FAIL:
        return ERR_TIMEOUT;
    case EAI_MEMORY:
        return ERR_BUSY;
    case EAI_SYSTEM:
        return err_kind_of(sys);
    default:
        return ERR_NO_NAME;
    }
}

static int lookup_error(struct err *e, const char *host, int code, int sys)
{
    const char *why = code == EAI_SYSTEM ? strerror(sys) : gai_strerror(code);

    err_set(e, lookup_kind(code, sys), "cannot resolve \"%.200s\"", host);
    err_because(e, why);
    e->sys = code == EAI_SYSTEM ? sys : 0;
    snprintf(e->call, sizeof e->call, "cannot resolve \"%.200s\": %s", host, why);
    return -1;
}

/* Every forked child of a listener comes by here: what the C library has for this are tables and pages of code
 * that it would touch for nothing else. */
static const char *past_blanks(const char *text)
{
    while (*text == ' ' || (*text >= '\t' && *text <= '\r'))
        text++;
    return text;
}

/* Digits, and what they are; of a large number only that it is one. */
static bool is_number(const char *text, int *number)
{
    const char *at = text;

    for (*number = 0; *at >= '0' && *at <= '9'; at++)
        if (*number <= 65535)
            *number = 10 * *number + (*at - '0');
    return at > text && *at == '\0';
}

int resolve_port(struct run *r, const char *text, int socktype, int *port, struct err *e)
{
    struct job *job;
    int rc, number;

    text = past_blanks(text);
    if (is_number(text, &number)) {
        if (number > 65535)
            return err_set(e, ERR_BAD_VALUE, "port %.40s is too large: ports are 0 to 65535", text);
        *port = number;
        return 0;
    }
    if (*text == '\0' || strlen(text) >= TEXT_MAX)
        return err_set(e, ERR_BAD_VALUE,
                       "\"%.40s\" is no port: give a number from 0 to 65535 or a service name",
                       text);
    job = job_new(e);
    if (!job)
        return -1;
    memcpy(job->service, text, strlen(text) + 1);
    job->socktype = socktype;
    rc = job_wait(&job, r, e);
    if (rc == 0 && job->port < 0) {
        (void)err_set(e, ERR_NO_NAME,
                      "unknown service \"%.200s\": a port is a number from 0 to 65535 or a name "
                      "from /etc/services",
                      text);
        rc = err_called(e, ERR_BAD_VALUE);
    } else if (rc == 0)
        *port = job->port;
    job_drop(job);
    return rc;
}

int resolve_split(const char *text, char **storage, const char **host, const char **port,
                  struct err *e)
{
    char *copy = strdup(text), *rest, *colon;

    *storage = copy;
    *host = *port = NULL;
    if (!copy)
        return err_nomem(e);
    if (copy[0] == '[') {
        rest = strchr(copy, ']');
        if (!rest || (rest[1] != '\0' && rest[1] != ':'))
            return err_set(e, ERR_BAD_VALUE, "\"%.200s\" is not [<IPv6 address>] or [...]:<port>",
                           text);
        colon = rest[1] == ':' ? rest + 1 : NULL;
    } else {
        colon = strchr(copy, ':');
        if (colon && strchr(colon + 1, ':'))
            colon = NULL; /* an IPv6 address without brackets */
    }
    if (colon) {
        *colon = '\0';
        *port = colon + 1;
    }
    if (copy[0] != '\0')
        *host = copy;
    return 0;
}

/* The bits an option of the table sets or clears. */
static void res_setup_read(const struct addr *a, struct res_setup *s)
{
    for (size_t i = 0; i < sizeof res_bits / sizeof res_bits[0]; i++) {
        if (!opt_find(a, res_bits[i].row))
            continue;
        s->any = true;
        if (opt_true(a, res_bits[i].row))
            s->set |= res_bits[i].bit;
        else
            s->clear |= res_bits[i].bit;
    }
    if (opt_true(a, &opt_res_aaonly) || opt_true(a, &opt_res_primary))
        diag(DIAG_NOTICE, "options res-aaonly and res-primary have no effect: the system's "
                          "resolver does not know them any more");
    s->retrans = (int)opt_int(a, &opt_res_retrans, 0);
    s->retry = (int)opt_int(a, &opt_res_retry, 0);
    if (s->retrans > 0 || s->retry > 0)
        s->any = true;
}

/* host without the brackets of an IPv6 literal. */
static int bare_host(const char *host, char bare[static TEXT_MAX], struct err *e)
{
    size_t len = strlen(host);

    if (len >= TEXT_MAX)
        return err_set(e, ERR_OTHER, "host name has %zu bytes, at most %d are possible", len,
                       TEXT_MAX - 1);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    memcpy(bare, host, len);
    bare[len] = '\0';
    return len > 0 ? 0 : lookup_error(e, host, EAI_NONAME, 0);
}

/* The name server's own name is looked up as the system is set up. */
static int res_server_host(struct run *r, const char *host, struct sockaddr_in *server,
                           struct err *e)
{
    struct job *job = job_new(e);
    int rc;

    if (!job)
        return -1;
    job->by_name = true;
    job->hints = (struct addrinfo){.ai_family = AF_INET, .ai_socktype = SOCK_DGRAM};
    rc = bare_host(host, job->host, e);
    if (rc == 0)
        rc = job_wait(&job, r, e);
    if (rc == 0 && job->gai != 0)
        rc = lookup_error(e, host, job->gai, job->sys);
    if (rc == 0)
        memcpy(server, job->found->ai_addr, sizeof *server);
    job_drop(job);
    return rc;
}

static int res_server_read(const struct addr *a, struct run *r, struct res_setup *s, struct err *e)
{
    const char *text = opt_string(a, &opt_res_nsaddr, NULL), *host, *port;
    char *storage;
    int number = 53, rc;

    if (!text)
        return 0;
    rc = resolve_split(text, &storage, &host, &port, e);
    if (rc == 0 && port)
        rc = resolve_port(r, port, SOCK_DGRAM, &number, e);
    if (rc == 0 && !host)
        rc = err_set(e, ERR_BAD_VALUE, "\"%.200s\" is no name server: give <host> or <host>:<port>", text);
    if (rc == 0 && inet_pton(AF_INET, host, &s->server.sin_addr) != 1)
        rc = res_server_host(r, host, &s->server, e);
    if (rc < 0 && e->kind != ERR_INTERRUPTED && !e->where.text)
        e->where = opt_find(a, &opt_res_nsaddr)->at;
    s->server.sin_family = AF_INET;
    s->server.sin_port = htons((in_port_t)number);
    s->any = true;
    free(storage);
    return rc;
}

static const struct {
    const char *name;
    int family;
} family_names[] = {
    {"ip4", AF_INET},  {"ipv4", AF_INET},  {"inet", AF_INET},   {"inet4", AF_INET},
    {"ip6", AF_INET6}, {"ipv6", AF_INET6}, {"inet6", AF_INET6},
};

/* pf=: a name, or the system's number for one of the two. */
static int family_by_name(const struct opt *o, int *family, struct err *e)
{
    const char *text = o->v.s ? o->v.s : "";
    char *end;
    long number = strtol(text, &end, 0);

    for (size_t i = 0; i < sizeof family_names / sizeof family_names[0]; i++) {
        if (strcasecmp(text, family_names[i].name) == 0) {
            *family = family_names[i].family;
            return 0;
        }
    }
    if (*text == '\0' || *end != '\0' || (number != AF_INET && number != AF_INET6))
        return err_at(e, o->at, "unknown protocol family \"%.60s\"; use ip4 or ip6", text);
    *family = (int)number;
    return 0;
}

int resolve_family(const struct addr *a, int *family, struct err *e)
{
    const struct opt *pf = opt_find(a, &opt_pf);

    return pf ? family_by_name(pf, family, e) : 0;
}

static int family_of_digit(char digit)
{
    return digit == '4' ? AF_INET : digit == '6' ? AF_INET6 : AF_UNSPEC;
}

int resolve_version(const struct addr *a, const struct run *r, int keyword_family, bool passive,
                    struct ip_version *out, struct err *e)
{
    const char *env = catena_variable(r->settings->catena, passive ? "SOCAT_DEFAULT_LISTEN_IP"
                                                              : "SOCAT_PREFERRED_RESOLVE_IP");

    out->forced = keyword_family;
    out->preferred = AF_INET;
    out->mapped = !passive;
    if (resolve_family(a, &out->forced, e) < 0)
        return -1;
    if (out->forced != AF_UNSPEC)
        out->preferred = out->forced;
    else if (r->settings->ip_version >= 0)
        out->preferred = family_of_digit((char)('0' + r->settings->ip_version));
    else if (env && strchr("046", env[0]) && (env[0] == '\0' || env[1] == '\0'))
        out->preferred = family_of_digit(env[0]);
    return 0;
}

/* The hosts file may name an address twice for one version. */
static bool names_hold(const struct names *names, const struct addrinfo *ai)
{
    for (size_t i = 0; i < names->n; i++) {
        struct sockname known = names->v[i];

        sockname_set_port(&known, 0);
        if (known.len == ai->ai_addrlen && memcmp(&known.u, ai->ai_addr, known.len) == 0)
            return true;
    }
    return false;
}

/* Copies what was found, the preferred family in front, otherwise in the order given. */
static int names_take(const struct addrinfo *found, int preferred, int port, struct names *out,
                      struct err *e)
{
    size_t n = 0;

    for (const struct addrinfo *ai = found; ai != NULL; ai = ai->ai_next)
        n++;
    out->v = calloc(n > 0 ? n : 1, sizeof *out->v);
    if (!out->v)
        return err_nomem(e);
    for (int pass = 0; pass < 2; pass++) {
        for (const struct addrinfo *ai = found; ai != NULL; ai = ai->ai_next) {
            bool first = preferred == AF_UNSPEC || ai->ai_family == preferred;
            struct sockname *to = &out->v[out->n];

            if (first != (pass == 0) || ai->ai_addrlen > sizeof to->u || names_hold(out, ai))
                continue;
            memcpy(&to->u, ai->ai_addr, ai->ai_addrlen);
            to->len = ai->ai_addrlen;
            sockname_set_port(to, port);
            out->n++;
        }
    }
    return 0;
}

static int ai_flags(const struct addr *a, const struct ip_version *version, bool passive)
{
    int flags = passive ? AI_PASSIVE : 0;

    if (version->forced == AF_UNSPEC)
        flags |= AI_ADDRCONFIG;
    for (size_t i = 0; i < sizeof ai_bits / sizeof ai_bits[0]; i++) {
        if (!opt_find(a, ai_bits[i].row))
            continue;
        flags = opt_true(a, ai_bits[i].row) ? flags | ai_bits[i].flag : flags & ~ai_bits[i].flag;
    }
    return flags;
}

/* What no host means has an address in each version: any of this host's with AI_PASSIVE, else the
 * loopback one. */
static int without_host(const struct ip_version *version, int flags, int port, struct names *out,
                        struct err *e)
{
    static const int by_four[2] = {AF_INET, AF_INET6}, by_six[2] = {AF_INET6, AF_INET};
    const int *order = version->preferred == AF_INET ? by_four : by_six;

    out->v = calloc(2, sizeof *out->v);
    if (!out->v)
        return err_nomem(e);
    out->n = version->forced != AF_UNSPEC ? 1 : 2;
    for (size_t i = 0; i < out->n; i++) {
        sockname_wildcard(&out->v[i], order[i]);
        if (!(flags & AI_PASSIVE))
            sockname_loopback(&out->v[i]);
        sockname_set_port(&out->v[i], port);
    }
    return 0;
}

/* Where only IPv6 will do, a peer given by a number of IPv4 is meant to be mapped, unless ai-v4mapped
 * says no. */
static bool six_of_literal(const struct addr *a, const struct ip_version *version,
                           const char *bare, struct in6_addr *out)
{
    static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};
    bool given = opt_find(a, &opt_ai_v4mapped) != NULL;
    bool mapped = given ? opt_true(a, &opt_ai_v4mapped) : version->mapped;

    if (inet_pton(AF_INET6, bare, out) == 1)
        return true;
    memcpy(out->s6_addr, prefix, sizeof prefix);
    return mapped && inet_pton(AF_INET, bare, out->s6_addr + sizeof prefix) == 1;
}

/* The usual notations need no resolver, whose way is long for somebody who connects often. */
static bool is_literal(const struct addr *a, const char *bare, const struct ip_version *version,
                       int port, struct names *out)
{
    struct sockname name = {.len = sizeof name.u.in4};

    if (version->forced != AF_INET6 && inet_pton(AF_INET, bare, &name.u.in4.sin_addr) == 1) {
        name.u.in4.sin_family = AF_INET;
    } else if (version->forced != AF_INET && six_of_literal(a, version, bare, &name.u.in6.sin6_addr)) {
        name.u.in6.sin6_family = AF_INET6;
        name.len = sizeof name.u.in6;
    } else {
        return false;
    }
    sockname_set_port(&name, port);
    out->v = malloc(sizeof name);
    if (!out->v)
        return false;
    out->v[0] = name;
    out->n = 1;
    return true;
}

/* 1 found, 0 not a number, -1 an error. */
static int by_number(struct job *job, const char *host, struct err *e)
{
    struct addrinfo hints = job->hints;
    int code;

    hints.ai_flags = (hints.ai_flags & ~AI_ADDRCONFIG) | AI_NUMERICHOST;
    code = getaddrinfo(job->host, NULL, &hints, &job->found);
    if (code == 0)
        return 1;
    return code == EAI_NONAME ? 0 : lookup_error(e, host, code, errno);
}

int resolve_host(const struct addr *a, struct run *r, const char *host, int port,
                 const struct ip_version *version, bool passive, struct names *out, struct err *e)
{
    struct job *job;
    int rc;

    *out = (struct names){0};
    if (!host)
        return without_host(version, ai_flags(a, version, passive), port, out, e);
    if (is_literal(a, host, version, port, out))
        return 0;
    job = job_new(e);
    if (!job)
        return -1;
    job->by_name = true;
    job->hints = (struct addrinfo){.ai_family = version->forced,
                                   .ai_flags = ai_flags(a, version, passive),
                                   .ai_socktype = SOCK_STREAM}; /* one result an address */
    rc = bare_host(host, job->host, e);
    if (rc == 0)
        rc = by_number(job, host, e);
    if (rc == 0) {
        res_setup_read(a, &job->res);
        rc = res_server_read(a, r, &job->res, e);
        if (rc == 0)
            rc = job_wait(&job, r, e);
        if (rc == 0 && job->gai != 0)
            rc = lookup_error(e, host, job->gai, job->sys);
    }
    if (rc >= 0)
        rc = names_take(job->found, version->preferred, port, out, e);
    job_drop(job);
    return rc;
}
