/* SPDX-License-Identifier: GPL-2.0-or-later
 * A name server for programs that ask one themselves: what stands for a name is its address. It knows A and PTR;
 * of all else there is nothing (RFC 1035). */
#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "xiorun/helper.h"
#include "xiorun/question.h"

struct resolver {
    struct helper *helper;
    int fd;
};

/* ---- what is known ---- */

/* Of hosts that are none of our business the usual way tells. */
static bool look_up(const char *name, uint8_t v4[4])
{
    const struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (getaddrinfo(name, NULL, &hints, &found) != 0 || !found)
        return false;
    struct sockaddr_in a;
    memcpy(&a, found->ai_addr, sizeof a);
    memcpy(v4, &a.sin_addr, 4);
    freeaddrinfo(found);
    return true;
}

static bool address_of(struct helper *h, const char *name, uint8_t v4[4])
{
    uint8_t v6[16];
    if (strcasecmp(name, "localhost") == 0 && !rulebook_names(h->rules, name)) {
        memcpy(v4, (const uint8_t[]){127, 0, 0, 1}, 4);
        return true;
    }
    return rulebook_leave(h->rules, name) ? look_up(name, v4) : names_stand_in(h->names, name, v4, v6);
}

/* 4.3.2.1.in-addr.arpa */
static bool name_of(struct helper *h, const char *reverse, char name[256])
{
    unsigned b[4];
    int n = 0;
    if (sscanf(reverse, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &b[3], &b[2], &b[1], &b[0], &n) != 4 || n == 0 || reverse[n])
        return false;
    uint8_t a[4] = {(uint8_t)b[0], (uint8_t)b[1], (uint8_t)b[2], (uint8_t)b[3]};
    return names_find(h->names, 4, a, name) && name[0];
}

/* ---- answering ---- */

size_t resolver_answer(struct helper *h, const uint8_t *packet, size_t n, uint8_t *out, size_t cap)
{
    struct question q;
    char name[256];
    uint8_t v4[4];
    if (!question_read(packet, n, &q))
        return 0;
    if (q.type == QUESTION_A && q.class == QUESTION_IN)
        return address_of(h, q.name, v4) ? question_answer(&q, packet, v4, sizeof v4, out, cap)
                                         : question_nothing(&q, packet, true, out, cap);
    if (q.type == QUESTION_PTR && q.class == QUESTION_IN && name_of(h, q.name, name)) {
        uint8_t encoded[256];
        return question_answer(&q, packet, encoded, question_encode(name, encoded), out, cap);
    }
    return question_nothing(&q, packet, q.type == QUESTION_PTR, out, cap);
}

static void *serve(void *arg)
{
    struct resolver *r = arg;
    struct sockaddr_in from;
    uint8_t in[1500], out[1500];
    for (;;) {
        socklen_t len = sizeof from;
        ssize_t n = recvfrom(r->fd, in, sizeof in, 0, (struct sockaddr *)&from, &len);
        size_t m = n > 0 ? resolver_answer(r->helper, in, (size_t)n, out, sizeof out) : 0;
        if (m > 0)
            (void)sendto(r->fd, out, m, MSG_NOSIGNAL, (struct sockaddr *)&from, len);
    }
    return NULL;
}

static int listen_somewhere(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof a) == 0 && getsockname(fd, (struct sockaddr *)&a, &len) == 0) {
        *port = ntohs(a.sin_port);
        return fd;
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

int resolver_begin(struct helper *h)
{
    static struct resolver r;
    pthread_t thread;
    r = (struct resolver){h, listen_somewhere(&h->resolver)};
    if (r.fd < 0 || pthread_create(&thread, NULL, serve, &r) != 0) {
        h->resolver = 0;
        return -1;
    }
    return pthread_detach(thread);
}
