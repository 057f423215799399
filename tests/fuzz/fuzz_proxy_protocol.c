/* SPDX-License-Identifier: GPL-2.0-or-later
 * PROXY headers that somebody sends: the first byte says how many bytes come at once. Where the header ends is found a
 * second time; what it tells is written as a header again, which has to tell the same. */
#include "dialog.h"

#include "inter/front/proxy_header.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct plan *plan;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct err e;
    (void)argc;
    (void)argv;
    if (plan_make(&dialog_settings, "proxy-protocol-server,from=unix|-", "pipe", &plan, &e) < 0)
        abort();
    return 0;
}

/* How long it is; 0: it is none, or not whole. */
static size_t length_of(const uint8_t *p, size_t n)
{
    const uint8_t *end = n > 6 && memcmp(p, "PROXY ", 6) == 0 ? memmem(p, n, "\r\n", 2) : NULL;
    if (end)
        return end - p <= 105 ? (size_t)(end - p) + 2 : 0;
    if (n < 16 || memcmp(p, "\r\n\r\n\0\r\nQUIT\n", 12) != 0)
        return 0;
    size_t all = 16 + (size_t)(p[14] << 8 | p[15]);
    return all <= n ? all : 0;
}

static void check_told(struct run *r)
{
    unsigned char bytes[PROXY_HEAD + 2 * PROXY_UNIX_PATH];
    char *host = run_get_fact(r, "peeraddr"), *port = run_get_fact(r, "peerport");
    char *own = run_get_fact(r, "sockaddr"), *own_port = run_get_fact(r, "sockport");
    struct proxy_header h = {.told = true}, again;
    struct err e;
    if (!host != !own || (port && !host))
        abort();
    if (host && port) {
        if (!proxy_address(host, port, &h.from) || !proxy_address(own, own_port, &h.to))
            abort();
        size_t n = proxy_write_head(&h, false, bytes);
        proxy_finish(bytes, n);
        if (proxy_parse(bytes, n, &again, &e) < 0 || again.told != h.told || again.from.len != h.from.len ||
            memcmp(&again.from.u, &h.from.u, h.from.len) != 0 || again.to.len != h.to.len || memcmp(&again.to.u, &h.to.u, h.to.len) != 0)
            abort();
    }
    free(host);
    free(port);
    free(own);
    free(own_port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wire_ops ops = {.fill = dialog_fill, .write = dialog_write};
    if (size < 2)
        return 0;
    struct dialog_script script = {.answer = data + 1, .left = size - 1, .piece = data[0] ? data[0] : 65536};
    const struct addr *a = plan->links[0].fwd;
    struct err e = {.kind = ERR_NONE};
    struct run run;
    struct wire w;
    if (run_init(&run, &dialog_settings, plan, -1, &e) < 0 || wire_init(&w, &ops, &script, &run, -1, &e) < 0)
        abort();
    int rc = a->form->ops.negotiator->learn(NULL, a, &run, &w, &e);
    if (rc < 0)
        dialog_check_message(&e, data, size);
    else if (size - 1 - (w.in.len + script.left) != length_of(data + 1, size - 1))
        abort();
    else
        check_told(&run);
    wire_fini(&w);
    run_fini(&run);
    return 0;
}
