/* SPDX-License-Identifier: GPL-2.0-or-later
 * A WebSocket peer that says anything. The first byte chooses: client or server, compressed or not, records or a
 * stream, and whether the handshake is behind it; the second one how what comes is cut. Uncompressed frames are read
 * a second time here, all at once and as the RFC puts it, and the two have to agree: on the data, on the end, and on
 * whether there was a mistake. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "inter/ws/ws.h"
#include "../home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SERVER = 1, PACKED = 2, RECORDS = 4, READY = 8, BUF = 4096, MOST = 1 << 20 };

static const struct settings settings = {.catena = &home, .to_right = true, .to_left = true, .linger = -1, .idle = -1,
                                         .ip_version = 4, .comm = 'S', .env_prefix = "SOCAT"};
static const char *const chains[] = {"ws:/x,subprotocol=a b|pipe", "ws-server,origin=http://*,origin=|pipe",
                                     "ws,deflate|pipe", "ws-server:/x,deflate,static=404|pipe"};
static struct plan *plans[4];
static void *shared[4];
static struct run runs[4];

struct end {
    const struct session_ops *ops;
    void *st;
    struct buf buf[4];
    struct session_side data, wire;
    uint8_t got[1 << 16];
    size_t ngot;
    bool failed;
};
static struct end end;

static void prepare(void)
{
    struct err e;
    for (int i = 0; i < 4; i++) {
        if (plan_make(&settings, "-", chains[i], &plans[i], &e) < 0 ||
            run_init(&runs[i], &settings, plans[i], -1, &e) < 0)
            abort();
        const struct addr *a = plans[i]->links[0].fwd;
        if (a->form->ops.session->common.prepare(a, &runs[i], &shared[i], &e) < 0)
            abort();
    }
}

static void step(void)
{
    struct err e = {.kind = ERR_NONE};
    struct buf *b = end.data.out;
    if (end.failed)
        return;
    end.failed = end.ops->step(end.st, &end.data, &end.wire, &e) < 0;
    if (end.failed && (e.kind == ERR_NONE || !e.text[0]))
        abort();
    for (const char *c = e.text; end.failed && *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            abort();
    if (end.data.records && (b->len > MOST || b->record != buf_holds(b)))
        abort();
    for (size_t i = 0; i < b->len; i++, end.ngot++)
        if (end.ngot < sizeof end.got)
            end.got[end.ngot] = buf_data(b)[i];
    buf_consume(b, b->len);
}

static void feed(const void *p, size_t n, size_t piece)
{
    const uint8_t *from = p;
    for (int idle = 0; idle < 3 && !end.failed; idle = n > 0 ? 0 : idle + 1) {
        size_t k = n > 0 ? buf_put(end.wire.in, from, n < piece ? n : piece) : 0;
        from += k;
        n -= k;
        step();
        buf_consume(end.wire.out, end.wire.out->len);
    }
}

static void shake_hands(bool server, bool packed)
{
    static const char request[] = "GET /x HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    static const char answer[] = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
                                 "Sec-WebSocket-Accept: ";
    static const char extension[] = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    char text[512], accept[ACCEPT_ROOM], key[KEY_LENGTH + 1];
    struct err e;
    step();
    strcpy(text, server ? request : answer);
    if (!server) {
        struct buf *b = end.wire.out;
        const char *at = memmem(buf_data(b), b->len, "-Key: ", 6);
        if (!at)
            abort();
        memcpy(key, at + 6, KEY_LENGTH);
        key[KEY_LENGTH] = '\0';
        if (ws_accept_of(key, accept, &e) < 0)
            abort();
        strcat(strcat(text, accept), "\r\n");
    }
    strcat(text, packed ? extension : "\r\n");
    feed(text, strlen(text), 4000);
    if (end.failed || !end.ops->ready(end.st))
        abort();
}

/* ---- the second reading ---- */

struct reading {
    uint8_t got[1 << 16];
    size_t ngot;
    bool wrong, closed;
};
static struct reading reading;

static bool is_utf8(const uint8_t *p, size_t n, bool whole)
{
    while (n > 0) {
        unsigned need = *p < 0x80 ? 0 : *p >= 0xc2 && *p < 0xe0 ? 1 : *p >= 0xe0 && *p < 0xf0 ? 2 : *p >= 0xf0 && *p < 0xf5 ? 3 : 9;
        uint32_t c = need == 0 ? *p : *p & (0x3fU >> need);
        if (need == 9)
            return false;
        for (unsigned i = 1; i <= need; i++) {
            uint8_t next = i < n ? p[i] : 0x80;
            if (i == n && whole)
                return false;
            if (i == 1 && i < n && ((*p == 0xe0 && next < 0xa0) || (*p == 0xed && next > 0x9f) || (*p == 0xf0 && next < 0x90) ||
                                    (*p == 0xf4 && next > 0x8f)))
                return false;
            if ((next & 0xc0) != 0x80)
                return false;
            if (i >= n)
                return !whole;
            c = c << 6 | (next & 0x3f);
        }
        p += need + 1;
        n -= need + 1;
    }
    return true;
}

