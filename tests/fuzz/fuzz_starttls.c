/* SPDX-License-Identifier: GPL-2.0-or-later
 * Both ends of STARTTLS dialogs, and MySQL's numbers behind them. The first byte chooses the address, the second how
 * many bytes come at once, the third how many of the rest are the other side's. What ends well has ended with a
 * go-ahead or a wish of the target's own reading, has left nothing behind that, and ends no differently byte by byte. */
#include <strings.h>

#include "dialog.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const char *address, *last; /* what the last line begins with, or has behind its tag */
    bool tagged;
} cases[] = {
    {"starttls:smtp,helo=x", "220", false}, {"starttls:lmtp,helo=x", "220", false}, {"starttls:imap", "a1 OK", false},
    {"starttls:pop3", "+OK", false}, {"starttls:sieve", "OK", false}, {"starttls:ftp", "234", false},
    {"starttls:nntp", "382", false}, {"starttls:irc", NULL, false}, {"starttls:ldap", NULL, false},
    {"starttls:xmpp", NULL, false}, {"starttls:postgres", NULL, false}, {"starttls:mysql", NULL, false},
    {"starttls-server:smtp", "STARTTLS", false}, {"starttls-server:lmtp", "STARTTLS", false},
    {"starttls-server:imap", "STARTTLS", true}, {"starttls-server:pop3", "STLS", false},
    {"starttls-server:sieve", "STARTTLS", false}, {"starttls-server:ftp", "AUTH TLS", false},
    {"starttls-server:nntp", "STARTTLS", false}, {"starttls-server:irc", "STARTTLS", false},
    {"starttls-server:ldap", NULL, false}, {"starttls-server:xmpp", NULL, false},
    {"starttls-server:postgres", NULL, false}, {"starttls-server:mysql", NULL, false},
};
enum { CASES = sizeof cases / sizeof cases[0], POSTGRES = 10, POSTGRES_SERVER = 22, MYSQL_SERVER = 23 };

static struct plan *plans[CASES];
static const struct addr *addrs[CASES];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < CASES; i++) {
        struct err e;
        char chain[200];
        (void)snprintf(chain, sizeof chain, "%s|%s|tcp:host:1", i < 12 ? "openssl" : "openssl-server,cert=x", cases[i].address);
        if (plan_make(&dialog_settings, "-", chain, &plans[i], &e) < 0)
            abort();
        addrs[i] = plans[i]->links[1].fwd;
    }
    return 0;
}

/* ---- dialogs ---- */

struct ends {
    size_t taken, left_in, sent, told;
    struct buf on;
};

static int hold(const struct addr *a, const uint8_t *data, size_t n, const uint8_t *other, size_t nother, size_t piece, struct ends *x)
{
    static const struct wire_ops ops = {.fill = dialog_fill, .write = dialog_write};
    struct dialog_script peer = {.answer = data, .left = n, .piece = piece}, behind = {.answer = other, .left = nother, .piece = piece};
    const struct negotiator_ops *both = a->form->ops.negotiator;
    struct err e = {.kind = ERR_NONE};
    struct run run = {.settings = &dialog_settings, .signal_fd = -1, .stop_fd = -1};
    struct wire w, beyond;
    void *st = calloc(1, both->state_size + 1);
    if (!st || wire_init(&w, &ops, &peer, &run, -1, &e) < 0 || wire_init(&beyond, &ops, &behind, &run, -1, &e) < 0)
        abort();
    const struct outcome stands = {.run = &run, .place = a->place, .beyond = both->talks_beyond ? &beyond : NULL};
    int rc = both->learn(st, a, &run, &w, &e);
    if (rc == 0 && both->answer)
        rc = both->answer(st, a, &run, &w, &stands, &e);
    if (rc < 0)
        dialog_check_message(&e, data, n + nother); /* they stand behind each other */
    if (both->forget)
        both->forget(st);
    free(st);
    *x = (struct ends){n - peer.left - w.in.len, w.in.len, peer.nsent, behind.nsent, w.on};
    w.on = (struct buf){0};
    wire_fini(&w);
    wire_fini(&beyond);
    return rc;
}

static void check_last_line(size_t which, const char *data, size_t n)
{
    size_t from = n - 1;
    if (n == 0 || data[n - 1] != '\n')
        abort();
    while (from > 0 && data[from - 1] != '\n')
        from--;
    while (cases[which].tagged && from < n && data[from] != ' ')
        from++;
    while (cases[which].tagged && from < n && data[from] == ' ')
        from++;
    size_t len = strlen(cases[which].last);
    if (n - from < len || strncasecmp(data + from, cases[which].last, len) != 0)
        abort();
}

