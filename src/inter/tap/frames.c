/* SPDX-License-Identifier: GPL-2.0-or-later
 * Frames of IP: see frames.h. */
#include "inter/tap/frames.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

enum flags { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum {
    WINDOW = 65535,
    SCALE = 14,              /* so it is 1 GiB */
    UNHEARD = 1 << 20,       /* bytes of one side that the other acknowledges without a word of its own */
    HOPS = 64,
    IP4 = 20, IP6 = 40, FRAGMENT = 8, TCP = 20, UDP = 8,
    MORE = 1,                /* IPv6; fragments follow */
    MORE4 = 0x2000, WHOLE4 = 0x4000,
    RECORD_MOST = 65000,     /* bytes of a datagram */
};

/* ---- checksums ---- */

typedef uint32_t words __attribute__((vector_size(16)));

/* The sum of 16-bit words in the machine's order, not yet folded, of at most 64 KiB: so no carry leaves the 32 bits
 * that each is added up in. Vectors, as it costs more than all the rest of a tap. */
static uint64_t sum(uint64_t to, const unsigned char *p, size_t n)
{
    words a = {0}, b = {0}, v, w;
    unsigned char rest[sizeof v + sizeof w] = {0};
    for (; n >= sizeof rest; p += sizeof rest, n -= sizeof rest) {
        memcpy(&v, p, sizeof v);
        memcpy(&w, p + sizeof v, sizeof w);
        a += (v & UINT16_MAX) + (v >> 16);
        b += (w & UINT16_MAX) + (w >> 16);
    }
    memcpy(rest, p, n);
    for (size_t i = 0; i < sizeof rest; i += sizeof v) {
        memcpy(&v, rest + i, sizeof v);
        a += (v & UINT16_MAX) + (v >> 16);
    }
    for (size_t i = 0; i < 4; i++)
        to += (uint64_t)a[i] + b[i];
    return to;
}

static uint16_t folded(uint64_t s)
{
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

/* ---- headers ---- */

static size_t put16(unsigned char *p, uint16_t v)
{
    v = htons(v);
    memcpy(p, &v, sizeof v);
    return sizeof v;
}

static size_t put32(unsigned char *p, uint32_t v)
{
    v = htonl(v);
    memcpy(p, &v, sizeof v);
    return sizeof v;
}

/* Where in a packet that had to be cut a frame is. */
struct part {
    size_t off;
    bool more;
};

static size_t put_ip4(const struct frames *f, unsigned char *p, int source, int proto, size_t n, struct part part)
{
    const unsigned char fixed[IP4] = {0x45, [8] = HOPS, [9] = (unsigned char)proto};
    uint16_t cut = (uint16_t)(part.off / 8 | (part.more ? MORE4 : 0));
    memcpy(p, fixed, IP4);
    put16(p + 2, (uint16_t)(IP4 + n));
    put16(p + 4, (uint16_t)f->id);
    put16(p + 6, cut ? cut : WHOLE4);
    memcpy(p + 12, f->end[source].addr, 4);
    memcpy(p + 16, f->end[!source].addr, 4);
    uint16_t check = folded(sum(0, p, IP4));
    memcpy(p + 10, &check, sizeof check);
    return IP4;
}

static size_t put_ip6(const struct frames *f, unsigned char *p, int source, int proto, size_t n, struct part part)
{
    bool cut = part.off > 0 || part.more;
    const unsigned char fixed[IP6] = {0x60, [6] = (unsigned char)(cut ? IPPROTO_FRAGMENT : proto), [7] = HOPS};
    memcpy(p, fixed, IP6);
    put16(p + 4, (uint16_t)(n + (cut ? FRAGMENT : 0)));
    memcpy(p + 8, f->end[source].addr, 16);
    memcpy(p + 24, f->end[!source].addr, 16);
    if (!cut)
        return IP6;
    p[IP6] = (unsigned char)proto;
    p[IP6 + 1] = 0;
    put16(p + IP6 + 2, (uint16_t)(part.off | (part.more ? MORE : 0)));
    put32(p + IP6 + 4, f->id);
    return IP6 + FRAGMENT;
}

/* Of the transport's header, all of the data, and what TCP and UDP want to know of IP. */
static uint16_t checksum(const struct frames *f, int proto, const unsigned char *head, size_t nhead,
                         const unsigned char *data, size_t n)
{
    unsigned char pseudo[8] = {0};
    size_t len = f->end[0].v6 ? 16 : 4;
    put32(pseudo, (uint32_t)(nhead + n));
    pseudo[7] = (unsigned char)proto;
    uint64_t s = sum(sum(0, pseudo, sizeof pseudo), head, nhead);
    for (int i = 0; i < 2; i++)
        s = sum(s, f->end[i].addr, len);
    return folded(sum(s, data, n));
}

/* ---- frames ---- */

static const unsigned char nothing[1];

/* One packet, in as many frames as it takes. */
static void give(struct frames *f, int source, int proto, const unsigned char *head, size_t nhead,
                 const unsigned char *data, size_t n, const char *comment)
{
    struct part part = {0, false};
    for (size_t done = 0; part.off == 0 || done < n;) {
        struct frame out = {.source = source, .data = data + done, .comment = f->comment ? f->comment : comment};
        size_t front = part.off == 0 ? nhead : 0;
        part.more = front + n - done > f->most;
        out.n = part.more ? f->most - front : n - done;
        out.nhead = (f->end[0].v6 ? put_ip6 : put_ip4)(f, out.head, source, proto, front + out.n, part);
        memcpy(out.head + out.nhead, head, front);
        out.nhead += front;
        f->take(f->arg, &out);
        f->comment = NULL;
        done += out.n;
        part.off += front + out.n;
        if (!part.more)
            break;
    }
    f->id++;
}

static void segment(struct frames *f, int source, int flags, const unsigned char *data, size_t n)
{
    static const unsigned char options[8] = {2, 4, FRAMES_SEGMENT >> 8, FRAMES_SEGMENT & 255, 1, 3, 3, SCALE};
    size_t nhead = TCP + (flags & SYN ? sizeof options : 0);
    unsigned char h[TCP + sizeof options] = {0};
    put16(h, f->end[source].port);
    put16(h + 2, f->end[!source].port);
    put32(h + 4, f->next[source]);
    put32(h + 8, flags & ACK ? f->next[!source] : 0);
    h[12] = (unsigned char)(nhead / 4 << 4);
    h[13] = (unsigned char)flags;
    put16(h + 14, WINDOW);
    if (flags & SYN)
        memcpy(h + TCP, options, sizeof options);
    uint16_t check = checksum(f, IPPROTO_TCP, h, nhead, data, n);
    memcpy(h + 16, &check, sizeof check);
    give(f, source, IPPROTO_TCP, h, nhead, data, n, NULL);
    f->next[source] += (uint32_t)n + (flags & (SYN | FIN) ? 1 : 0);
    if (flags & ACK)
        f->heard[!source] = f->next[!source];
}

void frames_init(struct frames *f, const uint32_t seq[2])
{
    for (int i = 0; i < 2; i++)
        f->next[i] = f->heard[i] = seq[i];
    f->most = f->most / 8 * 8;
}

void frames_open(struct frames *f)
{
    if (f->open)
        return;
    f->open = true;
    segment(f, f->client, SYN, nothing, 0);
    segment(f, !f->client, SYN | ACK, nothing, 0);
    segment(f, f->client, ACK, nothing, 0);
}

void frames_stream(struct frames *f, int source, const unsigned char *data, size_t n)
{
    size_t most = f->most - TCP < FRAMES_SEGMENT ? f->most - TCP : FRAMES_SEGMENT;
    frames_open(f);
    while (n > 0) {
        size_t k = n < most ? n : most;
        segment(f, source, ACK | (k == n ? PSH : 0), data, k);
        if (f->next[source] - f->heard[source] >= UNHEARD)
            segment(f, !source, ACK, nothing, 0);
        data += k;
        n -= k;
    }
}

/* What no datagram holds are several. */
void frames_record(struct frames *f, int source, const unsigned char *data, size_t n)
{
    char part[80];
    size_t done = 0;
    do {
        size_t k = n - done < RECORD_MOST ? n - done : RECORD_MOST;
        unsigned char h[UDP] = {0};
        (void)snprintf(part, sizeof part, "bytes from %zu of a record of %zu", done, n);
        put16(h, f->end[source].port);
        put16(h + 2, f->end[!source].port);
        put16(h + 4, (uint16_t)(UDP + k));
        uint16_t check = checksum(f, IPPROTO_UDP, h, UDP, data + done, k);
        check = check ? check : 0xffff;
        memcpy(h + 6, &check, sizeof check);
        give(f, source, IPPROTO_UDP, h, UDP, data + done, k, n > RECORD_MOST ? part : NULL);
        done += k;
    } while (done < n);
}

void frames_fin(struct frames *f, int source)
{
    frames_open(f);
    if (f->fin[source])
        return;
    segment(f, source, FIN | ACK, nothing, 0);
    f->fin[source] = true;
    if (f->fin[!source]) /* nobody is left to say it has been heard, but for a word without data */
        segment(f, !source, ACK, nothing, 0);
}

void frames_close(struct frames *f)
{
    for (int i = 0; i < 2 && f->open; i++)
        if (!f->fin[i]) {
            segment(f, i, RST | ACK, nothing, 0);
            f->fin[0] = f->fin[1] = true;
        }
}
