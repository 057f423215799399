/* SPDX-License-Identifier: GPL-2.0-or-later
 * A pseudo terminal that passes for a serial line, through LD_PRELOAD: it has the lines of a modem, whose
 * state is the number in the file SERIAL_LINES (as of TIOCMGET), and what is done to them is written down in
 * the file SERIAL_LOG. */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

static int lines(int change, int on)
{
    int bits = 0;
    FILE *f = fopen(getenv("SERIAL_LINES"), "r+");
    if (!f)
        return 0;
    if (fscanf(f, "%i", &bits) != 1)
        bits = 0;
    if (change) {
        bits = on ? bits | change : bits & ~change;
        rewind(f);
        fprintf(f, "%-12i\n", bits);
    }
    fclose(f);
    return bits;
}

static void note(const char *what)
{
    FILE *f = fopen(getenv("SERIAL_LOG"), "a");
    if (f) {
        fprintf(f, "%s\n", what);
        fclose(f);
    }
}

int ioctl(int fd, unsigned long request, ...)
{
    static int (*real)(int, unsigned long, void *);
    va_list args;
    va_start(args, request);
    void *arg = va_arg(args, void *);
    va_end(args);
    if (!real)
        real = (int (*)(int, unsigned long, void *))(size_t)dlsym(RTLD_NEXT, "ioctl");
    int *bits = arg;
    switch (request) {
    case TIOCMGET: *bits = lines(0, 0); return 0;
    case TIOCMBIS:
    case TIOCMBIC:
        (void)lines(*bits, request == TIOCMBIS);
        note(*bits == TIOCM_DTR ? (request == TIOCMBIS ? "DTR on" : "DTR off") : request == TIOCMBIS ? "RTS on" : "RTS off");
        return 0;
    case TIOCSBRK: note("break on"); return 0;
    case TIOCCBRK: note("break off"); return 0;
    default: return real(fd, request, arg);
    }
}
