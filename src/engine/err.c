/* SPDX-License-Identifier: GPL-2.0-or-later
 * Errors as values: see catena/err.h. */
#include "catena/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void set(struct err *e, enum err_kind kind, int sys, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

static void set(struct err *e, enum err_kind kind, int sys, const char *fmt, va_list ap)
{
    e->kind = kind;
    e->sys = sys;
    e->where = (struct span){0};
    (void)vsnprintf(e->text, sizeof e->text, fmt, ap);
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(e, kind, 0, fmt, ap);
    va_end(ap);
    return -1;
}

int err_sys(struct err *e, enum err_kind kind, const char *fmt, ...)
{
    int sys = errno;
    va_list ap;
    va_start(ap, fmt);
    set(e, kind, sys, fmt, ap);
    va_end(ap);
    size_t len = strlen(e->text);
    (void)snprintf(e->text + len, sizeof e->text - len, ": %s", strerror(sys));
    errno = sys;
    return -1;
}

int err_at(struct err *e, struct span where, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(e, ERR_USAGE, 0, fmt, ap);
    va_end(ap);
    e->where = where;
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char text[sizeof e->text];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    if (len < sizeof text - 3)
        (void)snprintf(text + len, sizeof text - len, ": %.*s", (int)(sizeof text - len - 3),
                       e->text);
    memcpy(e->text, text, sizeof text);
    return -1;
}

int err_nomem(struct err *e)
{
    e->kind = ERR_PERMANENT;
    e->sys = ENOMEM;
    e->where = (struct span){0};
    memcpy(e->text, "not enough memory", sizeof "not enough memory");
    return -1;
}
