/* SPDX-License-Identifier: GPL-2.0-or-later
 * Packets of SOCKS5, as clients and servers send them: the first byte chooses who gets them. The target is read a
 * second time here; what goes through has to have one, and to be what came but for the head. */
#include "dialog.h"

#include "catena/facts.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct place {
    struct plan *plan;
    struct run run;
    const struct addr *addr;
    void *shared[4];
} places[3];

static void place_make(struct place *s, const char *left, const char *right)
{
    struct err e;
    if (plan_make(&dialog_settings, left, right, &s->plan, &e) < 0 || run_init(&s->run, &dialog_settings, s->plan, -1, &e) < 0)
        abort();
    s->addr = s->plan->links[0].fwd;
    const struct sharing *common = form_common(s->addr->form);
    if (common && common->prepare(s->addr, &s->run, &s->shared[0], &e) < 0)
        abort();
    s->run.shared = s->shared;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    place_make(&places[0], "socks-server,commands=udp,allow=*.example :53|-", "target:0.0.0.0:0:udp");
    place_make(&places[1], "socks-server,commands=udp|-", "udp:a:1");
    place_make(&places[2], "-", "socks5-udp:192.0.2.1:53|tcp:a:1");
    return 0;
}

/* The length of the head; 0: there is none. */
static size_t head_of(const uint8_t *p, size_t n)
{
    size_t len = n < 5 || p[2] ? 0 : p[3] == 1 ? 10 : p[3] == 4 ? 22 : p[3] == 3 && p[4] ? 7 + (size_t)p[4] : 0;
    return len <= n ? len : 0;
}

static void push(const struct codec_ops *ops, void *st, const uint8_t *data, size_t size, struct buf *out)
{
    struct buf in = {0};
    struct err e;
    if (buf_init(&in, size + 1) < 0)
        abort();
    buf_put(&in, data, size);
    in.record = true;
    if (ops->push(st, &in, out, CODEC_IDLE, &e) != 1 || buf_holds(&in))
        abort();
    buf_fini(&in);
}

static void check(const uint8_t *data, size_t size, const struct buf *out, int which)
{
    size_t head = head_of(data, size), made = which == 0 ? head_of(out->p ? buf_data(out) : data, out->len) : 0;
    if (!out->record)
        return;
    if (head == 0 || out->len - made != size - head || (which == 0 && made == 0))
        abort();
    if (out->len > made && memcmp(buf_data(out) + made, data + head, out->len - made) != 0)
        abort();
    if (which == 2 && (head != 10 || memcmp(data + 3, "\1\xc0\0\2\1\0\x35", 7) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    int which = data[0] % 3;
    struct place *s = &places[which];
    const struct codec_pair *both = addr_leaves(s->addr);
    if (!both)
        abort();
    const struct codec_ops *ops[2] = {both->decode, both->encode};
    char *pair = calloc(1, ops[0]->pair_size + 1);
    void *st[2] = {calloc(1, ops[0]->state_size), calloc(1, ops[1]->state_size)};
    struct err e;
    data++;
    size--;
    if (!pair || !st[0] || !st[1])
        abort();
    for (int i = 0; i < 2; i++) {
        struct codec_place place = {.addr = s->addr, .run = &s->run, .to_right = i == 0, .pair = pair};
        if ((ops[i]->init && ops[i]->init(st[i], s->addr, &e) < 0) || (ops[i]->start && ops[i]->start(st[i], &place, &e) < 0))
            abort();
    }
    for (int i = 0; i < 2; i++) {
        struct buf out = {0};
        push(ops[i], st[i], data, size, &out);
        if (i == 0)
            check(data, size, &out, which);
        buf_fini(&out);
        free(st[i]);
    }
    free(pair);
    return 0;
}
