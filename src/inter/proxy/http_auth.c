/* SPDX-License-Identifier: GPL-2.0-or-later
 * Choosing a scheme and answering in it: see http_auth.h. */
#include "inter/proxy/http_auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catena/diag.h"
#include "catena/run.h"
#include "inter/proxy/base64.h"
#include "inter/proxy/http_auth_helper.h"
#include "inter/proxy/http_auth_memory.h"
#include "inter/proxy/http_digest.h"
#include "inter/proxy/opts_proxy.h"

/* ---- options ---- */

/* NULL: not given, "any": whatever is offered, before anything is said. */
static const char *wanted(const struct addr *a) { return opt_string(a, &opt_auth_scheme, NULL); }

static bool allows(const struct addr *a, enum scheme s)
{
    const char *name = wanted(a);
    return !name || strcasecmp(name, "any") == 0 || strcasecmp(name, scheme_name(s)) == 0;
}

static bool needs_helper(enum scheme s) { return s == SCHEME_NTLM || s == SCHEME_NEGOTIATE; }

int auth_check(const struct addr *a, struct err *e)
{
    const struct opt *o = opt_find(a, &opt_auth_scheme), *helper = opt_find(a, &opt_auth_helper);
    bool found = !o || (o->v.s && strcasecmp(o->v.s, "any") == 0);
    for (int s = SCHEME_BASIC; s < SCHEMES && !found; s++) {
        found = o->v.s && strcasecmp(o->v.s, scheme_name((enum scheme)s)) == 0;
        if (found && needs_helper((enum scheme)s) && !helper)
            return err_at(e, o->at, "the scheme %s is spoken by a program: proxy-auth-helper names it", scheme_name((enum scheme)s));
    }
    if (!found)
        return err_at(e, o->at, "proxy-auth-scheme \"%s\" is none of any, basic, digest, ntlm, negotiate", o->v.s ? o->v.s : "");
    return helper && (!helper->v.s || !helper->v.s[0]) ? err_at(e, helper->at, "proxy-auth-helper needs the command of a program") : 0;
}

bool auth_may_take_turns(const struct auth *u)
{
    const char *name = wanted(u->addr);
    return u->scheme > SCHEME_BASIC || opt_find(u->addr, &opt_auth_helper) || (name && strcasecmp(name, "basic") != 0);
}

int auth_begin(struct auth *u, const struct addr *a, struct run *r, int64_t deadline, struct err *e)
{
    const char *name = wanted(a);
    u->addr = a;
    u->run = r;
    u->deadline = deadline;
    if (secret_value(a, &opt_proxy_auth, r, deadline, &u->credentials, e) < 0)
        return -1;
    u->known = u->credentials.text[0] != '\0';
    bool unasked = u->known && !opt_find(a, &opt_auth_helper) && (!name || strcasecmp(name, "basic") == 0);
    u->scheme = unasked ? SCHEME_BASIC : SCHEME_NONE;
    auth_recall(u);
    return 0;
}

void auth_end(struct auth *u)
{
    auth_helper_end(u);
    secret_value_wipe(&u->credentials);
    *u = (struct auth){0};
}

/* ---- saying it ---- */

static int write_basic(const struct auth *u, struct buf *out, struct err *e)
{
    char coded[BASE64_SIZE(SECRET_MAX)];
    base64(coded, u->credentials.text, strlen(u->credentials.text));
    int rc = buf_grow(out, out->len + strlen(coded) + 64) < 0 ? err_nomem(e) : 0;
    if (rc == 0) {
        buf_put(out, "Basic ", 6);
        buf_put(out, coded, strlen(coded));
    }
    explicit_bzero(coded, sizeof coded);
    return rc;
}

static int write_digest(const struct auth *u, const char *uri, struct buf *out, struct err *e)
{
    char user[SECRET_MAX + 2], cnonce[CNONCE_SIZE];
    const char *colon = strchr(u->credentials.text, ':');
    const size_t n = colon ? (size_t)(colon - u->credentials.text) : strlen(u->credentials.text);
    memcpy(user, u->credentials.text, n);
    user[n] = '\0';
    const struct digest_answer w = {.user = user, .password = colon ? colon + 1 : "", .method = "CONNECT", .uri = uri,
                                    .cnonce = cnonce, .count = u->count};
    int rc = digest_make_cnonce(cnonce, e);
    if (rc == 0)
        rc = digest_write(&u->digest, &w, out, e);
    explicit_bzero(user, sizeof user);
    return rc;
}

