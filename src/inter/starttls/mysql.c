/* SPDX-License-Identifier: GPL-2.0-or-later
 * MySQL and MariaDB: the server greets with what its login hangs on; who wants TLS answers with the first 32 bytes
 * of his login, and says it all again in TLS. What he says there counts, so each side has to hear the other one
 * before TLS begins: a client in plain text gets the server's greeting without the word TLS, a client with TLS that
 * of a server without. Numbers of packets differ by one from then on, see mysql_login.c. */
#include <stdlib.h>
#include <string.h>

#include "inter/starttls/starttls.h"

enum {
    HEAD = 4, PACKET_MOST = 65536, GREETING_MOST = 4096,
    WISH = 32,                /* bytes of a login in front of the user's name */
    SSL_AT = 1, SSL_BIT = 8,  /* in the capabilities, lowest byte first */
    CAPABILITIES = 1 + 4 + 8 + 1, /* in a greeting behind the server's version: its end, thread, scramble, filler */
    ERROR = 0xff, PROTOCOL = 10, FIRST_LOGIN = 1,
};

struct packet {
    unsigned char *all; /* with its head */
    unsigned char *p;
    size_t n;
    unsigned char number;
};

static int packet_read(struct wire *w, struct packet *k, size_t most, struct err *e)
{
    unsigned char head[HEAD];
    if (wire_read(w, head, HEAD, e) < 0)
        return -1;
    k->n = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16;
    k->number = head[3];
    if (k->n == 0 || k->n > most)
        return err_set(e, ERR_PROTOCOL, "the peer does not speak MySQL");
    free(k->all);
    if (!(k->all = malloc(HEAD + k->n)))
        return err_nomem(e);
    memcpy(k->all, head, HEAD);
    k->p = k->all + HEAD;
    return wire_read(w, k->p, k->n, e);
}

static int packet_write(struct wire *w, const struct packet *k, struct err *e)
{
    return wire_write(w, k->all, HEAD + k->n, e);
}

static int say_error(struct wire *w, unsigned char number, unsigned code, const char *text, struct err *e)
{
    unsigned char all[200] = {0, 0, 0, number, ERROR, (unsigned char)code, (unsigned char)(code >> 8), '#'};
    size_t n = strlen(text);
    memcpy(all + 8, "HY000", 5);
    memcpy(all + 13, text, n);
    all[0] = (unsigned char)(9 + n);
    return wire_write(w, all, 13 + n, e);
}

/* ---- a greeting ---- */

/* Where its capabilities are; NULL: it is none. */
static unsigned char *capabilities_of(const struct packet *k)
{
    const unsigned char *end = k->p[0] == PROTOCOL ? memchr(k->p, 0, k->n) : NULL;
    size_t at = end ? (size_t)(end - k->p) + CAPABILITIES : k->n;
    return at + 2 <= k->n ? k->p + at : NULL;
}

/* Passes it on, with the word TLS or without. A server that refuses somebody at once says so instead. */
static int pass_greeting(struct wire *from, struct wire *to, bool tls, struct packet *k, struct err *e)
{
    if (packet_read(from, k, GREETING_MOST, e) < 0)
        return -1;
    unsigned char *capabilities = capabilities_of(k);
    if (!capabilities && k->p[0] == ERROR)
        return packet_write(to, k, e) < 0 ? -1 : err_set(e, ERR_REFUSED, "the server wants nobody now");
    if (!capabilities)
        return err_set(e, ERR_PROTOCOL, "the server's greeting is none of MySQL");
    if (!tls && !(capabilities[SSL_AT] & SSL_BIT)) {
        (void)say_error(to, 0, 2026, "The server behind offers no TLS", e);
        return starttls_not_offered(e);
    }
    capabilities[SSL_AT] = (unsigned char)(tls ? capabilities[SSL_AT] | SSL_BIT : capabilities[SSL_AT] & ~SSL_BIT);
    return packet_write(to, k, e);
}

/* ---- toward a server ---- */

static int ask_for_tls(struct wire *w, const struct packet *login, struct err *e)
{
    unsigned char wish[HEAD + WISH] = {WISH, 0, 0, FIRST_LOGIN};
    memcpy(wish + HEAD, login->p, WISH);
    return wire_write(w, wish, sizeof wish, e);
}

static int client_answer(void *st, const struct addr *a, struct run *r, struct wire *w, const struct outcome *o, struct err *e)
{
    struct packet *k = st;
    (void)a;
    (void)r;
    if (o->failed)
        return 0;
    if (pass_greeting(w, o->beyond, false, k, e) < 0 || packet_read(o->beyond, k, PACKET_MOST, e) < 0)
        return -1;
    if (k->number != FIRST_LOGIN || k->n < WISH || k->p[SSL_AT] & SSL_BIT)
        return err_set(e, ERR_PROTOCOL, "the client does not log in as MySQL does in plain text");
    k->p[SSL_AT] |= SSL_BIT;
    if (starttls_nothing_behind(w, "the server's greeting", e) < 0 || ask_for_tls(w, k, e) < 0)
        return -1;
    return wire_hand_back(o->beyond, k->all, HEAD + k->n, e);
}

/* ---- toward a client ---- */

/* Behind his wish he begins at once: what has been read too far is TLS, and only that can be made of it. */
static int server_answer(void *st, const struct addr *a, struct run *r, struct wire *w, const struct outcome *o, struct err *e)
{
    struct packet *k = st;
    (void)a;
    (void)r;
    if (o->failed)
        return say_error(w, 0, 2003, "No server behind this one", e);
    if (pass_greeting(o->beyond, w, true, k, e) < 0 || packet_read(w, k, PACKET_MOST, e) < 0)
        return -1;
    if (k->number == FIRST_LOGIN && k->n == WISH && k->p[SSL_AT] & SSL_BIT)
        return 0;
    (void)say_error(w, FIRST_LOGIN + 1, 3159, "Connections using insecure transport are prohibited here", e);
    (void)err_set(e, ERR_DENIED, "the client goes on without TLS");
    return err_called(e, ERR_STARTTLS);
}

static int nothing_to_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    (void)st;
    (void)a;
    (void)r;
    (void)w;
    (void)e;
    return 0;
}

static void forget(void *st)
{
    free(((struct packet *)st)->all);
}

#define HEARS_BOTH                                                                                 \
    .state_size = sizeof(struct packet), .learn = nothing_to_learn, .forget = forget,              \
    .answers_for_rest = true, .talks_beyond = true, .needs_session = true, .leaves_beyond = true

const struct negotiator_ops mysql_client_ops = {HEARS_BOTH, .answer = client_answer, .leaves = &mysql_login_of_client};
const struct negotiator_ops mysql_server_ops = {HEARS_BOTH, .answer = server_answer, .leaves = &mysql_login_of_server};
