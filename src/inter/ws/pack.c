/* SPDX-License-Identifier: GPL-2.0-or-later
 * permessage-deflate (RFC 7692): what is agreed upon, and the messages. A window goes from message to message
 * unless one of the two sides has it otherwise; whoever compresses says with each message whether it is, and
 * those that are not leave no trace in the window. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "inter/libraries/libraries.h"
#include "inter/ws/ws.h"

enum { LEAST_BITS = 9, MEMORY = 8 }; /* zlib makes no raw window of 8 bits */
static const unsigned char tail[TAIL] = {0, 0, 0xff, 0xff};
static const char extension[] = "permessage-deflate";

/* ---- what is agreed upon ---- */

enum { SERVER_RESETS = 1, CLIENT_RESETS = 2, SERVER_BITS = 4, CLIENT_BITS = 8 };
static const char *const words[] = {"server_no_context_takeover", "client_no_context_takeover",
                                    "server_max_window_bits", "client_max_window_bits"};

struct terms {
    unsigned given; /* those above */
    int server_bits, client_bits; /* 0: without a value */
};

static size_t part_next(const char **p, const char *end, const char **part)
{
    while (*p < end && strchr("; \t", **p))
        ++*p;
    *part = *p;
    while (*p < end && **p != ';')
        ++*p;
    size_t n = (size_t)(*p - *part);
    while (n > 0 && strchr(" \t", (*part)[n - 1]))
        n--;
    return n;
}

/* "=15" or "=\"15\"": 0 if that is no number of bits. */
static int bits_of(const char *p, size_t n)
{
    size_t skip = n > 3 && p[1] == '"' && p[n - 1] == '"' ? 2 : 1;
    size_t digits = n - skip - (skip - 1);
    int bits = 0;
    for (size_t i = 0; i < digits; i++) {
        unsigned digit = (unsigned)(unsigned char)p[skip + i] - '0';
        if (digit > 9 || digits > 2 || (i == 0 && digit == 0))
            return 0;
        bits = 10 * bits + (int)digit;
    }
    return bits >= 8 && bits <= 15 ? bits : 0;
}

static bool read_term(struct terms *t, const char *p, size_t n)
{
    for (unsigned i = 0; i < 4; i++) {
        size_t k = strlen(words[i]);
        if (n < k || strncasecmp(p, words[i], k) != 0 || (n > k && p[k] != '='))
            continue;
        int bits = n > k ? bits_of(p + k, n - k) : 0;
        bool takes_value = i >= 2, again = t->given & 1U << i;
        if (again || (n > k && (!takes_value || bits == 0)) || (i == 2 && n == k))
            return false;
        t->given |= 1U << i;
        t->server_bits = i == 2 ? bits : t->server_bits;
        t->client_bits = i == 3 ? bits : t->client_bits;
        return true;
    }
    return false;
}

/* 1: that extension with terms that can be read; 0: another one; -1: its terms make no sense. */
static int read_terms(const char *p, size_t n, struct terms *t)
{
    const char *end = p + n, *part;
    size_t k = part_next(&p, end, &part);
    *t = (struct terms){0};
    if (k != strlen(extension) || strncasecmp(part, extension, k) != 0)
        return 0;
    while ((k = part_next(&p, end, &part)) > 0)
        if (!read_term(t, part, k))
            return -1;
    return 1;
}

void ws_offer(char *to, size_t cap)
{
    (void)snprintf(to, cap, "Sec-WebSocket-Extensions: %s; client_max_window_bits\r\n", extension);
}

static void agree(struct ws_session *s, const struct terms *t)
{
    bool server = s->config->server;
    unsigned ours = server ? SERVER_RESETS : CLIENT_RESETS, theirs = server ? CLIENT_RESETS : SERVER_RESETS;
    int bits = server ? t->server_bits : t->client_bits;
    s->packing = (struct ws_packing){.agreed = true, .resets_out = t->given & ours, .resets_in = t->given & theirs,
                                     .bits = bits ? bits : MAX_WBITS};
}

void ws_take_offer(struct ws_session *s, char *to, size_t cap)
{
    to[0] = '\0';
    for (size_t i = 0; s->config->level > 0 && i < s->head.nfields; i++) {
        const char *p = s->head.field[i].value, *offer;
        if (strcasecmp(s->head.field[i].name, "Sec-WebSocket-Extensions") != 0)
            continue;
        for (size_t n; (n = list_next(&p, &offer)) > 0;) {
            struct terms t;
            if (read_terms(offer, n, &t) <= 0 || (t.server_bits && t.server_bits < LEAST_BITS))
                continue; /* there may be a better one */
            agree(s, &t);
            int k = snprintf(to, cap, "Sec-WebSocket-Extensions: %s%s%s", extension,
                             t.given & SERVER_RESETS ? "; server_no_context_takeover" : "",
                             t.given & CLIENT_RESETS ? "; client_no_context_takeover" : "");
            if (t.given & SERVER_BITS)
                k += snprintf(to + k, cap - (size_t)k, "; server_max_window_bits=%d", t.server_bits);
            (void)snprintf(to + k, cap - (size_t)k, "\r\n");
            return;
        }
    }
}

