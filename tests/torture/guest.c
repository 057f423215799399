/* SPDX-License-Identifier: GPL-2.0-or-later
 * The torture run of libxio: a program that opens handles and uses them as its first argument says, on the chains that
 * follow. Whatever fails has to give a sentence, a kind and an error number, and leave the library of use; who does not
 * ends by abort(). What this itself does calls nothing that is failed. */
#include <xio.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TEXT "one\ntwo\nthree\n"

long __real_syscall(long number, ...); /* which is not failed */

static void broken(const char *what)
{
    (void)fprintf(stderr, "guest] E %s\n", what);
    abort();
}

/* Says why, as it was given: of a handle, or of the last call. */
static int failed(const char *what, struct xio *h)
{
    int sys = errno;
    const struct xio_error *e = xioerror(h);
    if (!strchr(e->text, ' ') || e->kind == XIO_OK || e->sys == 0 || sys == 0)
        broken("no sentence, no kind or no number");
    (void)fprintf(stderr, "guest] E %s: kind %d, errno %d: %s\n", what, (int)e->kind, e->sys, e->text);
    return 1;
}

static int closed(struct xio *h)
{
    int rc = xioclose(h) < 0 ? failed("close", NULL) : 0;
    if (xioclose(h) == 0)
        broken("closed twice");
    return rc;
}

/* As read(2) and write(2) they may say "not yet", which is no failure. */
static bool not_yet(ssize_t n)
{
    return n < 0 && (errno == EINTR || errno == EAGAIN);
}

static ssize_t hear_some(struct xio *h, char *block, size_t size)
{
    ssize_t n;
    do
        n = xioread(h, block, size);
    while (not_yet(n));
    return n;
}

static ssize_t say_some(struct xio *h, const char *text, size_t size)
{
    ssize_t n;
    do
        n = xiowrite(h, text, size);
    while (not_yet(n));
    return n;
}

static int hear(struct xio *h)
{
    char block[1000];
    ssize_t n;
    while ((n = hear_some(h, block, sizeof block)) > 0)
        (void)fwrite(block, 1, (size_t)n, stdout);
    return n < 0 ? failed("read", NULL) : 0;
}

static int say(struct xio *h)
{
    for (const char *p = TEXT; *p;) {
        ssize_t n = say_some(h, p, strlen(p));
        if (n < 0)
            return failed("write", NULL);
        p += n;
    }
    return xioshutdown(h, SHUT_WR) < 0 ? failed("shutdown", NULL) : 0;
}

/* Both ways. */
static int talk(struct xio *h)
{
    int rc = say(h);
    if (rc == 0) /* else nobody answers */
        rc = hear(h);
    return closed(h) | rc;
}

/* What is known of the peer, and need not be: it may be gone. */
static int ask(struct xio *h)
{
    bool known = xiofact(h, "peeraddr") || xioerror(NULL)->kind == XIO_ABSENT;
    return known ? 0 : failed("fact", NULL);
}

static struct xio *opened(const char *chain, int flags)
{
    struct xio *h = xioopen(chain, flags);
    if (!h)
        (void)failed("open", NULL);
    return h;
}

/* ---- what is done ---- */

static int do_talk(char **chain)
{
    struct xio *h = opened(chain[0], O_RDWR);
    int rc = h ? ask(h) : 1;
    return h ? talk(h) | rc : 1;
}

static int do_copy(char **chain)
{
    struct xio *from = opened(chain[0], O_RDONLY), *to = from ? opened(chain[1], O_WRONLY | O_CLOEXEC) : NULL;
    char block[100];
    ssize_t n = 0;
    int rc = to ? 0 : 1;
    while (to && (n = hear_some(from, block, sizeof block)) > 0)
        for (ssize_t put = 0, done = 0; done < n && put >= 0; done += put)
            if ((put = say_some(to, block + done, (size_t)(n - done))) < 0)
                rc = failed("write", NULL);
    if (n < 0)
        rc = failed("read", NULL);
    rc |= to ? closed(to) : 0;
    return rc | (from ? closed(from) : 0);
}

