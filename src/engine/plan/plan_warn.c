/* SPDX-License-Identifier: GPL-2.0-or-later
 * What is possible and yet hardly meant: see plan_warn.h. */
#include "engine/plan/plan_warn.h"

#include "catena/options.h"
#include "engine/plan/bind.h"
#include "engine/plan/plan_controls.h"
#include "engine/plan/plan_records.h"
#include "catena/endpoint.h"
#include "catena/inter.h"

/* ---- wires ---- */

static const char *does(enum form_role role)
{
    return role == ROLE_SERVER ? "waits for clients" : "connects to a server";
}

static const char *is(enum form_role role)
{
    return role == ROLE_SERVER ? "a server" : "a client";
}

/* Does it play the part that who is at that end of the line needs? */
static bool fits(const struct plan *p, const struct plan_link *l, int side)
{
    enum form_role end = p->end[side].fwd->form->role;
    return end == ROLE_NONE || end == l->fwd->form->role;
}

/* Another session on the way that faces this one is its peer. */
static bool meets_another(const struct plan *p, size_t link)
{
    int wire = p->links[link].wire;
    size_t step = wire == RIGHT ? 1 : (size_t)-1;
    for (size_t i = link + step; i < p->nlinks; i += step)
        if (p->links[i].fwd->form->kind == FORM_SESSION && p->links[i].wire != wire)
            return true;
    return false;
}

/* turned: it would fit with its sides exchanged. */
static const char *remedy(const struct plan_link *l, bool turned)
{
    if (turned)
        return l->reversed ? "without the \"^\" its wire side is on the other side"
                           : "a \"^\" before it puts its wire side on the other side";
    if (l->fwd->form->kind != FORM_SESSION)
        return "is an address meant that connects?";
    bool tls = l->fwd->form->groups & GROUP_OPENSSL, server = l->fwd->form->role == ROLE_SERVER;
    return tls ? server ? "is the TLS client meant?" : "is the TLS server meant?"
               : server ? "is the client meant?" : "is the server meant?";
}

static int warn_wire(struct plan *p, const struct plan_link *l, struct err *e)
{
    const struct addr *a = l->fwd, *end = p->end[l->wire].fwd;
    bool turned = p->end[!l->wire].fwd->form->role == a->form->role;
    return note_add(&p->arena, &p->notes, DIAG_WARN, ERR_WARN_WIRE, a->at,
                    "%s: its wire side leads to %s, which %s, while it is %s itself: it will "
                    "hardly find its peer there; %s", a->label, end->label, does(end->form->role),
                    is(a->form->role), remedy(l, turned)) < 0
               ? err_nomem(e)
               : 0;
}

static int warn_wires(struct plan *p, struct err *e)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct plan_link *l = &p->links[i];
        if (l->fwd->form->role == ROLE_NONE || p->end[l->wire].back || fits(p, l, l->wire) ||
            meets_another(p, i))
            continue;
        if (warn_wire(p, l, e) < 0)
            return -1;
    }
    return 0;
}

/* A server behind other links is made with them, when all is open. */
static int warn_unproved(struct plan *p, struct err *e)
{
    for (size_t i = p->nproofs; i < p->nitems && !p->settings->unfused && !p->settings->comm_given; i++) {
        const struct plan_link *l = p->items[i].link;
        if (!l || l->chain != RIGHT || l->wire != LEFT || l->fwd->form->role != ROLE_SERVER ||
            p->end[LEFT].fwd->form->role != ROLE_SERVER || meets_another(p, (size_t)(l - p->links)))
            continue;
        return note_add(&p->arena, &p->notes, DIAG_WARN, ERR_WARN_PROOF, l->fwd->at,
                        "%s: what is behind it is opened before its client has proved who he is; as the "
                        "first link of the chain it would ask before", l->fwd->label) < 0
                   ? err_nomem(e)
                   : 0;
    }
    return 0;
}

/* ---- packets ---- */

/* What the packets of a flow come from and where they end to be any, by links and ends: an address that gives
 * them, and one that makes a stream of them. */
struct boundaries {
    const struct addr *from, *end; /* from: NULL, there are none by now */
    bool link;                     /* a link makes the stream, not the end of the line */
};

static void pass_link(struct boundaries *b, const struct plan_link *l, int source)
{
    const struct addr *a;
    enum link_records does = link_records(l, source);
    (void)plan_codec(l, source, &a);
    bool session = a->form->kind == FORM_SESSION;
    bool through = session && a->form->ops.session->over_records && l->wire == source;
    if (b->end || does & LINK_KEEPS || through) /* packets from its wire are packets of its data */
        return;
    if (b->from && !(does & LINK_TAKES) && !session) {
        b->end = a;
        b->link = true;
    } else {
        b->from = does & LINK_GIVES && a->form->kind == FORM_CODEC ? a : NULL; /* a stream has bytes, too */
    }
}