/* Frames up to the first that is not all there; of that a payload that is data counts as far as it came. */
static void read_frames(const uint8_t *p, size_t n, bool server)
{
    static uint8_t text[1 << 16], payload[1 << 16];
    size_t ntext = 0;
    unsigned message = 0;
    reading.ngot = 0;
    reading.wrong = reading.closed = false;
    while (n >= 2 && !reading.closed) {
        bool fin = p[0] & 0x80, masked = p[1] & 0x80;
        unsigned kind = p[0] & 15, reserved = p[0] & 0x70;
        size_t more = (p[1] & 127) == 126 ? 2 : (p[1] & 127) == 127 ? 8 : 0, head = 2 + more + (masked ? 4 : 0);
        if (n < head)
            return;
        uint64_t len = more ? 0 : p[1] & 127;
        for (size_t i = 0; i < more; i++)
            len = len << 8 | p[2 + i];
        bool control = kind >= 8;
        if (masked != server || reserved || (more == 2 && len < 126) || (more == 8 && (len <= 65535 || len >> 63)) ||
            (kind > 2 && kind < 8) || kind > 10 || (control && (!fin || len > 125)) || (kind == 0 && !message) ||
            ((kind == 1 || kind == 2) && message))
            goto wrong;
        size_t at_hand = n - head < len ? n - head : (size_t)len;
        for (size_t i = 0; i < at_hand; i++)
            payload[i] = p[head + i] ^ (masked ? p[head - 4 + (i & 3)] : 0);
        bool whole = at_hand == len;
        if (!control) {
            if (kind)
                message = kind, ntext = 0;
            memcpy(text + ntext, payload, at_hand);
            ntext += at_hand;
            memcpy(reading.got + reading.ngot, payload, at_hand); /* what is wrong in it ends what counts */
            reading.ngot += at_hand;
            if (message == 1 && !is_utf8(text, ntext, whole && fin))
                goto wrong;
            if (whole && fin)
                message = 0;
        } else if (whole && kind == 8) {
            unsigned code = len >= 2 ? (unsigned)(payload[0] << 8 | payload[1]) : 1005;
            bool valid = (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || (code >= 3000 && code < 5000);
            if (len == 1 || (len >= 2 && !valid) || (len > 2 && !is_utf8(payload + 2, (size_t)len - 2, true)) ||
                (code > 1001 && code < 3000 && code != 1005) || message)
                goto wrong;
            reading.closed = true;
        }
        if (!whole)
            return;
        p += head + len;
        n -= head + (size_t)len;
    }
    return;
wrong:
    reading.wrong = true;
}

static void compare(const uint8_t *data, size_t size, bool server)
{
    read_frames(data, size, server);
    bool told = end.failed; /* a mistake is told two seconds later, or once our last word is out */
    if (told != reading.wrong || end.data.out_eof != (reading.closed && !reading.wrong))
        abort();
    size_t n = reading.wrong ? end.ngot : reading.ngot;
    if (end.ngot > reading.ngot || n != end.ngot || memcmp(end.got, reading.got, n) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    struct err e;
    if (size < 2 || size > 20000)
        return 0;
    if (!ready)
        prepare();
    ready = true;
    unsigned how = data[0];
    size_t piece = 1 + data[1] % 64, role = (how & PACKED) | (how & SERVER);
    const struct addr *a = plans[role]->links[0].fwd;
    end.ops = a->form->ops.session;
    end.ngot = 0;
    end.failed = false;
    for (int i = 0; i < 4; i++)
        if (buf_init(&end.buf[i], BUF) < 0)
            abort();
    end.data = (struct session_side){.in = &end.buf[0], .out = &end.buf[1], .records = how & RECORDS, .piece = 1000};
    end.wire = (struct session_side){.in = &end.buf[2], .out = &end.buf[3]};
    if (end.ops->open(a, &runs[role], shared[role], &end.st, &e) < 0)
        abort();
    if (how & READY)
        shake_hands(how & SERVER, how & PACKED);
    feed(data + 2, size - 2, piece);
    if ((how & (READY | PACKED | RECORDS)) == READY)
        compare(data + 2, size - 2, how & SERVER);
    end.ops->close(end.st);
    for (int i = 0; i < 4; i++)
        buf_fini(&end.buf[i]);
    return 0;
}
