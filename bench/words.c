/* SPDX-License-Identifier: GPL-2.0-or-later
 * A text of words, always the same: words <bytes>. 6,000 words of 2 to 10 letters, small numbers of
 * them often and most seldom, in lines. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 6000, LONGEST = 10, LINE = 72 };

static uint64_t state = 42;

static unsigned any(unsigned below)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)((state >> 33) % below);
}

int main(int argc, char **argv)
{
    static const char letters[] = "eeeeettttaaaoooiiinnnsssrrrhhhllddcuumfpgwybvk";
    static char words[WORDS][LONGEST + 1];
    unsigned long left = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
    unsigned column = 0;

    for (int i = 0; i < WORDS; i++)
        for (unsigned j = 0, n = 2 + any(LONGEST - 1); j < n; j++)
            words[i][j] = letters[any(sizeof(letters) - 1)];
    while (left > 0) {
        const char *word = words[any(1 + any(1 + any(WORDS)))];

        for (; *word && left > 0; word++, left--, column++)
            putchar(*word);
        if (left > 0) {
            putchar(column > LINE ? '\n' : ' ');
            column = column > LINE ? 0 : column + 1;
            left--;
        }
    }
    return 0;
}
