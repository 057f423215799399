/* SPDX-License-Identifier: GPL-2.0-or-later
 * What bytes written as text have in common: lines, and errors that name a byte. */
#ifndef CATENA_INTER_TEXT_H
#define CATENA_INTER_TEXT_H

#include "catena/inter.h"

/* Text on its way out. */
struct text_out {
    unsigned char stage[1024];
    size_t off, len;
    size_t line, column; /* characters in a line, 0: no lines; in this one */
};
void text_init(struct text_out *t, const struct addr *a);
/* Is there room for n characters, and what else there has to be? */
static inline bool text_has_room(const struct text_out *t, size_t n)
{
    return t->off + t->len + 2 * n <= sizeof t->stage;
}
void text_put(struct text_out *t, const char *characters, size_t n);
void text_end(struct text_out *t); /* the last line */
/* false: some of it is still there */
bool text_give(struct text_out *t, struct buf *out);

static inline bool text_is_blank(unsigned char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}
int text_stray(unsigned char c, unsigned long long offset, const char *what, struct err *e);
/* Which of the words, up to NULL, is it? -1: none, `all` says which there are. */
int text_word(const struct addr *a, const struct option_desc *row, const char *const *words,
              const char *all, struct err *e);

#endif
