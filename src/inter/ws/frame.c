/* SPDX-License-Identifier: GPL-2.0-or-later
 * Frames: see frame.h. */
#include "inter/ws/frame.h"

#include <string.h>

enum { FIN = 0x80, MASK = 0x80, IN_16 = 126, IN_64 = 127 };

static size_t put_number(unsigned char *to, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> (8 * (bytes - 1 - i)));
    return bytes;
}

static uint64_t number(const unsigned char *p, size_t bytes)
{
    uint64_t value = 0;
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | p[i];
    return value;
}

size_t frame_put(unsigned char to[FRAME_HEAD], const struct frame *f)
{
    unsigned mask = f->masked ? MASK : 0;
    size_t n = 2;
    to[0] = (unsigned char)((f->fin ? FIN : 0) | f->reserved << 4 | f->kind);
    to[1] = (unsigned char)(mask | (f->len < IN_16 ? (unsigned)f->len : f->len <= UINT16_MAX ? IN_16 : IN_64));
    if (f->len >= IN_16)
        n += put_number(to + n, f->len, f->len <= UINT16_MAX ? 2 : 8);
    if (f->masked)
        memcpy(to + n, f->key, sizeof f->key);
    return n + (f->masked ? sizeof f->key : 0);
}

int frame_take(const unsigned char *p, size_t n, struct frame *f)
{
    if (n < 2)
        return 0;
    unsigned length = p[1] & 0x7f;
    size_t more = length == IN_16 ? 2 : length == IN_64 ? 8 : 0;
    *f = (struct frame){.fin = p[0] & FIN, .reserved = p[0] >> 4 & 7, .kind = p[0] & 15, .masked = p[1] & MASK};
    size_t head = 2 + more + (f->masked ? sizeof f->key : 0);
    if (n < head)
        return 0;
    f->len = more ? number(p + 2, more) : length;
    if (f->masked)
        memcpy(f->key, p + 2 + more, sizeof f->key);
    bool shortest = length < IN_16 || f->len > (length == IN_16 ? IN_16 - 1 : UINT16_MAX);
    return !shortest || f->len > INT64_MAX ? -1 : (int)head;
}

void frame_mask(unsigned char *to, const unsigned char *from, size_t n, const unsigned char key[4], uint64_t phase)
{
    unsigned char k[8];
    uint64_t wide;
    for (size_t i = 0; i < sizeof k; i++)
        k[i] = key[(phase + i) & 3];
    memcpy(&wide, k, sizeof wide);
    size_t i = 0;
    for (uint64_t w[8]; n - i >= sizeof w; i += sizeof w) { /* which the compiler makes vectors of */
        memcpy(w, from + i, sizeof w);
        for (size_t j = 0; j < 8; j++)
            w[j] ^= wide;
        memcpy(to + i, w, sizeof w);
    }
    for (; i < n; i++)
        to[i] = from[i] ^ k[i & 7];
}

bool close_code_is_valid(unsigned code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

/* ---- UTF-8: RFC 3629, as a table of what may follow a first byte ---- */

static const struct lead {
    unsigned char from, to, missing, low, high;
} leads[] = {
    {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
    {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf},
    {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

static bool begin(struct utf8 *u, unsigned char c)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++)
        if (c >= leads[i].from && c <= leads[i].to) {
            *u = (struct utf8){leads[i].missing, leads[i].low, leads[i].high};
            return true;
        }
    return false;
}

static bool go_on(struct utf8 *u, unsigned char c)
{
    if (c < u->low || c > u->high)
        return false;
    *u = (struct utf8){(unsigned char)(u->missing - 1), 0x80, 0xbf};
    return true;
}

static size_t ascii(const unsigned char *p, size_t n)
{
    size_t i = 0;
    for (uint64_t w; n - i >= sizeof w; i += sizeof w) {
        memcpy(&w, p + i, sizeof w);
        if (w & UINT64_C(0x8080808080808080))
            break;
    }
    while (i < n && p[i] < 0x80)
        i++;
    return i;
}

bool utf8_scan(struct utf8 *u, const unsigned char *p, size_t n, size_t *whole)
{
    size_t last = 0;
    for (size_t i = 0; i < n;) {
        if (u->missing == 0) {
            i += ascii(p + i, n - i);
            last = i;
            if (i < n && !begin(u, p[i++]))
                return false;
        } else if (!go_on(u, p[i++])) {
            return false;
        }
        last = u->missing == 0 ? i : last;
    }
    if (whole)
        *whole = last;
    return true;
}
