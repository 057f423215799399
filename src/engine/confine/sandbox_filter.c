/* SPDX-License-Identifier: GPL-2.0-or-later
 * The filter of system calls. One table row each: permitted, permitted for certain arguments, or
 * refused where a library asks in passing and copes with a no. Whatever else is called ends the
 * process: then something has gone wrong that nobody foresaw. */
#include "engine/confine/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/features.h"

#if FILTERED_PROCESSOR == 0

bool sandbox_filter_available(void) { return false; }

int sandbox_filter(const struct sandbox_needs *n, struct err *e)
{
    (void)n;
    return err_set(e, ERR_OTHER, "--sandbox: not on this kind of processor");
}

#else

enum rule {
    ALLOW,
    REFUSE,   /* EPERM */
    ABSENT,   /* ENOSYS: libc has another way, whose arguments can be looked at */
    ONE_OF,   /* the argument is in the list; else refused */
    WITH,     /* the argument has all bits of the mask; else refused */
    WITHOUT,  /* it has none of them; else refused */
    ZERO,     /* a null pointer; else refused */
    OURS,     /* a process of the run; else refused */
    REMOVES,  /* if the run has files to remove; else refused */
    REMOVES_QUEUES,
    FATAL,    /* as what is not listed, but its name is known */
};

struct call {
    int nr;
    const char *name;
    enum rule rule;
    unsigned arg;
    uint32_t mask;
    const uint32_t *list;
    size_t nlist;
};

/* TCGETS2 and its kin, which newer C libraries use; their struct is no user header's. */
#define TERMIOS2(dir, nr) (uint32_t) _IOC(dir, 'T', nr, 44)

static const uint32_t requests[] = {
    FIONREAD, FIONBIO, TIOCOUTQ, TIOCGWINSZ, TIOCSWINSZ, TIOCGPGRP,
    TCGETS, TCSETS, TCSETSW, TCSETSF, TCSBRK, TCFLSH,
    TIOCMGET, TIOCMBIS, TIOCMBIC, TIOCGICOUNT, TIOCSBRK, TIOCCBRK, TIOCSIG,
    TERMIOS2(_IOC_READ, 0x2a), TERMIOS2(_IOC_WRITE, 0x2b), TERMIOS2(_IOC_WRITE, 0x2c),
    TERMIOS2(_IOC_WRITE, 0x2d),
};

#define CALL(call, ...) {.nr = SYS_##call, .name = #call, __VA_ARGS__}
#define A(call) {.nr = SYS_##call, .name = #call, .rule = ALLOW} /* not by CALL: a C library may have pread64 for a macro */
#define R(call) CALL(call, .rule = REFUSE)
#define F(call) CALL(call, .rule = FATAL)

