/* SPDX-License-Identifier: GPL-2.0-or-later
 * UDP ASSOCIATE, the server's side: packets of a client, each of which says where it goes to. What is opened for
 * them gets them with their heads, and gives such; or, if it is an address of packets that knows one peer,
 * without, and its answers come from where the client has sent to last. */
#include <string.h>

#include "catena/beside.h"
#include "catena/diag.h"
#include "catena/facts.h"
#include "catena/plan.h"
#include "catena/wait.h"
#include "inter/proxy/admission.h"
#include "inter/proxy/socks_udp.h"

enum { JUDGED_MS = 30000 }; /* so long a name that was looked up is that number */

bool associate_may_be(const struct addr *a)
{
    return admission_may_ask(a, SOCKS_UDP);
}

int associate_grant(const struct addr *a, struct run *r, struct wish *wish, struct err *e)
{
    diag(DIAG_INFO, "the client%s%s wants UDP", wish->user[0] ? " " : "", wish->user);
    return admission_tell(a, r, wish, e);
}

static const struct addr *end_of_wire(const struct run *r, const struct addr *a)
{
    for (size_t i = 0; i < r->plan->nlinks; i++)
        if (r->plan->links[i].fwd->place == a->place)
            return r->plan->end[r->plan->links[i].wire].fwd;
    return a;
}

/* Where somebody on the way says who the client is, packets come from him, and not from who has connected. */
static int find_client(const struct addr *a, const struct outcome *o, struct sockname *client, struct err *e)
{
    char host[64];
    unsigned char bytes[16];
    int port; /* of his connection: his packets have another */
    struct outcome there = *o;
    there.to_right = !o->to_right;
    if (!end_of_wire(o->run, a)->introduced)
        return 0;
    int family = admission_bound(&there, "peeraddr", "peerport", bytes, &port);
    if (family == 0)
        return err_set(e, ERR_UNFIT, "the client asks for UDP, but the PROXY header says %s, from which no packets come",
                       outcome_told(&there, "peeraddr", host, sizeof host) ? host : "of no address that he has");
    sockname_wildcard(client, family);
    if (family == AF_INET6)
        memcpy(&client->u.in6.sin6_addr, bytes, sizeof client->u.in6.sin6_addr);
    else
        memcpy(&client->u.in4.sin_addr, bytes, sizeof client->u.in4.sin_addr);
    return 0;
}

int associate_open(const struct addr *a, struct wire *w, const struct outcome *o, struct sockname *at, struct err *e)
{
    struct sockname peer;
    char text[SOCKNAME_TEXT];
    struct beside_ports ports;
    if (udp_ports(a, &ports, e) < 0 || beside_addresses(w->end_fd, at, &peer, e) < 0 || find_client(a, o, &peer, e) < 0 ||
        beside_await(a, at, ports, &peer, &w->beside, e) < 0)
        return -1;
    (void)udp_address(a, at);
    diag(DIAG_INFO, "the client's packets are awaited at %s", sockname_text(at, text));
    return 0;
}

/* ---- packets ---- */

struct head { /* as bytes */
    unsigned char bytes[SOCKS_HEAD_MAX];
    size_t len;
};

struct associate { /* one direction */
    const struct admission *admission;
    const struct addr *addr;
    struct run *run;
    bool bare;         /* what is opened takes and gives packets without heads */
    struct head *last; /* of both directions: of what went on last */
    struct head asked, judged; /* a name, and what it became by the rules */
    int64_t until;
};

static bool needed(const struct addr *a, struct run *r)
{
    char command[16];
    return run_told(r, a, "command", command, sizeof command) && strcmp(command, SOCKS_UDP) == 0;
}

