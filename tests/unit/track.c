/* SPDX-License-Identifier: GPL-2.0-or-later
 * See track.h. */
#include "inter/libraries/libraries.h"
#include "track.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "catena/reaper.h"

static int patience(void)
{
    return (int)(UNIT_PATIENCE_MS * unit_slower());
}

/* ---- making ---- */

static void prepare_sessions(struct track *t)
{
    struct err e;
    t->run.shared = t->shared = calloc(t->plan->nlinks + 1, sizeof *t->shared);
    assert_non_null(t->shared);
    for (size_t i = 0; i < t->plan->nlinks; i++) {
        const struct addr *a = t->plan->links[i].fwd;
        if (a->form->kind == FORM_SESSION &&
            a->form->ops.session->common.prepare(a, &t->run, &t->shared[i], &e) < 0)
            fail_msg("%s", e.text);
    }
}

void track_plan(struct track *t, struct settings s, const char *left, const char *right)
{
    struct err e;
    *t = (struct track){.settings = s, .outside = {-1, -1}, .inside = {-1, -1}};
    t->before = unit_count();
    t->plan = unit_plan(&t->settings, left, right);
    unit_run(&t->run, &t->settings, t->plan, -1);
    assert_int_equal(line_init(&t->line, &t->run, &e), 0);
    prepare_sessions(t);
}

void track_put_end(struct track *t, int side, unsigned flags)
{
    struct err e;
    struct port *p;
    int fds[2];
    assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), errno);
    assert_return_code(fcntl(fds[1], F_SETFL, O_NONBLOCK), errno);
    track_hang_up(t, side);
    t->outside[side] = fds[1];
    t->inside[side] = fcntl(fds[0], F_DUPFD_CLOEXEC, 3);
    assert_return_code(t->inside[side], errno);
    assert_int_equal(port_open_fds(fds[0], fds[0], flags, PORT_SHUT_DOWN, "track", &p, &e), 0);
    line_put_end(&t->line, side, p);
}

bool track_open(struct track *t, struct err *e)
{
    struct line *l = &t->line;
    track_put_end(t, LEFT, 0);
    if (line_open_chain(l, LEFT, e) < 0 || line_prove(l, e) < 0)
        return false;
    track_put_end(t, RIGHT, 0);
    return line_open_chain(l, RIGHT, e) == 0 && line_join(l, e) == 0 && line_start(l, e) == 0;
}

void track_lay(struct track *t, struct settings s, const char *left, const char *right)
{
    struct err e;
    track_plan(t, s, left, right);
    if (!track_open(t, &e))
        fail_msg("%s", e.text);
}

static void *relay(void *arg)
{
    struct track *t = arg;
    line_relay(&t->line);
    return NULL;
}

void track_start(struct track *t)
{
    for (int i = 0; i < 2; i++) { /* ends are to be seen */
        if (t->inside[i] >= 0)
            close(t->inside[i]);
        t->inside[i] = -1;
    }
    assert_int_equal(pthread_create(&t->thread, NULL, relay, t), 0);
    t->relays = true;
}

void track_join(struct track *t)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += patience() / 1000;
    if (pthread_timedjoin_np(t->thread, NULL, &until) != 0)
        fail_msg("the line does not end");
    t->relays = false;
}

void track_close(struct track *t)
{
    track_hang_up(t, LEFT);
    track_hang_up(t, RIGHT);
    if (t->relays)
        track_join(t);
    line_fini(&t->line);
    run_collect_children(&t->run, false);
    for (size_t i = 0; i < t->plan->nlinks; i++)
        if (t->shared[i])
            t->plan->links[i].fwd->form->ops.session->common.release(t->shared[i]);
    free(t->shared);
    unit_run_fini(&t->run);
    plan_free(t->plan);
}

void track_free(struct track *t)
{
    track_close(t);
    unit_no_children();
    unit_nothing_left(t->before);
}

/* ---- the peers ---- */

