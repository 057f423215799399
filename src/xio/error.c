/* SPDX-License-Identifier: GPL-2.0-or-later
 * The last error of each thread: see error.h. */
#include "xio/error.h"

#include <errno.h>
#include <string.h>

#include "catena/diag.h"

static _Thread_local struct xio_error last;

static const char in_the_chain[] = "";

void error_settle(const struct chain *c, struct err *e)
{
    diag_mask(e);
    bool ours = e->where.text && (e->where.text == c->text || e->where.text == c->shown || e->where.text == in_the_chain);
    if (ours)
        e->where.text = in_the_chain;
    else
        e->where = (struct span){0};
}

/* For whom errno is all there is. */
static int errno_of(const struct err *e)
{
    static const int by_kind[] = {
        [ERR_USAGE] = EINVAL,          [ERR_REFUSED] = ECONNREFUSED, [ERR_UNREACHABLE] = EHOSTUNREACH,
        [ERR_TIMEOUT] = ETIMEDOUT,     [ERR_ABSENT] = ENOENT,        [ERR_BUSY] = EBUSY,
        [ERR_NO_NAME] = EHOSTUNREACH,  [ERR_DENIED] = EACCES,        [ERR_UNFIT] = EINVAL,
        [ERR_PROTOCOL] = EPROTO,       [ERR_OTHER] = EIO,            [ERR_INTERRUPTED] = ECANCELED,
        [ERR_NOBODY] = ETIMEDOUT,
    };
    return e->sys ? e->sys : by_kind[e->kind] ? by_kind[e->kind] : EIO;
}

/* The kinds are the same, in the same order. */
_Static_assert((int)XIO_USAGE == ERR_USAGE && (int)XIO_OTHER == ERR_OTHER && (int)XIO_NOBODY == ERR_NOBODY, "kinds");

void error_show(const struct err *e, struct xio_error *out)
{
    *out = (struct xio_error){.kind = (enum xio_kind)e->kind, .sys = errno_of(e)};
    if (e->where.text) {
        out->offset = e->where.off;
        out->length = e->where.len;
    }
    out->text[diag_append_safe(out->text, 0, sizeof out->text - 4, e->text)] = '\0'; /* peers have their words in it */
}

int error_tell(const struct err *e)
{
    error_show(e, &last);
    errno = last.sys;
    return -1;
}

int error_tell_errno(const char *call)
{
    struct err e;
    int sys = errno;
    if (sys == EAGAIN || sys == EINTR) /* no failure, and often */
        return -1;
    (void)err_sys(&e, "%s", call);
    return error_tell(&e);
}

struct xio_error *error_last(void)
{
    return &last;
}
