/* SPDX-License-Identifier: GPL-2.0-or-later
 * Maps of names, read once and before anything is opened; the chains that they name are planned then. See
 * catena/routes.h. */
#include "catena/routes.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/file_text.h"
#include "catena/options.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "engine/plan/bind.h"
#include "engine/plan/routes_plan.h"
#include "engine/plan/secret.h"

enum { MAP_MAX = 1 << 20, HOST_MAX = 255 };
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"

/* ---- one line ---- */

struct reader {
    struct plan *plan;
    struct routes *routes;
    const char *line; /* the text of it, for the caret */
    unsigned number;
};

static int bad(const struct reader *r, const char *from, size_t n, struct err *e, const char *why)
{
    return err_at(e, (struct span){r->line, (size_t)(from - r->line), n}, "%s, line %u: %s", r->routes->file, r->number, why);
}

/* "host:port", "192.0.2.1:80", "[::1]:80" and nothing else. */
static bool split_host(struct arena *mem, const char *target, struct route *to)
{
    const char *colon = strrchr(target, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0, n = colon ? (size_t)(colon - target) : 0;
    bool ip6 = n > 2 && target[0] == '[' && target[n - 1] == ']';
    if (digits == 0 || digits > 5 || colon[1 + digits] || atoi(colon + 1) < 1 || atoi(colon + 1) > UINT16_MAX || n == 0 ||
        n > HOST_MAX || (ip6 ? strspn(target + 1, "0123456789abcdefABCDEF:.") != n - 2 : strspn(target, LETTERS) != n))
        return false;
    to->host = arena_strndup(mem, target, n);
    to->port = colon + 1;
    return true;
}

static int take_target(struct reader *r, const char *target, struct route *to, struct err *e)
{
    size_t n = strlen(target);
    if (n == 0)
        return bad(r, target, 0, e, "a name needs behind it where it leads, <host>:<port> or a chain");
    to->chain = target;
    if (!split_host(&r->plan->arena, target, to))
        return 0;
    char *chain = arena_alloc(&r->plan->arena, n + 5);
    if (!chain || !to->host)
        return err_nomem(e);
    (void)snprintf(chain, n + 5, "tcp:%s", target);
    to->chain = chain;
    return 0;
}

/* Secrets in the text, of which the chain is the end, are shown by no message that quotes it. */
static int hide_secrets(struct plan *p, const char *text, const char *chain, struct err *e)
{
    struct diag_hidden *h = arena_alloc(&p->arena, sizeof *h);
    char *shown = arena_strndup(&p->arena, text, strlen(text));
    if (!h || !shown)
        return err_nomem(e);
    if (secret_mask(p->known, shown + (chain - text), p->no_holes, e) < 0)
        return -1;
    *h = (struct diag_hidden){.owner = p, .real = text, .shown = shown};
    if (strcmp(shown, text) != 0)
        diag_hide(h);
    return 0;
}

/* The line is the arena's. */
static int read_line(struct reader *r, char *line, struct err *e)
{
    char *from = line + strspn(line, " \t"), *end = line + strlen(line);
    while (end > from && strchr(" \t\r", end[-1]))
        *--end = '\0';
    if (!*from || *from == '#')
        return 0;
    r->line = line;
    size_t n = strcspn(from, " \t");
    bool named = strspn(from, LETTERS "*") == n;
    const char *target = from + n + strspn(from + n, " \t");
    if (hide_secrets(r->plan, line, named ? target : from, e) < 0 || hide_secrets(r->plan, target, target, e) < 0)
        return -1;
    if (!named)
        return bad(r, from, n, e, "a name has letters, digits, - . and _, and * stands for anything");
    struct route *to = &r->routes->v[r->routes->n];
    *to = (struct route){.line = r->number, .pattern = arena_strndup(&r->plan->arena, from, n)};
    if (!to->pattern)
        return err_nomem(e);
    if (take_target(r, target, to, e) < 0)
        return -1;
    r->routes->n++;
    return 0;
}

/* ---- the file ---- */

static int read_lines(struct reader *r, const char *text, size_t n, struct err *e)
{
    size_t lines = 1;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    if (!(r->routes->v = arena_alloc(&r->plan->arena, lines * sizeof *r->routes->v)))
        return err_nomem(e);
    for (const char *at = text, *end = text + n; at < end;) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);
        char *line = arena_strndup(&r->plan->arena, at, len);
        r->number++;
        if (!line)
            return err_nomem(e);
        if (strlen(line) != len)
            return err_set(e, ERR_USAGE, "%s, line %u: has a NUL byte in it", r->routes->file, r->number);
        if (read_line(r, line, e) < 0)
            return -1;
        at += len + 1;
    }
    return r->routes->n > 0 ? 0 : err_set(e, ERR_USAGE, "%s: no line says where anything leads", r->routes->file);
}

