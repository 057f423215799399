/* SPDX-License-Identifier: GPL-2.0-or-later
 * Taps in pcapng: see capture.h.
 *
 * A file has one section, with an interface for each tap of the plan that writes to it, so that a number
 * means the same to all connections, be they forked or in threads. A block is one write, and blocks of
 * different connections do not mix.
 *
 * Who reads it needs the secrets of a session before the packets that they open, but a client's library has
 * them only when the server's answer has gone by here. So what flows towards a session that shakes hands is
 * held back, for a while. */
#include "inter/tap/capture.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/plan.h"
#include "catena/wait.h"
#include "inter/tap/opts_tap.h"
#include "inter/tap/pcapng.h"

enum {
    FRAME_MOST = 65512,       /* bytes behind the header of IP */
    PIPE_MOST = PIPE_BUF - PCAPNG_HEAD - PCAPNG_TAIL - FRAMES_HEAD, /* the same, where a block has to be small */
    HELD_MOST = 256 * 1024,
    HOLD_MS = 10000,
    LOOK_MS = 20,
    INWARD_PORTS = 20000,
    NOWHERE_PORT = 15000,
};

/* ---- the taps of a file ---- */

/* The n-th half of a link on the line, NULL between them. */
static const struct addr *half(const struct plan *p, size_t n)
{
    return n % 2 ? p->links[n / 2].back : p->links[n / 2].fwd;
}

/* Of what has been opened, the address of the plan. */
static const struct addr *planned(const struct plan *p, const struct addr *a)
{
    for (size_t i = 0; i < 2 * p->nlinks; i++)
        if (half(p, i) && half(p, i)->place == a->place)
            return half(p, i);
    return a;
}

/* Writes to the same file as a does. */
static bool shares_file(const struct addr *other, const struct addr *a)
{
    return other && other->form == a->form && tap_is_capture(other) && tap_shares_file(other, a);
}

/* Its number among them. */
static uint32_t number_of(const struct plan *p, const struct addr *a)
{
    uint32_t n = 0;
    for (size_t i = 0; i < 2 * p->nlinks && half(p, i) != a; i++)
        n += shares_file(half(p, i), a);
    return n;
}

/* How many there are between it and the end of its chain. */
static unsigned outside_of(const struct plan *p, size_t link, const struct addr *a)
{
    int chain = p->links[link].chain;
    unsigned n = 0;
    for (size_t i = 0; i < p->nlinks; i++) {
        bool outside = chain == LEFT ? i < link : i > link;
        n += outside && p->links[i].chain == chain &&
             (shares_file(p->links[i].fwd, a) || shares_file(p->links[i].back, a));
    }
    return n;
}

/* ---- the beginning of a file ---- */

static void describe(const struct plan *p, size_t link, const struct addr *a, char *text, size_t cap)
{
    const struct addr *left = link > 0 ? p->links[link - 1].fwd : p->end[LEFT].fwd;
    const struct addr *right = link + 1 < p->nlinks ? p->links[link + 1].fwd : p->end[RIGHT].fwd;
    (void)snprintf(text, cap, "%.90s, between %.90s and %.90s", a->label, left->label, right->label);
}

static void name(const struct addr *a, uint32_t number, char *text, size_t cap)
{
    const char *label = opt_string(a, &opt_label, NULL);
    if (label)
        (void)snprintf(text, cap, "%s", label);
    else
        (void)snprintf(text, cap, "tap%u", number);
}

static int write_header(struct sink *s, const struct plan *p, const struct addr *a, struct err *e)
{
    struct buf b;
    uint32_t n = 0;
    if (buf_init(&b, PCAPNG_HEADER + 2 * p->nlinks * PCAPNG_INTERFACE) < 0)
        return err_nomem(e);
    pcapng_section(&b, diag_prog());
    for (size_t i = 0; i < 2 * p->nlinks; i++) {
        char text[PCAPNG_TEXT], comment[PCAPNG_TEXT];
        if (!shares_file(half(p, i), a))
            continue;
        name(half(p, i), n++, text, sizeof text);
        describe(p, i / 2, half(p, i), comment, sizeof comment);
        pcapng_interface(&b, text, comment);
    }
    sink_write(s, buf_data(&b), b.len);
    buf_fini(&b);
    return 0;
}