int ws_take_answer(struct ws_session *s, struct err *e)
{
    for (size_t i = 0; i < s->head.nfields; i++) {
        const char *p = s->head.field[i].value, *answer;
        if (strcasecmp(s->head.field[i].name, "Sec-WebSocket-Extensions") != 0)
            continue;
        for (size_t n; (n = list_next(&p, &answer)) > 0;) {
            struct terms t;
            int rc = s->config->level > 0 ? read_terms(answer, n, &t) : 0;
            bool valued = !(t.given & CLIENT_BITS) || t.client_bits > 0;
            if (rc <= 0 || s->packing.agreed || !valued)
                return err_set(e, ERR_PROTOCOL, "the server uses an extension that was not asked for, or not so: "
                                                "\"%.*s\"", n > 100 ? 100 : (int)n, answer);
            agree(s, &t);
        }
    }
    return 0;
}

/* ---- messages ---- */

static z_stream *stream(void)
{
    return calloc(1, sizeof(z_stream));
}

static int begin(struct ws_session *s, struct err *e)
{
    struct ws_out *o = &s->out;
    if (o->z)
        return 0;
    if (libraries_load_zlib(e) < 0)
        return -1;
    if (!(o->z = stream()) || buf_init(&o->packed, PIECE) < 0)
        return err_nomem(e);
    if (deflateInit2(o->z, s->config->level, Z_DEFLATED, -s->packing.bits, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(o->z);
        o->z = NULL;
        return err_nomem(e);
    }
    return 0;
}

bool ws_packs(const struct ws_session *s)
{
    return s->packing.agreed && s->packing.bits >= LEAST_BITS;
}

int ws_pack(struct ws_session *s, struct err *e)
{
    struct ws_out *o = &s->out;
    struct ws_message *m = &o->packing;
    unsigned char *at;
    size_t room;
    if (begin(s, e) < 0)
        return -1;
    while ((room = buf_room(&o->packed, &at)) > 0) {
        uInt fed = m->left > 1U << 30 ? 1U << 30 : (uInt)m->left;
        o->z->next_in = fed > 0 ? buf_data(m->from) : NULL;
        o->z->avail_in = fed;
        o->z->next_out = at;
        o->z->avail_out = (uInt)room;
        (void)deflate(o->z, fed < m->left ? Z_NO_FLUSH : Z_SYNC_FLUSH);
        buf_commit(&o->packed, room - o->z->avail_out);
        if (fed > o->z->avail_in)
            buf_consume(m->from, fed - o->z->avail_in);
        m->left -= fed - o->z->avail_in;
        if (m->left > 0 || o->z->avail_out == 0)
            continue;
        o->packed.len -= TAIL;
        if (s->packing.resets_out)
            (void)deflateReset(o->z);
        return 1;
    }
    return 0;
}

int ws_unpack_begin(struct ws_session *s, struct err *e)
{
    struct ws_in *i = &s->in;
    i->tail_given = false;
    if (i->z)
        return s->packing.resets_in ? (inflateReset(i->z), 0) : 0;
    if (libraries_load_zlib(e) < 0)
        return -1;
    if (!(i->z = stream()) || buf_init(&i->piece, PIECE) < 0)
        return err_nomem(e);
    if (inflateInit2(i->z, -MAX_WBITS) != Z_OK) {
        free(i->z);
        i->z = NULL;
        return err_nomem(e);
    }
    return 0;
}

ptrdiff_t ws_unpack(struct ws_session *s, unsigned char *to, size_t room, bool *dry)
{
    struct ws_in *i = &s->in;
    z_stream *z = i->z;
    bool last = i->frame.fin && i->left == 0;
    if (i->piece.len == 0 && last && !i->tail_given) {
        (void)buf_put(&i->piece, tail, TAIL);
        i->tail_given = true;
    }
    z->next_in = i->piece.len > 0 ? buf_data(&i->piece) : NULL;
    z->avail_in = (uInt)i->piece.len;
    z->next_out = to;
    z->avail_out = room > 1U << 30 ? 1U << 30 : (uInt)room;
    uInt offered = z->avail_out;
    int rc = inflate(z, Z_SYNC_FLUSH);
    buf_consume(&i->piece, i->piece.len - z->avail_in);
    if (rc == Z_STREAM_END) /* a last block: others may follow all the same */
        (void)inflateReset(z);
    else if (rc != Z_OK && rc != Z_BUF_ERROR)
        return -1;
    *dry = i->piece.len == 0 && z->avail_out > 0 && (!last || i->tail_given);
    return (ptrdiff_t)(offered - z->avail_out);
}

void ws_pack_fini(struct ws_session *s)
{
    if (s->out.z)
        deflateEnd(s->out.z);
    if (s->in.z)
        inflateEnd(s->in.z);
    free(s->out.z);
    free(s->in.z);
    buf_fini(&s->out.packed);
    buf_fini(&s->in.piece);
}
