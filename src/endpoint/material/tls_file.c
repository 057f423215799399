/* SPDX-License-Identifier: GPL-2.0-or-later
 * Certificates, keys and lists that come from where one has to wait for them: see tls_file.h. */
#include "catena/key_file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/wait.h"

enum { BLOCK = 16 * 1024, MOST = 64 * 1024 * 1024 }; /* bytes */

static int failed(const struct opt *o, struct err *e)
{
    (void)err_sys(e, "%s=%s", o->desc->name, o->v.s);
    e->where = o->at;
    return err_as(e, ERR_OTHER); /* does not mend itself */
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno != EINTR && errno != EAGAIN)
            return -1;
        p += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
    return 0;
}

/* One block. Gives 1, 0 at the end, -1. */
static int copy_block(int from, int to, const struct opt *o, struct run *r, struct err *e)
{
    char block[BLOCK];
    if (wait_fd(r, from, POLLIN, -1, e) < 0)
        return -1;
    ssize_t n = read(from, block, sizeof block);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 1;
    int rc = n < 0 || write_all(to, block, (size_t)n) < 0 ? failed(o, e) : n > 0;
    explicit_bzero(block, sizeof block);
    return rc;
}

static int copy_all(int from, int to, const struct opt *o, struct run *r, struct err *e)
{
    int rc;
    while ((rc = copy_block(from, to, o, r, e)) > 0)
        if (lseek(to, 0, SEEK_CUR) > MOST)
            return err_at(e, o->at, "%s=%s: more than %d bytes, and no end", o->desc->name, o->v.s,
                          MOST);
    return rc;
}

int tls_file_open(struct tls_file *f, const struct opt *option, struct run *r, struct err *e)
{
    struct stat st;
    *f = (struct tls_file){.option = option, .path = option ? option->v.s : NULL, .copy = -1};
    if (!option || stat(f->path, &st) < 0)
        return 0;
    if (S_ISDIR(st.st_mode))
        return err_at(e, option->at, "%s=%s: it is a directory, and a file is wanted", option->desc->name, f->path);
    if (!(S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
        return 0;
    int fd = open(f->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return failed(option, e);
    f->copy = memfd_create("tls-file", MFD_CLOEXEC);
    int rc = f->copy < 0 ? failed(option, e) : copy_all(fd, f->copy, option, r, e);
    (void)close(fd);
    if (rc < 0) {
        tls_file_close(f);
        return -1;
    }
    (void)snprintf(f->copy_path, sizeof f->copy_path, "/proc/self/fd/%d", f->copy);
    f->path = f->copy_path;
    return 0;
}

void tls_file_close(struct tls_file *f)
{
    if (f->copy >= 0)
        (void)close(f->copy);
    f->copy = -1;
}
