/* SPDX-License-Identifier: GPL-2.0-or-later
 * Socket addresses to text and to facts. The texts are read by scripts: IPv6 addresses are written
 * in brackets and in full, an unnamed UNIX socket is <anon>, an abstract name begins with \0. */
#include "catena/sockaddr.h"

#include <arpa/inet.h>
#include <linux/vm_sockets.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/run.h"

#define UN_NAME offsetof(struct sockaddr_un, sun_path)

/* The name of a UNIX socket: a path up to its NUL, or as many bytes as the length says. */
static void unix_host(const struct sockname *n, char *buf)
{
    size_t len = n->len > UN_NAME ? n->len - UN_NAME : 0, put = 0;
    const char *name = n->u.un.sun_path;

    if (len > sizeof n->u.un.sun_path)
        len = sizeof n->u.un.sun_path;
    if (len == 0) {
        snprintf(buf, SOCKNAME_TEXT, "<anon>");
        return;
    }
    if (name[0] != '\0') {
        snprintf(buf, SOCKNAME_TEXT, "%.*s", (int)strnlen(name, len), name);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (name[i] == '\0')
            buf[put++] = '\\';
        buf[put++] = name[i] == '\0' ? '0' : name[i];
    }
    buf[put] = '\0';
}

static void in6_host(const struct sockname *n, char *buf)
{
    const unsigned char *b = n->u.in6.sin6_addr.s6_addr;
    size_t put = 0;

    for (size_t i = 0; i < 16; i += 2)
        put += (size_t)snprintf(buf + put, SOCKNAME_TEXT - put, "%c%02x%02x", i == 0 ? '[' : ':',
                                b[i], b[i + 1]);
    snprintf(buf + put, SOCKNAME_TEXT - put, "]");
}

static void other_host(const struct sockname *n, char *buf)
{
    size_t head = offsetof(struct sockaddr, sa_data), put = 0;
    size_t len = n->len > sizeof n->u ? sizeof n->u : n->len;
    const unsigned char *bytes = (const unsigned char *)&n->u;

    buf[0] = '\0';
    for (size_t i = head; i < len; i++)
        put += (size_t)snprintf(buf + put, SOCKNAME_TEXT - put, "%s%02x", i == head ? "x" : "",
                                bytes[i]);
}

static struct sockaddr_vm vsock(const struct sockname *n)
{
    struct sockaddr_vm vm;

    memcpy(&vm, &n->u, sizeof vm);
    return vm;
}

const char *sockname_host(const struct sockname *n, char buf[static SOCKNAME_TEXT])
{
    switch (sockname_family(n)) {
    case AF_INET:
        inet_ntop(AF_INET, &n->u.in4.sin_addr, buf, SOCKNAME_TEXT);
        break;
    case AF_INET6:
        in6_host(n, buf);
        break;
    case AF_UNIX:
        unix_host(n, buf);
        break;
    case AF_VSOCK:
        snprintf(buf, SOCKNAME_TEXT, "%u", vsock(n).svm_cid);
        break;
    default:
        other_host(n, buf);
        break;
    }
    return buf;
}

const char *sockname_text(const struct sockname *n, char buf[static SOCKNAME_TEXT])
{
    char host[SOCKNAME_TEXT];
    int family = sockname_family(n), port = sockname_port(n);

    sockname_host(n, host);
    /* The longest host text leaves room for the family: names are shorter than the buffer. */
    if (family == AF_UNIX)
        snprintf(buf, SOCKNAME_TEXT, "AF=%d \"%.400s\"", family, host);
    else if (family == AF_VSOCK)
        snprintf(buf, SOCKNAME_TEXT, "AF=%d cid:%.20s port:%u", family, host, vsock(n).svm_port);
    else if (port >= 0)
        snprintf(buf, SOCKNAME_TEXT, "AF=%d %.400s:%d", family, host, port);
    else
        snprintf(buf, SOCKNAME_TEXT, "AF=%d %.400s", family, host);
    return buf;
}

const char *sockname_name(const struct sockname *n, char buf[static SOCKNAME_TEXT])
{
    char host[SOCKNAME_TEXT];
    int family = sockname_family(n), port = sockname_port(n);

    if (family == AF_INET6) {
        char short_form[INET6_ADDRSTRLEN];
        char zone[24] = "";
        inet_ntop(AF_INET6, &n->u.in6.sin6_addr, short_form, sizeof short_form);
        if (n->u.in6.sin6_scope_id != 0)
            snprintf(zone, sizeof zone, "%%%u", n->u.in6.sin6_scope_id);
        snprintf(buf, SOCKNAME_TEXT, "[%s%s]:%d", short_form, zone, port);
        return buf;
    }
    sockname_host(n, host);
    if (family == AF_UNIX)
        snprintf(buf, SOCKNAME_TEXT, "\"%.400s\"", host);
    else if (family == AF_VSOCK)
        snprintf(buf, SOCKNAME_TEXT, "vsock %.20s:%u", host, vsock(n).svm_port);
    else if (port >= 0)
        snprintf(buf, SOCKNAME_TEXT, "%.400s:%d", host, port);
    else
        snprintf(buf, SOCKNAME_TEXT, "AF=%d %.400s", family, host);
    return buf;
}

int sockname_port(const struct sockname *n)
{
    switch (sockname_family(n)) {
    case AF_INET:
        return ntohs(n->u.in4.sin_port);
    case AF_INET6:
        return ntohs(n->u.in6.sin6_port);
    default:
        return -1;
    }
}

