/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the preload library and its helper say to each other. All processes of one xiorun share a socket to the
 * helper, the lease: a request is one message there, and brings the descriptor on which it wants to be answered,
 * so that no answer comes to a wrong one. When nobody has the lease any more, the helper ends. */
#ifndef CATENA_PRELOAD_PROTOCOL_H
#define CATENA_PRELOAD_PROTOCOL_H

#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>

/* The lease in the environment: "number:inode", and behind that, if the helper is within another xiorun and so cannot be
 * started anew, as its way would not lead through that. */
#define PRELOAD_LEASE "XIO_LEASE"
#define PRELOAD_WITHIN ":within"
#define PRELOAD_LIBRARY "libxio-preload.so"

enum { PRELOAD_MAGIC = 0x78696f31, PRELOAD_NAME_MAX = 256 };

enum preload_ask {
    ASK_OPEN,    /* a way to an address and port */
    ASK_NAME,    /* addresses that stand for a name */
    ASK_ADDRESS, /* the name that an address stands for */
};

struct preload_request {
    uint32_t magic;
    uint8_t ask;
    uint8_t quiet;    /* the user wants to hear nothing */
    uint8_t packets;  /* ASK_OPEN: of UDP and the like */
    uint8_t version;  /* of IP: 4 or 6 */
    uint16_t port;
    uint32_t scope;
    uint8_t addr[16];
    int32_t pid;      /* who asks, for messages */
    char program[16];
    char name[PRELOAD_NAME_MAX]; /* ASK_NAME */
};

enum preload_verdict {
    SAYS_DIRECT,   /* it does not concern the helper; name: what the address stood for, if anything */
    SAYS_OPENING,  /* the next message tells what became of it */
    SAYS_OPEN,     /* with a descriptor, and one that is to be closed */
    SAYS_FAILED,   /* error says why, and the user has been told */
    SAYS_NAME,     /* name, and what stands for it */
    SAYS_RESOLVER, /* port: on 127.0.0.1 somebody answers questions for names */
};

struct preload_answer {
    uint32_t magic;
    int32_t error; /* as errno */
    uint8_t verdict;
    uint16_t port;
    uint8_t v4[4], v6[16];
    char name[PRELOAD_NAME_MAX];
};

/* A copy of the lease where programs have no descriptors of their own, usually. */
static inline int preload_put_high(int fd)
{
    struct rlimit most = {.rlim_cur = 64};
    (void)getrlimit(RLIMIT_NOFILE, &most);
    return fcntl(fd, F_DUPFD_CLOEXEC, most.rlim_cur > 1000 ? 900 : (int)most.rlim_cur * 3 / 4);
}

#endif
