/* SPDX-License-Identifier: GPL-2.0-or-later
 * Frames of RFC 6455, 5.2, as they lie on the wire, and what is said of the bytes in them: pure. */
#ifndef CATENA_INTER_WS_FRAME_H
#define CATENA_INTER_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_kind {
    FRAME_MORE = 0, /* of a message that has begun */
    FRAME_TEXT = 1,
    FRAME_BINARY = 2,
    FRAME_CLOSE = 8,
    FRAME_PING = 9,
    FRAME_PONG = 10,
};
enum {
    FRAME_PACKED = 4,    /* the reserved bit that RFC 7692 took: of a message that is compressed */
    FRAME_CONTROL = 8,   /* the bit of all kinds that are no data */
    FRAME_HEAD = 14,     /* bytes of a head at most */
    CONTROL_MOST = 125,  /* bytes that a frame of control may have */
};

enum close_code {
    CLOSE_NORMAL = 1000,
    CLOSE_AWAY = 1001,
    CLOSE_PROTOCOL = 1002,
    CLOSE_NO_CODE = 1005, /* never on the wire */
    CLOSE_NO_TEXT = 1007,
    CLOSE_TOO_BIG = 1009,
    CLOSE_FAILED = 1011,
};

struct frame {
    bool fin, masked;
    unsigned reserved, kind;
    unsigned char key[4];
    uint64_t len;
};

/* Gives the length of the head. */
size_t frame_put(unsigned char to[FRAME_HEAD], const struct frame *f);
/* Gives the length of the head; 0 when more bytes are needed; -1 when its length is not written as it has to be. */
int frame_take(const unsigned char *p, size_t n, struct frame *f);
/* The phase-th byte of a frame and those behind it, masked or unmasked; to may be from. */
void frame_mask(unsigned char *to, const unsigned char *from, size_t n, const unsigned char key[4], uint64_t phase);
/* May that code stand in a Close? */
bool close_code_is_valid(unsigned code);

/* Where in a character of UTF-8 a text is. */
struct utf8 {
    unsigned char missing, low, high; /* so many bytes, the next of which lies between these */
};
/* Gives false if it is no UTF-8. *whole: bytes up to the end of the last character, if that is not NULL. */
bool utf8_scan(struct utf8 *u, const unsigned char *p, size_t n, size_t *whole);

#endif