static int read_map(struct plan *p, const struct addr *a, const struct opt *o, struct err *e)
{
    char *text;
    size_t n;
    struct routes *new = arena_alloc(&p->arena, sizeof *new);
    if (!new)
        return err_nomem(e);
    *new = (struct routes){.next = p->routes, .file = o->v.s, .place = a->place};
    struct reader r = {.plan = p, .routes = new};
    if (file_text("the map", o->v.s, MAP_MAX, NULL, &text, &n, e) < 0)
        return p->settings->dry_run ? 0 : err_wrap(e, "%s", a->label); /* a dry run names it among what is missing */
    int rc = read_lines(&r, text, n, e);
    free(text);
    p->routes = new;
    return rc;
}

/* ---- chains ---- */

/* But not what there is to say of the left chain: that is said already. */
static void take_notes(const struct plan *p, struct plan_note **to, struct plan_note **from)
{
    while (*to)
        to = &(*to)->next;
    for (struct plan_note *n = *from, *next; n; n = next) {
        next = n->next;
        n->next = NULL;
        if (n->what.where.text == p->text[LEFT])
            continue;
        *to = n;
        to = &n->next;
    }
    *from = NULL;
}

static int plan_route(struct plan *p, const struct routes *of, struct route *to, struct err *e)
{
    if (plan_make_route(p->settings, p->text[LEFT], to->chain, to->pattern, &to->plan, e) < 0)
        return err_wrap(e, "%s, line %u", of->file, to->line);
    if (to->plan->nlinks > p->nfigures)
        p->nfigures = to->plan->nlinks;
    int rc = plan_look_up(to->plan, e);
    take_notes(p, &p->notes, &to->plan->notes);
    take_notes(p, &p->missing, &to->plan->missing);
    return rc < 0 ? err_wrap(e, "%s, line %u", of->file, to->line) : 0;
}

static int needs_route(const struct routes *of, const struct route *to, struct err *e)
{
    return err_at(e, (struct span){to->chain, 0, strlen(to->chain)},
                  "%s, line %u: a chain takes the place of the right one, which has to be ROUTE then", of->file, to->line);
}

static int plan_routes(struct plan *p, struct routes *of, struct err *e)
{
    bool routed = p->end[RIGHT].fwd->form->routed;
    for (size_t i = 0; i < of->n; i++)
        if (routed ? plan_route(p, of, &of->v[i], e) < 0 : !of->v[i].host && needs_route(of, &of->v[i], e) < 0)
            return -1;
    return 0;
}

int routes_read(struct plan *p, struct err *e)
{
    for (size_t i = 0; i < p->nlinks && !p->is_route; i++) {
        const struct addr *a = p->links[i].fwd;
        const struct opt *o = opt_find(a, &opt_to);
        if (o && o->hole)
            return err_at(e, o->at, "%s: option to: the map is read at the start, when no facts are known", a->label);
        if (o && read_map(p, a, o, e) < 0)
            return -1;
    }
    for (struct routes *of = p->routes; of; of = of->next)
        if (plan_routes(p, of, e) < 0)
            return -1;
    return 0;
}

void routes_free(struct plan *p)
{
    diag_hide_no_more(p);
    for (const struct routes *of = p->routes; of; of = of->next)
        for (size_t i = 0; i < of->n; i++)
            plan_free(of->v[i].plan);
}

/* ---- choosing ---- */

static const struct routes *routes_of(const struct plan *p, const struct addr *a)
{
    const struct routes *of = p->routes;
    while (of && of->place != a->place)
        of = of->next;
    return of;
}

static int tell(const struct addr *a, struct run *r, const struct routes *of, const struct route *to, struct err *e)
{
    char line[12];
    diag(DIAG_INFO, "%s, line %u: the connection goes to %s", of->file, to->line, to->host ? to->chain : "the chain there");
    (void)snprintf(line, sizeof line, "%u", to->line);
    if (run_set_fact(r, a, "route", line, e) < 0)
        return -1;
    return to->host && (run_set_fact(r, a, "targethost", to->host, e) < 0 || run_set_fact(r, a, "targetport", to->port, e) < 0)
               ? -1
               : 0;
}

int routes_choose(const struct addr *a, struct run *r, const char *name, struct err *e)
{
    const struct routes *of = routes_of(r->plan, a);
    for (size_t i = 0; of && i < of->n; i++)
        if (fnmatch(of->v[i].pattern, name, FNM_CASEFOLD | FNM_NOESCAPE) == 0)
            return tell(a, r, of, &of->v[i], e);
    if (!of)
        return 0;
    return err_set(e, ERR_RULES, *name ? "no line of %s says where \"%s\" leads" : "no line of %s is for a client who names nothing%s",
                   of->file, name);
}

const struct route *routes_chosen(struct run *r)
{
    char line[12];
    for (const struct routes *of = r->plan->routes; of; of = of->next) {
        const struct addr who = {.place = of->place};
        if (!run_told(r, &who, "route", line, sizeof line))
            continue;
        for (size_t i = 0; i < of->n; i++)
            if (of->v[i].line == (unsigned)atoi(line))
                return &of->v[i];
    }
    return NULL;
}