void track_hang_up(struct track *t, int side)
{
    int *fds[] = {&t->outside[side], &t->inside[side]};
    for (int i = 0; i < 2; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

void track_say(struct track *t, int side, const char *text)
{
    assert_int_equal(write(t->outside[side], text, strlen(text)), strlen(text));
}

void track_end(struct track *t, int side)
{
    assert_return_code(shutdown(t->outside[side], SHUT_WR), errno);
}

void track_hear(struct track *t, int side, const char *text)
{
    char got[4096];
    size_t n = 0, all = strlen(text);
    while (n < all) {
        if (!unit_readable(t->outside[side], patience()))
            fail_msg("\"%.*s\" came, and no more; not \"%s\"", (int)n, got, text);
        ssize_t k = read(t->outside[side], got + n, all - n);
        if (k <= 0)
            fail_msg("\"%.*s\" came, and the end; not \"%s\"", (int)n, got, text);
        n += (size_t)k;
    }
    got[n] = '\0';
    assert_string_equal(got, text);
}

void track_hear_end(struct track *t, int side)
{
    char c = '\0';
    assert_true(unit_readable(t->outside[side], patience()));
    if (read(t->outside[side], &c, 1) > 0)
        fail_msg("'%c' came instead of the end", c);
}

struct way {
    int from, to;
    unsigned sent, received; /* the next random bytes */
    size_t size, nsent, nreceived;
    bool ended;
};

static unsigned char next(unsigned *seed)
{
    *seed = *seed * 1103515245U + 12345U;
    return (unsigned char)(*seed >> 16);
}

static void send_some(struct way *w)
{
    unsigned char block[5000];
    unsigned seed = w->sent;
    size_t n = w->size - w->nsent < sizeof block ? w->size - w->nsent : sizeof block;
    for (size_t i = 0; i < n; i++)
        block[i] = next(&seed);
    ssize_t k = write(w->from, block, n);
    for (ssize_t i = 0; i < k; i++)
        (void)next(&w->sent);
    w->nsent += k > 0 ? (size_t)k : 0;
    if (w->nsent == w->size)
        assert_return_code(shutdown(w->from, SHUT_WR), errno);
}

static void receive_some(struct way *w)
{
    unsigned char block[5000];
    ssize_t n = read(w->to, block, sizeof block);
    for (ssize_t i = 0; i < n; i++)
        if (block[i] != next(&w->received))
            fail_msg("byte %zu is wrong", w->nreceived + (size_t)i);
    w->nreceived += n > 0 ? (size_t)n : 0;
    w->ended = n == 0;
}

void track_exchange(struct track *t, size_t left_to_right, size_t right_to_left)
{
    struct way w[2] = {{t->outside[LEFT], t->outside[RIGHT], 1, 1, left_to_right, 0, 0, false},
                       {t->outside[RIGHT], t->outside[LEFT], 2, 2, right_to_left, 0, 0, false}};
    while (!w[0].ended || !w[1].ended) {
        struct pollfd fds[4];
        for (int i = 0; i < 2; i++) {
            fds[2 * i] = (struct pollfd){w[i].nsent < w[i].size ? w[i].from : -1, POLLOUT, 0};
            fds[2 * i + 1] = (struct pollfd){w[i].ended ? -1 : w[i].to, POLLIN, 0};
        }
        if (poll(fds, 4, patience()) <= 0)
            fail_msg("nothing moves: %zu of %zu and %zu of %zu bytes are through", w[0].nreceived,
                     w[0].size, w[1].nreceived, w[1].size);
        for (int i = 0; i < 2; i++) {
            if (fds[2 * i].revents)
                send_some(&w[i]);
            if (fds[2 * i + 1].revents)
                receive_some(&w[i]);
        }
    }
    assert_int_equal(w[0].nreceived, left_to_right);
    assert_int_equal(w[1].nreceived, right_to_left);
}

/* ---- for sessions ---- */

void track_certificate(const char *path)
{
    FILE *f = fopen(path, "we");
    struct err e;
    assert_int_equal(libraries_load_openssl(&e), 0); /* calls of this file go that way, too */
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    assert_non_null(f);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    X509_free(cert);
    EVP_PKEY_free(key);
    assert_int_equal(fclose(f), 0);
}