static int start(struct associate *s, const struct codec_place *where, int opened)
{
    const struct form *end = where->run->plan->end[opened].fwd->form;
    s->admission = run_shared_of(where->run, where->addr);
    s->addr = where->addr;
    s->run = where->run;
    s->last = where->pair;
    s->bare = end->records == RECORDS_MANY || end->records == RECORDS_ONE;
    where->run->waits |= s->admission && s->admission->rules.n > 0; /* for names to be looked up */
    return 0;
}

static int start_decode(void *st, const struct codec_place *where, struct err *e)
{
    (void)e;
    return start(st, where, where->to_right ? RIGHT : LEFT);
}

static int start_encode(void *st, const struct codec_place *where, struct err *e)
{
    (void)e;
    return start(st, where, where->to_right ? LEFT : RIGHT);
}

static bool knows(const struct associate *s, const unsigned char *p, const struct socks_head *h)
{
    return s->asked.len == h->len && memcmp(s->asked.bytes, p, h->len) == 0 && wait_now() < s->until;
}

/* May he go there? A name that may do so for one of its numbers goes on as that. Gives NULL, or why not. */
static const char *judge(struct associate *s, const unsigned char *p, const struct socks_head *h, struct err *e)
{
    char host[RULE_HOST_MAX + 1];
    unsigned char bytes[16];
    int type;
    if (knows(s, p, h))
        return NULL;
    if (!socks_head_host(h, host))
        return "its host name has control characters or more than ASCII in it";
    if (h->port == 0)
        return "it goes to port 0";
    if (rules_judge(&s->admission->rules, s->addr, s->run, host, h->port, e) < 0)
        return e->text;
    size_t n = h->type == SOCKS_ADDRESS_NAME ? socks_host_bytes(host, bytes, &type) : 0;
    s->judged.len = n > 0 ? socks_head_write(s->judged.bytes, type, bytes, n, h->port)
                          : socks_head_write(s->judged.bytes, h->type, h->bytes, h->nbytes, h->port);
    s->asked.len = h->len;
    memcpy(s->asked.bytes, p, h->len);
    s->until = wait_now() + JUDGED_MS;
    return NULL;
}

static int take_packet(struct associate *s, struct buf *in, struct buf *out, struct err *e)
{
    struct socks_head h;
    struct err denied;
    const unsigned char *p = in->len > 0 ? buf_data(in) : (const unsigned char *)"";
    const char *why = socks_head_read(p, in->len, &h);
    if (!why)
        why = judge(s, p, &h, &denied);
    if (why)
        return socks_packet_drop(in, why);
    if (s->bare)
        *s->last = s->asked;
    return socks_packet_give(in, h.len, s->judged.bytes, s->bare ? 0 : s->judged.len, out, e);
}

static int give_packet(struct associate *s, struct buf *in, struct buf *out, struct err *e)
{
    struct socks_head h;
    const char *why = s->bare ? NULL : socks_head_read(in->len > 0 ? buf_data(in) : (const unsigned char *)"", in->len, &h);
    if (s->bare && s->last->len == 0)
        why = "nothing has gone there before";
    if (why)
        return socks_packet_drop(in, why);
    return socks_packet_give(in, 0, s->last->bytes, s->bare ? s->last->len : 0, out, e);
}

/* Dropped ones leave room for the next. */
static int decode(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    if (buf_holds(in) && take_packet(st, in, out, e) < 0)
        return -1;
    return mode != CODEC_RUN && !buf_holds(in);
}

static int encode(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    if (buf_holds(in) && give_packet(st, in, out, e) < 0)
        return -1;
    return mode != CODEC_RUN && !buf_holds(in);
}

#define PACKETS                                                                                    \
    .needed = needed, .takes_records = true, .gives_records = true, .state_size = sizeof(struct associate),\
    .pair_size = sizeof(struct head)
static const struct codec_ops encoder = {PACKETS, .start = start_encode, .push = encode};
static const struct codec_ops decoder = {PACKETS, .start = start_decode, .push = decode};
const struct codec_pair associate_packets = {.encode = &encoder, .decode = &decoder};
