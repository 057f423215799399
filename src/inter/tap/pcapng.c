/* SPDX-License-Identifier: GPL-2.0-or-later
 * The blocks that we write: see pcapng.h. Each begins with its type and length, and ends with the length
 * again; everything is filled up to 4 bytes. */
#include "inter/tap/pcapng.h"

#include <string.h>

enum block { SECTION = 0x0a0d0d0a, INTERFACE = 1, PACKET = 6, SECRETS = 10 };
enum option { END = 0, COMMENT = 1, NAME = 2, FLAGS = 2, PROGRAM = 4, RESOLUTION = 9 };
enum {
    ORDER = 0x1a2b3c4d,
    RAW_IP = 101,
    NANOSECONDS = 9,
    INBOUND = 1,
    OUTBOUND = 2,
    TLS_KEY_LOG = 0x544c534b,
};

static void put(struct buf *b, const void *data, size_t n)
{
    static const unsigned char zero[4];
    (void)buf_put(b, data, n);
    (void)buf_put(b, zero, -n % 4);
}

static void put16(struct buf *b, uint16_t a, uint16_t c)
{
    const uint16_t both[2] = {a, c};
    put(b, both, sizeof both);
}

static void put32(struct buf *b, uint32_t v)
{
    put(b, &v, sizeof v);
}

static void put_option(struct buf *b, enum option code, const void *data, size_t n)
{
    put16(b, (uint16_t)code, (uint16_t)n);
    put(b, data, n);
}

static void put_text(struct buf *b, enum option code, const char *text)
{
    if (text)
        put_option(b, code, text, strnlen(text, PCAPNG_TEXT));
}

/* Gives where it begins, for end(). */
static size_t begin(struct buf *b, enum block type)
{
    size_t at = b->len;
    put32(b, (uint32_t)type);
    put32(b, 0);
    return at;
}

static void end(struct buf *b, size_t at)
{
    uint32_t n = (uint32_t)(b->len - at + 4);
    put32(b, n);
    memcpy(buf_data(b) + at + 4, &n, sizeof n);
}

void pcapng_section(struct buf *b, const char *program)
{
    size_t at = begin(b, SECTION);
    put32(b, ORDER);
    put16(b, 1, 0); /* the format's version */
    put32(b, UINT32_MAX);
    put32(b, UINT32_MAX); /* as long as it gets */
    put_text(b, PROGRAM, program);
    put16(b, END, 0);
    end(b, at);
}

void pcapng_interface(struct buf *b, const char *name, const char *comment)
{
    const unsigned char resolution = NANOSECONDS;
    size_t at = begin(b, INTERFACE);
    put16(b, RAW_IP, 0);
    put32(b, 0); /* packets are whole */
    put_text(b, COMMENT, comment);
    put_text(b, NAME, name);
    put_option(b, RESOLUTION, &resolution, sizeof resolution);
    put16(b, END, 0);
    end(b, at);
}

void pcapng_secrets(struct buf *b, const char *lines, size_t n)
{
    size_t at = begin(b, SECRETS);
    put32(b, TLS_KEY_LOG);
    put32(b, (uint32_t)n);
    put(b, lines, n);
    end(b, at);
}

size_t pcapng_packet(const struct pcapng_packet *p, unsigned char head[PCAPNG_HEAD],
                     unsigned char tail[PCAPNG_TAIL])
{
    static const unsigned char zero[4];
    const uint32_t flags = p->outward ? OUTBOUND : INBOUND;
    struct buf b = {.p = tail, .cap = PCAPNG_TAIL};
    (void)buf_put(&b, zero, -p->len % 4);
    size_t filled = b.len;
    b = (struct buf){.p = tail + filled, .cap = PCAPNG_TAIL - filled};
    put_text(&b, COMMENT, p->comment);
    put_option(&b, FLAGS, &flags, sizeof flags);
    put16(&b, END, 0);
    uint32_t n = (uint32_t)(PCAPNG_HEAD + p->len + filled + b.len + 4);
    put32(&b, n);
    const uint32_t h[] = {PACKET, n, p->interface, (uint32_t)(p->time >> 32), (uint32_t)p->time, (uint32_t)p->len,
                          (uint32_t)p->len};
    memcpy(head, h, PCAPNG_HEAD);
    return filled + b.len;
}
