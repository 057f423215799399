/* SPDX-License-Identifier: GPL-2.0-or-later
 * What stays of a MySQL dialog: whoever talks through TLS has numbered one packet more than the one in plain text.
 * So numbers are one higher toward the wire and one lower back, until the server says that the login is over, one
 * way or the other; from then on everything passes as it is. */
#include <stdlib.h>
#include <string.h>

#include "inter/starttls/starttls.h"

enum { NUMBER_AT = 3, HEAD = 4, SSL_AT = HEAD + 1, SSL_BIT = 8, OK = 0, ERROR = 0xff };

struct login { /* of both flows */
    bool over;
};

struct lane {
    struct login *login;
    int shift;        /* of numbers */
    bool of_server;   /* its packets say when it is over */
    bool drops_ssl;   /* the first one is a login that has the word TLS, which a server without it must not see */
    size_t at, whole; /* in the current packet, with its head; whole is known at the end of that */
};

static void begin(struct lane *l, bool of_server, int shift, bool drops_ssl)
{
    l->of_server = of_server;
    l->shift = shift;
    l->drops_ssl = drops_ssl;
}

static int plain_client(void *st, const struct addr *a, struct err *e)
{
    (void)a;
    (void)e;
    begin(st, false, 1, false);
    return 0;
}

static int server_in_tls(void *st, const struct addr *a, struct err *e)
{
    (void)a;
    (void)e;
    begin(st, true, -1, false);
    return 0;
}

static int plain_server(void *st, const struct addr *a, struct err *e)
{
    (void)a;
    (void)e;
    begin(st, true, 1, false);
    return 0;
}

static int client_in_tls(void *st, const struct addr *a, struct err *e)
{
    (void)a;
    (void)e;
    begin(st, false, -1, true);
    return 0;
}

static int start(void *st, const struct codec_place *where, struct err *e)
{
    struct lane *l = st;
    (void)e;
    l->login = where->pair;
    return 0;
}

/* One byte that matters: of a head, or the first ones of what is in it. */
static unsigned char look(struct lane *l, unsigned char c)
{
    if (l->at < NUMBER_AT)
        l->whole = (l->at == 0 ? HEAD : l->whole) + ((size_t)c << 8 * l->at);
    else if (l->at == NUMBER_AT)
        c = (unsigned char)(c + l->shift);
    else if (l->at == HEAD && l->of_server && (c == OK || c == ERROR))
        l->login->over = true;
    else if (l->at == SSL_AT && l->drops_ssl)
        c &= (unsigned char)~SSL_BIT;
    l->at++;
    if (l->at >= HEAD && l->at == l->whole) {
        l->at = 0;
        l->drops_ssl = false;
    }
    return c;
}

static void renumber(struct lane *l, struct buf *in, struct buf *out)
{
    unsigned char *to;
    size_t room = buf_room(out, &to), n = 0;
    while (n < in->len && n < room && !l->login->over) {
        size_t rest = l->at > SSL_AT ? l->whole - l->at : 0, left = in->len < room ? in->len - n : room - n;
        size_t k = rest > 1 ? (rest - 1 < left ? rest - 1 : left) : 0;
        if (k > 0) {
            memcpy(to + n, buf_data(in) + n, k);
            l->at += k;
            n += k;
        } else {
            to[n] = look(l, buf_data(in)[n]);
            n++;
        }
    }
    buf_commit(out, n);
    buf_consume(in, n);
}

static int push(void *st, struct buf *in, struct buf *out, enum codec_mode mode, struct err *e)
{
    struct lane *l = st;
    (void)e;
    if (!l->login->over)
        renumber(l, in, out);
    if (l->login->over)
        buf_move(out, in);
    return mode != CODEC_RUN && in->len == 0;
}

#define OF_LOGIN(first)                                                                            \
    {                                                                                              \
        .state_size = sizeof(struct lane), .pair_size = sizeof(struct login), .init = first,       \
        .start = start, .push = push                                                               \
    }

static const struct codec_ops out_of_client = OF_LOGIN(plain_client), back_to_client = OF_LOGIN(server_in_tls),
                              out_of_server = OF_LOGIN(plain_server), back_to_server = OF_LOGIN(client_in_tls);

const struct codec_pair mysql_login_of_client = {.encode = &out_of_client, .decode = &back_to_client},
                        mysql_login_of_server = {.encode = &out_of_server, .decode = &back_to_server};
