/* SPDX-License-Identifier: GPL-2.0-or-later
 * catena --explain: the plan in sentences. What each piece is and does, what its options do, what is plain and
 * what is encrypted on which part of the way, who is verified and how. */
#include <stdlib.h>
#include <string.h>

#include "catena/catena.h"
#include "catena/endpoint.h"
#include "catena/options.h"
#include "catena/registry.h"
#include "engine/cli/plan_views.h"
#include "engine/cli/wrap.h"

/* ---- a piece ---- */

/* The option of that name, as its address knows it; NULL: not given. */
static const struct opt *given(const struct addr *a, const char *name)
{
    const struct option_desc *d = option_lookup_at(a->catena->known, a->form, name);
    return d ? opt_find(a, d) : NULL;
}

static const char *given_text(const struct addr *a, const char *name)
{
    const struct opt *o = given(a, name);
    return o ? o->v.s : NULL;
}

static void options(const struct addr *a, FILE *f)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        fprintf(f, "      %s", o->desc->name);
        if (o->v.given && o->desc->secret != SECRET_TEXT)
            fprintf(f, "=%.*s", (int)o->at.len, o->at.text + o->at.off);
        fprintf(f, ": %s\n", o->desc->help ? o->desc->help : "an option");
    }
}

static bool is_tls(const struct addr *a)
{
    return a->form->kind == FORM_SESSION && a->form->groups & GROUP_OPENSSL;
}

static void vouched(const struct addr *a, bool client, FILE *f)
{
    const struct opt *name = given(a, "openssl-commonname");
    const char *cafile = given_text(a, "openssl-cafile"), *capath = given_text(a, "openssl-capath");
    fprintf(f, "      The %s has to show a certificate that %s%s vouches for", client ? "server" : "client",
            cafile ? "an authority of " : capath ? "an authority in " : "an authority of this system",
            cafile ? cafile : capath ? capath : "");
    if (name && name->v.s && name->v.s[0])
        fprintf(f, ", for the name %s", name->v.s);
    else if (name)
        fprintf(f, ", for any name");
    else if (client && a->host)
        fprintf(f, ", for the name %s", a->host_place ? "that the line leads to" : a->host);
    fprintf(f, "%s.\n", given(a, "openssl-pin-sha256") ? ", and with a key that is pinned" : "");
}

/* Keys that both sides have beforehand. Does anything else count? */
static bool known_keys(const struct addr *a, bool client, FILE *f)
{
    bool has_own = given(a, "openssl-certificate") || given(a, "openssl-p12");
    if (!given(a, "openssl-psk") && !given(a, "openssl-psk-file"))
        return true;
    if (client)
        fprintf(f, "      The server has to have the key that is known to both sides; certificates do not count.\n");
    else if (!has_own)
        fprintf(f, "      A client has to have a key that is known to both sides; nobody else gets in.\n");
    else
        fprintf(f, "      A client that has a key known to both sides needs no certificate. As to all others:\n");
    return !client && has_own;
}

/* Who is verified, and by what. */
static void verification(const struct addr *a, FILE *f)
{
    const struct opt *verify = given(a, "openssl-verify");
    bool client = a->form->role == ROLE_CLIENT;
    if (!known_keys(a, client, f))
        return;
    if (!verify || verify->v.i != 0)
        vouched(a, client, f);
    else if (given(a, "openssl-pin-sha256"))
        fprintf(f, "      The %s has to have a key that is pinned (pin-sha256); who vouches for it, and for which name, does not count.\n",
                client ? "server" : "client");
    else
        fprintf(f, client ? "      The server is NOT verified: whoever is on the way can read and change it all.\n"
                          : "      Clients show no certificate: anybody may connect.\n");
}

static void listening(const struct addr *a, FILE *f)
{
    if (a->form->kind != FORM_ENDPOINT || !a->form->ops.endpoint->listen)
        return;
    const struct opt *range = given(a, "range"), *bound = given(a, "bind");
    fprintf(f, "      It waits for connections%s%.*s; %s.\n", bound ? " at " : "", bound ? (int)bound->at.len : 0,
            bound ? bound->at.text + bound->at.off : "",
            opt_true(a, &opt_fork)     ? "each gets a process of its own"
            : opt_true(a, &opt_thread) ? "a few threads serve all of them"
                                       : "it serves one, and ends with it");
    if (range)
        fprintf(f, "      Only peers of %.*s are let in.\n", (int)range->at.len, range->at.text + range->at.off);
}

