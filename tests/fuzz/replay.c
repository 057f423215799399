/* SPDX-License-Identifier: GPL-2.0-or-later
 * The main() of a fuzz target without libFuzzer: runs it over the files named on the command line, so
 * that the corpus is part of the ordinary tests, or over standard input, as AFL++ and people at a
 * terminal want it. Built with afl-clang-fast it goes on in one process. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20 };

#ifdef __AFL_COMPILER
#define AGAIN() __AFL_LOOP(1000)
#else
#define AGAIN() (turn == 0)
#endif

static int replay(FILE *f)
{
    size_t size = 0;
    uint8_t *data = malloc(MOST);
    if (data)
        size = fread(data, 1, MOST, f);
    if (!data || ferror(f)) {
        free(data);
        return -1;
    }
    /* A copy of the exact size, so that a sanitizer sees reads behind the end. */
    uint8_t *exact = malloc(size ? size : 1);
    if (exact) {
        for (size_t i = 0; i < size; i++)
            exact[i] = data[i];
        LLVMFuzzerTestOneInput(exact, size);
    }
    free(data);
    free(exact);
    return exact ? 0 : -1;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f || replay(f) < 0) {
            perror(argv[i]);
            failed = 1;
        }
        if (f)
            (void)fclose(f);
    }
    for (int turn = 0; argc == 1 && AGAIN(); turn++)
        failed |= replay(stdin) < 0;
    if (argc > 1)
        printf("%d inputs\n", argc - 1);
    return failed;
}
