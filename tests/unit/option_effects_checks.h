/* SPDX-License-Identifier: GPL-2.0-or-later
 * How the effects of options are read back, for test_option_effects.c. */
#ifndef CATENA_TESTS_OPTION_EFFECTS_CHECKS_H
#define CATENA_TESTS_OPTION_EFFECTS_CHECKS_H

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

#include "effects.h"

/* The first listening socket among the descriptors that were opened last. */
static int listener(void)
{
    for (int fd = 255; fd > 2; fd--) {
        int yes = 0;
        socklen_t n = sizeof yes;
        if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 && yes)
            return fd;
    }
    return -1;
}

static bool same(long long got, long long want)
{
    if (got != want)
        print_error("got %lld, expected %lld\n", got, want);
    return got == want;
}

/* ---- sockets ---- */

static long long sockopt(const struct scene *s, const struct effect *x)
{
    int value = 0;
    socklen_t n = sizeof value;
    return getsockopt(s->fd, (int)x->a, (int)x->b, &value, &n) < 0 ? -errno : value;
}

static bool sockopt_is(const struct scene *s, const struct effect *x)
{
    return same(sockopt(s, x), x->want);
}

static bool timeout_is(const struct scene *s, const struct effect *x)
{
    struct timeval t = {0};
    socklen_t n = sizeof t;
    return getsockopt(s->fd, SOL_SOCKET, (int)x->b, &t, &n) == 0 &&
           same(t.tv_sec * 1000 + t.tv_usec / 1000, x->want);
}

static bool linger_is(const struct scene *s, const struct effect *x)
{
    struct linger l = {0};
    socklen_t n = sizeof l;
    return getsockopt(s->fd, SOL_SOCKET, SO_LINGER, &l, &n) == 0 && l.l_onoff &&
           same(l.l_linger, x->want);
}

static bool bytes_are(const struct scene *s, const struct effect *x) /* text: what it has to hold */
{
    char value[100] = "";
    socklen_t n = sizeof value;
    return getsockopt(s->fd, (int)x->a, (int)x->b, value, &n) == 0 && n >= (socklen_t)x->want &&
           memcmp(value, x->text, (size_t)x->want) == 0;
}

static bool name_is(const struct scene *s, const struct effect *x) /* text host, a..b port */
{
    struct sockaddr_in in = {0};
    char host[50] = "";
    socklen_t n = sizeof in;
    if (getsockname(s->fd, (struct sockaddr *)&in, &n) < 0)
        return false;
    (void)inet_ntop(AF_INET, &in.sin_addr, host, sizeof host);
    long long port = ntohs(in.sin_port);
    return strcmp(host, x->text) == 0 && port >= x->a && port <= x->b;
}

/* a: length or 0, text: beginning */
static bool unix_name(const struct scene *s, const struct effect *x)
{
    struct sockaddr_un { sa_family_t family; char path[108]; } un = {0};
    socklen_t n = sizeof un;
    return getsockname(s->fd, (struct sockaddr *)&un, &n) == 0 &&
           (x->a == 0 || same((long long)n, x->a)) &&
           strncmp(un.path, x->text, strlen(x->text)) == 0;
}

static bool backlog_is(const struct scene *s, const struct effect *x)
{
    struct tcp_info info = {0};
    socklen_t n = sizeof info;
    return getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &n) == 0 &&
           same(info.tcpi_sacked, x->want); /* the backlog of a listening socket */
}

static bool iface_is(const struct scene *s, const struct effect *x) /* text name, b flags: want */
{
    struct ifreq ifr = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)s;
    (void)snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", x->text);
    return ioctl(fd, SIOCGIFFLAGS, &ifr) == 0 && same(ifr.ifr_flags & x->b, x->want);
}

static bool mtu_is(const struct scene *s, const struct effect *x)
{
    struct ifreq ifr = {0};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    (void)s;
    (void)snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", x->text);
    return ioctl(fd, SIOCGIFMTU, &ifr) == 0 && same(ifr.ifr_mtu, x->want);
}

/* ---- terminals ---- */

static tcflag_t *word(struct termios *t, long long which)
{
    tcflag_t *words[] = {&t->c_iflag, &t->c_oflag, &t->c_cflag, &t->c_lflag};
    return words[which];
}

static bool termios_is(const struct scene *s, const struct effect *x)
{
    struct termios t;
    return tcgetattr(s->fd, &t) == 0 && same(*word(&t, x->a) & (tcflag_t)x->b, x->want);
}

/* What pseudo terminals do not keep: as it is handed to the system. */
static bool termios_made(const struct scene *s, const struct effect *x)
{
    const struct addr *a = s->plan->end[LEFT].fwd;
    struct termios t = {0};
    struct err e;
    for (size_t i = 0; i < a->nopts; i++)
        if (a->opts[i].desc->tio && a->opts[i].desc->tio(&a->opts[i], &t, &e) < 0)
            return false;
    return same(*word(&t, x->a) & (tcflag_t)x->b, x->want);
}

static bool key_is(const struct scene *s, const struct effect *x)
{
    struct termios t;
    return tcgetattr(s->fd, &t) == 0 && same(t.c_cc[x->a], x->want);
}

