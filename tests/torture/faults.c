/* SPDX-License-Identifier: GPL-2.0-or-later
 * Linked into catena_torture, where the linker sends every call of calls.def here first
 * (--wrap). A place that calls is known by its return address, so the n-th call of a place is the
 * same one in every run, whatever other threads do. */
#include "faults.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <zlib.h>

extern const char __executable_start[]; /* the linker's */
int __real_open(const char *path, int flags, mode_t mode);
int __real_close(int fd);
int __real_fstat(int fd, void *st);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *n);
int __real_vasprintf(char **s, const char *format, va_list ap);
int __wrap_asprintf(char **s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static struct faults *faults;
static pid_t first_process;

__attribute__((constructor)) static void attach(void)
{
    const char *path = getenv(FAULT_VARIABLE);
    int fd = path ? __real_open(path, O_RDWR | O_CLOEXEC, 0) : -1;
    if (fd < 0)
        return;
    void *p = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)__real_close(fd);
    (void)unsetenv(FAULT_VARIABLE);
    first_process = getpid();
    faults = p == MAP_FAILED ? NULL : p;
}

__attribute__((destructor)) static void count_descriptors(void)
{
    int n = 0;
    DIR *d = faults && getpid() == first_process ? opendir("/proc/self/fd") : NULL;
    while (d && readdir(d))
        n++;
    if (d) {
        (void)closedir(d);
        atomic_store(&faults->open_fds, n);
    }
}

static struct fault_site *site_of(uintptr_t at, const char *name, const int *errors, int n,
                                  bool soft)
{
    for (size_t i = at % FAULT_SITES, tries = 0; tries < FAULT_SITES; i = (i + 1) % FAULT_SITES) {
        struct fault_site *s = &faults->sites[i];
        uintptr_t none = 0;
        if (atomic_compare_exchange_strong(&s->at, &none, at)) {
            (void)strncpy(s->call, name, sizeof s->call - 1);
            for (s->nerrors = 0; s->nerrors < n && s->nerrors < FAULT_ERRORS; s->nerrors++)
                s->errors[s->nerrors] = errors[s->nerrors];
            s->soft = soft;
        }
        if (atomic_load(&s->at) == at)
            return s;
        tries++;
    }
    return NULL;
}

static bool may_be(const int *errors, int n, int error)
{
    for (int i = 0; i < n; i++)
        if (errors[i] == error)
            return true;
    return false;
}

/* 0, or the error that this call is to fail with. */
static int due(const char *name, uintptr_t at, const int *errors, int n, bool soft)
{
    if (!faults)
        return 0;
    struct fault_site *s = site_of(at, name, errors, n, soft);
    unsigned nth = s ? atomic_fetch_add(&s->count, 1) + 1 : 0;
    int error = 0;
    switch (faults->mode) {
    case FAULT_ONCE: error = at == faults->at && nth == faults->nth ? faults->error : 0; break;
    case FAULT_ONWARDS: error = at == faults->at && nth >= faults->nth ? faults->error : 0; break;
    case FAULT_EINTR:
    case FAULT_EAGAIN:
        error = faults->mode == FAULT_EINTR ? EINTR : EAGAIN;
        if (!soft || !may_be(errors, n, error) || nth % 2 == 0)
            error = 0;
        break;
    default: break;
    }
    if (error)
        atomic_fetch_add(&faults->fired, 1);
    return error;
}

/* Files are never "not yet"; messages and counters are not cut. */
static bool is_stream(int fd, bool or_file)
{
    struct stat st;
    int type = 0;
    socklen_t n = sizeof type;
    if (__real_fstat(fd, &st) < 0)
        return false;
    if (S_ISSOCK(st.st_mode))
        return __real_getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_STREAM;
    return S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode) || (or_file && S_ISREG(st.st_mode));
}

/* Event and signal descriptors: the kernel has nothing to fail with. */
static bool is_kernels(int fd)
{
    struct stat st;
    return __real_fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == 0;
}

#define ERRORS(...) static const int errors[] = {__VA_ARGS__}, n_ = sizeof errors / sizeof *errors
/* A UNIX socket's peer is gone when it says so, and its reset comes behind all that it has sent: we
 * cannot make that up. A terminal's EIO is its end of file. */
