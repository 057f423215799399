/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the system grants the process: limits, signals; and what it offers: types, interfaces. */
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <termios.h>
#include <time.h>

#include "analyze/procan.h"
#include "catena/features.h"

void procan_limits(FILE *f)
{
    static const struct {
        const char *name;
        int resource;
    } rows[] = {
        {"cpu time (seconds)", RLIMIT_CPU},
        {"file size (bytes)", RLIMIT_FSIZE},
        {"data seg size (bytes)", RLIMIT_DATA},
        {"stack size (bytes)", RLIMIT_STACK},
        {"core file size (bytes)", RLIMIT_CORE},
        {"max resident set size", RLIMIT_RSS},
        {"max user processes", RLIMIT_NPROC},
        {"open files", RLIMIT_NOFILE},
        {"max locked-in-memory\n  address space", RLIMIT_MEMLOCK},
        {"virtual memory (bytes)", RLIMIT_AS},
        {"file locks", RLIMIT_LOCKS},
        {"pending signals", RLIMIT_SIGPENDING},
        {"message queues (bytes)", RLIMIT_MSGQUEUE},
        {"nice priority", RLIMIT_NICE},
        {"real time priority", RLIMIT_RTPRIO},
        {"real time (usec)", RLIMIT_RTTIME},
    };
    fprintf(f, "RESOURCE LIMITS\n%-24s%24s%24s\n", "resource", "current", "maximum");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *last = strrchr(rows[i].name, '\n'); /* the columns stand in the last line */
        int before = last ? (int)(last + 1 - rows[i].name) : 0;
        struct rlimit limit;
        if (getrlimit(rows[i].resource, &limit) == 0)
            fprintf(f, "%.*s%-24s%24ju%24ju\n", before, rows[i].name, rows[i].name + before,
                    (uintmax_t)limit.rlim_cur, (uintmax_t)limit.rlim_max);
    }
    fprintf(f, "%-25s = %-24zu\n", "SIZE_MAX", SIZE_MAX);
}

/* --- signals ---------------------------------------------------------------------------------- */

static const char *disposition(int sig)
{
    struct sigaction action;
    if (sigaction(sig, NULL, &action) < 0)
        return NULL;
    if (action.sa_flags & SA_SIGINFO)
        return "caught";
    return action.sa_handler == SIG_IGN ? "ignored"
           : action.sa_handler == SIG_DFL ? "default" : "caught";
}

static void put_signal(FILE *f, int sig, bool blocked, bool pending)
{
    const char *what = disposition(sig);
    if (!what)
        return; /* one that the C library keeps for itself */
    const char *abbreviation = sigabbrev_np(sig);
    if (!abbreviation && strcmp(what, "default") == 0 && !blocked && !pending)
        return; /* nothing to say about each of the real-time signals */
    fprintf(f, "%2d SIG%s", sig, abbreviation ? abbreviation : "RTMIN");
    if (!abbreviation)
        fprintf(f, "+%d", sig - SIGRTMIN);
    fprintf(f, " = %s%s%s\n", what, blocked ? ", blocked" : "", pending ? ", pending" : "");
}

void procan_signals(FILE *f)
{
    sigset_t blocked, pending;
    sigemptyset(&blocked);
    sigemptyset(&pending);
    (void)sigprocmask(SIG_SETMASK, NULL, &blocked);
    (void)sigpending(&pending);
    fputs("SIGNAL DISPOSITIONS\n", f);
    for (int sig = 1; sig <= SIGRTMAX; sig++)
        put_signal(f, sig, sigismember(&blocked, sig) == 1, sigismember(&pending, sig) == 1);
}

/* --- sizes ------------------------------------------------------------------------------------ */

void procan_sizes(FILE *f)
{
#define SIZE(type)        {"sizeof(" #type ")", sizeof(type)}
#define STRUCT_SIZE(name) SIZE(struct name)
    static const struct {
        const char *name;
        size_t size;
    } rows[] = {
        SIZE(char), SIZE(short), SIZE(int), SIZE(long), SIZE(long long), SIZE(size_t),
        SIZE(void *), SIZE(off_t), SIZE(time_t), SIZE(pid_t), SIZE(socklen_t),
        STRUCT_SIZE(timespec), STRUCT_SIZE(timeval), STRUCT_SIZE(stat), STRUCT_SIZE(termios),
        STRUCT_SIZE(sockaddr), STRUCT_SIZE(sockaddr_in), STRUCT_SIZE(sockaddr_in6),
        STRUCT_SIZE(sockaddr_un), STRUCT_SIZE(sockaddr_storage),
    };
    fputs("C TYPE SIZES\n", f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fprintf(f, "%-17s = %zu\n", rows[i].name, rows[i].size);
}

void procan_interfaces(FILE *f)
{
    fputs("IP INTERFACES\n", f);
    struct if_nameindex *all = if_nameindex();
    if (!all)
        return; /* none may be asked for */
    for (const struct if_nameindex *i = all; i->if_index != 0; i++)
        fprintf(f, "%2u: %s\n", i->if_index, i->if_name);
    if_freenameindex(all);
}