static bool speed_is(const struct scene *s, const struct effect *x)
{
    struct termios t;
    return tcgetattr(s->fd, &t) == 0 &&
           same((long long)(x->a ? cfgetispeed(&t) : cfgetospeed(&t)), x->want);
}

static bool window_is(const struct scene *s, const struct effect *x)
{
    struct winsize w;
    return ioctl(s->fd, TIOCGWINSZ, &w) == 0 && same(w.ws_col, x->a) && same(w.ws_row, x->b);
}

/* ---- descriptors and files ---- */

static bool status_is(const struct scene *s, const struct effect *x)
{
    return same(fcntl(s->fd, F_GETFL) & x->b, x->want);
}

static bool fcntl_is(const struct scene *s, const struct effect *x)
{
    return same(fcntl(s->fd, (int)x->a), x->want);
}

static bool owned_by_us(const struct scene *s, const struct effect *x)
{
    (void)x;
    return same(fcntl(s->fd, F_GETOWN), getpid());
}

static bool fsflag_is(const struct scene *s, const struct effect *x)
{
    int flags = 0, none = 0;
    bool good = ioctl(s->fd, FS_IOC_GETFLAGS, &flags) == 0 && same(flags & x->b, x->b);
    (void)ioctl(s->fd, FS_IOC_SETFLAGS, &none); /* so that it can be removed */
    return good;
}

static bool offset_is(const struct scene *s, const struct effect *x)
{
    return same(lseek(s->fd, 0, SEEK_CUR), x->want);
}

static bool size_is(const struct scene *s, const struct effect *x)
{
    struct stat st;
    return fstat(s->fd, &st) == 0 && same(st.st_size, x->want);
}

static bool mode_is(const struct scene *s, const struct effect *x)
{
    struct stat st;
    (void)s;
    return stat(x->text, &st) == 0 && same(st.st_mode & 07777, x->want);
}

static bool owner_is(const struct scene *s, const struct effect *x)
{
    struct stat st;
    (void)s;
    return stat(x->text, &st) == 0 && same(x->a ? st.st_gid : st.st_uid, x->want);
}

static bool there_is(const struct scene *s, const struct effect *x)
{
    struct stat st;
    (void)s;
    return same(lstat(x->text, &st) == 0, x->want);
}

static bool locked(const struct scene *s, const struct effect *x)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open("f", O_RDWR | O_CLOEXEC);
    (void)s;
    return fcntl(fd, F_OFD_GETLK, &l) == 0 && same(l.l_type, x->want);
}

static bool flocked(const struct scene *s, const struct effect *x)
{
    int fd = open("f", O_RDWR | O_CLOEXEC);
    (void)s;
    return same(flock(fd, LOCK_SH | LOCK_NB) == 0, x->want == LOCK_SH) &&
           flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static bool removed_at_end(const struct scene *s, const struct effect *x)
{
    for (size_t i = 0; i < s->run->nremovals; i++)
        if (strstr(s->run->removals[i].what, x->text))
            return true;
    return false;
}

static bool file_has(const struct scene *s, const struct effect *x) /* text "path word" */
{
    char path[100], line[500];
    bool found = false;
    const char *blank = strchr(x->text, ' ');
    (void)s;
    (void)snprintf(path, sizeof path, "%.*s", (int)(blank - x->text), x->text);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        found |= strstr(line, blank + 1) != NULL;
    return f && fclose(f) == 0 && found;
}

static bool queue_is(const struct scene *s, const struct effect *x)
{
    struct mq_attr m;
    return mq_getattr(s->fd, &m) == 0 && same(x->a ? m.mq_msgsize : m.mq_maxmsg, x->want);
}

/* ---- processes ---- */

static bool prints(const struct scene *s, const struct effect *x)
{
    char got[500] = "";
    size_t n = 0;
    for (;;) {
        struct pollfd p = {.fd = s->port->rfd, .events = POLLIN};
        if (poll(&p, 1, 5000) <= 0)
            break;
        ssize_t r = port_read(s->port, got + n, sizeof got - 1 - n);
        if (r < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (r <= 0)
            break;
        n += (size_t)r;
        got[n] = '\0';
        if (strstr(got, x->text))
            return true;
    }
    print_error("the program says \"%s\"\n", got);
    return false;
}

static bool id_is(const struct scene *s, const struct effect *x)
{
    (void)s;
    return same(x->a == 0 ? (long long)getuid() : x->a == 1 ? (long long)getgid() : getsid(0) == getpid(),
                x->want);
}

static bool passes(const struct scene *s, const struct effect *x)
{
    (void)x;
    return s->run->nchildren == 1 && s->run->children[0].passes != 0;
}

/* ---- what the relay itself is told ---- */

static bool policy_is(const struct scene *s, const struct effect *x)
{
    return same(s->port->flags & (unsigned)x->b, x->b);
}

static bool shut_is(const struct scene *s, const struct effect *x)
{
    return same(s->port->shut, x->want);
}

static bool border_is(const struct scene *s, const struct effect *x)
{
    const struct plan_border *b = &s->plan->eol[LEFT];
    return same(x->a == 0 ? (long long)b->eol : x->a == 1 ? (long long)b->readbytes : b->escape, x->want);
}

static bool sitout_is(const struct scene *s, const struct effect *x)
{
    return same((long long)(s->port->sitout_eio * 1000), x->want);
}

#endif
