/* SPDX-License-Identifier: GPL-2.0-or-later
 * The notation for binary data: any text ends with bytes or with a message, and the bytes, written
 * down in hex, mean themselves. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/arena.h"
#include "catena/option.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(struct arena *arena, const unsigned char *bytes, size_t n)
{
    const unsigned char *same;
    size_t nsame;
    struct err e;
    char *hex = arena_alloc(arena, 2 * n + 2);
    if (!hex)
        return;
    hex[0] = 'x';
    for (size_t i = 0; i < n; i++)
        (void)snprintf(hex + 1 + 2 * i, 3, "%02x", (unsigned)bytes[i]);
    if (dalan_convert(arena, hex, &same, &nsame, &e) < 0 || nsame != n ||
        (n > 0 && memcmp(same, bytes, n) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};
    struct err e = {.kind = ERR_NONE};
    const unsigned char *bytes;
    size_t n;
    /* A block of its own, so that a sanitizer sees reads behind the end. */
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (dalan_convert(&arena, text, &bytes, &n, &e) == 0)
        again(&arena, bytes, n);
    else if (e.kind != ERR_USAGE || e.text[0] == '\0')
        abort();
    arena_free(&arena);
    free(text);
    return 0;
}
