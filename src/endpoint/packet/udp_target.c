/* SPDX-License-Identifier: GPL-2.0-or-later
 * UDP to many: see udp_target.h. One socket for all of them, for both versions of IP where the system has them. What
 * cannot be sent is dropped, as on any way of packets. */
#include "endpoint/packet/udp_target.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "catena/host.h"
#include "catena/wait.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/packet/dgram.h"
#include "endpoint/socket/inet.h"

enum {
    IP4 = 1, NAME = 3, IP6 = 4,
    HEAD4 = 4 + 4 + 2, HEAD6 = 4 + 16 + 2,
    DROPS = 64,
    NAMES = 16,         /* that are remembered */
    NAME_MS = 30000,    /* so long a name is that address */
    NO_NAME_MS = 5000,  /* ... or none: looking it up takes the time of all others */
    PEERS = 256,        /* hosts that may answer: those that were sent to last */
};

struct known {
    char host[256];
    struct sockname at; /* len 0: there is none */
    int64_t until;
};

struct udp_target {
    const struct addr *addr;
    struct run *run;
    bool both; /* the socket is of IPv6, and IPv4 goes mapped */
    int family;
    struct known names[NAMES];
    unsigned next_name;
    unsigned char peers[PEERS][16];
    unsigned npeers; /* ever */
    unsigned last;
};

/* ---- whose answers are taken ---- */

static bool is_peer(struct udp_target *t, const unsigned char *bytes)
{
    unsigned n = t->npeers < PEERS ? t->npeers : PEERS;
    if (n > 0 && memcmp(t->peers[t->last], bytes, 16) == 0)
        return true;
    for (unsigned i = 0; i < n; i++)
        if (memcmp(t->peers[i], bytes, 16) == 0) {
            t->last = i;
            return true;
        }
    return false;
}

static void remember_peer(struct udp_target *t, const struct sockname *to)
{
    unsigned char bytes[16];
    if (!sockname_ip_bytes(to, bytes) || is_peer(t, bytes))
        return;
    t->last = t->npeers++ % PEERS;
    memcpy(t->peers[t->last], bytes, sizeof bytes);
}

/* ---- where packets go to ---- */

static const struct known *look_up(struct udp_target *t, const char *host)
{
    struct ip_version version = {t->both ? AF_UNSPEC : t->family, AF_UNSPEC, false};
    struct names found = {0};
    struct err e;
    for (int i = 0; i < NAMES; i++)
        if (strcmp(t->names[i].host, host) == 0 && wait_now() < t->names[i].until)
            return &t->names[i];
    struct known *k = &t->names[t->next_name++ % NAMES];
    *k = (struct known){0};
    if (resolve_host(t->addr, t->run, host, 0, &version, false, &found, &e) == 0)
        k->at = found.v[0];
    else
        diag_err(DIAG_INFO, &e);
    names_fini(&found);
    memcpy(k->host, host, strlen(host) + 1);
    k->until = wait_now() + (k->at.len > 0 ? NAME_MS : NO_NAME_MS);
    return k;
}

static bool name_address(struct udp_target *t, const unsigned char *name, size_t n, struct sockname *to)
{
    char host[256];
    memcpy(host, name, n);
    host[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (host[i] <= ' ' || host[i] > '~')
            return false;
    *to = look_up(t, host)->at;
    return to->len > 0;
}

static void map(struct sockname *n)
{
    struct sockname mapped = {.len = sizeof mapped.u.in6, .u.in6 = {.sin6_family = AF_INET6}};
    (void)sockname_ip_bytes(n, mapped.u.in6.sin6_addr.s6_addr);
    mapped.u.in6.sin6_port = n->u.in4.sin_port;
    *n = mapped;
}

/* Gives the length of the head, 0: that is no packet, or nobody can be reached so. */
static size_t read_head(struct udp_target *t, const unsigned char *p, size_t n, struct sockname *to)
{
    if (n < 5 || p[2] != 0 || (p[3] != IP4 && p[3] != IP6 && p[3] != NAME))
        return 0;
    size_t head = p[3] == IP4 ? HEAD4 : p[3] == IP6 ? HEAD6 : 5 + p[4] + (size_t)2;
    if (n < head)
        return 0;
    sockname_wildcard(to, p[3] == IP6 ? AF_INET6 : AF_INET);
    if (p[3] == IP4)
        memcpy(&to->u.in4.sin_addr, p + 4, 4);
    else if (p[3] == IP6)
        memcpy(&to->u.in6.sin6_addr, p + 4, 16);
    else if (p[4] == 0 || !name_address(t, p + 5, p[4], to))
        return 0;
    sockname_set_port(to, p[head - 2] << 8 | p[head - 1]);
    if (t->both && sockname_family(to) == AF_INET)
        map(to);
    return sockname_port(to) > 0 && sockname_family(to) == t->family ? head : 0;
}

static ssize_t target_write(struct port *p, const void *buf, size_t n)
{
    struct udp_target *t = p->state;
    struct sockname to;
    char text[SOCKNAME_TEXT];
    size_t head = read_head(t, buf, n, &to);
    if (head == 0) {
        diag(DIAG_INFO, "dropping packet with %zu bytes, which names nobody who can be reached", n);
        return (ssize_t)n;
    }
    remember_peer(t, &to);
    ssize_t sent = -1;
    for (int i = 0; i < 2 && sent < 0; i++) { /* the first error may be what an earlier packet has brought back */
        sent = sendto(p->wfd, (const unsigned char *)buf + head, n - head, MSG_DONTWAIT | MSG_NOSIGNAL, &to.u.sa, to.len);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
            return -1;
    }
    if (sent < 0)
        diag(DIAG_INFO, "packet to %s is lost: %s", sockname_text(&to, text), strerror(errno));
    return (ssize_t)n;
}

/* ---- what comes back ---- */

static size_t write_head(const unsigned char bytes[static 16], int port, unsigned char *head)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool ip4 = memcmp(bytes, mapped, sizeof mapped) == 0;
    size_t n = ip4 ? HEAD4 : HEAD6;
    memcpy(head, (unsigned char[4]){0, 0, 0, ip4 ? IP4 : IP6}, 4);
    memcpy(head + 4, ip4 ? bytes + 12 : bytes, ip4 ? 4 : 16);
    head[n - 2] = (unsigned char)(port >> 8);
    head[n - 1] = (unsigned char)(port & 0xff);
    return n;
}

