/* SPDX-License-Identifier: GPL-2.0-or-later
 * Proxies that want to know who we are: the first byte chooses the address, the second how many bytes come at once, the
 * rest is all that the proxy says, whatever it is asked. It gets no more than it has asked for, and never the password
 * from who was told to use Digest. */
#include "dialog.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const addresses[] = {
    "proxy:www.example.org:443,proxyauth=me:s3cret|pipe",
    "proxy:127.0.0.1:443,proxyauth=me:s3cret,proxy-auth-scheme=any|pipe",
    "proxy:127.0.0.1:443,proxyauth=me:s3cret,proxy-auth-scheme=digest,ignorecr|pipe",
    "proxy:127.0.0.1:443|pipe",
};
enum { ADDRESSES = sizeof addresses / sizeof addresses[0], DIGEST = 2 };
static const struct plan *plans[ADDRESSES];

struct script {
    struct dialog_script said;
    size_t requests;
    bool basic, guessed; /* it has said the password itself, which may come back in a realm */
};

static int fill(struct wire *w, int *eof, struct err *e)
{
    struct script *s = w->carrier;
    struct wire inner = *w;
    inner.carrier = &s->said;
    int rc = dialog_fill(&inner, eof, e);
    w->in = inner.in;
    return rc;
}

static int take(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct script *s = w->carrier;
    (void)e;
    s->requests++;
    s->basic |= memmem(data, n, "Basic", 5) && memmem(data, n, "bWU6czNjcmV0", 12);
    if ((memmem(data, n, "s3cret", 6) && !s->guessed) || s->requests > 8)
        abort();
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < ADDRESSES; i++)
        plans[i] = dialog_plan(addresses[i]);
    return 0;
}

/* Over connections of their own, if it wants that. */
static void hold(const struct addr *a, struct run *run, struct script *s, const uint8_t *data, size_t size)
{
    static const struct wire_ops ops = {.fill = fill, .write = take};
    const struct negotiator_ops *n = a->form->ops.negotiator;
    struct err e = {.kind = ERR_NONE};
    struct wire w;
    void *st = calloc(1, n->state_size);
    if (!st || wire_init(&w, &ops, s, run, -1, &e) < 0)
        abort();
    if (n->learn(st, a, run, &w, &e) < 0)
        dialog_check_message(&e, data, size);
    wire_fini(&w);
    free(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t which = data[0] % ADDRESSES;
    const struct addr *a = plans[which]->links[0].fwd;
    struct script s = {.said = {.answer = data + 2, .left = size - 2, .piece = data[1] ? data[1] : 65536},
                       .guessed = memmem(data, size, "3", 1) && memmem(data, size, "cret", 4)};
    struct err e = {.kind = ERR_NONE};
    void *shared[4] = {NULL};
    struct run run;
    if (run_init(&run, &dialog_settings, plans[which], -1, &e) < 0 ||
        a->form->ops.negotiator->common.prepare(a, &run, &shared[0], &e) < 0)
        abort();
    run.shared = shared;
    do {
        run.anew = false;
        s.requests = 0;
        hold(a, &run, &s, data + 2, size - 2);
    } while (run.anew && s.said.left > 0);
    if (s.basic && (which == DIGEST || which == ADDRESSES - 1))
        abort();
    a->form->ops.negotiator->common.release(shared[0]);
    run_fini(&run);
    return 0;
}
