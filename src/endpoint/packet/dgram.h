/* SPDX-License-Identifier: GPL-2.0-or-later
 * Datagram sockets of every family: their port, where one read is one packet and one write another,
 * and the passive address that serves one packet at a time (RECVFROM). */
#ifndef CATENA_ENDPOINT_DGRAM_H
#define CATENA_ENDPOINT_DGRAM_H

#include "endpoint/packet/backlog.h"
#include "endpoint/socket/sock.h"

/* How a port treats packets; a copy becomes its state. */
struct dgram {
    struct sockname to; /* where packets go; len 0: where the socket is connected to */
    bool only_to;       /* packets from anybody else are dropped */
    bool checked;       /* access says whose packets are taken */
    bool facts;         /* what a packet tells about itself and its sender becomes known */
    bool strip;         /* raw IPv4: packets come with a header that is not data */
    bool portless;      /* raw sockets: addresses have a port that means nothing */
    bool connected;     /* an empty packet is end of file */
    bool frames;        /* of a network interface: our own are not for us */
    bool vlan;          /* ... and get back the tag that the kernel takes out of them */
    bool nothing_more;  /* what was put back into the port is all there is to read */
    struct access access;
    bool returns;         /* packets of others go to back_fd, see backlog.h */
    int back_fd;          /* borrowed */
    struct packet *ahead; /* packets of `to` that have been taken already, to be read first */

    /* belongs to the port */
    struct run *run;
    const struct addr *addr;
    struct sockname last; /* sender the facts tell of */
    int news;             /* errno that what we have sent brought back: told behind what has been received */
};

/* Takes the socket, connected or not, and the packets ahead, and makes a port of it, with the options that act on one. */
int dgram_port(const struct addr *a, struct run *r, const struct sock_kind *kind, int fd,
               const struct dgram *how, struct port **out, struct err *e);

/* The usual ways to use a socket that is not connected. Both take the descriptor. */
/* Sends to one address; from_all: receives from everybody that access (NULL: no rules) lets in, not
 * only from there. */
int dgram_sender(const struct addr *a, struct run *r, const struct sock_kind *kind, int fd,
                 const struct sockname *to, const struct access *access, bool from_all,
                 struct port **out, struct err *e);
/* Receives from everybody that access lets in. The socket is bound. */
int dgram_receiver(const struct addr *a, struct run *r, const struct sock_kind *kind, int fd,
                   const struct access *access, struct port **out, struct err *e);

/* dgram_from.c. The end of a RECVFROM address's listen(): takes the bound descriptor. */
int dgram_from_listen(const struct addr *a, const struct sock_kind *kind, int fd,
                      const struct access *access, void **state, struct err *e);
/* endpoint_ops.open: waits for a packet. Gives a port that reads it and then is at end of file, and
 * that writes to its sender. */
int dgram_from_open(const struct addr *a, struct run *r, void *state, struct port **out,
                    struct err *e);
void dgram_from_unlisten(const struct addr *a, void *state, bool forked);

/* ---- one packet ---- */

struct dgram_packet {
    struct sockname from;
    struct msghdr msg; /* with its ancillary data */
    size_t cut;        /* bytes that there was no room for */
    _Alignas(struct cmsghdr) unsigned char control[1024]; /* bytes */
};

/* PEERADDR and so on, of the sender and of our own address. */
int dgram_facts(struct run *r, const struct addr *who, const struct sockname *from, int fd,
                bool portless, struct err *e);
/* Does the kernel put an IPv4 header in front of what fd receives? */
bool dgram_has_header(const struct sock_kind *kind, int fd);
/* Are there rules about whom packets are taken from? */
bool dgram_has_rules(const struct access *access);
/* Receives without waiting; its bytes without an IPv4 header if strip says so, or -1 and errno. */
ssize_t dgram_receive(int fd, bool strip, void *buf, size_t cap, struct dgram_packet *p);
/* May the sender of the packet that waits on fd come in? 1 yes; 0 no, and it has been thrown away
 * with a warning; -1 and errno EAGAIN: there is none, or another error. */
int dgram_admit(const struct addr *a, struct run *r, const struct access *access, int fd);
/* What was cut off a packet, of which n bytes are left, is told and counted as lost. */
void dgram_count_cut(const struct addr *a, struct run *r, const struct dgram_packet *p, ssize_t n);
/* May that sender come in? If not it is told as a warning. fd: as for access_check(). */
int dgram_let_in(const struct addr *a, struct run *r, const struct access *access, int fd,
                 const struct sockname *from);
/* Errors that earlier answers have brought back say nothing about the next packet. */
bool dgram_is_old_news(int sys);
/* Empties the queue of errors (option ip-recverr), which would keep the socket busy. */
void dgram_drop_errors(int fd);

#endif
