/* SPDX-License-Identifier: GPL-2.0-or-later
 * Frames of HTTP/2 as a proxy sends them, and those that it has got. For test_http2*.c, behind their other headers. */
#ifndef HTTP2_FRAMES_H
#define HTTP2_FRAMES_H

enum { DATA, HEADERS, RST_STREAM = 3, SETTINGS, GOAWAY = 7, WINDOW_UPDATE, END = 1, ACK = 1, HEAD = 4 };

struct frames {
    unsigned char bytes[1 << 16];
    size_t n;
};

static inline void frame(struct frames *f, unsigned type, unsigned flags, unsigned stream, const void *payload, size_t n)
{
    const unsigned char head[] = {(unsigned char)(n >> 16), (unsigned char)(n >> 8), (unsigned char)n, (unsigned char)type,
                                  (unsigned char)flags, 0, 0, 0, (unsigned char)stream};
    assert_true(f->n + sizeof head + n <= sizeof f->bytes);
    memcpy(f->bytes + f->n, head, sizeof head);
    if (n > 0)
        memcpy(f->bytes + f->n + sizeof head, payload, n);
    f->n += sizeof head + n;
}

static inline void text(struct frames *f, unsigned flags, unsigned stream, const char *s) { frame(f, DATA, flags, stream, s, strlen(s)); }

static inline void reset(struct frames *f, unsigned stream, unsigned char code)
{
    frame(f, RST_STREAM, 0, stream, (const unsigned char[]){0, 0, 0, code}, 4);
}

/* With a field Proxy-Authenticate, if that is not NULL. */
static inline void status(struct frames *f, unsigned flags, unsigned stream, const char *code, const char *challenge)
{
    unsigned char block[300] = {0x08, 3, (unsigned char)code[0], (unsigned char)code[1], (unsigned char)code[2]};
    size_t n = 5;
    if (challenge) {
        block[n++] = 0x0f;
        block[n++] = 48 - 15; /* of HPACK's table */
        block[n++] = (unsigned char)strlen(challenge);
        memcpy(block + n, challenge, strlen(challenge));
        n += strlen(challenge);
    }
    frame(f, HEADERS, HEAD | flags, stream, block, n);
}

/* The frames of a kind that have been sent: how many; of the last one its flags, stream, and what is in it. */
struct seen {
    unsigned n, flags, stream;
    size_t len, all;
    const unsigned char *payload;
};

static inline struct seen frames_seen(const struct frames *t, unsigned type)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    static const unsigned char none[8];
    struct seen s = {.payload = none};
    if (t->n < sizeof preface - 1)
        return s;
    assert_memory_equal(t->bytes, preface, sizeof preface - 1);
    for (size_t at = sizeof preface - 1, n; at + 9 <= t->n; at += 9 + n) {
        const unsigned char *p = t->bytes + at;
        n = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
        if (p[3] != type || at + 9 + n > t->n)
            continue;
        s = (struct seen){s.n + 1, p[4], p[8], n, s.all + n, p + 9};
    }
    return s;
}

#endif