static const struct call calls[] = {
    /* bytes */
    A(read), A(write), A(readv), A(writev), A(pread64), A(pwrite64), A(lseek), A(close), A(fsync),
    A(fdatasync), A(recvfrom), A(sendto), A(recvmsg), A(sendmsg), A(recvmmsg), A(sendmmsg),
    A(splice), A(tee), A(vmsplice), A(sendfile), A(copy_file_range), A(mq_timedsend),
    A(mq_timedreceive), A(mq_getsetattr),
    /* waiting */
    A(ppoll), A(pselect6), A(epoll_create1), A(epoll_ctl), A(epoll_pwait), A(eventfd2),
    A(timerfd_create), A(timerfd_settime), A(timerfd_gettime), A(signalfd4), A(nanosleep),
    A(clock_nanosleep), A(restart_syscall),
#ifdef SYS_epoll_pwait2
    A(epoll_pwait2),
#endif
#ifdef SYS_poll
    A(poll), A(select), A(epoll_wait),
#endif
    /* descriptors that are open */
    A(fcntl), A(fstat), A(newfstatat), A(statx), A(dup), A(dup3), A(pipe2), A(shutdown),
    A(getsockopt), A(setsockopt), A(getsockname), A(getpeername), A(ftruncate),
    CALL(ioctl, .rule = ONE_OF, .arg = 1, .list = requests,
         .nlist = sizeof requests / sizeof requests[0]),
#ifdef SYS_dup2
    A(dup2),
#endif
#ifdef SYS_stat
    A(stat), A(lstat), /* as newfstatat() */
#endif
#ifdef SYS_close_range
    A(close_range),
#endif
    /* memory: nothing new becomes executable */
    A(brk), A(munmap), A(mremap), A(madvise),
    CALL(mmap, .rule = WITHOUT, .arg = 2, .mask = PROT_EXEC),
    CALL(mprotect, .rule = WITHOUT, .arg = 2, .mask = PROT_EXEC),
    /* threads, but no processes: refused, not fatal, since fork() holds locks when it calls */
    A(futex), A(set_robust_list), A(sched_yield), A(sched_getaffinity), A(membarrier), A(gettid),
    CALL(clone, .rule = WITH, .arg = 0, .mask = CLONE_THREAD),
    CALL(clone3, .rule = ABSENT),
#ifdef SYS_rseq
    A(rseq),
#endif
#ifdef SYS_futex_waitv
    A(futex_waitv),
#endif
    /* time, chance, and who one is */
    A(clock_gettime), A(clock_getres), A(gettimeofday), A(getrandom), A(getpid), A(getppid),
    A(getuid), A(geteuid), A(getgid), A(getegid), A(uname), A(sysinfo),
    CALL(prlimit64, .rule = ZERO, .arg = 2),
#ifdef SYS_getrlimit
    A(getrlimit),
#endif
#ifdef SYS_time
    A(time),
#endif
    /* signals, and the ends of programs */
    A(rt_sigaction), A(rt_sigprocmask), A(rt_sigpending), A(rt_sigtimedwait), A(rt_sigreturn),
    A(sigaltstack), A(waitid), A(wait4), A(exit), A(exit_group),
    CALL(kill, .rule = OURS), CALL(tgkill, .rule = OURS),
    /* what the run has made is removed */
    CALL(unlinkat, .rule = REMOVES), CALL(mq_unlink, .rule = REMOVES_QUEUES),
#ifdef SYS_unlink
    CALL(unlink, .rule = REMOVES),
#endif
    /* A library that would like to know something goes on without: the C library's heap opens a
     * file of /proc, syslog() connects again when its daemon has been restarted, readline completes
     * names. */
    R(openat), R(socket), R(connect), R(readlinkat), R(faccessat), R(prctl), R(getcwd),
#ifdef SYS_open
    R(open), R(access), R(readlink),
#endif
#ifdef SYS_faccessat2
    R(faccessat2),
#endif
    /* Nobody asks for these in passing. */
    F(execve), F(execveat), F(bind), F(listen), F(accept), F(accept4), F(socketpair), F(ptrace),
    F(process_vm_readv), F(process_vm_writev), F(setuid), F(setgid), F(setresuid), F(setresgid),
    F(setgroups), F(capset), F(chroot), F(mount), F(unshare), F(setns), F(mkdirat), F(renameat2),
    F(linkat), F(symlinkat), F(fchmod), F(fchmodat), F(fchown), F(fchownat), F(truncate),
    F(mq_open), F(memfd_create), F(bpf), F(seccomp), F(keyctl), F(io_uring_setup), F(pidfd_open),
    F(pidfd_send_signal), F(setsid), F(setpgid), F(chdir), F(umask),
#ifdef SYS_fork
    F(fork), F(vfork), F(rename), F(mkdir), F(rmdir), F(link), F(symlink), F(chmod), F(chown),
#endif
};

enum { NCALLS = sizeof calls / sizeof calls[0], PROGRAM_MAX = 4096, ALIEN = 0x40000000 };

/* ---- the program ---- */

struct program {
    struct sock_filter *at;
    size_t n;
};

static void put(struct program *p, unsigned code, uint32_t k, unsigned yes, unsigned no)
{
    if (p->n < PROGRAM_MAX)
        p->at[p->n++] = (struct sock_filter){(uint16_t)code, (uint8_t)yes, (uint8_t)no, k};
    else
        p->n = PROGRAM_MAX + 1;
}

