/* SPDX-License-Identifier: GPL-2.0-or-later
 * Questions to a name server, and answers (RFC 1035). Pure. */
#ifndef CATENA_XIORUN_QUESTION_H
#define CATENA_XIORUN_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QUESTION_A = 1, QUESTION_PTR = 12, QUESTION_IN = 1 };

struct question {
    char name[256];
    unsigned type, class;
    size_t end; /* of the question in the packet */
};

bool question_read(const uint8_t *packet, size_t n, struct question *q);
/* Give the length of the answer; 0: it does not fit. */
size_t question_answer(const struct question *q, const uint8_t *packet, const uint8_t *data, size_t n, uint8_t *out, size_t cap);
/* unknown: nobody has that name; else it has nothing of that kind. */
size_t question_nothing(const struct question *q, const uint8_t *packet, bool unknown, uint8_t *out, size_t cap);
/* A name as a packet has it, of at most 255 characters. */
size_t question_encode(const char *name, uint8_t out[256]);

#endif
