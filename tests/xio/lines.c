/* SPDX-License-Identifier: GPL-2.0-or-later
 * A program as somebody else writes it, in C or in C++: sends its input through a chain and prints what comes
 * back. Its own functions have names that the library has, too. */
#include <xio.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif
int diag(void);
int serve(void);
int run_init(void);
int diag(void) { return 1; }
int serve(void) { return 2; }
int run_init(void) { return 3; }
#ifdef __cplusplus
}
#endif

int main(int argc, char *argv[])
{
    char buf[4096];
    ssize_t n;
    struct xio *h = argc > 1 ? xioopen(argv[1]) : NULL;
    if (!h) {
        fprintf(stderr, "%zu: %s\n", xioerror(NULL)->offset, xioerror(NULL)->text);
        return 1;
    }
    while ((n = read(0, buf, sizeof buf)) > 0)
        if (xiowrite(h, buf, (size_t)n) != n)
            return 2;
    if (xioshutdown(h, SHUT_WR) < 0)
        return 3;
    while ((n = xioread(h, buf, sizeof buf)) > 0)
        if (write(1, buf, (size_t)n) != n)
            return 4;
    if (n < 0 || xioclose(h) < 0) {
        fprintf(stderr, "%s\n", xioerror(NULL)->text);
        return 5;
    }
    return diag() + serve() + run_init() - 6;
}