/* What is continued is a capture, and ends as one: with the length of its last block, which stands in that twice. */
static int check_continued(const struct sink *s, const char *path, struct err *e)
{
    static const unsigned char section[4] = {0x0a, 0x0d, 0x0d, 0x0a};
    unsigned char first[4];
    uint32_t length, again;
    if (sink_is_new(s))
        return 0;
    bool good = sink_holds(s, 0, first, sizeof first) && memcmp(first, section, sizeof section) == 0 &&
                sink_holds(s, -4, &length, sizeof length) && length >= 12 &&
                sink_holds(s, 4 - (off_t)length, &again, sizeof again) && again == length;
    return good ? 0 : err_set(e, ERR_OTHER, "tap file \"%s\" is there already, and is no whole pcapng capture that could be "
                                            "continued", path);
}

/* A file that is named after the connection may be there already, as another one's. */
int capture_prepare(const struct addr *a, struct run *r, void **shared, struct err *e)
{
    const struct addr *as_planned = planned(r->plan, a);
    struct sink *s = tap_is_capture(a) ? calloc(1, sizeof *s) : NULL;
    if (!s)
        return tap_is_capture(a) ? err_nomem(e) : 0;
    if (sink_open_private(s, r, "tap file", a->params[0], e) < 0 || check_continued(s, a->params[0], e) < 0 ||
        ((as_planned->varies ? sink_is_new(s) : number_of(r->plan, as_planned) == 0) &&
         write_header(s, r->plan, as_planned, e) < 0)) {
        sink_close(s);
        free(s);
        return err_points_at(e, a->param_at[0]);
    }
    *shared = s;
    return 0;
}

void capture_release(void *shared)
{
    sink_close(shared);
    free(shared);
}

/* ---- who talks to whom ---- */

static bool told(const struct outcome *where, const char *fact_addr, const char *fact_port, struct frames_end *out)
{
    char addr[128], port[16], *text = addr;
    if (!outcome_told(where, fact_addr, addr, sizeof addr) || !outcome_told(where, fact_port, port, sizeof port))
        return false;
    size_t n = strlen(addr);
    if (addr[0] == '[' && addr[n - 1] == ']') {
        addr[n - 1] = '\0';
        text++;
    }
    *out = (struct frames_end){.v6 = strchr(text, ':') != NULL, .port = (uint16_t)strtoul(port, NULL, 10)};
    return inet_pton(out->v6 ? AF_INET6 : AF_INET, text, out->addr) == 1;
}

/* Any numbers that the next connection does not have. */
static void any(const struct capture *c, uint32_t out[3])
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint64_t x = (uint64_t)now.tv_sec * 1000000007U + (uint64_t)now.tv_nsec * 2654435761U + (uint64_t)getpid() * 40503U;
    x ^= (uint64_t)(uintptr_t)c >> 4;
    for (int i = 0; i < 3; i++) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        out[i] = (uint32_t)(x >> 32);
    }
}

/* Wireshark tells connections apart by addresses and ports alone: next to the socket they are the real ones, on
 * the way inwards the server has another port at each tap. */