static int plausible(int fd, int error)
{
    int family = 0;
    socklen_t n = sizeof family;
    if ((error == ECONNRESET || error == EPIPE) &&
        __real_getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) == 0 && family == AF_UNIX)
        return ENOMEM;
    return error == EIO && isatty(fd) ? ENOMEM : error;
}

#define PLACE ((uintptr_t)__builtin_return_address(0) - (uintptr_t)__executable_start)
#define DUE(name, soft) due(#name, PLACE, errors, n_, soft)

#define CALL(type, name, parameters, arguments, failure, ...)                                      \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        ERRORS(__VA_ARGS__);                                                                       \
        int error = DUE(name, false);                                                              \
        if (error) {                                                                               \
            errno = error;                                                                         \
            return failure;                                                                        \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }
#define WAIT(type, name, parameters, arguments, ...)                                               \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        ERRORS(__VA_ARGS__);                                                                       \
        int error = DUE(name, true);                                                               \
        if (error) {                                                                               \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
        return __real_##name arguments;                                                            \
    }
#define MOVE(type, name, parameters, arguments, fd_, count_, ...)                                  \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        ERRORS(__VA_ARGS__);                                                                       \
        int error = is_kernels(fd_) ? 0 : plausible(fd_, DUE(name, true));                         \
        if (error && (error != EAGAIN || is_stream(fd_, false))) {                                 \
            errno = error;                                                                         \
            return -1;                                                                             \
        }                                                                                          \
        if (faults && faults->mode == FAULT_SHORT && count_ > 1 && is_stream(fd_, true))           \
            count_ = 1;                                                                            \
        return __real_##name arguments;                                                            \
    }
#define DONE(type, name, parameters, arguments, ...)                                               \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        ERRORS(__VA_ARGS__);                                                                       \
        int error = DUE(name, false);                                                              \
        type rc = __real_##name arguments;                                                         \
        if (error)                                                                                 \
            errno = error;                                                                         \
        return error ? -1 : rc;                                                                    \
    }
#include "calls.def"

/* Asking whether a descriptor is open has one answer only. */
int __real_fcntl(int fd, int what, long arg);
int __wrap_fcntl(int fd, int what, long arg);
int __wrap_fcntl(int fd, int what, long arg)
{
    ERRORS(EMFILE);
    int error = what == F_GETFD ? 0 : DUE(fcntl, false);
    if (error) {
        errno = error;
        return -1;
    }
    return __real_fcntl(fd, what, arg);
}

int __wrap_asprintf(char **s, const char *format, ...)
{
    ERRORS(ENOMEM);
    int error = DUE(asprintf, false);
    va_list ap;
    if (error) {
        errno = error;
        return -1;
    }
    va_start(ap, format);
    int rc = __real_vasprintf(s, format, ap);
    va_end(ap);
    return rc;
}

/* ---- memory for OpenSSL, which tells the place itself ---- */

void *__real_malloc(size_t n);
void *__real_realloc(void *p, size_t n);

static uintptr_t their_place(const char *file, int line)
{
    uintptr_t h = FAULT_THEIRS;
    for (; file && *file; file++)
        h = (h * 33 + (unsigned char)*file) & (FAULT_THEIRS - 1);
    return FAULT_THEIRS | (h + (unsigned)line);
}

static void *their_malloc(size_t n, const char *file, int line)
{
    ERRORS(ENOMEM);
    return due("CRYPTO_malloc", their_place(file, line), errors, n_, false) ? NULL : __real_malloc(n);
}

static void *their_realloc(void *p, size_t n, const char *file, int line)
{
    ERRORS(ENOMEM);
    if (due("CRYPTO_realloc", their_place(file, line), errors, n_, false))
        return NULL;
    return __real_realloc(p, n);
}

static void their_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

__attribute__((constructor)) static void provide_memory(void)
{
    if (getenv(FAULT_VARIABLE "_OPENSSL"))
        (void)CRYPTO_set_mem_functions(their_malloc, their_realloc, their_free);
}
