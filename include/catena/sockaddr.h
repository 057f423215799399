/* SPDX-License-Identifier: GPL-2.0-or-later
 * Socket addresses of any family: one type, their text in log lines, and the facts they become. */
#ifndef CATENA_ENDPOINT_SOCKADDR_H
#define CATENA_ENDPOINT_SOCKADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "catena/err.h"

struct addr;
struct run;

struct sockname {
    socklen_t len; /* bytes of u that count */
    union {
        struct sockaddr sa;
        struct sockaddr_in in4;
        struct sockaddr_in6 in6;
        struct sockaddr_un un;
        struct sockaddr_storage room;
    } u;
};

/* Holds any text made here, worst case an abstract name of nothing but NULs. */
#define SOCKNAME_TEXT 512

static inline int sockname_family(const struct sockname *n)
{
    return n->u.sa.sa_family;
}

/* As log lines show it: AF=2 127.0.0.1:80, AF=10 [0000:...:0001]:80, AF=1 "/path". Gives buf. */
const char *sockname_text(const struct sockname *n, char buf[static SOCKNAME_TEXT]);
/* As people write it: 127.0.0.1:80, [::1]:80, "/path", vsock 2:80. Gives buf. */
const char *sockname_name(const struct sockname *n, char buf[static SOCKNAME_TEXT]);
/* The address alone, as children see it: 127.0.0.1, [0000:...:0001], /path. Gives buf. */
const char *sockname_host(const struct sockname *n, char buf[static SOCKNAME_TEXT]);

int sockname_port(const struct sockname *n); /* host order; -1 in families without ports */
void sockname_set_port(struct sockname *n, int port);
/* The address that stands for any, port 0. */
void sockname_wildcard(struct sockname *n, int family);
/* Makes an IP address the one that stands for this host. */
void sockname_loopback(struct sockname *n);
/* An IP address as 16 bytes, IPv4 as mapped into IPv6. False in other families. */
bool sockname_ip_bytes(const struct sockname *n, unsigned char bytes[static 16]);

/* A UNIX domain address, in the file system or abstract. tight: its length covers only the name. */
int sockname_unix(struct sockname *n, const char *path, bool abstract, bool tight, struct err *e);

/* getsockname(2) and getpeername(2); what cannot be had is an address of family 0. */
void sockname_local(struct sockname *n, int fd);
void sockname_peer(struct sockname *n, int fd);

/* Whom messages of that connection are about; an unnamed UNIX socket's process. peer NULL: as the
 * descriptor says. */
void sockname_meet(struct run *r, int fd, const struct sockname *peer);

/* peeraddr, peerport, sockaddr, sockport of a connection that this address has accepted go into the
 * run. */
int sockname_tell(struct run *r, const struct addr *who, const struct sockname *peer,
                  const struct sockname *local, struct err *e);
/* ... if anybody is going to ask for them, and whose process is at the other end of a UNIX socket. */
int sockname_facts(struct run *r, const struct addr *who, int fd, const struct sockname *peer,
                   const struct sockname *local, struct err *e);
/* The same for one we made ourselves. */
int sockname_facts_connected(struct run *r, const struct addr *who, int fd,
                             const struct sockname *peer, const struct sockname *local, struct err *e);

#endif
