/* SPDX-License-Identifier: GPL-2.0-or-later
 * Secrets from options, variables, files and who sits at the terminal: see secret_value.h. They
 * never get into a message. */
#include "catena/catena.h"
#include "catena/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "catena/wait.h"

/* Up to the end of the first line, which is taken off. Gives 1 or -1. */
static int read_line(int fd, const char *name, const char *path, struct run *r, int64_t deadline,
                     char *to, struct err *e)
{
    size_t n = 0;

    for (;;) {
        ssize_t got;
        int ready = wait_fd(r, fd, POLLIN, deadline, e);

        if (ready < 0)
            return -1;
        if (ready == 0)
            return err_set(e, ERR_TIMEOUT, "%s \"%s\" gave nothing in time (handshake-timeout=<seconds> "
                                           "says how long to wait)", name, path);
        got = read(fd, to + n, SECRET_MAX + 1 - n);
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return err_sys(e, "%s \"%s\"", name, path);
        n += got > 0 ? (size_t)got : 0;
        if (got == 0 || memchr(to, '\n', n))
            break;
        if (n > SECRET_MAX)
            return err_set(e, ERR_OTHER, "%s \"%s\": more than %d bytes", name, path,
                           SECRET_MAX);
    }
    to[n] = '\0';
    to[strcspn(to, "\r\n")] = '\0';
    return 1;
}

static int from_file(const struct opt *o, struct run *r, int64_t deadline, char *to, struct err *e)
{
    const char *name = o->desc->name, *path = o->v.s;
    /* Without O_NONBLOCK a FIFO would hold up the run where no signal ends it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc;

    if (fd < 0) {
        (void)err_sys(e, "%s \"%s\"", name, path);
        (void)err_points_at(e, o->at);
        return err_as(e, ERR_OTHER); /* a wrong value of an option, which does not mend itself */
    }
    rc = read_line(fd, name, path, r, deadline, to, e);
    close(fd);
    return rc < 0 ? err_points_at(e, o->at) : rc;
}

/* ---- files with several ---- */

static int read_all(int fd, const struct opt *o, struct run *r, struct secret_file *f, struct err *e)
{
    ssize_t got = 1;
    while (got != 0) {
        if (wait_fd(r, fd, POLLIN, -1, e) < 0)
            return -1;
        got = read(fd, f->text + f->len, SECRET_FILE_MAX + 1 - f->len);
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return err_sys(e, "%s \"%s\"", o->desc->name, o->v.s);
        f->len += got > 0 ? (size_t)got : 0;
        if (f->len > SECRET_FILE_MAX)
            return err_set(e, ERR_OTHER, "%s \"%s\": more than %d bytes", o->desc->name, o->v.s, SECRET_FILE_MAX);
    }
    f->text[f->len] = '\0';
    return 0;
}

static int look_at(int fd, const struct opt *o, bool *exposed, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_sys(e, "%s \"%s\"", o->desc->name, o->v.s);
    if (S_ISREG(st.st_mode) && st.st_mode & S_IWOTH)
        return err_set(e, ERR_OTHER, "%s \"%s\": anybody may change this file; chmod o-w takes that away",
                       o->desc->name, o->v.s);
    *exposed = S_ISREG(st.st_mode) && st.st_mode & S_IROTH;
    return 0;
}

int secret_file_read(const struct opt *o, struct run *r, struct secret_file *f, struct err *e)
{
    *f = (struct secret_file){.text = malloc(SECRET_FILE_MAX + 2)};
    if (!f->text)
        return err_nomem(e);
    int fd = open(o->v.s, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int rc = fd < 0 ? err_sys(e, "%s \"%s\"", o->desc->name, o->v.s) : look_at(fd, o, &f->exposed, e);
    if (rc == 0)
        rc = read_all(fd, o, r, f, e);
    if (fd >= 0)
        close(fd);
    if (rc < 0) {
        secret_file_free(f);
        e->kind = e->kind == ERR_INTERRUPTED ? e->kind : ERR_OTHER; /* it does not mend itself */
    }
    return rc;
}

void secret_file_free(struct secret_file *f)
{
    if (f->text)
        explicit_bzero(f->text, f->len);
    free(f->text);
    *f = (struct secret_file){0};
}

int secret_ask(struct run *r, const char *prompt, struct secret_value *out, struct err *e)
{
    static const char name[] = "terminal", path[] = "/dev/tty";
    struct termios before, quiet;
    int fd = -1, rc = -1;

    out->text[0] = '\0';
    if (catena_owns_process(r->settings->catena)) /* a host's terminal is the host's */
        fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return 0;
    if (tcgetattr(fd, &before) < 0) {
        err_sys(e, "%s \"%s\"", name, path);
        goto out;
    }
    quiet = before;
    quiet.c_lflag = (before.c_lflag & ~(tcflag_t)ECHO) | ECHONL | ICANON;
    if (tcsetattr(fd, TCSANOW, &quiet) < 0) { /* any other moment might not come */
        err_sys(e, "%s \"%s\"", name, path);
        goto out;
    }
    if (wait_fd(r, fd, POLLOUT, -1, e) < 0)
        goto restore;
    if (write(fd, prompt, strlen(prompt)) < 0 && errno != EAGAIN && errno != EINTR)
        err_sys(e, "%s \"%s\"", name, path);
    else
        rc = read_line(fd, name, path, r, -1, out->text, e);
restore:
    (void)tcsetattr(fd, TCSANOW, &before);
out:
    close(fd);
    return rc;
}

int secret_value(const struct addr *a, const struct option_desc *row, struct run *r,
                 int64_t deadline, struct secret_value *out, struct err *e)
{
    const struct opt *o = opt_find(a, row);

    out->text[0] = '\0';
    if (!o || !o->v.s)
        return 0;
    if (o->desc->secret == SECRET_FILE)
        return from_file(o, r, deadline, out->text, e);
    if (strlen(o->v.s) > SECRET_MAX)
        return err_at(e, o->at, "the value of %s has more than %d bytes", o->desc->name,
                      SECRET_MAX);
    memcpy(out->text, o->v.s, strlen(o->v.s) + 1);
    return 1;
}

void secret_value_wipe(struct secret_value *v) { explicit_bzero(v, sizeof *v); }