/* Where the head ends is known when the packet is there. */
static ssize_t put_head(struct udp_target *t, unsigned char *buf, size_t n, const struct sockname *from)
{
    unsigned char bytes[16], head[HEAD6];
    char text[SOCKNAME_TEXT];
    if (!sockname_ip_bytes(from, bytes) || !is_peer(t, bytes)) {
        diag(DIAG_INFO, "dropping packet from %s, whom nothing was sent to", sockname_text(from, text));
        return 0;
    }
    size_t k = write_head(bytes, sockname_port(from), head);
    memmove(buf + k, buf + HEAD6, n);
    memcpy(buf, head, k);
    return (ssize_t)(k + n);
}

static ssize_t target_read(struct port *p, void *buf, size_t cap)
{
    struct udp_target *t = p->state;
    for (int i = 0; i < DROPS; i++) {
        struct sockname from = {.len = sizeof from.u};
        if (cap <= HEAD6)
            break;
        ssize_t n = recvfrom(p->rfd, (unsigned char *)buf + HEAD6, cap - HEAD6, MSG_DONTWAIT, &from.u.sa, &from.len);
        if (n < 0 && errno == EAGAIN) {
            dgram_drop_errors(p->rfd);
            errno = EAGAIN;
        }
        if (n < 0 && dgram_is_old_news(errno))
            continue;
        if (n < 0 || (n = put_head(t, buf, (size_t)n, &from)) > 0)
            return n;
    }
    errno = EINTR;
    return -1;
}

static void target_close(struct port *p)
{
    port_fd_close(p);
    free(p->state);
    p->state = NULL;
}

static int target_shutdown(struct port *p, struct err *e)
{
    (void)p;
    (void)e;
    return 0; /* there is nobody to be told */
}

static const struct port_ops target_ops = {target_read, target_write, target_shutdown, target_close};

/* ---- making ---- */

static const struct sock_kind kind = {.family = AF_UNSPEC, .type = SOCK_DGRAM, .protocol = IPPROTO_UDP, .shut = PORT_SHUT_NONE};

static int both_versions(const struct addr *a, struct run *r, struct err *e)
{
    const int off = 0;
    struct sockname any;
    int fd = sock_open(a, r, &kind, AF_INET6, true, e);
    if (fd < 0)
        return -1;
    sockname_wildcard(&any, AF_INET6);
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) == 0 && sock_bind(a, fd, &any, e) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Where options say how, as they say. */
static int make_socket(const struct addr *a, struct run *r, struct err *e)
{
    struct access ignored;
    int fd = opt_find(a, &opt_bind) || opt_find(a, &opt_pf) ? -1 : both_versions(a, r, e);
    return fd >= 0 ? fd : inet_bound(a, r, &kind, "0", &ignored, e);
}

int udp_target_open(const struct addr *a, struct run *r, struct port **out, struct err *e)
{
    struct sockname local;
    char text[SOCKNAME_TEXT];
    socklen_t size = sizeof(int);
    int only6 = 1, fd = make_socket(a, r, e);
    struct udp_target *t = fd < 0 ? NULL : calloc(1, sizeof *t);
    if (fd >= 0 && !t) {
        close(fd);
        return err_nomem(e);
    }
    if (fd >= 0 && opts_apply(a, PHASE_CONNECTED, fd, e) < 0) {
        close(fd);
        fd = -1;
    }
    if (fd < 0 || endpoint_socket_port(a, r, fd, fd, PORT_MSG | PORT_ENDLESS, kind.shut, out, e) < 0) {
        free(t);
        return -1;
    }
    sockname_local(&local, fd);
    *t = (struct udp_target){.addr = a, .run = r, .family = sockname_family(&local)};
    t->both = t->family == AF_INET6 && getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only6, &size) == 0 && !only6;
    diag(DIAG_NOTICE, "sending packets from %s to whom they name", sockname_text(&local, text));
    (*out)->ops = &target_ops;
    (*out)->state = t;
    r->waits = true; /* for names */
    return 0;
}