static void settle_ends(struct capture *c, const struct codec_place *where)
{
    static const struct frames_end nowhere[2] = {{.addr = {127, 0, 0, 1}}, {.addr = {127, 0, 0, 2}}};
    const struct plan *p = c->run->plan;
    const int side = p->links[where->link].chain;
    const enum form_role role = p->end[side].fwd->form->role;
    const struct outcome there = {.run = c->run, .place = where->addr->place, .to_right = side == RIGHT};
    struct frames_end *end = c->frames.end;
    uint32_t random[3];
    any(c, random);
    c->outward = side;
    c->frames.client = role == ROLE_CLIENT ? !side : role == ROLE_SERVER ? side : LEFT;
    if (told(&there, "peeraddr", "peerport", &end[side]) && told(&there, "sockaddr", "sockport", &end[!side]) &&
        end[LEFT].v6 == end[RIGHT].v6) {
        end[!c->frames.client].port += (uint16_t)(INWARD_PORTS * outside_of(p, where->link, planned(p, where->addr)));
    } else {
        memcpy(end, nowhere, sizeof nowhere);
        end[c->frames.client].port = (uint16_t)(1024 + random[2] % 60000);
        end[!c->frames.client].port = (uint16_t)(NOWHERE_PORT + c->interface);
    }
    frames_init(&c->frames, random);
}

/* ---- writing ---- */

static void write_secrets(struct capture *c)
{
    const struct run_secret *s;
    if ((!c->faces[LEFT] && !c->faces[RIGHT]) || c->nsecrets == atomic_load(&c->run->nsecrets))
        return;
    while ((s = run_next_secret(c->run, c->secret))) {
        unsigned char room[2048];
        struct buf b = {.p = room, .cap = sizeof room};
        c->secret = s;
        c->nsecrets++;
        if (s->len + PCAPNG_HEAD > sizeof room)
            continue;
        pcapng_secrets(&b, s->line, s->len);
        sink_write(&c->sink, room, b.len);
        explicit_bzero(room, sizeof room);
    }
}

static void release(struct capture *c)
{
    c->hold_until = 0;
    write_secrets(c);
    while (c->held.len > 0) {
        uint32_t n;
        memcpy(&n, buf_data(&c->held) + 4, sizeof n); /* behind the block's type */
        sink_write(&c->sink, buf_data(&c->held), n);
        buf_consume(&c->held, n);
    }
    buf_fini(&c->held);
}

static void hold(struct capture *c, const struct iovec *v, int n)
{
    for (int i = 0; i < n; i++)
        (void)buf_put(&c->held, v[i].iov_base, v[i].iov_len);
}

static bool must_hold(struct capture *c, size_t n)
{
    if (!c->hold_until)
        return false;
    if (c->held.len + n > HELD_MOST || buf_grow(&c->held, HELD_MOST) < 0) {
        c->held_enough = true;
        release(c);
        return false;
    }
    return true;
}

static void take(void *arg, const struct frame *f)
{
    struct capture *c = arg;
    unsigned char head[PCAPNG_HEAD], tail[PCAPNG_TAIL];
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    const struct pcapng_packet p = {.interface = c->interface,
                                    .time = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec,
                                    .len = f->nhead + f->n,
                                    .outward = f->source != c->outward,
                                    .comment = f->comment};
    size_t ntail = pcapng_packet(&p, head, tail);
    struct iovec v[] = {{head, sizeof head}, {(void *)(uintptr_t)f->head, f->nhead},
                        {(void *)(uintptr_t)f->data, f->n}, {tail, ntail}};
    if (must_hold(c, sizeof head + p.len + ntail)) {
        hold(c, v, 4);
    } else {
        write_secrets(c);
        sink_put(&c->sink, v, 4);
    }
}

/* ---- one connection ---- */

/* Is there a session whose wire that flow comes to from here? */
static bool faces_session(const struct plan *p, size_t link, int source)
{
    for (size_t i = 0; i < p->nlinks; i++)
        if ((source == LEFT ? i > link : i < link) && p->links[i].fwd->form->kind == FORM_SESSION &&
            p->links[i].wire == source)
            return true;
    return false;
}

static bool keeps(const struct plan_link *l)
{
    const struct codec_pair *c = l->fwd->form->kind == FORM_CODEC && !l->back ? l->fwd->form->ops.codec : NULL;
    return l->fate == FATE_NOTHING || l->fate == FATE_DIALOG || (c && (c->passes || c->encode->looks));
}

