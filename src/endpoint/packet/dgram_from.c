/* SPDX-License-Identifier: GPL-2.0-or-later
 * RECVFROM, whatever the address family: one packet is one connection. The process that listens
 * reads it, so that it is gone from the socket before anybody is forked; the port then has it in
 * front of its end of file, and answers to its sender over the socket that all share. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "endpoint/options/opts_socket.h"
#include "endpoint/packet/ancillary.h"
#include "catena/diag.h"
#include "catena/wait.h"
#include "endpoint/packet/dgram.h"

enum {
    PACKET_MAX = 65536,   /* bytes: all that a packet of IP can have */
    LONG_MOST = 16 << 20, /* ... and one of other families, whose room is made when it comes */
};

struct receiver {
    int fd;
    struct sock_kind kind;
    bool strip, checked, ip;
    struct access access;
    struct buf packet; /* empty: room for one */
};

int dgram_from_listen(const struct addr *a, const struct sock_kind *kind, int fd,
                      const struct access *access, void **state, struct err *e)
{
    struct receiver *l = malloc(sizeof *l);
    struct sockname local;
    char text[SOCKNAME_TEXT];

    if (!l) {
        close(fd);
        return err_nomem(e);
    }
    sockname_local(&local, fd);
    *l = (struct receiver){.fd = fd, .kind = *kind, .access = *access};
    l->strip = dgram_has_header(kind, fd);
    l->checked = dgram_has_rules(access);
    l->ip = sockname_family(&local) == AF_INET || sockname_family(&local) == AF_INET6;
    diag(DIAG_NOTICE, "receiving socket bound to %s", sockname_text(&local, text));
    if (buf_init(&l->packet, PACKET_MAX) < 0) {
        dgram_from_unlisten(a, l, false);
        return err_nomem(e);
    }
    if (opts_apply(a, PHASE_LISTEN, fd, e) < 0 || opts_apply(a, PHASE_CONNECTED, fd, e) < 0) {
        dgram_from_unlisten(a, l, false);
        return -1;
    }
    *state = l;
    return 0;
}

void dgram_from_unlisten(const struct addr *a, void *state, bool forked)
{
    struct receiver *l = state;

    (void)a;
    (void)forked;
    close(l->fd);
    buf_fini(&l->packet);
    free(l);
}

/* Sees to it that the packet that waits can be taken whole: 0, or -1 and errno. What is longer than
 * the ceiling is cut, which is told. */
static int make_room(struct receiver *l)
{
    ssize_t n;

    if (l->ip)
        return 0;
    n = recv(l->fd, NULL, 0, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);
    if (n <= (ssize_t)l->packet.cap)
        return n < 0 && errno != EOPNOTSUPP && errno != EINVAL ? -1 : 0;
    return buf_grow(&l->packet, n < LONG_MOST ? (size_t)n : (size_t)LONG_MOST);
}

/* The next packet that may come in; its bytes, or -1. */
static ssize_t next_packet(const struct addr *a, struct run *r, struct receiver *l,
                           struct dgram_packet *p, struct err *e)
{
    for (;;) {
        ssize_t n;
        int admitted;

        if (wait_fd(r, l->fd, POLLIN, -1, e) < 0)
            return -1;
        admitted = l->checked ? dgram_admit(a, r, &l->access, l->fd) : 1;
        n = admitted > 0 ? make_room(l) : admitted;
        if (n == 0 && admitted > 0)
            n = dgram_receive(l->fd, l->strip, l->packet.p, l->packet.cap, p);
        if (n > 0 || (n == 0 && admitted > 0 && opt_true(a, &opt_null_eof)))
            return n;
        if (n == 0)
            continue;
        if (errno == EAGAIN)
            dgram_drop_errors(l->fd);
        else if (dgram_is_old_news(errno))
            diag(DIAG_INFO, "recvmsg(%d): %s", l->fd, strerror(errno));
        else if (errno != EINTR)
            return err_sys(e, "recvmsg(%d)", l->fd);
    }
}

/* What the port of a packet needs. It is had before the packet is read, which would be lost for
 * want of it. */
struct ends {
    int fd;  /* the socket once more, for the answers */
    int eof; /* end of file behind the packet: a pipe that nobody writes to */
};

static int try_ends(const struct receiver *l, struct ends *ends, struct err *e)
{
    int pair[2];

    ends->fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 3);
    if (ends->fd < 0)
        return err_sys(e, "fcntl(%d, F_DUPFD_CLOEXEC)", l->fd);
    if (pipe2(pair, O_CLOEXEC) < 0) {
        err_sys(e, "pipe2()");
        close(ends->fd);
        return -1;
    }
    close(pair[1]);
    ends->eof = pair[0];
    return 0;
}

/* Packets of before, in threads, may hold all there is. */
static int get_ends(const struct addr *a, struct run *r, const struct receiver *l,
                    struct ends *ends, struct err *e)
{
    while (try_ends(l, ends, e) < 0) {
        if (!endpoint_serves_many(r, a) || wait_for_more(r, e) < 0)
            return -1;
    }
    return 0;
}

/* Takes the ends. */
static int make_port(const struct addr *a, struct run *r, const struct receiver *l,
                     const struct ends *ends, const struct dgram_packet *packet, ssize_t n,
                     struct port **out, struct err *e)
{
    struct dgram d = {.to = packet->from, .nothing_more = true};
    struct port *p;

    if (dgram_port(a, r, &l->kind, ends->fd, &d, &p, e) < 0) {
        close(ends->eof);
        return -1;
    }
    if (p->wfd < 0)
        close(ends->fd);
    p->rfd = ends->eof;
    if (port_unread(p, l->packet.p, (size_t)n, e) < 0) {
        port_close(p);
        return -1;
    }
    *out = p;
    return 0;
}

/* Reads a packet and tells about it; its bytes, or -1. */
static ssize_t receive(const struct addr *a, struct run *r, struct receiver *l,
                       struct dgram_packet *packet, struct err *e)
{
    char text[SOCKNAME_TEXT];
    ssize_t n = next_packet(a, r, l, packet, e);

    if (n < 0)
        return -1;
    diag(DIAG_NOTICE, "receiving packet from %s", sockname_text(&packet->from, text));
    dgram_count_cut(a, r, packet, n);
    ancillary_forget(r, a);
    ancillary_report(r, a, &packet->msg, true);
    return dgram_facts(r, a, &packet->from, l->fd, l->kind.type == SOCK_RAW, e) < 0 ? -1 : n;
}

int dgram_from_open(const struct addr *a, struct run *r, void *state, struct port **out,
                    struct err *e)
{
    struct receiver *l = state;
    struct dgram_packet packet;
    struct sockname local;
    struct ends ends = {-1, -1};
    char text[SOCKNAME_TEXT];
    ssize_t n;

    sockname_local(&local, l->fd);
    diag(DIAG_NOTICE, "receiving on %s", sockname_text(&local, text));
    if (get_ends(a, r, l, &ends, e) < 0)
        return -1;
    n = receive(a, r, l, &packet, e);
    if (n < 0) {
        close(ends.fd);
        close(ends.eof);
        return -1;
    }
    return make_port(a, r, l, &ends, &packet, n, out, e);
}
