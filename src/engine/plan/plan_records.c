/* SPDX-License-Identifier: GPL-2.0-or-later
 * Bytes or records, hop by hop: a hop is the place between two links, or before an end. On it a flow is
 * of records if they come as such and whoever takes them next knows what to do with it. */
#include "engine/plan/plan_records.h"

#include <sys/socket.h>

#include "catena/options.h"

enum form_records records_of(const struct addr *a)
{
    long long type = opt_int(a, &opt_so_type, -1);
    if (type < 0 || a->form->records == RECORDS_ONE)
        return a->form->records;
    return type == SOCK_STREAM ? RECORDS_NONE : RECORDS_MANY;
}

static bool is_of_records(const struct addr *a)
{
    return records_of(a) == RECORDS_MANY || records_of(a) == RECORDS_ONE;
}

const struct codec_ops *plan_codec(const struct plan_link *l, int source, const struct addr **a)
{
    bool forward = source != l->wire;
    bool encode = forward;
    *a = l->fwd;
    if (l->back) { /* each half of a dual is used in its own forward direction */
        *a = forward ? l->fwd : l->back;
        encode = !(forward ? l->fwd_swapped : l->back_swapped);
    }
    const struct form *f = (*a)->form;
    const struct codec_pair *pair = f->kind == FORM_CODEC ? f->ops.codec : addr_leaves(*a);
    if (!pair || pair->passes)
        return NULL;
    const struct codec_ops *ops = encode ? pair->encode : pair->decode;
    return ops ? ops : pair->encode;
}

enum link_records link_records(const struct plan_link *l, int source)
{
    const struct addr *a;
    const struct codec_ops *codec = plan_codec(l, source, &a);
    if (l->fate == FATE_NOTHING || (l->fate == FATE_DIALOG && !(codec && codec->takes_records)))
        return LINK_KEEPS;
    if (a->form->kind == FORM_PROGRAM)
        return 0;
    if (a->form->kind == FORM_SESSION) {
        const struct session_ops *s = a->form->ops.session;
        bool down = l->wire != source;
        return ((down && s->records) || s->over_records ? LINK_TAKES : 0) |
               ((down ? s->over_records : s->records) ? LINK_GIVES : 0);
    }
    if (!codec || codec->looks)
        return LINK_KEEPS;
    return (codec->takes_records ? LINK_TAKES : 0) | (codec->gives_records ? LINK_GIVES : 0);
}

/* The n-th hop or link that a flow meets, by its number on the line, of so many. */
static size_t nth(size_t n, size_t of, int source)
{
    return source == LEFT ? n : of - 1 - n;
}

static void settle_flow(struct plan *p, int source)
{
    size_t hops = p->nlinks + 1;
    const struct plan_end *from = &p->end[source];
    bool records = is_of_records(from->back ? from->back : from->fwd);
    for (size_t i = 0; i < hops; i++) {
        p->hops[nth(i, hops, source)].records[source] = records;
        enum link_records l = i < p->nlinks ? link_records(&p->links[nth(i, p->nlinks, source)], source) : 0;
        records = l & LINK_KEEPS ? records : l & LINK_GIVES;
    }
    records = is_of_records(p->end[!source].fwd);
    for (size_t i = hops; i-- > 0;) {
        p->hops[nth(i, hops, source)].records[source] &= records;
        enum link_records l = i > 0 ? link_records(&p->links[nth(i - 1, p->nlinks, source)], source) : 0;
        records = l & LINK_KEEPS ? records : l & LINK_TAKES;
    }
}

/* The first that does something to what comes from there, if it makes frames of records; or NULL. */
static struct plan_link *frames_of(const struct plan *p, int source)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        struct plan_link *l = &p->links[nth(i, p->nlinks, source)];
        enum link_records does = link_records(l, source);
        const struct form *f = l->fwd->form;
        bool frames = f->kind == FORM_CODEC || (f->kind == FORM_SESSION && f->ops.session->empty_records);
        if (!(does & LINK_KEEPS))
            return does & LINK_TAKES && frames ? l : NULL;
    }
    return NULL;
}

static int settle_frames(struct plan *p, int source, struct err *e)
{
    const struct plan_end *from = &p->end[source];
    struct plan_link *l = frames_of(p, source);
    const struct addr *a;
    p->framed[source] = l != NULL;
    if (!l || !is_of_records(from->back ? from->back : from->fwd))
        return 0;
    (void)plan_codec(l, source, &a);
    struct addr *of_packets = arena_alloc(&p->arena, sizeof *of_packets);
    if (!of_packets)
        return err_nomem(e);
    *of_packets = *a;
    of_packets->packets = true;
    *(a == l->back ? &l->back : &l->fwd) = of_packets;
    return 0;
}

/* What comes to it from the end of the line may turn out to be packets. */
static bool may_come(const struct plan *p, size_t link, int source)
{
    const struct plan_end *from = &p->end[source];
    bool first = nth(link, p->nlinks, source) == 0;
    return p->hops[link + (source == LEFT ? 0 : 1)].records[source] ||
           (first && records_of(from->back ? from->back : from->fwd) == RECORDS_EITHER);
}

static int check_streams(const struct plan *p, int source, struct err *e)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct plan_link *l = &p->links[i];
        const struct addr *a;
        const struct codec_ops *codec = plan_codec(l, source, &a);
        if (!codec || !codec->only_records || !(source == LEFT ? l->to_right : l->to_left) || may_come(p, i, source))
            continue;
        return err_at(e, a->at, "%s: what comes to it from the %s is a stream of bytes, which has no packets to be "
                                "lost, doubled or exchanged: its reader would only get wrong data. Where there are "
                                "packets is beside UDP, TUN and their like, and behind lines, netstring, length16 and "
                                "their kin; a slow or late stream is made by throttle and delay",
                      a->label, source == LEFT ? "left" : "right");
    }
    return 0;
}

int plan_settle_records(struct plan *p, struct err *e)
{
    p->hops = arena_alloc(&p->arena, (p->nlinks + 1) * sizeof *p->hops);
    if (!p->hops)
        return err_nomem(e);
    for (int source = LEFT; source <= RIGHT; source++) {
        settle_flow(p, source);
        if (settle_frames(p, source, e) < 0 || check_streams(p, source, e) < 0)
            return -1;
    }
    return 0;
}