static struct boundaries boundaries_of(const struct plan *p, int to)
{
    const struct plan_end *source = &p->end[!to];
    const struct addr *from = source->back ? source->back : source->fwd;
    struct boundaries b = {.from = records_of(from) == RECORDS_MANY ? from : NULL};
    for (size_t k = 0; k < p->nlinks; k++)
        pass_link(&b, &p->links[to == RIGHT ? k : p->nlinks - 1 - k], !to);
    enum form_records out = records_of(p->end[to].fwd);
    if (b.from && !b.end && out != RECORDS_MANY && out != RECORDS_ONE)
        b.end = p->end[to].fwd;
    return b;
}

/* Where people or files get the bytes, hardly anybody misses the boundaries. */
static enum diag_level level_of(const struct plan *p, const struct addr *where)
{
    bool passed_on = where->form->right != RIGHT_NONE ||
                     ((where->form->role != ROLE_NONE || where->form->groups & GROUP_EXEC) &&
                      records_of(where) == RECORDS_NONE);
    return p->settings->v1_name || !passed_on ? DIAG_NOTICE : DIAG_WARN;
}

static int warn_packets(struct plan *p, int to, struct err *e)
{
    struct boundaries b = boundaries_of(p, to);
    if (!b.end)
        return 0;
    bool surely = b.link || records_of(b.end) == RECORDS_NONE;
    if (surely)
        p->merged[to] = b.end;
    /* who takes frames off may well want a stream */
    enum diag_level level = b.from->form->kind == FORM_CODEC ? DIAG_NOTICE : level_of(p, b.end);
    return note_add(&p->arena, &p->notes, level, ERR_WARN_PACKETS, b.end->at,
                    "%s: the boundaries of packets from %s end here, where they become a stream%s; "
                    "where they matter, lead to an address of packets, or through frames (length16, netstring, "
                    "lines, slip and their kin) or TLS, which has a record for each", b.end->label, b.from->label,
                    surely ? "" : " unless packets are taken here, too") < 0
               ? err_nomem(e)
               : 0;
}

/* A session over packets, in front of a stream: records have no boundaries there. */
static int warn_stream(struct plan *p, size_t link, struct err *e)
{
    const struct plan_link *l = &p->links[link];
    const struct addr *end = p->end[l->wire].fwd;
    size_t step = l->wire == RIGHT ? 1 : (size_t)-1;
    for (size_t i = link + step; i < p->nlinks; i += step)
        if (p->links[i].fate != FATE_NOTHING)
            return 0; /* that one may have records */
    if (records_of(end) != RECORDS_NONE)
        return 0;
    return note_add(&p->arena, &p->notes, DIAG_WARN, ERR_WARN_PACKETS, l->fwd->at,
                    "%s: its wire is of packets, but leads to %s, which is a stream: what is one record will "
                    "not be told from the next; udp and unix-sendto carry packets", l->fwd->label,
                    end->label) < 0
               ? err_nomem(e)
               : 0;
}

static int warn_streams(struct plan *p, struct err *e)
{
    for (size_t i = 0; i < p->nlinks; i++)
        if (p->links[i].fwd->form->kind == FORM_SESSION && p->links[i].fwd->form->ops.session->over_records &&
            warn_stream(p, i, e) < 0)
            return -1;
    return 0;
}

/* ---- proxies ---- */

/* A session has an end of its own: where one stands before or behind, shut-none is no remedy. */
static bool has_session(const struct plan *p, int chain)
{
    bool has = false;
    for (size_t i = 0; i < p->nlinks; i++)
        has |= p->links[i].chain == chain && p->links[i].fwd->form->kind == FORM_SESSION;
    return has;
}

/* What only a dry run says, for whether the proxy is of that sort is not to be known here. */
static int warn_proxies(struct plan *p, struct err *e)
{
    bool two_way = p->settings->to_right && p->settings->to_left;
    for (size_t i = 0; p->settings->dry_run && two_way && i < p->nlinks; i++) {
        const struct plan_link *l = &p->links[i];
        const struct addr *end = p->end[l->wire].fwd;
        if (l->fate != FATE_DIALOG || l->fwd->form->role != ROLE_CLIENT || !(link_records(l, LEFT) & LINK_KEEPS) ||
            !(l->fwd->form->groups & (GROUP_SOCKS | GROUP_HTTP)) || end->form->role == ROLE_SERVER || has_session(p, l->chain) ||
            opt_true(end, &opt_shut_none) || opt_true(end, &opt_end_close))
            continue;
        return note_add(&p->arena, &p->notes, DIAG_WARN, ERR_NONE, l->fwd->at,
                        "%s: many proxies take the end of what is sent for the end of everything, and "
                        "cut the answer off; option shut-none of %s keeps that end back (then -t says "
                        "how long to wait for the answer), TLS through the proxy has an end of its own",
                        l->fwd->label, end->label) < 0
                   ? err_nomem(e)
                   : 0;
    }
    return 0;
}

int plan_warn(struct plan *p, struct err *e)
{
    return warn_wires(p, e) < 0 || warn_unproved(p, e) < 0 || warn_proxies(p, e) < 0 || warn_streams(p, e) < 0 ||
                   plan_warn_controls(p, e) < 0 ||
                   (p->settings->to_right && warn_packets(p, RIGHT, e) < 0) ||
                   (p->settings->to_left && warn_packets(p, LEFT, e) < 0)
               ? -1
               : 0;
}
