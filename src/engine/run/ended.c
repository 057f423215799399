/* SPDX-License-Identifier: GPL-2.0-or-later
 * How a process has ended: see ended.h. */
#include "engine/run/ended.h"

#include <stdio.h>
#include <string.h>

#include "catena/features.h"

enum { NOT_EXECUTABLE = 126, NOT_FOUND = 127, ON_SIGNAL = 128 };

static void signal_words(const char *before, int sig, char *text, size_t size)
{
    const char *name = sigabbrev_np(sig), *what = sigdescr_np(sig);
    (void)snprintf(text, size, "%s signal %d%s%s%s%s%s", before, sig, name ? " (SIG" : "",
                   name ? name : "", name && what ? ", " : "", name && what ? what : "",
                   name ? ")" : "");
}

static void status_words(int status, bool shell, char *text, size_t size)
{
    char more[80] = "";
    if (status == NOT_EXECUTABLE)
        (void)snprintf(text, size, "exited with 126: command cannot be executed");
    else if (status == NOT_FOUND)
        (void)snprintf(text, size, "exited with 127: command not found");
    else if (shell && status > ON_SIGNAL && sigabbrev_np(status - ON_SIGNAL))
        signal_words(": its command ended on", status - ON_SIGNAL, more, sizeof more);
    if (status != NOT_EXECUTABLE && status != NOT_FOUND)
        (void)snprintf(text, size, "exited with status %d%s", status, more);
}

void ended_words(const siginfo_t *how, bool shell, char *text, size_t size)
{
    if (how->si_code == CLD_EXITED)
        status_words(how->si_status, shell, text, size);
    else
        signal_words("exited on", how->si_status, text, size);
}

bool ended_by(const siginfo_t *how, bool shell, int sig)
{
    if (how->si_code != CLD_EXITED)
        return how->si_status == sig;
    return shell && how->si_status == ON_SIGNAL + sig;
}

bool ended_well(const siginfo_t *how)
{
    return how->si_code == CLD_EXITED && how->si_status == 0;
}