void sockname_set_port(struct sockname *n, int port)
{
    switch (sockname_family(n)) {
    case AF_INET:
        n->u.in4.sin_port = htons((in_port_t)port);
        break;
    case AF_INET6:
        n->u.in6.sin6_port = htons((in_port_t)port);
        break;
    default:
        break;
    }
}

void sockname_wildcard(struct sockname *n, int family)
{
    memset(n, 0, sizeof *n);
    n->u.sa.sa_family = (sa_family_t)family;
    n->len = family == AF_INET6 ? sizeof n->u.in6 : sizeof n->u.in4;
}

void sockname_loopback(struct sockname *n)
{
    if (sockname_family(n) == AF_INET6)
        n->u.in6.sin6_addr = in6addr_loopback;
    else
        n->u.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
}

bool sockname_ip_bytes(const struct sockname *n, unsigned char bytes[static 16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

    switch (sockname_family(n)) {
    case AF_INET:
        memcpy(bytes, mapped, sizeof mapped);
        memcpy(bytes + sizeof mapped, &n->u.in4.sin_addr, 4);
        return true;
    case AF_INET6:
        memcpy(bytes, &n->u.in6.sin6_addr, 16);
        return true;
    default:
        return false;
    }
}

int sockname_unix(struct sockname *n, const char *path, bool abstract, bool tight, struct err *e)
{
    size_t len = strlen(path), at = abstract ? 1 : 0;
    size_t room = sizeof n->u.un.sun_path - 1; /* the NUL before or behind the name */

    if (len == 0 && !abstract)
        return err_set(e, ERR_BAD_VALUE, "the name of a UNIX domain socket may not be empty");
    if (len > room)
        return err_set(e, ERR_BAD_VALUE,
                       "socket name \"%.200s\" has %zu bytes; UNIX domain sockets take up to %zu",
                       path, len, room);
    memset(n, 0, sizeof *n);
    n->u.un.sun_family = AF_UNIX;
    memcpy(n->u.un.sun_path + at, path, len);
    n->len = (socklen_t)(tight ? UN_NAME + at + len : sizeof n->u.un);
    return 0;
}

void sockname_local(struct sockname *n, int fd)
{
    memset(n, 0, sizeof *n);
    n->len = sizeof n->u;
    if (getsockname(fd, &n->u.sa, &n->len) < 0)
        memset(n, 0, sizeof *n);
}

void sockname_peer(struct sockname *n, int fd)
{
    memset(n, 0, sizeof *n);
    n->len = sizeof n->u;
    if (getpeername(fd, &n->u.sa, &n->len) < 0)
        memset(n, 0, sizeof *n);
}

/* The process at the other end of a UNIX socket. */
static bool find_process(const struct sockname *peer, int fd, struct ucred *who)
{
    socklen_t len = sizeof *who;

    return sockname_family(peer) == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, who, &len) == 0 && who->pid > 0;
}

void sockname_meet(struct run *r, int fd, const struct sockname *peer)
{
    struct sockname asked;
    struct ucred who;
    char text[SOCKNAME_TEXT];

    if (!run_wants_peer(r))
        return;
    if (!peer) {
        sockname_peer(&asked, fd);
        peer = &asked;
    }
    sockname_name(peer, text);
    if (sockname_family(peer) == AF_UNSPEC)
        snprintf(text, sizeof text, "a peer without a name");
    if (peer->len <= UN_NAME && find_process(peer, fd, &who))
        snprintf(text, sizeof text, "process %d of user %u", (int)who.pid, (unsigned)who.uid);
    run_meet(r, text);
}

static int set_facts(struct run *r, const struct addr *who, const char *addr_fact,
                     const char *port_fact, const struct sockname *n, struct err *e)
{
    char text[SOCKNAME_TEXT], port[16];

    if (run_set_fact(r, who, addr_fact, sockname_host(n, text), e) < 0)
        return -1;
    if (sockname_family(n) == AF_VSOCK)
        snprintf(port, sizeof port, "%u", vsock(n).svm_port);
    else if (sockname_port(n) < 0)
        return 0;
    else
        snprintf(port, sizeof port, "%d", sockname_port(n));
    return run_set_fact(r, who, port_fact, port, e);
}

int sockname_tell(struct run *r, const struct addr *who, const struct sockname *peer,
                  const struct sockname *local, struct err *e)
{
    if (set_facts(r, who, "peeraddr", "peerport", peer, e) < 0)
        return -1;
    return set_facts(r, who, "sockaddr", "sockport", local, e);
}

static int set_number(struct run *r, const struct addr *who, const char *fact, unsigned long n,
                      struct err *e)
{
    char text[24];

    snprintf(text, sizeof text, "%lu", n);
    return run_set_fact(r, who, fact, text, e);
}

int sockname_facts(struct run *r, const struct addr *who, int fd, const struct sockname *peer,
                   const struct sockname *local, struct err *e)
{
    struct ucred process;

    if (!run_wants_facts(r))
        return 0;
    if (find_process(peer, fd, &process) &&
        (set_number(r, who, "peerpid", (unsigned long)process.pid, e) < 0 ||
         set_number(r, who, "peeruid", process.uid, e) < 0))
        return -1;
    return sockname_tell(r, who, peer, local, e);
}

int sockname_facts_connected(struct run *r, const struct addr *who, int fd,
                             const struct sockname *peer, const struct sockname *local,
                             struct err *e)
{
    if (!run_wants_facts(r))
        return 0;
    if (sockname_facts(r, who, fd, peer, local, e) < 0)
        return -1;
    run_stay_behind(r, who);
    return 0;
}
