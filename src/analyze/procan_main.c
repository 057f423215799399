/* SPDX-License-Identifier: GPL-2.0-or-later
 * procan: prints what process it has been started as. */
#include <stdbool.h>
#include <unistd.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/err.h"
#include "catena/version.h"
#include "analyze/procan.h"

static const char usage_text[] =
    "Usage:\n"
    "procan [options]\n"
    "   options:\n"
    "      -?|-h  print this help text\n"
    "      -V     print the version\n"
    "      -c     print values of compile time C defines\n";

static void usage(FILE *f)
{
    fprintf(f, "procan of catena %s, analyzes the process it is\n%s", catena_version, usage_text);
}

static void version(FILE *f)
{
    fprintf(f, "procan of catena %s\n", catena_version);
}

static void report(FILE *f)
{
    static void (*const parts[])(FILE *) = {procan_process, procan_limits, procan_signals,
                                            procan_sizes, procan_interfaces};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (i > 0)
            putc('\n', f);
        parts[i](f);
    }
}

static int run(int argc, char *argv[], struct err *e)
{
    void (*print)(FILE *) = report;
    int letter;
    opterr = 0;
    while ((letter = getopt(argc, argv, "+hVc")) >= 0) {
        if (letter == 'h' || (letter == '?' && optopt == '?')) /* -? is asked for, too */
            print = usage;
        else if (letter == 'V')
            print = version;
        else if (letter == 'c')
            print = procan_defines;
        else
            return err_set(e, ERR_USAGE, "unknown option \"-%c\"; procan -h lists the options",
                           optopt);
    }
    if (optind < argc)
        return err_set(e, ERR_USAGE, "%d superfluous arguments, the first is \"%s\"",
                       argc - optind, argv[optind]);
    print(stdout);
    if (fflush(stdout) != 0 || ferror(stdout))
        return err_sys(e, "standard output");
    return 0;
}

int main(int argc, char *argv[])
{
    struct err e;
    struct catena here = {.log = {.prog = "procan", .level = DIAG_WARN, .v1 = true}};
    (void)diag_about(&(struct diag_peer){.catena = &here});
    if (run(argc, argv, &e) == 0)
        return 0;
    diag_err(DIAG_ERROR, &e);
    return 1;
}
