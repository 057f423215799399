/* SPDX-License-Identifier: GPL-2.0-or-later
 * A negotiator's dialog with a scripted server, as a row of a table. Every dialog is played with
 * the server's bytes in one piece and in small ones. For one test program each: all is static. */
#ifndef CATENA_TESTS_DIALOG_H
#define CATENA_TESTS_DIALOG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "catena/inter.h"
#include "catena/run.h"
#include "inter/proxy/opts_proxy.h"
#include "../home.h"

extern const struct form forms_socks4[], forms_socks5[], forms_http_connect[];

/* --- the scripted server --- */

struct script {
    const char *answer;
    size_t left, piece; /* bytes still to give; at most so many at a time */
    unsigned char sent[20000];
    size_t nsent;
};

static int script_fill(struct wire *w, int *eof, struct err *e)
{
    struct script *s = w->carrier;
    size_t n = s->left < s->piece ? s->left : s->piece;

    (void)e;
    n = buf_put(&w->in, s->answer, n);
    s->answer += n;
    s->left -= n;
    *eof = n == 0;
    return 0;
}

static int script_write(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct script *s = w->carrier;

    (void)e;
    assert_true(n <= sizeof s->sent - s->nsent);
    memcpy(s->sent + s->nsent, data, n);
    s->nsent += n;
    return 0;
}

static const struct wire_ops script_ops = {.fill = script_fill, .write = script_write};

static const struct settings at_home = {.catena = &home, .env_prefix = "SOCAT"};
static struct run run = {.settings = &at_home, .signal_fd = -1, .stop_fd = -1}; /* nothing interrupts it */

/* --- addresses --- */

static const struct option_desc rows[] = {
    {.name = "socksuser", .same_as = &opt_socksuser},
    {.name = "sockspass", .same_as = &opt_sockspass, .secret = SECRET_TEXT},
    {.name = "proxy-authorization", .same_as = &opt_proxy_auth, .secret = SECRET_TEXT},
    {.name = "proxy-authorization-file", .same_as = &opt_proxy_auth, .secret = SECRET_FILE},
    {.name = "proxy-resolve", .same_as = &opt_proxy_resolve},
    {.name = "socks-resolve", .same_as = &opt_socks_resolve},
    {.name = "ignorecr", .same_as = &opt_ignorecr},
    {.name = "http-version", .same_as = &opt_http_version},
    {.name = "proxy-auth-helper", .same_as = &opt_auth_helper},
    {.name = "proxy-auth-scheme", .same_as = &opt_auth_scheme},
};

struct setting {
    const struct option_desc *row;
    const char *text; /* NULL: a flag */
    bool file;        /* a secret from a file of that name */
};

struct dialog {
    const struct form *forms;
    const char *keyword, *host, *port;
    struct setting settings[3];
    const char *request;
    size_t nrequest;
    const char *answer;
    size_t nanswer;
    const char *early;  /* behind the answer, must stay in the wire */
    enum err_kind kind; /* ERR_NONE: it works */
    const char *text;   /* the message */
};
#define BYTES(s) (s), sizeof(s) - 1

static const struct form *form_of(const struct form *forms, const char *keyword)
{
    while (strcmp(forms->keyword, keyword) != 0 || forms->kind != FORM_NEGOTIATOR)
        forms++;
    return forms;
}

static size_t bind_settings(const struct dialog *d, struct opt *opts)
{
    size_t n = 0;

    for (size_t i = 0; i < 3 && d->settings[i].row; i++)
        for (size_t j = 0; j < sizeof rows / sizeof rows[0]; j++)
            if (rows[j].same_as == d->settings[i].row &&
                (rows[j].secret == SECRET_FILE) == d->settings[i].file)
                opts[n++] = (struct opt){
                    .desc = &rows[j],
                    .v = {.given = d->settings[i].text != NULL, .i = 1, .s = d->settings[i].text},
                };
    return n;
}

/* Both halves, if there are two. */
static int hold_whole(const struct addr *a, struct wire *w, struct err *e)
{
    const struct negotiator_ops *ops = a->form->ops.negotiator;
    const struct outcome stands = {.run = &run, .place = a->place};
    void *st = calloc(1, ops->state_size + 1);
    assert_non_null(st);
    int rc;
    while ((rc = ops->learn(st, a, &run, w, e)) > 0)
        ;
    if (rc == 0 && ops->answer)
        rc = ops->answer(st, a, &run, w, &stands, e);
    if (ops->forget)
        ops->forget(st);
    free(st);
    return rc;
}

static int talk(const struct dialog *d, size_t piece, struct script *s, char *rest, size_t *nrest,
                struct err *e)
{
    const char *params[] = {d->host, d->port};
    struct opt opts[3];
    struct addr a = {
        .form = form_of(d->forms, d->keyword),
        .catena = &home,
        .params = params,
        .nparams = 2,
        .opts = opts,
        .nopts = bind_settings(d, opts),
    };
    size_t nearly = d->early != NULL ? strlen(d->early) : 0;
    char *answer = malloc(d->nanswer + nearly + 1);
    struct wire w;
    int rc;

    assert_non_null(answer);
    if (d->nanswer > 0)
        memcpy(answer, d->answer, d->nanswer);
    if (nearly > 0)
        memcpy(answer + d->nanswer, d->early, nearly);
    *s = (struct script){.answer = answer, .left = d->nanswer + nearly, .piece = piece};
    assert_int_equal(wire_init(&w, &script_ops, s, &run, -1, e), 0);
    rc = hold_whole(&a, &w, e);

    *nrest = w.in.len;
    assert_true(*nrest <= nearly || rc < 0);
    if (rc == 0) {
        memcpy(rest, buf_data(&w.in), w.in.len);
        /* What has not been read is still with the server. */
        memcpy(rest + *nrest, s->answer, s->left);
        *nrest += s->left;
    }
    wire_fini(&w);
    free(answer);
    return rc;
}

static void play(const struct dialog *d)
{
    static const size_t pieces[] = {1, 2, 3, 7, 100000};

    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        static struct script s;
        char rest[100];
        size_t nrest;
        struct err e = {0};
        int rc = talk(d, pieces[i], &s, rest, &nrest, &e);

        if ((rc < 0) != (d->kind != ERR_NONE) || (rc < 0 && strcmp(e.text, d->text) != 0))
            print_error("%s:%s:%s: %s\n", d->keyword, d->host, d->port, rc < 0 ? e.text : "works");
        assert_int_equal(rc, d->kind == ERR_NONE ? 0 : -1);
        if (d->request != NULL) {
            assert_int_equal(s.nsent, d->nrequest);
            assert_memory_equal(s.sent, d->request, d->nrequest);
        }
        if (rc < 0) {
            assert_int_equal(e.kind, d->kind);
            assert_string_equal(e.text, d->text);
        } else {
            assert_int_equal(nrest, d->early != NULL ? strlen(d->early) : 0);
            if (nrest > 0)
                assert_memory_equal(rest, d->early, nrest);
        }
    }
}

static void play_all(const struct dialog *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        play(&list[i]);
}
#define PLAY(list) play_all(list, sizeof list / sizeof list[0])

#define CLOSED        "the peer closed the connection during the dialog"
#define S4(key, h, p) .forms = forms_socks4, .keyword = key, .host = h, .port = p
#define S5(h, p)      .forms = forms_socks5, .keyword = "SOCKS5-CONNECT", .host = h, .port = p
#define P(h, p)       .forms = forms_http_connect, .keyword = "PROXY", .host = h, .port = p

#endif
