/* SPDX-License-Identifier: GPL-2.0-or-later
 * Counts what a program has allocated and not freed, through LD_PRELOAD, so that "nothing stays
 * behind" can be said to the byte: the file HEAP_COUNT holds the number of blocks and of bytes, as
 * two numbers of eight bytes, all the time. Forked children are not counted. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);
extern void __libc_free(void *p);

struct count {
    _Atomic int64_t blocks, bytes;
};
static struct count nowhere, *count = &nowhere;

static void forget(void)
{
    count = &nowhere;
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("HEAP_COUNT");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return;
    unsetenv("HEAP_COUNT"); /* programs that are started have heaps of their own */
    unsetenv("LD_PRELOAD");
    void *p = ftruncate(fd, sizeof *count) == 0
                  ? mmap(NULL, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                  : MAP_FAILED;
    close(fd);
    if (p == MAP_FAILED)
        return;
    struct count *shared = p;
    atomic_fetch_add(&shared->blocks, nowhere.blocks);
    atomic_fetch_add(&shared->bytes, nowhere.bytes);
    count = shared;
    pthread_atfork(NULL, NULL, forget);
}

static void *taken(void *p)
{
    if (p) {
        atomic_fetch_add(&count->blocks, 1);
        atomic_fetch_add(&count->bytes, (int64_t)malloc_usable_size(p));
    }
    return p;
}

static void given(void *p)
{
    if (p) {
        atomic_fetch_sub(&count->blocks, 1);
        atomic_fetch_sub(&count->bytes, (int64_t)malloc_usable_size(p));
    }
}

void *malloc(size_t n)
{
    return taken(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
    return taken(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
    int64_t before = p ? (int64_t)malloc_usable_size(p) : 0;
    void *q = __libc_realloc(p, n);
    if (q || n == 0) {
        atomic_fetch_add(&count->blocks, (q ? 1 : 0) - (p ? 1 : 0));
        atomic_fetch_add(&count->bytes, (q ? (int64_t)malloc_usable_size(q) : 0) - before);
    }
    return q;
}

void *memalign(size_t align, size_t n)
{
    return taken(__libc_memalign(align, n));
}

void *aligned_alloc(size_t align, size_t n)
{
    return taken(__libc_memalign(align, n));
}

int posix_memalign(void **out, size_t align, size_t n)
{
    *out = taken(__libc_memalign(align, n));
    return *out ? 0 : ENOMEM;
}

void free(void *p)
{
    given(p);
    __libc_free(p);
}