static void put_load(struct program *p, size_t offset)
{
    put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void put_return(struct program *p, uint32_t what) { put(p, BPF_RET | BPF_K, what, 0, 0); }

static void put_if_equal(struct program *p, uint32_t value, uint32_t what)
{
    put(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    put_return(p, what);
}

/* Half of an argument: 0 the low one. */
static size_t half(unsigned arg, int high)
{
    int second = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? high : !high;
    return offsetof(struct seccomp_data, args) + sizeof(uint64_t) * arg +
           sizeof(uint32_t) * (size_t)second;
}

static void put_list(struct program *p, unsigned arg, const uint32_t *list, size_t n)
{
    put_load(p, half(arg, 0));
    for (size_t i = 0; i < n; i++)
        put_if_equal(p, list[i], SECCOMP_RET_ALLOW);
    put_return(p, SECCOMP_RET_ERRNO | EPERM);
}

static void put_verdict(struct program *p, bool allow)
{
    put_return(p, allow ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM);
}

/* What follows once the number fits; ends with a return in every case. */
static void put_rule(struct program *p, const struct call *c, const struct sandbox_needs *n)
{
    switch (c->rule) {
    case ALLOW: put_verdict(p, true); break;
    case REFUSE: put_verdict(p, false); break;
    case ABSENT: put_return(p, SECCOMP_RET_ERRNO | ENOSYS); break;
    case ONE_OF: put_list(p, c->arg, c->list, c->nlist); break;
    case OURS: put_list(p, 0, n->pids, n->npids); break;
    case REMOVES: put_verdict(p, n->removes); break;
    case REMOVES_QUEUES: put_verdict(p, n->removes_queues); break;
    case WITH:
    case WITHOUT:
        put_load(p, half(c->arg, 0));
        put(p, BPF_ALU | BPF_AND | BPF_K, c->mask, 0, 0);
        put_if_equal(p, c->rule == WITH ? c->mask : 0, SECCOMP_RET_ALLOW);
        put_verdict(p, false);
        break;
    case ZERO:
        put_load(p, half(c->arg, 1));
        put(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3); /* to the refusal */
        put_load(p, half(c->arg, 0));
        put_if_equal(p, 0, SECCOMP_RET_ALLOW);
        put_verdict(p, false);
        break;
    case FATAL: put_return(p, SECCOMP_RET_TRAP); break;
    }
}

static void put_call(struct program *p, const struct call *c, const struct sandbox_needs *n)
{
    put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)c->nr, 1, 0);
    size_t over = p->n; /* a jump to behind the rule: a conditional one reaches only 255 steps */
    put(p, BPF_JMP | BPF_JA, 0, 0, 0);
    put_rule(p, c, n);
    if (p->n <= PROGRAM_MAX)
        p->at[over].k = (uint32_t)(p->n - over - 1);
}

static void put_program(struct program *p, const struct sandbox_needs *n)
{
    put_load(p, offsetof(struct seccomp_data, arch));
    put(p, BPF_JMP | BPF_JEQ | BPF_K, FILTERED_PROCESSOR, 1, 0);
    put_return(p, SECCOMP_RET_KILL_PROCESS);
    put_load(p, offsetof(struct seccomp_data, nr));
    put(p, BPF_JMP | BPF_JGE | BPF_K, ALIEN, 0, 1); /* x32 calls have the same architecture */
    put_return(p, SECCOMP_RET_KILL_PROCESS);
    for (size_t i = 0; i < NCALLS; i++)
        if (calls[i].rule != FATAL)
            put_call(p, &calls[i], n);
    put_return(p, SECCOMP_RET_TRAP);
}

/* ---- the end ---- */

/* Comes in the thread that made the call, at that call. No library holds a lock at one that is
 * fatal (see the refused ones), so a message can be made here as anywhere else. */
static void report_and_end(int sig, siginfo_t *info, void *context)
{
    const char *name = NULL;
    (void)context;
    for (size_t i = 0; i < NCALLS; i++)
        if (calls[i].nr == info->si_syscall)
            name = calls[i].name;
    if (name)
        diag_coded(DIAG_ERROR, ERR_SANDBOX, "--sandbox: system call %s() is not permitted once everything is open", name);
    else
        diag_coded(DIAG_ERROR, ERR_SANDBOX, "--sandbox: system call %d is not permitted once everything is open",
                   info->si_syscall);
    _exit(128 + sig);
}

static int catch_violations(struct err *e)
{
    struct sigaction act = {.sa_sigaction = report_and_end, .sa_flags = SA_SIGINFO};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSYS);
    if (sigaction(SIGSYS, &act, NULL) < 0 || pthread_sigmask(SIG_UNBLOCK, &set, NULL) != 0)
        return err_sys(e, "--sandbox: sigaction(SIGSYS)");
    return 0;
}

/* ---- to the kernel ---- */

bool sandbox_filter_available(void) { return true; }

static int load(const struct program *p, struct err *e)
{
    struct sock_fprog prog = {.len = (unsigned short)p->n, .filter = p->at};
    long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog);
    if (rc < 0)
        return err_sys(e, "--sandbox: this kernel does not take a filter of system "
                                         "calls: seccomp()");
    if (rc > 0)
        return err_set(e, ERR_OTHER, "--sandbox: thread %ld has a filter of its own", rc);
    return 0;
}

int sandbox_filter(const struct sandbox_needs *n, struct err *e)
{
    struct program p = {.at = calloc(PROGRAM_MAX, sizeof *p.at)};
    if (!p.at)
        return err_nomem(e);
    put_program(&p, n);
    int rc = p.n > PROGRAM_MAX
                 ? err_set(e, ERR_OTHER, "--sandbox: %zu programs are too many", n->npids)
             : catch_violations(e) < 0 ? -1
                                       : load(&p, e);
    free(p.at);
    return rc;
}

#endif
