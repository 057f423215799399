/* SPDX-License-Identifier: GPL-2.0-or-later
 * For the targets that fuzz a server's dialog with its client, in memory: what is granted has to be well-formed by
 * the target's own reading, to be told as a host and a port, and to leave what follows alone. */
#ifndef CATENA_TESTS_FUZZ_SERVER_H
#define CATENA_TESTS_FUZZ_SERVER_H

#include "dialog.h"

struct server {
    struct plan *plan;
    void *shared[2];
};

static inline void server_make(struct server *s, const char *address)
{
    char left[200];
    struct err e;
    struct run r;
    (void)snprintf(left, sizeof left, "%s|-", address);
    if (plan_make(&dialog_settings, left, "tcp:{targethost}:{targetport}", &s->plan, &e) < 0 ||
        run_init(&r, &dialog_settings, s->plan, -1, &e) < 0)
        abort();
    const struct addr *a = s->plan->links[0].fwd;
    const struct sharing *common = form_common(a->form);
    if (!common || common->prepare(a, &r, &s->shared[0], &e) < 0)
        abort();
    run_fini(&r);
}

static inline void server_check_target(struct run *r)
{
    char *host = run_get_fact(r, "targethost"), *port = run_get_fact(r, "targetport");
    if (!host || !port || !host[0] || strspn(port, "0123456789") != strlen(port) || atoi(port) < 1 || atoi(port) > 65535)
        abort();
    for (const char *c = host; *c; c++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._[]:%", *c))
            abort();
    free(host);
    free(port);
}

/* rest: how much of the data is behind a well-formed dialog. */
static inline void server_meets(struct server *s, const uint8_t *data, size_t size, size_t piece, bool well_formed, size_t rest)
{
    static const struct wire_ops ops = {.fill = dialog_fill, .write = dialog_write};
    struct dialog_script script = {.answer = data, .left = size, .piece = piece ? piece : 65536};
    const struct addr *a = s->plan->links[0].fwd;
    const struct negotiator_ops *both = a->form->ops.negotiator;
    struct err e = {.kind = ERR_NONE};
    struct run run;
    struct wire w;
    if (run_init(&run, &dialog_settings, s->plan, -1, &e) < 0 || wire_init(&w, &ops, &script, &run, -1, &e) < 0)
        abort();
    run.shared = s->shared;
    const struct outcome stands = {.run = &run, .place = a->place, .to_right = true};
    void *st = calloc(1, both->state_size + 1);
    if (!st)
        abort();
    int rc;
    while ((rc = both->learn(st, a, &run, &w, &e)) > 0)
        ;
    if (rc < 0)
        dialog_check_message(&e, data, size);
    else
        server_check_target(&run);
    if (rc == 0 && both->answer(st, a, &run, &w, &stands, &e) < 0)
        abort();
    free(st);
    if (rc == 0 && (!well_formed || w.in.len + script.left != rest ||
                    (w.in.len > 0 && memcmp(buf_data(&w.in), data + size - rest, w.in.len) != 0)))
        abort();
    wire_fini(&w);
    run.shared = NULL;
    run_fini(&run);
}

#endif
