/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the kernel stops: see strict.h. A send() without an address, which is most of all, is not stopped: it can
 * only go where a connect() has led. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "catena/features.h"
#include "xiorun/strict.h"

enum { X32 = 0x40000000 };

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOW(i) LOAD(args[i])
#define HIGH(i) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[i]) + 4)
#define GIVE(what) BPF_STMT(BPF_RET | BPF_K, what)
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define ASK GIVE(SECCOMP_RET_USER_NOTIF)
#define NOT_THERE GIVE(SECCOMP_RET_ERRNO | ENOSYS)

static const struct sock_filter filter[] = {
    LOAD(arch), IF(FILTERED_PROCESSOR, 1, 0), NOT_THERE,                   /* programs for another machine get nothing at all */
    LOAD(nr),
    BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32, 0, 1), NOT_THERE,
    IF(SYS_connect, 0, 1), ASK,
    IF(SYS_sendmsg, 0, 1), ASK,
    IF(SYS_sendmmsg, 0, 1), ASK,
    IF(SYS_io_uring_setup, 0, 1), NOT_THERE,
    IF(SYS_io_uring_enter, 0, 1), NOT_THERE,
    IF(SYS_io_uring_register, 0, 1), NOT_THERE,
    IF(SYS_sendto, 1, 0), GIVE(SECCOMP_RET_ALLOW),
    LOW(4), IF(0, 1, 0), ASK,
    HIGH(4), IF(0, 1, 0), ASK,
    LOW(3), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MSG_FASTOPEN, 0, 1), ASK,
    GIVE(SECCOMP_RET_ALLOW),
};

static long seccomp(unsigned op, unsigned flags, void *arg)
{
    return syscall(SYS_seccomp, op, flags, arg);
}

const char *strict_lacks(void)
{
    struct seccomp_notif_sizes sizes;
    uint32_t action = SECCOMP_RET_USER_NOTIF;
    if (FILTERED_PROCESSOR == 0)
        return "--strict is not made for this kind of machine";
    if (seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0 || seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
        return "the kernel cannot ask a process about another one's calls (seccomp user notification, Linux 5.9)";
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    int copy = fd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, fd, fd, 0);
    if (fd >= 0)
        close(fd);
    if (copy < 0)
        return "the kernel gives no copies of another process's descriptors (pidfd_getfd, Linux 5.6)";
    close(copy);
    struct iovec from = {&action, sizeof action}, to = {&sizes, sizeof action};
    if (process_vm_readv(getpid(), &to, 1, &from, 1, 0) < 0)
        return "the kernel does not let one process read another one's memory";
    return NULL;
}

int strict_enter(void)
{
    struct sock_fprog program = {sizeof filter / sizeof filter[0], (struct sock_filter *)(uintptr_t)filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}