static int do_accept(char **chain)
{
    struct xio *listener = xiolisten(chain[0], NULL), *h = listener ? xioaccept(listener) : NULL;
    int rc = h ? ask(h) : failed(listener ? "accept" : "listen", NULL);
    rc |= h ? talk(h) : 0;
    return rc | (listener ? closed(listener) : 0);
}

static int do_relay(char **chain)
{
    struct xio *a = opened(chain[0], O_RDWR), *b = a ? opened(chain[1], O_RDWR) : NULL;
    int rc = !b ? 1 : xiorelay(a, b, NULL) < 0 ? failed("relay", NULL) : 0;
    rc |= b ? closed(b) : 0;
    return rc | (a ? closed(a) : 0);
}

static int do_relay_to(char **chain)
{
    struct xio *a = opened(chain[0], O_RDWR);
    int rc = !a ? 1 : xiorelayto(a, chain[1], NULL) < 0 ? failed("relay", NULL) : 0;
    return rc | (a ? closed(a) : 0);
}

/* ---- with all that can be wished ---- */

static void take(void *arg, int level, const char *text)
{
    (void)arg;
    if (level <= XIO_LOG_WARNING)
        (void)fprintf(stderr, "guest] W %s\n", text);
}

static struct xio_opts all_wishes(char **chain)
{
    static const char *facts[] = {"host", NULL, "port", "4711", NULL};
    static char *environment[] = {NULL};
    facts[1] = chain[1];
    return (struct xio_opts){.size = sizeof(struct xio_opts), .flags = O_RDWR, .deadline = 9000, .linger = 3000,
                             .log_level = XIO_LOG_DEBUG, .log = take, .environment = environment, .facts = facts};
}

static int do_background(char **chain)
{
    struct xio_opts o = all_wishes(chain);
    o.background = 1;
    struct xio *h = xioopen_opts(chain[0], &o);
    return h ? talk(h) : failed("open", NULL);
}

/* The descriptor is used by nothing of ours. */
static int do_detach(char **chain)
{
    struct xio_opts o = all_wishes(chain);
    char block[1000];
    long n = 0;
    o.detach = 1;
    struct xio *h = xioopen_opts(chain[0], &o);
    if (!h)
        return failed("open", NULL);
    int fd = xiodetach(h), rc = fd < 0 ? failed("detach", NULL) : 0;
    if (fd >= 0) {
        (void)__real_syscall(SYS_sendto, fd, TEXT, strlen(TEXT), MSG_NOSIGNAL, NULL, 0);
        (void)__real_syscall(SYS_shutdown, fd, SHUT_WR);
        while ((n = __real_syscall(SYS_read, fd, block, sizeof block)) > 0)
            (void)fwrite(block, 1, (size_t)n, stdout);
        if (n < 0)
            rc = 1, (void)fprintf(stderr, "guest] E read: %s\n", strerror(errno));
        (void)__real_syscall(SYS_close, fd);
    }
    return closed(h) | rc;
}

/* ---- and after that ---- */

/* Whatever happened, it goes on, or says why not. */
static void go_on(void)
{
    struct xio *h = xioopen("socketpair", O_RDWR);
    char c = 0;
    if (!h) {
        (void)failed("open", NULL);
        return;
    }
    if (say_some(h, "x", 1) < 0 || xioshutdown(h, SHUT_WR) < 0 || hear_some(h, &c, 1) < 0)
        (void)failed("once more", NULL);
    else if (c != 'x')
        broken("another byte");
    (void)closed(h);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(char **chain);
    } all[] = {{"talk", do_talk}, {"copy", do_copy}, {"accept", do_accept}, {"relay", do_relay},
               {"relay-to", do_relay_to}, {"background", do_background}, {"detach", do_detach}};
    for (size_t i = 0; argc > 2 && i < sizeof all / sizeof all[0]; i++) {
        if (strcmp(all[i].name, argv[1]) == 0) {
            int rc = all[i].run(argv + 2);
            go_on();
            return rc;
        }
    }
    return 2;
}
