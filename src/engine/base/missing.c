/* SPDX-License-Identifier: GPL-2.0-or-later
 * Functions that not every C library has (catena/features.h), with glibc's names and meaning. */
#include "catena/features.h"

#if !HAVE_ALL_CALLS

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- names ---- */

struct name {
    int number;
    const char *name;
};

static const char *find(const struct name *v, size_t n, int number)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].number == number)
            return v[i].name;
    return NULL;
}

const char *sigabbrev_np(int sig)
{
#define S(s) {SIG##s, #s}
    static const struct name signals[] = {
        S(HUP),  S(INT),  S(QUIT), S(ILL),  S(TRAP), S(ABRT), S(BUS),  S(FPE),  S(KILL),   S(USR1),  S(SEGV),
        S(USR2), S(PIPE), S(ALRM), S(TERM), S(CHLD), S(CONT), S(STOP), S(TSTP), S(TTIN),   S(TTOU),  S(URG),
        S(XCPU), S(XFSZ), S(PROF), S(SYS),  S(IO),   S(VTALRM), S(WINCH),
#ifdef SIGPWR
        S(PWR), S(STKFLT),
#endif
    };
#undef S
    return find(signals, sizeof signals / sizeof signals[0], sig);
}

const char *sigdescr_np(int sig)
{
    return sigabbrev_np(sig) ? strsignal(sig) : NULL;
}

const char *strerrorname_np(int error)
{
#define E(e) {e, #e}
    static const struct name errors[] = {
        E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF), E(ECHILD), E(EAGAIN),
        E(ENOMEM), E(EACCES), E(EFAULT), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR), E(EINVAL),
        E(ENFILE), E(EMFILE), E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EMLINK), E(EPIPE),
        E(EDEADLK), E(ENAMETOOLONG), E(ENOLCK), E(ENOSYS), E(ENOTEMPTY), E(ELOOP), E(EOVERFLOW), E(EILSEQ), E(ENOTSOCK),
        E(EDESTADDRREQ), E(EMSGSIZE), E(EPROTOTYPE), E(ENOPROTOOPT), E(EPROTONOSUPPORT), E(ESOCKTNOSUPPORT),
        E(EOPNOTSUPP), E(EPFNOSUPPORT), E(EAFNOSUPPORT), E(EADDRINUSE), E(EADDRNOTAVAIL), E(ENETDOWN), E(ENETUNREACH),
        E(ENETRESET), E(ECONNABORTED), E(ECONNRESET), E(ENOBUFS), E(EISCONN), E(ENOTCONN), E(ESHUTDOWN), E(ETIMEDOUT),
        E(ECONNREFUSED), E(EHOSTDOWN), E(EHOSTUNREACH), E(EALREADY), E(EINPROGRESS), E(ESTALE), E(ECANCELED), E(EPROTO),
    };
#undef E
    return find(errors, sizeof errors / sizeof errors[0], error);
}

/* ---- calls ---- */

int close_range(unsigned from, unsigned to, int flags)
{
    return (int)syscall(SYS_close_range, from, to, flags);
}

int pidfd_open(pid_t pid, unsigned flags)
{
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

/* Only the number is asked for. */
int getprotobyname_r(const char *name, struct protoent *room, char *names, size_t size, struct protoent **found)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over what the C library has one of */
    (void)names;
    (void)size;
    pthread_mutex_lock(&lock);
    const struct protoent *p = getprotobyname(name);
    *room = (struct protoent){.p_proto = p ? p->p_proto : 0};
    *found = p ? room : NULL;
    pthread_mutex_unlock(&lock);
    return 0;
}

#endif
