/* SPDX-License-Identifier: GPL-2.0-or-later
 * Paging: see pager.h. */
#include "engine/cli/pager.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static bool fits(const char *text, size_t n)
{
    struct winsize w;
    size_t lines = 1;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n';
    return !isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_row == 0 || lines <= w.ws_row;
}

/* Gives false when there is no such program. */
static bool paged(const char *pager, const char *text, size_t n)
{
    (void)setenv("LESS", "FRX", 0); /* as git does: short texts end at once, and stay */
    FILE *p = popen(pager, "we");
    if (!p)
        return false;
    void (*before)(int) = signal(SIGPIPE, SIG_IGN); /* who has seen enough leaves */
    (void)fwrite(text, 1, n, p);
    int status = pclose(p);
    (void)signal(SIGPIPE, before);
    return !WIFEXITED(status) || (WEXITSTATUS(status) != 126 && WEXITSTATUS(status) != 127);
}

int pager_show(const char *text, size_t n)
{
    const char *pager = getenv("PAGER");
    if (!fits(text, n) && paged(pager && pager[0] ? pager : "less 2>/dev/null", text, n))
        return 0;
    return fwrite(text, 1, n, stdout) == n && fflush(stdout) == 0 ? 0 : -1;
}
