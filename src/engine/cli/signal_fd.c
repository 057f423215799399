/* SPDX-License-Identifier: GPL-2.0-or-later
 * The process's signals: see signal_fd.h. */
#include "engine/cli/signal_fd.h"

#include <signal.h>
#include <sys/signalfd.h>

int signal_fd_open(const struct settings *s, struct err *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGUSR1);
    for (int sig = 1; sig < 64; sig++)
        if (s->signals & UINT64_C(1) << sig && sig != SIGKILL && sig != SIGSTOP)
            sigaddset(&set, sig);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, standard = {.sa_handler = SIG_DFL};
    (void)sigaction(SIGPIPE, &ignore, NULL); /* write() says it */
    (void)sigaction(SIGXFSZ, &ignore, NULL);
    (void)sigaction(SIGCHLD, &standard, NULL); /* an ignored SIGCHLD would hide exit statuses */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return err_sys(e, "sigprocmask()");
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_sys(e, "signalfd()");
    return fd;
}
