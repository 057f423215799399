/* SPDX-License-Identifier: GPL-2.0-or-later
 * PostgreSQL (protocol 3.0, "SSL Session Encryption"): eight bytes ask for TLS, one answers. There is no greeting.
 * Behind that the server takes no other such wish, but by default clients have one: it is answered here. */
#include <string.h>

#include "inter/starttls/starttls.h"

enum { WISH = 8, WISHES_MOST = 4 };

static const unsigned char ssl_wish[WISH] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f},
                           gss_wish[WISH] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30};

/* ---- toward a server ---- */

static int client_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    char answer;
    (void)st;
    (void)a;
    (void)r;
    if (wire_write(w, ssl_wish, sizeof ssl_wish, e) < 0 || wire_read(w, &answer, 1, e) < 0)
        return -1;
    if (answer == 'N')
        return starttls_not_offered(e);
    if (answer != 'S')
        return err_set(e, ERR_PROTOCOL, "the server answers the wish for TLS with neither S nor N: it is no PostgreSQL, or in "
                                        "trouble");
    return starttls_nothing_behind(w, "the server's go-ahead", e);
}

/* His own wish for encryption, on the way to us, gets "no". */
static int client_answer(void *st, const struct addr *a, struct run *r, struct wire *w, const struct outcome *o, struct err *e)
{
    (void)st;
    (void)a;
    (void)r;
    (void)w;
    for (int i = 0; !o->failed && i < WISHES_MOST; i++) {
        const unsigned char *at;
        if (wire_look(o->beyond, WISH, &at, e) < 0)
            return -1;
        if (memcmp(at, ssl_wish, WISH) != 0 && memcmp(at, gss_wish, WISH) != 0)
            return 0;
        buf_consume(&o->beyond->in, WISH);
        if (wire_write(o->beyond, "N", 1, e) < 0)
            return -1;
    }
    return o->failed ? 0 : err_set(e, ERR_PROTOCOL, "the client asks for encryption again and again");
}

/* ---- toward a client ---- */

static int refuse(struct wire *w, struct err *e)
{
    static const char error[] = "E\0\0\0\x38SFATAL\0VFATAL\0C28000\0Mclients have to use SSL here\0";
    if (wire_write(w, error, sizeof error, e) < 0)
        return -1;
    (void)err_set(e, ERR_DENIED, "the client goes on without TLS");
    return err_called(e, ERR_STARTTLS);
}

static int server_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    unsigned char wish[WISH];
    (void)st;
    (void)a;
    (void)r;
    for (int i = 0; i < WISHES_MOST; i++) {
        if (wire_read(w, wish, sizeof wish, e) < 0)
            return -1;
        if (memcmp(wish, ssl_wish, sizeof wish) == 0)
            return starttls_nothing_behind(w, "the client's wish for TLS", e) < 0 ? -1 : wire_write(w, "S", 1, e);
        if (memcmp(wish, gss_wish, sizeof wish) != 0)
            return refuse(w, e);
        if (wire_write(w, "N", 1, e) < 0)
            return -1;
    }
    return err_set(e, ERR_PROTOCOL, "the client asks for encryption again and again");
}

const struct negotiator_ops postgres_client_ops = {.learn = client_learn, .answer = client_answer, .answers_for_rest = true,
                                                   .talks_beyond = true};
const struct negotiator_ops postgres_server_ops = {.learn = server_learn};