static void check_end(size_t which, const uint8_t *data, const struct ends *x)
{
    static const uint8_t wish[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
    if (x->left_in > 0 && which != MYSQL_SERVER)
        abort();
    if (x->on.len > 2 * x->taken)
        abort();
    if (cases[which].last)
        check_last_line(which, (const char *)data, x->taken);
    if (which == POSTGRES && (x->taken != 1 || data[0] != 'S'))
        abort();
    if (which == POSTGRES_SERVER && (x->taken % 8 || memcmp(data + x->taken - 8, wish, 8) != 0))
        abort();
    if (which == MYSQL_SERVER && (x->taken != 36 || !(data[5] & 8) || data[3] != 1))
        abort();
}

static void talk(size_t which, const uint8_t *data, size_t n, const uint8_t *other, size_t nother, size_t piece)
{
    struct ends as_it_comes, slow;
    const struct addr *a = addrs[which];
    int rc = hold(a, data, n, other, nother, piece ? piece : 65536, &as_it_comes);
    if (rc == 0)
        check_end(which, data, &as_it_comes);
    int again = hold(a, data, n, other, nother, 1, &slow);
    if (rc == 0 && (again < 0 || slow.taken != as_it_comes.taken || slow.sent != as_it_comes.sent || slow.told != as_it_comes.told ||
                    slow.on.len != as_it_comes.on.len || (slow.on.len > 0 && memcmp(buf_data(&slow.on), buf_data(&as_it_comes.on), slow.on.len) != 0)))
        abort();
    buf_fini(&as_it_comes.on);
    buf_fini(&slow.on);
}

/* ---- numbers ---- */

struct lane {
    const struct codec_ops *ops;
    void *st;
};

static void push(const struct lane *l, const uint8_t *data, size_t n, size_t piece, uint8_t *out)
{
    struct err e;
    for (size_t at = 0; at < n;) {
        size_t k = n - at < piece ? n - at : piece;
        struct buf in = {0}, room = {0};
        if (buf_init(&in, k) < 0 || buf_init(&room, k) < 0)
            abort();
        buf_put(&in, data + at, k);
        if (l->ops->push(l->st, &in, &room, CODEC_IDLE, &e) != 1 || in.len > 0 || room.len != k)
            abort();
        memcpy(out + at, buf_data(&room), k);
        buf_fini(&in);
        buf_fini(&room);
        at += k;
    }
}

/* The client, the server, the client again. */
static void renumber(const struct codec_pair *pair, const uint8_t *data, size_t n, size_t third, size_t piece, uint8_t *out)
{
    void *both = calloc(1, pair->encode->pair_size);
    const struct codec_ops *ops[] = {pair->encode, pair->decode};
    const struct codec_place place = {.pair = both};
    struct lane lanes[2];
    struct err e;
    for (int i = 0; i < 2; i++) {
        lanes[i] = (struct lane){ops[i], calloc(1, ops[i]->state_size)};
        if (!lanes[i].st || ops[i]->init(lanes[i].st, NULL, &e) < 0 || ops[i]->start(lanes[i].st, &place, &e) < 0)
            abort();
    }
    for (size_t at = 0, i = 0; at < n; i++) {
        size_t k = n - at < third ? n - at : third;
        push(&lanes[i % 2], data + at, k, piece, out + at);
        at += k;
    }
    free(lanes[0].st);
    free(lanes[1].st);
    free(both);
}

static void numbers(size_t which, const uint8_t *data, size_t n, size_t piece)
{
    const struct codec_pair *pair = addrs[which]->form->ops.negotiator->leaves;
    uint8_t *outs = malloc(2 * n + 1);
    size_t third = n / 3 + 1;
    if (!outs)
        abort();
    if (pair) {
        renumber(pair, data, n, third, piece ? piece : 1, outs);
        renumber(pair, data, n, third, n + 1, outs + n);
        if (memcmp(outs, outs + n, n) != 0)
            abort();
    }
    free(outs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    size_t which = data[0] % CASES, n = size - 3, nother = data[2] < n ? data[2] : n;
    talk(which, data + 3, n - nother, data + 3 + n - nother, nother, data[1]);
    numbers(which, data + 3, n, data[1]);
    return 0;
}
