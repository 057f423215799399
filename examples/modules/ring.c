/* SPDX-License-Identifier: GPL-2.0-or-later
 * RING:<file>:<bytes>: an endpoint. What is written goes into a file that keeps the last so many bytes; reading gives
 * them, the oldest first. The file begins with a line that counts all there have been.
 *
 *     catena -u tcp-listen:7000,fork ring:/var/log/last:65536
 *     catena -u ring:/var/log/last:65536 - */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <catena/endpoint.h>
#include <catena/module.h>

enum { HEAD = 21 }; /* bytes of the first line */

struct ring {
    unsigned long long size, at, end; /* at: of all bytes, the next one */
};

static size_t piece(const struct ring *g, size_t n)
{
    unsigned long long left = g->size - g->at % g->size;
    return n < left ? n : (size_t)left;
}

static ssize_t ring_write(struct port *p, const void *buf, size_t n)
{
    struct ring *g = p->state;
    char head[HEAD + 1];
    ssize_t put = pwrite(p->wfd, buf, piece(g, n), (off_t)(HEAD + g->at % g->size));
    g->at += put > 0 ? (unsigned long long)put : 0;
    (void)snprintf(head, sizeof head, "%020llu\n", g->at);
    return put < 0 || pwrite(p->wfd, head, HEAD, 0) != HEAD ? -1 : put;
}

static ssize_t ring_read(struct port *p, void *buf, size_t cap)
{
    struct ring *g = p->state;
    size_t n = g->end - g->at < cap ? (size_t)(g->end - g->at) : cap;
    ssize_t got = n > 0 ? pread(p->rfd, buf, piece(g, n), (off_t)(HEAD + g->at % g->size)) : 0;
    g->at += got > 0 ? (unsigned long long)got : 0;
    return got;
}

static void ring_close(struct port *p) { free(p->state), port_fd_close(p); }

static const struct port_ops ring_ops = {.read = ring_read, .write = ring_write, .shutdown = port_fd_shutdown, .close = ring_close};

static int ring_open(const struct addr *a, struct run *r, void *state, struct port **out, struct err *e)
{
    struct ring *g = calloc(1, sizeof *g);
    char head[HEAD] = "";
    bool reads = a->left == CTX_R;
    int fd = g ? open(a->params[0], O_CLOEXEC | (reads ? O_RDONLY : O_RDWR | O_CREAT), 0666) : -1;
    (void)state;
    if (fd < 0 || endpoint_port(a, r, reads ? fd : -1, reads ? -1 : fd, 0, PORT_SHUT_NONE, out, e) < 0) {
        free(g);
        return fd < 0 ? err_sys(e, "cannot open the ring \"%s\"", a->params[0]) : -1;
    }
    g->end = pread(fd, head, HEAD - 1, 0) > 0 ? strtoull(head, NULL, 10) : 0;
    g->size = strtoull(a->params[1], NULL, 10);
    g->size += g->size == 0;
    g->at = !reads ? g->end : g->end > g->size ? g->end - g->size : 0;
    (*out)->ops = &ring_ops;
    (*out)->state = g;
    return 0;
}

static const struct endpoint_ops ops = {.open = ring_open};
static const struct form forms[] = {
    {.keyword = "RING", .params = ":<file>:<bytes>", .min_params = 2, .max_params = 2, .left = CTX_R | CTX_W, .groups = GROUP_FD,
     .help = "a file of the last so many bytes", .kind = FORM_ENDPOINT, .ops.endpoint = &ops},
    {.keyword = NULL},
};
const struct catena_module catena_module = CATENA_MODULE(forms, NULL);
