/* SPDX-License-Identifier: GPL-2.0-or-later
 * Reading challenges: see http_challenge.h. In a list (RFC 9110, 11.6.1) commas stand between challenges as well as
 * between the parameters of one: a word with "=" behind it is a parameter, another one begins a challenge. */
#include "inter/proxy/http_challenge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const names[SCHEMES] = {
    [SCHEME_NONE] = "none", [SCHEME_BASIC] = "Basic", [SCHEME_DIGEST] = "Digest", [SCHEME_NTLM] = "NTLM",
    [SCHEME_NEGOTIATE] = "Negotiate",
};

const char *scheme_name(enum scheme s) { return names[s]; }

static const char *const algorithms[DIGEST_UNKNOWN] = {
    [DIGEST_MD5] = "MD5", [DIGEST_MD5_SESS] = "MD5-sess", [DIGEST_SHA256] = "SHA-256",
    [DIGEST_SHA256_SESS] = "SHA-256-sess", [DIGEST_SHA512_256] = "SHA-512-256",
    [DIGEST_SHA512_256_SESS] = "SHA-512-256-sess",
};

enum { VALUE_MAX = 512 };

/* What one challenge says; of which scheme, if that is known here. */
struct one {
    enum scheme scheme;
    struct digest_challenge digest;
    bool unfit; /* a value that is too long to be sent back */
};

static size_t token_length(const char *s)
{
    return strspn(s, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

/* Of token68, which ends the challenge; 0: there is none. */
static size_t token68_length(const char *s)
{
    size_t n = strspn(s, "-._~+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
    if (n == 0)
        return 0;
    n += strspn(s + n, "=");
    const char *behind = s + n + strspn(s + n, " \t");
    return *behind == ',' || *behind == '\0' ? n : 0;
}

/* A word, or quoted text, whose backslashes are taken away. Gives where it goes on, NULL: it has no end. */
static const char *take_value(const char *p, char to[VALUE_MAX], bool *fits)
{
    size_t n = 0;
    *fits = true;
    if (*p != '"') {
        n = token_length(p);
        *fits = n < VALUE_MAX;
        (void)snprintf(to, VALUE_MAX, "%.*s", (int)n, p);
        return p + n;
    }
    for (p++; *p != '"'; p++) {
        if (*p == '\\' && p[1])
            p++;
        if (*p == '\0')
            return NULL;
        if (n + 1 < VALUE_MAX)
            to[n++] = *p;
        else
            *fits = false;
    }
    to[n] = '\0';
    return p + 1;
}

static bool list_has(const char *list, const char *word)
{
    for (size_t n; *list; list += n) {
        list += strspn(list, " \t,");
        n = strcspn(list, " \t,");
        if (n == strlen(word) && strncasecmp(list, word, n) == 0)
            return true;
    }
    return false;
}

static void set_algorithm(struct digest_challenge *d, const char *value)
{
    d->algorithm = DIGEST_UNKNOWN;
    for (int i = 0; i < DIGEST_UNKNOWN; i++)
        if (strcasecmp(algorithms[i], value) == 0) {
            d->algorithm = (enum digest_algorithm)i;
            d->word = algorithms[i];
        }
}

static void set_param(struct one *o, const char *name, size_t n, const char *value, bool fits)
{
    struct digest_challenge *d = &o->digest;
    const struct {
        const char *name;
        char *to;
        size_t cap;
    } texts[] = {{"realm", d->realm, sizeof d->realm}, {"nonce", d->nonce, sizeof d->nonce},
                 {"opaque", d->opaque, sizeof d->opaque}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strlen(texts[i].name) == n && strncasecmp(texts[i].name, name, n) == 0) {
            o->unfit |= !fits || strlen(value) >= texts[i].cap;
            (void)snprintf(texts[i].to, texts[i].cap, "%s", value);
        }
    if (n == 9 && strncasecmp(name, "algorithm", n) == 0)
        set_algorithm(d, value);
    if (n == 3 && strncasecmp(name, "qop", n) == 0) {
        d->qop = true;
        d->auth = list_has(value, "auth");
    }
    if (n == 5 && strncasecmp(name, "stale", n) == 0)
        d->stale = strcasecmp(value, "true") == 0;
    if (n == 8 && strncasecmp(name, "userhash", n) == 0)
        d->userhash = strcasecmp(value, "true") == 0;
    if (n == 7 && strncasecmp(name, "charset", n) == 0)
        d->utf8 = strcasecmp(value, "utf-8") == 0;
}

/* With an algorithm that is not known, or protection of the body alone, nothing can be done. */
static bool is_answerable(const struct one *o)
{
    const struct digest_challenge *d = &o->digest;
    return !o->unfit && d->algorithm != DIGEST_UNKNOWN && d->nonce[0] && (!d->qop || d->auth);
}

static void take_challenge(struct challenges *c, const struct one *o)
{
    bool first = !(c->offered & 1U << SCHEME_DIGEST);
    if (o->scheme == SCHEME_NONE || (o->scheme == SCHEME_DIGEST && !is_answerable(o)))
        return;
    c->offered |= 1U << o->scheme;
    if (o->scheme == SCHEME_DIGEST && (first || o->digest.algorithm > c->digest.algorithm))
        c->digest = o->digest;
}

static void begin(struct challenges *c, struct one *o, const char *name, size_t n)
{
    size_t used = strlen(c->names);
    *o = (struct one){0};
    for (int i = SCHEME_NONE + 1; i < SCHEMES; i++)
        if (strlen(names[i]) == n && strncasecmp(names[i], name, n) == 0)
            o->scheme = (enum scheme)i;
    (void)snprintf(c->names + used, sizeof c->names - used, "%s%.*s", used ? ", " : "", (int)n, name);
}

int challenges_add(struct challenges *c, const char *value)
{
    struct one one = {0};
    char text[VALUE_MAX];
    for (const char *p = value, *next; p && *p;) {
        p += strspn(p, " \t,");
        size_t n = token_length(p);
        next = p + n + strspn(p + n, " \t");
        if (n == 0)
            break;
        if (*next == '=') {
            bool fits;
            next++;
            next = take_value(next + strspn(next, " \t"), text, &fits);
            set_param(&one, p, n, text, fits);
            p = next;
            continue;
        }
        take_challenge(c, &one);
        begin(c, &one, p, n);
        n = next > p + n ? token68_length(next) : 0;
        if (n > 0 && one.scheme != SCHEME_NONE && !c->token[one.scheme] && !(c->token[one.scheme] = strndup(next, n)))
            return -1;
        p = next + n;
    }
    take_challenge(c, &one);
    return 0;
}

void challenges_fini(struct challenges *c)
{
    for (int i = 0; i < SCHEMES; i++)
        free(c->token[i]);
    *c = (struct challenges){0};
}
