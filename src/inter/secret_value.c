/* SPDX-License-Identifier: GPL-2.0-or-later
 * Secrets from options, variables and files: see secret_value.h. They never get into a message. */
#include "secret_value.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "catena/wait.h"

/* The first line of a file, without its end. */
static int from_file(const struct opt *o, struct run *r, int64_t deadline, char *to, struct err *e)
{
    const char *name = o->desc->name, *path = o->v.s;
    /* Without O_NONBLOCK a FIFO would hold up the run where no signal ends it. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), rc = -1;
    size_t n = 0;

    if (fd < 0)
        return err_sys(e, ERR_PERMANENT, "%s \"%s\"", name, path);
    for (;;) {
        ssize_t got;
        int ready = wait_fd(r, fd, POLLIN, deadline, e);

        if (ready < 0)
            goto out;
        if (ready == 0) {
            err_set(e, ERR_TRANSIENT, "%s \"%s\" gave nothing in time", name, path);
            goto out;
        }
        got = read(fd, to + n, SECRET_MAX + 1 - n);
        if (got < 0 && errno != EAGAIN && errno != EINTR) {
            err_sys(e, ERR_PERMANENT, "%s \"%s\"", name, path);
            goto out;
        }
        n += got > 0 ? (size_t)got : 0;
        if (got == 0 || memchr(to, '\n', n) != NULL)
            break;
        if (n > SECRET_MAX) {
            err_set(e, ERR_PERMANENT, "%s \"%s\": more than %d bytes", name, path, SECRET_MAX);
            goto out;
        }
    }
    to[n] = '\0';
    to[strcspn(to, "\r\n")] = '\0';
    rc = 1;
out:
    close(fd);
    return rc;
}

int secret_value(const struct addr *a, enum option_id id, struct run *r, int64_t deadline,
                 struct secret_value *out, struct err *e)
{
    const struct opt *o = opt_find(a, id);

    out->text[0] = '\0';
    if (o == NULL || o->v.s == NULL)
        return 0;
    if (o->desc->secret == SECRET_FILE)
        return from_file(o, r, deadline, out->text, e);
    if (strlen(o->v.s) > SECRET_MAX)
        return err_at(e, o->at, "the value of %s has more than %d bytes", o->desc->name, SECRET_MAX);
    memcpy(out->text, o->v.s, strlen(o->v.s) + 1);
    return 1;
}

void secret_value_wipe(struct secret_value *v) { explicit_bzero(v, sizeof *v); }
