/* SPDX-License-Identifier: GPL-2.0-or-later
 * Whatever a proxy says over HTTP/2 on a connection that is shared: no line gets more than its window, and each has left
 * its stream, and been left by the trunk, in the end. The first byte says in what pieces it comes, and who reads. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "dialog.h"
#include "engine/port/stream.h"
#include "inter/http2/http2.h"

enum { LINES = 3 };

static void not_freed(struct trunk *t) { (void)t; }

static void forget(void *state) { challenges_fini(&((struct http2_asking *)state)->challenges); }

/* Asks, and does not wait. NULL: there is no room. */
static struct port *begin_line(struct trunk *t, struct run *r, struct err *e)
{
    struct port *p = NULL;
    struct stream *s = stream_new(t, sizeof(struct http2_asking), forget, e);
    if (!s)
        return NULL;
    memcpy(((struct http2_asking *)stream_state(s))->target, "a:1", 4);
    (void)stream_ask(s, r, -1, e);
    if (stream_port(s, "line", &p, e) < 0)
        abort();
    return p;
}

static void use_line(struct port *p, size_t *got)
{
    static char block[4096];
    if (!p)
        return;
    ssize_t n = port_read(p, block, sizeof block);
    *got += n > 0 ? (size_t)n : 0;
    (void)port_write(p, "said", 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct plan *plan;
    if (!plan && plan_make(&dialog_settings, "tcp-l:1,thread", "proxy:a:1,http-version=2,share|pipe", &plan, &(struct err){0}) < 0)
        abort();
    const struct addr *a = plan->trunk->links[0].fwd;
    const struct session_ops *ops = a->form->ops.session;
    struct buf b[4] = {{0}};
    struct session_side inner = {.in = &b[0], .out = &b[1], .unwanted = true}, wire = {.in = &b[2], .out = &b[3]};
    struct err e = {.kind = ERR_NONE};
    struct run run, hurried;
    struct trunk trunk;
    struct port *lines[LINES];
    size_t got[LINES] = {0};
    void *st;
    if (size < 1)
        return 0;
    size_t piece = (data[0] & 0x7fU) + 1, at = 1, nlines = data[0] & 0x80 ? LINES - 1 : LINES; /* who reads */
    for (size_t i = 0; i < 4; i++)
        if (buf_init(&b[i], 20000) < 0)
            abort();
    int stop = eventfd(1, EFD_CLOEXEC);
    if (run_init(&run, plan->trunk->settings, plan->trunk, -1, &e) < 0 || run_init(&hurried, &dialog_settings, plan, -1, &e) < 0 ||
        trunk_init(&trunk, SIZE_MAX, not_freed, &e) < 0)
        abort();
    run.trunk = &trunk;
    hurried.stop_fd = stop;
    for (size_t i = 0; i < LINES; i++)
        lines[i] = begin_line(&trunk, &hurried, &e);
    if (ops->open(a, &run, NULL, &st, &e) < 0)
        abort();
    int rc = ops->step(st, &inner, &wire, &e);
    for (int quiet = 0; rc == 0 && quiet < 4; quiet++) {
        size_t n = buf_put(&b[2], data + at, size - at < piece ? size - at : piece);
        at += n;
        if (n > 0)
            quiet = 0;
        wire.in_eof |= quiet == 2 && at == size;
        inner.in_eof |= quiet == 1;
        for (size_t i = 0; i < nlines; i++)
            use_line(lines[i], &got[i]);
        if (quiet == 1 && lines[1])
            (void)port_shutdown(lines[1], &e);
        if (quiet == 2) {
            port_close(lines[0]);
            lines[0] = begin_line(&trunk, &hurried, &e);
        }
        rc = ops->step(st, &inner, &wire, &e);
        buf_consume(&b[3], b[3].len);
        if (ops->ready(st))
            trunk_opened(&trunk);
    }
    if (rc < 0)
        dialog_check_message(&e, data, size);
    for (size_t i = 0; i < LINES; i++)
        if (got[i] > size)
            abort();
    ops->close(st);
    trunk_over(&trunk, true, NULL);
    for (size_t i = 0; i < LINES; i++)
        port_close(lines[i]);
    if (trunk.n != 0 || trunk.refs != 1 || trunk.all || trunk.news)
        abort();
    trunk_drop(&trunk);
    run_fini(&run);
    run_fini(&hurried);
    close(stop);
    for (size_t i = 0; i < 4; i++)
        buf_fini(&b[i]);
    return 0;
}