static void piece(const struct addr *a, const char *mark, FILE *f)
{
    fprintf(f, "  %s", mark);
    plan_view_address(a, f);
    fprintf(f, "\n      %s\n", a->form->help ? a->form->help : "");
    listening(a, f);
    if (is_tls(a))
        verification(a, f);
    options(a, f);
}

static const char *half(bool dual, int which)
{
    return !dual ? "" : which == 0 ? "to the right: " : "to the left: ";
}

/* ---- the way ---- */

/* Is what goes there, so many links being left of it, inside of a TLS session? */
static bool encrypted(const struct plan *p, size_t hop)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct plan_link *l = &p->links[i];
        if (is_tls(l->fwd) && (l->wire == RIGHT ? i < hop : i >= hop))
            return true;
    }
    return false;
}

static void way(const struct plan *p, FILE *f)
{
    bool any = false;
    fprintf(f, "the way, and who could read along:\n");
    for (size_t hop = 0; hop <= p->nlinks; hop++) {
        const struct addr *left = hop > 0 ? p->links[hop - 1].fwd : p->end[LEFT].fwd;
        const struct addr *right = hop < p->nlinks ? p->links[hop].fwd : p->end[RIGHT].fwd;
        fprintf(f, "  ");
        plan_view_address(left, f);
        fprintf(f, " -- ");
        plan_view_address(right, f);
        fprintf(f, ": %s\n", encrypted(p, hop) ? "encrypted" : "plain");
        any |= encrypted(p, hop);
    }
    for (int side = LEFT; side <= RIGHT; side++) {
        const struct addr *a = p->end[side].fwd;
        bool network = a->form->role != ROLE_NONE && a->form->groups & (GROUP_IP4 | GROUP_IP6);
        if (!network || encrypted(p, side == LEFT ? 0 : p->nlinks))
            continue;
        fprintf(f, "  So plain text goes through the network at ");
        plan_view_address(a, f);
        fprintf(f, "%s.\n", any ? ", beside the encrypted part" : "");
    }
}

static void directions(const struct plan *p, FILE *f)
{
    const struct settings *s = p->settings;
    if (s->to_right && s->to_left)
        fprintf(f, "Both ways at once, each until its end.\n");
    else
        fprintf(f, "One way only: from %s to %s.\n", s->to_right ? "left" : "right", s->to_right ? "right" : "left");
}

static void explain(const struct plan *p, FILE *f)
{
    fprintf(f, "from left to right:\n");
    for (int i = 0; i < (p->end[LEFT].back ? 2 : 1); i++)
        piece(i ? p->end[LEFT].back : p->end[LEFT].fwd, half(p->end[LEFT].back, !i), f);
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct plan_link *l = &p->links[i];
        piece(l->fwd, l->reversed ? "^" : half(l->back, 0), f);
        if (l->back)
            piece(l->back, half(true, 1), f);
    }
    for (int i = 0; i < (p->end[RIGHT].back ? 2 : 1); i++)
        piece(i ? p->end[RIGHT].back : p->end[RIGHT].fwd, half(p->end[RIGHT].back, i), f);
    directions(p, f);
    way(p, f);
    if (p->trunk) {
        fprintf(f, "All connections share what is behind, which is opened for the first of them, and again when it has ended;\n");
        explain(p->trunk, f);
    }
    if (p->missing)
        fprintf(f, "not there by now:\n");
    for (const struct plan_note *n = p->missing; n; n = n->next)
        fprintf(f, "  %s\n", n->what.text);
}

static void sentences(const struct plan *p, FILE *f)
{
    explain(p, f);
    fprintf(f, "How it is built: -n. As data: -n=json; as a picture: -n=dot.\n");
}

/* Without memory the lines are as long as they are. */
void plan_explain(const struct plan *p, FILE *f)
{
    char *text = NULL;
    size_t n = 0, width = f == stdout ? wrap_width() : 0;
    FILE *memory = width > 0 ? open_memstream(&text, &n) : NULL;
    sentences(p, memory ? memory : f);
    if (memory && fclose(memory) == 0)
        wrap_print(f, text, width, 2);
    free(text);
}
