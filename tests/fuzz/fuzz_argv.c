/* SPDX-License-Identifier: GPL-2.0-or-later
 * The words of EXEC's command line: all within one block, no more text than was typed, and a line
 * without quoting comes apart at its blanks. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint/program/argv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool quotes(const char *text)
{
    return strpbrk(text, "\"'\\(){}[]") != NULL;
}

/* Words of a plain line, one after the other. */
static void compare(const char *text, char **argv)
{
    const char *p = text + strspn(text, " ");
    for (; *argv; argv++) {
        size_t n = strcspn(p, " ");
        if (strlen(*argv) != n || strncmp(*argv, p, n) != 0)
            abort();
        p += n;
        p += strspn(p, " ");
    }
    if (*p)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = {.kind = ERR_NONE};
    char **argv = NULL;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (argv_split(text, &argv, &e) < 0) {
        if (e.kind != ERR_USAGE || !e.text[0])
            abort();
    } else {
        size_t total = 0;
        if (!argv[0] || !argv[0][0])
            abort();
        for (char **w = argv; *w; w++)
            total += strlen(*w);
        if (total > strlen(text))
            abort();
        if (!quotes(text))
            compare(text, argv);
        free(argv);
    }
    free(text);
    return 0;
}
