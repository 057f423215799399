/* SPDX-License-Identifier: GPL-2.0-or-later
 * Loads a library, uses it, and lets it go, again and again: reload <libxio.so.1> <times> <chain>. Nothing may
 * grow, and what it prints is the growth. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void once(const char *file, const char *chain)
{
    void *lib = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (!lib) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    void *(*open)(const char *, int) = (void *(*)(const char *, int))dlsym(lib, "xioopen");
    int (*close)(void *) = (int (*)(void *))dlsym(lib, "xioclose");
    void *h = open(chain, 2);
    if (!h || close(h) != 0 || dlclose(lib) != 0)
        exit(1);
}

/* Of /proc/self: kilobytes in memory, descriptors and mappings are seen by their number of lines. */
static long resident(void)
{
    char line[200];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "VmRSS: %ld", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb;
}

static int mappings(void)
{
    int n = 0, c;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && (c = fgetc(f)) != EOF)
        n += c == '\n';
    if (f)
        fclose(f);
    return n;
}

int main(int argc, char *argv[])
{
    int times = argc > 3 ? atoi(argv[2]) : 0;
    for (int i = 0; i < 50; i++)
        once(argv[1], argv[3]);
    long kb = resident();
    int maps = mappings();
    for (int i = 0; i < times; i++)
        once(argv[1], argv[3]);
    printf("%ld %d\n", resident() - kb, mappings() - maps);
    return 0;
}
