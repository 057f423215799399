/* SPDX-License-Identifier: GPL-2.0-or-later
 * The features at the border of the two chains: see border.h. */
#include "engine/relay/border.h"

#include <string.h>

#include "catena/run.h"
#include "engine/relay/dump.h"

static int open_raw(struct run *r, const char *name, struct sink *to, struct err *e)
{
    char path[4096];
    if (!name)
        return 0;
    if (dump_file_name(r, name, path, sizeof path, e) < 0)
        return -1;
    return sink_open(to, r, "raw dump", path, e);
}

void border_init(struct border *b, struct run *r)
{
    const struct settings *s = r->settings;
    *b = (struct border){.run = r};
    enum dump_format format = (enum dump_format)((s->text_dump ? DUMP_TEXT : 0) |
                                                 (s->hex_dump ? DUMP_HEX : 0));
    for (int i = 0; i < 2; i++) {
        b->flow[i].raw = (struct dump){.sink = SINK_NONE, .format = DUMP_RAW};
        b->flow[i].shown = (struct dump){.sink = SINK_NONE, .format = format, .direction = i == LEFT ? '>' : '<'};
        if (format)
            b->flow[i].shown.sink = (struct sink){.run = r, .fd = -1};
    }
    b->active = s->text_dump || s->hex_dump || s->raw_left_right || s->raw_right_left;
    for (int i = 0; i < 2; i++) {
        const struct plan_border *p = &r->plan->eol[i];
        b->flow[i].limited = p->readbytes > 0;
        b->flow[i].left = p->readbytes;
        b->active |= p->readbytes > 0 || p->escape >= 0 || p->eol != EOL_KEEP;
    }
}

int border_open(struct border *b, struct err *e)
{
    const struct settings *s = b->run->settings;
    return open_raw(b->run, s->raw_left_right, &b->flow[LEFT].raw.sink, e) < 0 ||
                   open_raw(b->run, s->raw_right_left, &b->flow[RIGHT].raw.sink, e) < 0
               ? -1
               : 0;
}

void border_fini(struct border *b)
{
    for (int i = 0; i < 2; i++)
        sink_close(&b->flow[i].raw.sink);
}

size_t border_may_read(const struct border *b, int source, size_t n)
{
    const struct border_flow *f = &b->flow[source];
    return f->limited && f->left < n ? (size_t)f->left : n;
}

void border_count(struct border *b, int source, size_t n)
{
    atomic_fetch_add_explicit(&b->run->blocks[source], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&b->run->bytes[source], n, memory_order_relaxed);
}

/* readbytes and escape: how much of the block still belongs to the stream. */
static size_t allowed(struct border_flow *f, int escape, const unsigned char *p, size_t n)
{
    if (f->limited && n >= f->left) {
        n = (size_t)f->left;
        f->ended = true;
    }
    const unsigned char *mark = escape >= 0 && n > 0 ? memchr(p, escape, n) : NULL;
    if (mark) {
        n = (size_t)(mark - p);
        f->ended = true;
    }
    return n;
}

/* Line ends: what the source chain's option undoes, what the other chain's option makes. */
static size_t convert(const struct plan_border *from, const struct plan_border *to, unsigned char c,
                      unsigned char out[2])
{
    if (from->eol == EOL_CRNL && c == '\r')
        return 0;
    if (from->eol == EOL_CR && c == '\r')
        c = '\n';
    size_t n = 0;
    if (c == '\n' && to->eol == EOL_CRNL)
        out[n++] = '\r';
    out[n++] = c == '\n' && to->eol == EOL_CR ? '\r' : c;
    return n;
}

static size_t copy(const struct plan_border *from, const struct plan_border *to,
                   const unsigned char *p, size_t n, unsigned char *at, size_t room, size_t *given)
{
    size_t i = 0, o = 0;
    if (from->eol == to->eol) {
        i = n < room ? n : room;
        memcpy(at, p, i);
        *given = i;
        return i;
    }
    for (; i < n; i++) {
        unsigned char c[2];
        size_t k = convert(from, to, p[i], c);
        if (o + k > room)
            break;
        memcpy(at + o, c, k);
        o += k;
    }
    *given = o;
    return i;
}

void border_move(struct border *b, int source, struct buf *from, struct buf *to)
{
    struct border_flow *f = &b->flow[source];
    const struct plan_border *eol = b->run->plan->eol;
    unsigned char *at;
    bool record = from->record, empty = from->len == 0;
    size_t room = buf_room(to, &at), given = 0;
    size_t n = allowed(f, eol[source].escape, buf_data(from), from->len);
    size_t taken = copy(&eol[source], &eol[!source], buf_data(from), n, at, room, &given);
    buf_consume(from, f->ended && taken == n ? from->len : taken);
    if (f->limited)
        f->left -= taken;
    to->record = record && (given > 0 || (empty && !f->ended));
    if (given == 0)
        return;
    buf_commit(to, given);
    border_count(b, source, given);
    if (sink_is_open(&f->shown.sink))
        dump_block(&f->shown, at, given);
    if (sink_is_open(&f->raw.sink))
        dump_block(&f->raw, at, given);
}
