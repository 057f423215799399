/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options that are one setsockopt(2). */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "endpoint/options/apply.h"

static int set(int fd, long long level, long long name, const void *value, size_t n, struct err *e)
{
    if (setsockopt(fd, (int)level, (int)name, value, (socklen_t)n) == 0)
        return 0;
    return err_sys(e, "setsockopt(fd %d, level %lld, name %lld)", fd, level, name);
}

int apply_sockopt_int(const struct opt *o, int fd, struct err *e)
{
    int value = (int)o->v.i;
    return set(fd, o->desc->a, o->desc->b, &value, sizeof value, e);
}

int apply_sockopt_int_null(const struct opt *o, int fd, struct err *e)
{
    return o->v.s && !o->v.s[0] ? 0 : apply_sockopt_int(o, fd, e);
}

int apply_sockopt_int3(const struct opt *o, int fd, struct err *e)
{
    int value[3] = {(int)o->v.i, (int)o->v.i2, (int)o->v.i3};
    return set(fd, o->desc->a, o->desc->b, value, sizeof value, e);
}

int apply_sockopt_byte(const struct opt *o, int fd, struct err *e)
{
    unsigned char value = (unsigned char)o->v.i;
    return set(fd, o->desc->a, o->desc->b, &value, sizeof value, e);
}

int apply_sockopt_timeval(const struct opt *o, int fd, struct err *e)
{
    time_t whole = (time_t)o->v.t;
    struct timeval value = {whole, (suseconds_t)((o->v.t - (double)whole) * 1e6)};
    return set(fd, o->desc->a, o->desc->b, &value, sizeof value, e);
}

int apply_sockopt_linger(const struct opt *o, int fd, struct err *e)
{
    struct linger value = {.l_onoff = 1, .l_linger = (int)o->v.i};
    return set(fd, o->desc->a, o->desc->b, &value, sizeof value, e);
}

int apply_sockopt_string(const struct opt *o, int fd, struct err *e)
{
    return set(fd, o->desc->a, o->desc->b, o->v.s, strlen(o->v.s) + 1, e);
}

/* How long the IP options really are that the kernel has padded with zeros. */
static size_t ip_options_length(const unsigned char *p, size_t n)
{
    size_t i = 0;
    while (i < n && p[i] != 0) {
        size_t len = p[i] == 1 ? 1 : i + 1 < n ? p[i + 1] : 0;
        if (len == 0 || i + len > n)
            break;
        i += len;
    }
    return i;
}

int apply_ip_options(const struct opt *o, int fd, struct err *e)
{
    unsigned char all[256]; /* the protocol allows 40 */
    socklen_t had = sizeof all;
    if (getsockopt(fd, (int)o->desc->a, (int)o->desc->b, all, &had) < 0)
        return err_sys(e, "getsockopt(fd %d, IP_OPTIONS)", fd);
    size_t n = ip_options_length(all, had);
    if (o->v.nbin > sizeof all - n)
        return err_set(e, ERR_BAD_VALUE, "%zu bytes of IP options, 40 are possible", n + o->v.nbin);
    memcpy(all + n, o->v.bin, o->v.nbin);
    return set(fd, o->desc->a, o->desc->b, all, n + o->v.nbin, e);
}

int apply_any_sockopt_int(const struct opt *o, int fd, struct err *e)
{
    int value = (int)o->v.i3;
    return set(fd, o->v.i, o->v.i2, &value, sizeof value, e);
}

int apply_any_sockopt_bin(const struct opt *o, int fd, struct err *e)
{
    return set(fd, o->v.i, o->v.i2, o->v.bin, o->v.nbin, e);
}

int apply_any_sockopt_string(const struct opt *o, int fd, struct err *e)
{
    return set(fd, o->v.i, o->v.i2, o->v.s, strlen(o->v.s) + 1, e);
}