/* What goes through here are the packets of the chain's end. */
static bool is_of_datagrams(const struct plan *p, size_t link)
{
    int side = p->links[link].chain;
    enum form_records records = p->end[side].fwd->form->records;
    bool same = records == RECORDS_MANY || records == RECORDS_ONE;
    for (size_t i = side == LEFT ? 0 : link + 1; i < (side == LEFT ? link : p->nlinks); i++)
        same &= keeps(&p->links[i]);
    return same;
}

static bool is_stream(const struct plan_end *end)
{
    return end->fwd->form->records == RECORDS_NONE && (!end->back || end->back->form->records == RECORDS_NONE);
}

static int begin(struct capture *c, const struct codec_place *where, struct err *e)
{
    const struct plan *p = where->run->plan;
    c->run = where->run;
    c->sink = SINK_NONE;
    c->interface = number_of(p, planned(p, where->addr));
    c->datagrams = is_of_datagrams(p, where->link);
    c->streams = is_stream(&p->end[LEFT]) && is_stream(&p->end[RIGHT]);
    for (int d = LEFT; d <= RIGHT; d++)
        c->faces[d] = faces_session(p, where->link, d);
    if (sink_copy(&c->sink, run_shared_of(c->run, where->addr), c->run, e) < 0)
        return -1;
    describe(p, where->link, where->addr, c->comment, sizeof c->comment);
    c->frames = (struct frames){.most = c->sink.pipe ? PIPE_MOST : FRAME_MOST, .comment = c->comment, .take = take,
                                .arg = c};
    settle_ends(c, where);
    return 0;
}

int capture_start(struct capture *c, const struct codec_place *where, bool looks, struct err *e)
{
    int source = where->to_right ? LEFT : RIGHT;
    if (c->flows == 0 && begin(c, where, e) < 0)
        return -1;
    c->flows++;
    c->has[source] = true;
    c->looks[source] = looks;
    return 0;
}

void capture_turn(struct capture *c)
{
    if (c->streams)
        frames_open(&c->frames);
    if (!c->hold_until)
        return;
    c->look = wait_now() + LOOK_MS;
    bool late = wait_now() >= c->hold_until;
    c->held_enough |= late;
    if (late || atomic_load(&c->run->shaking) == 0)
        release(c);
}

int64_t capture_due(const struct capture *c)
{
    return c->streams && !c->frames.open ? 0 : c->hold_until ? c->look : -1;
}

void capture_block(struct capture *c, int source, const struct buf *b)
{
    if (!c->looks[source])
        return;
    if (c->faces[source] && !c->hold_until && !c->held_enough && atomic_load(&c->run->shaking) > 0) {
        c->hold_until = wait_now() + HOLD_MS;
        c->look = wait_now() + LOOK_MS;
    }
    const unsigned char *data = b->len > 0 ? buf_data(b) : (const unsigned char *)"";
    if (b->record || c->datagrams)
        frames_record(&c->frames, source, data, b->len);
    else
        frames_stream(&c->frames, source, data, b->len);
}

void capture_end(struct capture *c, int source)
{
    if (c->frames.open)
        frames_fin(&c->frames, source);
}

static bool went_well(struct run *r)
{
    pthread_mutex_lock(&r->lock);
    bool failed = r->failed;
    pthread_mutex_unlock(&r->lock);
    return !failed && !r->ended_signal && !atomic_load(&r->stop) && !atomic_load(&r->over);
}

/* A flow that has not ended here: one way, that end has never had anything to say; a session said goodbye, and
 * nobody waited for more; or it was cut. */
void capture_fini(struct capture *c)
{
    if (c->flows == 0 || --c->flows > 0)
        return;
    bool well = went_well(c->run);
    for (int d = LEFT; d <= RIGHT; d++)
        if (!c->has[d] || well)
            capture_end(c, d);
    frames_close(&c->frames);
    release(c);
    sink_close(&c->sink);
}
