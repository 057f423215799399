/* SPDX-License-Identifier: GPL-2.0-or-later
 * The main() of a fuzz target without a fuzzer: runs it over the files named on the command line, so
 * that the corpus is part of the ordinary tests, or over standard input. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak)); /* not all have one */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 1 << 20 };

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
    if (LLVMFuzzerInitialize)
        (void)LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        FILE *f = fopen(argv[i], "rb");
        if (!f || replay(f) < 0) {
            perror(argv[i]);
            failed = 1;
        }
        if (f)
            (void)fclose(f);
    }
    if (argc == 1)
        failed = replay(stdin) < 0;
    else
        printf("%d inputs\n", argc - 1);
    return failed;
}
