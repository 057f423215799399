/* SPDX-License-Identifier: GPL-2.0-or-later
 * Runs a fuzz target over the files named on the command line: what libFuzzer's own main() does,
 * for builds without it, so that the corpus is part of the ordinary tests. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    size_t size = 0, cap = 1 << 20;
    uint8_t *data = malloc(cap);
    if (data)
        size = fread(data, 1, cap, f);
    fclose(f);
    if (!data)
        return -1;
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
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    printf("%d inputs\n", argc - 1);
    return failed ? 1 : 0;
}
