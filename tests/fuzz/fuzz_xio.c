/* SPDX-License-Identifier: GPL-2.0-or-later
 * Calls of libxio in any order, of handles that are open, closed, or none: two bytes a call, the second one
 * says of which handle, and with what. Whatever it was, nothing is left open, and errors are told. */
#include <xio.h>

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HANDLES = 8, CALLS = 24, TEXT = 70000 };

/* None that would do anything to anybody. */
static const char *const chains[] = {
    "pipe", "test|pipe", "gzip|^gzip|pipe", "hex|^hex|pipe", "cobs|pipe", "socketpair", "open:/dev/null", "open:/dev/zero,readbytes=100",
    "/dev/null", "nop|nop|pipe", "^openssl-server,verify=0|pipe", "pipe%pipe", "gzip|open:/dev/zero", "tap|pipe",
    "open:/dev/null!!pipe", "abstract-connect:catena-fuzz-xio", "abstract-listen:catena-fuzz-xio", "fd:0", "fd:99",
    "exec:cat,nofork", "tcp-listen:0,fork", "-", "", "handle", "pipe,chroot=/", "((((", "unix-connect:/nowhere",
};
enum { NCHAINS = sizeof chains / sizeof chains[0] };

static struct xio *handle[HANDLES];
static size_t said;

static void hear(void *arg, int level, const char *text)
{
    (void)arg, (void)level;
    __atomic_fetch_add(&said, strlen(text), __ATOMIC_RELAXED);
}

static size_t descriptors(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

static struct xio_opts opts_of(uint8_t b)
{
    static const int flags[] = {O_RDWR, O_RDONLY, O_WRONLY, O_ACCMODE};
    return (struct xio_opts){.size = sizeof(struct xio_opts), .flags = flags[b >> 6] | O_NONBLOCK, .background = b >> 5 & 1,
                             .deadline = 30, .linger = 10, .idle = 20, .log = b & 16 ? hear : NULL,
                             .log_level = b & 16 ? XIO_LOG_DEBUG : 0, .threads = b & 8 ? 2 : 0, .block = b & 8 ? 1 : 0};
}

static void check(const void *result)
{
    if (!result && errno != EAGAIN && (!xioerror(NULL)->text[0] || xioerror(NULL)->kind == XIO_OK))
        abort();
}

/* Text behind a directory that is not there can be no address that acts. */
static void open_text(size_t slot, const uint8_t *text, size_t n)
{
    static char chain[TEXT];
    n = n < TEXT - 20 ? n : TEXT - 20;
    (void)snprintf(chain, sizeof chain, "nowhere-/");
    memcpy(chain + 9, text, n);
    chain[9 + n] = '\0';
    struct xio_opts o = opts_of(0);
    handle[slot] = xioopen_opts(chain, &o);
    check(handle[slot]);
}

static void call(uint8_t what, uint8_t with)
{
    char buf[300] = "data";
    size_t slot = with % HANDLES, other = with / HANDLES % HANDLES;
    struct xio *h = handle[slot];
    struct xio_opts o = opts_of((uint8_t)(what & 0xf0 ? with : 0));
    switch (what & 15) {
    case 0:
    case 1:
    case 2:
        if (h && xioclose(h) == 0 && xioclose(h) == 0)
            abort();
        handle[slot] = xioopen_opts(chains[with % NCHAINS], &o);
        check(handle[slot]);
        break;
    case 3:
        if (h)
            (void)xioclose(h);
        handle[slot] = xiolisten("abstract-listen:catena-fuzz-xio", &o);
        break;
    case 4:
        if (h)
            (void)xioclose(h);
        handle[slot] = xioaccept(handle[other]);
        break;
    case 5: (void)xioread(h, with & 128 ? NULL : buf, with); break;
    case 6: (void)xiowrite(h, with & 128 ? NULL : buf, with); break;
    case 7: (void)xioshutdown(h, with % 5 - 1); break;
    case 8: (void)xioclose(h); break; /* and it stays there, closed */
    case 9: (void)xiofd(h); break;
    case 10: (void)xiofact(h, with & 128 ? NULL : "peeraddr"); break;
    case 11: said += strlen(xioerror(h)->text); break;
    case 12: (void)xiorelay(h, handle[other], &o); break;
    case 13: (void)xiorelayto(h, chains[with % NCHAINS], &o); break;
    case 14: (void)xioclose((struct xio *)(uintptr_t)(with * 0x100003ULL)); break;
    default: handle[slot] = NULL, (void)xioclose(h);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static size_t at_first;
    if (!at_first)
        at_first = descriptors();
    size_t n = 0;
    for (size_t i = 0; i + 1 < size && n < CALLS; i += 2, n++)
        call(data[i], data[i + 1]);
    if (2 * n < size)
        open_text(0, data + 2 * n, size - 2 * n);
    for (size_t i = 0; i < HANDLES; i++) {
        (void)xioclose(handle[i]);
        handle[i] = NULL;
    }
    for (int i = 0; descriptors() != at_first; i++) { /* of who is left behind */
        if (i > 400)
            abort();
        usleep(5000);
    }
    return 0;
}
