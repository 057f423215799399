/* SPDX-License-Identifier: GPL-2.0-or-later
 * See question.h. */
#include "xiorun/question.h"

#include <string.h>

enum { HEADER = 12, LABEL_MAX = 63, NAME_BYTES = 254, TTL = 1, UNKNOWN = 3 };

static unsigned two(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* A question's name has no pointers. Characters that no host's name has make it none that is known. */
static size_t read_name(const uint8_t *packet, size_t n, size_t at, char name[256])
{
    size_t len = 0;
    while (at < n && packet[at]) {
        size_t label = packet[at++];
        if (label > LABEL_MAX || at + label > n || len + label + 1 > NAME_BYTES)
            return 0;
        if (len > 0)
            name[len++] = '.';
        for (size_t i = 0; i < label; i++)
            name[len++] = (char)(packet[at + i] > 0x20 && packet[at + i] < 0x7f && packet[at + i] != '.' ? packet[at + i] : '?');
        at += label;
    }
    name[len] = '\0';
    return at < n ? at + 1 : 0;
}

bool question_read(const uint8_t *packet, size_t n, struct question *q)
{
    if (n < HEADER || packet[2] & 0xf8 || two(packet + 4) != 1) /* an answer, or another kind of question */
        return false;
    size_t at = read_name(packet, n, HEADER, q->name);
    if (at == 0 || at + 4 > n)
        return false;
    q->type = two(packet + at);
    q->class = two(packet + at + 2);
    q->end = at + 4;
    return true;
}

static size_t begin(const struct question *q, const uint8_t *packet, unsigned answers, unsigned code, uint8_t *out)
{
    memcpy(out, packet, q->end);
    out[2] = (uint8_t)(0x84 | (packet[2] & 1)); /* an answer, of who knows */
    out[3] = (uint8_t)(0x80 | code);
    memset(out + 6, 0, 6);
    out[7] = (uint8_t)answers;
    return q->end;
}

size_t question_answer(const struct question *q, const uint8_t *packet, const uint8_t *data, size_t n, uint8_t *out, size_t cap)
{
    const uint8_t head[] = {0xc0, HEADER, (uint8_t)(q->type >> 8), (uint8_t)q->type, 0, QUESTION_IN,
                            0, 0, 0, TTL, (uint8_t)(n >> 8), (uint8_t)n};
    if (q->end + sizeof head + n > cap)
        return 0;
    size_t at = begin(q, packet, 1, 0, out);
    memcpy(out + at, head, sizeof head);
    memcpy(out + at + sizeof head, data, n);
    return at + sizeof head + n;
}

size_t question_nothing(const struct question *q, const uint8_t *packet, bool unknown, uint8_t *out, size_t cap)
{
    return q->end > cap ? 0 : begin(q, packet, 0, unknown ? UNKNOWN : 0, out);
}

size_t question_encode(const char *name, uint8_t out[256])
{
    size_t at = 0;
    while (*name && at < NAME_BYTES) {
        size_t n = strcspn(name, ".");
        n = n > LABEL_MAX ? LABEL_MAX : n;
        n = at + 1 + n > NAME_BYTES ? NAME_BYTES - at - 1 : n;
        out[at++] = (uint8_t)n;
        memcpy(out + at, name, n);
        at += n;
        name += n;
        name += *name == '.';
    }
    out[at++] = 0;
    return at;
}
