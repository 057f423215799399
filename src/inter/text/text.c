/* SPDX-License-Identifier: GPL-2.0-or-later
 * What bytes written as text have in common: see text.h. */
#include "inter/text/text.h"

#include <string.h>

#include "inter/text/opts_text.h"

void text_init(struct text_out *t, const struct addr *a)
{
    t->line = (size_t)opt_int(a, &opt_line_length, 0);
}

void text_put(struct text_out *t, const char *characters, size_t n)
{
    unsigned char *to = t->stage + t->off + t->len;
    if (t->line == 0) {
        memcpy(to, characters, n);
        t->len += n;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        *to++ = (unsigned char)characters[i];
        if (++t->column == t->line) {
            *to++ = '\n';
            t->column = 0;
        }
    }
    t->len = (size_t)(to - (t->stage + t->off));
}

void text_end(struct text_out *t)
{
    if (t->column > 0)
        t->stage[t->off + t->len++] = '\n';
    t->column = 0;
}

bool text_give(struct text_out *t, struct buf *out)
{
    size_t n = t->len > 0 ? buf_put(out, t->stage + t->off, t->len) : 0;
    t->off += n;
    t->len -= n;
    if (t->len == 0)
        t->off = 0;
    return t->len == 0;
}

int text_stray(unsigned char c, unsigned long long offset, const char *what, struct err *e)
{
    if (c > ' ' && c <= '~')
        return err_set(e, ERR_DAMAGED, "\"%c\" (0x%02x) at offset %llu is %s", c, c, offset, what);
    return err_set(e, ERR_DAMAGED, "byte 0x%02x at offset %llu is %s", c, offset, what);
}

int text_word(const struct addr *a, const struct option_desc *row, const char *const *words,
              const char *all, struct err *e)
{
    const char *name = opt_string(a, row, words[0]);
    for (int i = 0; words[i] && name; i++)
        if (strcmp(words[i], name) == 0)
            return i;
    return err_at(e, opt_find(a, row)->at, "%s \"%s\" is none of %s", row->name, name ? name : "", all);
}
