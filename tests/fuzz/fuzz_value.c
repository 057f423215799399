/* SPDX-License-Identifier: GPL-2.0-or-later
 * Values of options: the first two bytes choose the option, the rest is what was typed behind its
 * "=". Ends with a value, or with a message about it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/arena.h"
#include "catena/option.h"
#include "catena/registry.h"
#include "../home.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 2048 };

struct rows {
    const struct option_desc *row[MOST];
    size_t n;
};

static void gather(const struct option_desc *d, void *arg)
{
    struct rows *r = arg;
    if (r->n < MOST)
        r->row[r->n++] = d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct rows rows;
    struct arena arena = {0};
    struct err e = {.kind = ERR_NONE};
    struct value v;
    if (rows.n == 0)
        option_each(&builtin_registry, gather, &rows);
    char *text = size >= 2 ? malloc(size - 1) : NULL;
    if (!text)
        return 0;
    memcpy(text, data + 2, size - 2);
    text[size - 2] = '\0';
    const struct option_desc *d = rows.row[(data[0] | (size_t)data[1] << 8) % rows.n];
    struct span at = {.text = text, .len = strlen(text)};
    if (value_convert(&arena, &home, d, text, at, &v, &e) < 0 && (e.kind == ERR_NONE || !e.text[0]))
        abort();
    arena_free(&arena);
    free(text);
    return 0;
}
