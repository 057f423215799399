/* SPDX-License-Identifier: GPL-2.0-or-later
 * Proxies that speak HTTP/2, or something like it: the first byte says how much comes at once, and whether anybody takes
 * what is given out; the rest is all that the proxy says. What is kept stays within the window, and only an end that was
 * said is one. */
#include "dialog.h"
#include "inter/http2/http2.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct plan *plan;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    plan = dialog_plan("proxy:www.example.org:443,http-version=2,proxyauth=me:s3cret|pipe");
    return 0;
}

static void drain(struct buf *b) { buf_consume(b, b->len); }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct addr *a = plan->links[0].fwd;
    const struct session_ops *s = a->form->ops.session;
    struct buf b[4] = {{0}};
    struct session_side inner = {.in = &b[0], .out = &b[1]}, wire = {.in = &b[2], .out = &b[3]};
    struct err e = {.kind = ERR_NONE};
    struct run run;
    void *st;
    if (size < 1)
        return 0;
    size_t piece = (data[0] & 0x7fU) + 1, at = 1;
    bool takes = !(data[0] & 0x80);
    for (size_t i = 0; i < 4; i++)
        if (buf_init(&b[i], 20000) < 0)
            abort();
    if (run_init(&run, &dialog_settings, plan, -1, &e) < 0 || s->open(a, &run, NULL, &st, &e) < 0)
        abort();
    buf_put(&b[0], "early", 5);
    int rc = s->step(st, &inner, &wire, &e);
    for (int quiet = 0; rc == 0 && quiet < 4; quiet++) {
        size_t n = buf_put(&b[2], data + at, size - at < piece ? size - at : piece);
        at += n;
        if (n > 0)
            quiet = 0;
        inner.in_eof |= quiet == 1;
        wire.in_eof |= quiet == 2 && at == size;
        inner.unwanted |= quiet == 3;
        rc = s->step(st, &inner, &wire, &e);
        if (((struct tunnel *)st)->got.len > HTTP2_WINDOW + 65536)
            abort();
        drain(&b[3]);
        if (takes)
            drain(&b[1]);
    }
    if (rc < 0)
        dialog_check_message(&e, data, size);
    if (rc == 0 && inner.out_eof && !((struct tunnel *)st)->stream.peer_ended && !inner.unwanted)
        abort();
    s->close(st);
    run_fini(&run);
    for (size_t i = 0; i < 4; i++)
        buf_fini(&b[i]);
    return 0;
}