static int write_token(struct auth *u, struct buf *out, struct err *e)
{
    const char *name = scheme_name(u->scheme);
    if (!u->token && auth_helper_begin(u, e) < 0)
        return -1;
    if (buf_grow(out, out->len + strlen(name) + strlen(u->token) + 64) < 0)
        return err_nomem(e);
    buf_put(out, name, strlen(name));
    buf_put(out, " ", 1);
    buf_put(out, u->token, strlen(u->token));
    return 0;
}

int auth_write(struct auth *u, const char *uri, struct buf *out, struct err *e)
{
    static const char field[] = "Proxy-authorization: ";
    if (u->scheme == SCHEME_NONE)
        return 0;
    if (buf_grow(out, out->len + sizeof field + 64) < 0)
        return err_nomem(e);
    buf_put(out, field, sizeof field - 1);
    int rc = u->scheme == SCHEME_BASIC    ? write_basic(u, out, e)
             : u->scheme == SCHEME_DIGEST ? write_digest(u, uri, out, e)
                                          : write_token(u, out, e);
    if (rc == 0 && buf_grow(out, out->len + 64) < 0)
        return err_nomem(e);
    if (rc == 0)
        buf_put(out, "\r\n", 2);
    return rc;
}

/* ---- going on ---- */

static bool can(const struct auth *u, const struct challenges *c, enum scheme s)
{
    bool means = needs_helper(s) ? opt_find(u->addr, &opt_auth_helper) != NULL : u->known;
    return c->offered & 1U << s && !(u->refused & 1U << s) && means && allows(u->addr, s);
}

/* Of two that the helper could speak, the one that it does. */
static enum scheme spoken(const struct auth *u, const struct challenges *c, enum scheme s)
{
    static const char ntlmssp[] = "TlRMTVNTUA"; /* "NTLMSSP" in base64 */
    bool raw = strncmp(u->token, ntlmssp, sizeof ntlmssp - 1) == 0;
    return s == SCHEME_NEGOTIATE && raw && can(u, c, SCHEME_NTLM) ? SCHEME_NTLM : s;
}

static int choose(struct auth *u, const struct challenges *c, struct err *e)
{
    int s = SCHEMES - 1;
    while (s > SCHEME_NONE && !can(u, c, (enum scheme)s))
        s--;
    if (s == SCHEME_NONE) {
        auth_forget(u);
        return 0;
    }
    u->scheme = (enum scheme)s;
    u->digest = c->digest;
    if (needs_helper(u->scheme)) {
        if (auth_helper_begin(u, e) < 0)
            return -1;
        u->scheme = spoken(u, c, u->scheme);
    }
    auth_remember(u);
    diag(DIAG_INFO, "the proxy offers %s: it gets %s", c->names, scheme_name(u->scheme));
    return 1;
}

/* The password was right, but the nonce too old; or it may have been, after it had been taken before. */
static bool renews(const struct auth *u, const struct challenges *c)
{
    return u->scheme == SCHEME_DIGEST && c->offered & 1U << SCHEME_DIGEST && (c->digest.stale || u->proven);
}

int auth_go_on(struct auth *u, const struct challenges *c, struct err *e)
{
    if (needs_helper(u->scheme) && c->token[u->scheme]) {
        u->bound = true;
        return auth_helper_go_on(u, c->token[u->scheme], e) < 0 ? -1 : 1;
    }
    if (!renews(u, c))
        u->refused |= 1U << u->scheme;
    u->proven = false;
    return choose(u, c, e);
}

/* What is missing, or has been tried. */
void auth_hint(const struct auth *u, const struct challenges *c, char *to, size_t cap)
{
    const char *offers = c->names;
    bool helped = opt_find(u->addr, &opt_auth_helper), said = u->refused & ~(1U << SCHEME_NONE);
    bool speaks = c->offered & (1U << SCHEME_BASIC | 1U << SCHEME_DIGEST);
    const char *way = u->known || helped ? "none of what it offers is to be used" : offers[0] && !speaks ? "give proxy-auth-helper" : "give proxy-authorization";
    if (said)
        (void)snprintf(to, cap, " (the credentials were sent%s%s)", offers[0] ? "; it offers " : "", offers);
    else
        (void)snprintf(to, cap, offers[0] ? "; %s (it offers %s)" : "; %s%s", way, offers);
}
