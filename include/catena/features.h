/* SPDX-License-Identifier: GPL-2.0-or-later
 * What systems and their C libraries have, by name: each is 1 or 0. Whoever asks for one includes this and has no
 * other condition. What needs more than a condition is a file of its own; PORTING.md says which.
 * A port to another system begins with a block of its own here. */
#ifndef CATENA_FEATURES_H
#define CATENA_FEATURES_H

#include <pthread.h> /* says which C library it is, too */

/* ---- the system ---- */

#if defined __linux__
#define HAVE_VSOCK 1      /* sockets between virtual machines and their host */
#define HAVE_INTERFACES 1 /* packet sockets and TUN devices */
#define HAVE_SCTP_DCCP 1
#define HAVE_QUEUES 1 /* POSIX message queues */
#else
#error "this system is not known: see PORTING.md"
#endif

/* Filters of system calls are made for these processors: their name in a filter, or 0. */
#if defined __x86_64__ && !defined __ILP32__
#define FILTERED_PROCESSOR AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define FILTERED_PROCESSOR AUDIT_ARCH_AARCH64
#elif defined __riscv && __riscv_xlen == 64
#define FILTERED_PROCESSOR AUDIT_ARCH_RISCV64
#else
#define FILTERED_PROCESSOR 0
#endif

/* Calls that know of large files have other names for the linker: open64(). */
#define HAVE_LARGE_NAMES (__SIZEOF_POINTER__ == 4)

/* ---- the C library ---- */

#if defined __GLIBC__
#define HAVE_REG_STARTEND 1 /* regexec() takes a length */
#define HAVE_SINGLE_THREADED 1
#define HAVE_CHECKED_NAMES 1 /* __poll_chk(), of -D_FORTIFY_SOURCE */
#define HAVE_ALL_CALLS 1 /* those declared below */
#else
#define HAVE_REG_STARTEND 0
#define HAVE_SINGLE_THREADED 0
#define HAVE_CHECKED_NAMES 0
#define HAVE_ALL_CALLS 0
#endif

/* A mutex that is held for a few instructions: who wants it turns a little before it sleeps. */
#if HAVE_ALL_CALLS
#define PTHREAD_MUTEX_BRIEF PTHREAD_MUTEX_ADAPTIVE_NP
#else
#define PTHREAD_MUTEX_BRIEF PTHREAD_MUTEX_NORMAL
#endif

#if HAVE_ALL_CALLS
#include <sys/pidfd.h>
#include <unistd.h>
#else /* src/engine/base/missing.c */
#include <netdb.h>
#include <sys/types.h>
#define CLOSE_RANGE_CLOEXEC (1U << 2)
const char *sigabbrev_np(int sig);
const char *sigdescr_np(int sig);
const char *strerrorname_np(int error);
int close_range(unsigned from, unsigned to, int flags);
int pidfd_open(pid_t pid, unsigned flags);
int getprotobyname_r(const char *name, struct protoent *room, char *names, size_t size, struct protoent **found);
#endif

#endif
