/* SPDX-License-Identifier: GPL-2.0-or-later
 * For the targets that fuzz a dialog with a proxy or socks server: holds it in memory against an
 * answer that comes in pieces. Each target says itself what the answer means, and the two have to
 * agree: on success or failure, and on where the peer's own data begin. */
#ifndef CATENA_TESTS_FUZZ_DIALOG_H
#define CATENA_TESTS_FUZZ_DIALOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/registry.h"
#include "catena/run.h"
#include "../home.h"

enum { DIALOG_MUCH = 1 << 20 };

/* What is left of an answer, for the targets' own reading of it. */
struct answer {
    const uint8_t *p;
    size_t n;
};

/* The next n bytes, or NULL. */
static inline const uint8_t *answer_take(struct answer *a, size_t n)
{
    const uint8_t *p = a->p;
    if (a->n < n)
        return NULL;
    a->p += n;
    a->n -= n;
    return p;
}

struct dialog_script {
    const uint8_t *answer;
    size_t left, piece, nsent;
};

static inline int dialog_fill(struct wire *w, int *eof, struct err *e)
{
    struct dialog_script *s = w->carrier;
    size_t n = s->left < s->piece ? s->left : s->piece;
    (void)e;
    n = buf_put(&w->in, s->answer, n);
    s->answer += n;
    s->left -= n;
    *eof = n == 0;
    return 0;
}

static inline int dialog_write(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct dialog_script *s = w->carrier;
    (void)data;
    (void)e;
    s->nsent += n;
    if (s->nsent > DIALOG_MUCH)
        abort();
    return 0;
}

/* Says what went wrong, in printable characters, and keeps the password to itself (unless the peer
 * has guessed it, in pieces even). */
static inline void dialog_check_message(const struct err *e, const uint8_t *data, size_t size)
{
    if (e->kind == ERR_NONE || e->text[0] == '\0' ||
        (strstr(e->text, "s3cret") && !memchr(data, '3', size)))
        abort();
    for (const char *c = e->text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            abort();
}

static const struct settings dialog_settings = {.catena = &home, .to_right = true, .to_left = true, .linger = -1,
                                                .idle = -1, .ip_version = 4, .comm = 'S',
                                                .env_prefix = "SOCAT"};

/* For LLVMFuzzerInitialize(): what the first input alone would do makes AFL++ distrust all others. */
static inline const struct plan *dialog_plan(const char *address)
{
    struct plan *made;
    struct err e;
    if (plan_make(&dialog_settings, "-", address, &made, &e) < 0)
        abort();
    return made;
}

/* Holds the dialog; good and rest (how much of the answer is behind it) are what has to come out. */
static inline void dialog_hold(const struct plan *p, const uint8_t *data, size_t size,
                               size_t piece, bool good, size_t rest)
{
    static const struct wire_ops ops = {.fill = dialog_fill, .write = dialog_write};
    struct dialog_script s = {.answer = data, .left = size, .piece = piece ? piece : 65536};
    const struct addr *a = p->links[0].fwd;
    struct err e = {.kind = ERR_NONE};
    struct run run;
    struct wire w;
    if (run_init(&run, &dialog_settings, p, -1, &e) < 0 || wire_init(&w, &ops, &s, &run, -1, &e) < 0)
        abort();
    const struct negotiator_ops *both = a->form->ops.negotiator;
    const struct outcome stands = {.run = &run, .place = a->place};
    void *st = calloc(1, both->state_size + 1);
    if (!st)
        abort();
    int rc;
    while ((rc = both->learn(st, a, &run, &w, &e)) > 0)
        ;
    if (rc == 0 && both->answer)
        rc = both->answer(st, a, &run, &w, &stands, &e);
    free(st);
    if (rc < 0)
        dialog_check_message(&e, data, size);
    if ((rc == 0) != good || (good && w.in.len + s.left != rest))
        abort();
    if (good && w.in.len > 0 && memcmp(buf_data(&w.in), data + size - rest, w.in.len) != 0)
        abort();
    wire_fini(&w);
    run_fini(&run);
}

#endif
