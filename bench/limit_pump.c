/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a chain of n links costs at least: limit_pump [-r] <n> <in> <out>, ends as in ends.h. One
 * direction, a thread for each link that copies each block once, as a link that looks at its data
 * has to. Between the links socketpairs, or with -r rings of buffers in memory. */
#include "ends.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK = CHUNK, SOCKET_BUFFER = 1024 * 1024, SLOTS = 4, MAX_LINKS = 16 };

/* Blocks on their way from one link to the next. */
struct ring {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned taken, given;
    size_t len[SLOTS]; /* 0: end of file */
    unsigned char *block[SLOTS];
};

/* A link reads from a descriptor or a ring, and writes to one. */
struct link {
    int in, out;
    struct ring *from, *to;
    struct end *last;
};

static struct ring *ring_new(void)
{
    struct ring *r = calloc(1, sizeof(*r));

    if (!r)
        die("no memory", NULL);
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->changed, NULL);
    for (int i = 0; i < SLOTS; i++)
        if (!(r->block[i] = malloc(BLOCK)))
            die("no memory", NULL);
    return r;
}

/* A slot to fill, or a filled one. */
static unsigned ring_slot(struct ring *r, bool filled)
{
    unsigned slot;

    pthread_mutex_lock(&r->lock);
    while (filled ? r->given == r->taken : r->given - r->taken == SLOTS)
        pthread_cond_wait(&r->changed, &r->lock);
    slot = (filled ? r->taken : r->given) % SLOTS;
    pthread_mutex_unlock(&r->lock);
    return slot;
}

static void ring_pass(struct ring *r, unsigned *count)
{
    pthread_mutex_lock(&r->lock);
    ++*count;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void *work(void *arg)
{
    struct link *l = arg;
    unsigned char *in = malloc(BLOCK), *copy = malloc(BLOCK);

    if (!in || !copy)
        die("no memory", NULL);
    for (;;) {
        unsigned from = l->from ? ring_slot(l->from, true) : 0;
        ssize_t n = l->from ? (ssize_t)l->from->len[from] : read(l->in, in, BLOCK);
        size_t len = n > 0 ? (size_t)n : 0;
        unsigned to = l->to ? ring_slot(l->to, false) : 0;

        memcpy(l->to ? l->to->block[to] : copy, l->from ? l->from->block[from] : in, len);
        if (l->from)
            ring_pass(l->from, &l->from->taken);
        if (l->to) {
            l->to->len[to] = len;
            ring_pass(l->to, &l->to->given);
        } else if (len > 0 && !write_all(l->out, copy, len))
            break;
        if (len == 0)
            break;
    }
    if (l->last)
        end_shut(l->last);
    else if (!l->to)
        shutdown(l->out, SHUT_WR);
    free(in);
    free(copy);
    return NULL;
}

static void join(struct link *a, struct link *b, bool ring)
{
    int pair[2], size = SOCKET_BUFFER;

    if (ring) {
        a->to = b->from = ring_new();
        return;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        die("no socketpair", NULL);
    setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    a->out = pair[0];
    b->in = pair[1];
}

int main(int argc, char **argv)
{
    struct link links[MAX_LINKS] = {{0}};
    pthread_t threads[MAX_LINKS];
    struct end in, out;
    bool ring = false;
    int c, n;

    while ((c = getopt(argc, argv, "r")) != -1)
        if (c == 'r')
            ring = true;
        else
            return 2;
    n = argc - optind == 3 ? atoi(argv[optind]) : 0;
    if (n < 1 || n > MAX_LINKS)
        die("usage: limit_pump [-r] <1 to 16> <in> <out>", NULL);
    signal(SIGPIPE, SIG_IGN);
    end_prepare(&in, argv[optind + 1]);
    end_prepare(&out, argv[optind + 2]);
    end_complete(&in);
    end_complete(&out);
    for (int i = 0; i + 1 < n; i++)
        join(&links[i], &links[i + 1], ring);
    links[0].in = in.fd;
    links[n - 1].out = out.fd;
    links[n - 1].last = &out;
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, work, &links[i]) != 0)
            die("no thread", NULL);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
