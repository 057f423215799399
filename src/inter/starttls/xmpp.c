/* SPDX-License-Identifier: GPL-2.0-or-later
 * XMPP (RFC 6120, 5): a stream in plain text until TLS, and then another one, which the client begins: nothing of
 * the first is of use to anybody. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "inter/starttls/starttls.h"

#define TLS_SPACE     "urn:ietf:params:xml:ns:xmpp-tls"
#define STREAM_SPACE  "http://etherx.jabber.org/streams"
#define START         "<starttls xmlns='" TLS_SPACE "'"

enum { TAG_CAP = 4096, TAGS_MOST = 200, BETWEEN_MOST = 4096 };

struct tag {
    char text[TAG_CAP]; /* between < and > */
    bool closing, empty; /* </x>, <x/> */
};

static const char *kind_of(const struct addr *a)
{
    return strcasecmp(a->params[0], "xmpp-server") == 0 ? "jabber:server" : "jabber:client";
}

/* The next tag, and what is in front of it; a ">" in quotes is none. */
static int read_tag(struct wire *w, struct tag *t, struct err *e)
{
    char c = 0, quote = 0;
    size_t n = 0;
    for (int i = 0; c != '<'; i++)
        if (i == BETWEEN_MOST)
            return err_set(e, ERR_PROTOCOL, "the peer does not speak XMPP");
        else if (wire_read(w, &c, 1, e) < 0)
            return -1;
    for (;;) {
        if (wire_read(w, &c, 1, e) < 0)
            return -1;
        if (c == '>' && !quote)
            break;
        if (n + 1 == sizeof t->text || c == '\0')
            return err_set(e, ERR_PROTOCOL, "the peer's XML makes no sense");
        t->text[n++] = c;
        quote = quote ? (c == quote ? 0 : quote) : c == '\'' || c == '"' ? c : 0;
    }
    t->text[n] = '\0';
    t->closing = t->text[0] == '/';
    t->empty = n > 0 && t->text[n - 1] == '/';
    return 0;
}

/* Whatever its prefix is. */
static bool is_called(const struct tag *t, const char *name)
{
    const char *p = t->text + t->closing;
    size_t n = strcspn(p, " \t\r\n/");
    const char *colon = memchr(p, ':', n);
    if (colon) {
        n -= (size_t)(colon + 1 - p);
        p = colon + 1;
    }
    return n == strlen(name) && strncmp(p, name, n) == 0;
}

/* Prologs and comments are nothing to us. */
static int read_element(struct wire *w, struct tag *t, struct err *e)
{
    for (int i = 0; i < TAGS_MOST; i++) {
        if (read_tag(w, t, e) < 0)
            return -1;
        if (t->text[0] != '?' && t->text[0] != '!')
            return 0;
    }
    return err_set(e, ERR_PROTOCOL, "the peer does not speak XMPP");
}

static int skip_to_end(struct wire *w, struct tag *t, const char *name, struct err *e)
{
    for (int i = 0; !t->empty && i < TAGS_MOST; i++)
        if (read_element(w, t, e) < 0)
            return -1;
        else if (t->closing && is_called(t, name))
            return 0;
    return t->empty ? 0 : err_set(e, ERR_PROTOCOL, "the peer's XML does not end");
}

/* ---- toward a server ---- */

static int await_offer(struct wire *w, struct tag *t, struct err *e)
{
    bool offered = false;
    if (read_element(w, t, e) < 0)
        return -1;
    if (!is_called(t, "stream"))
        return err_set(e, ERR_PROTOCOL, "the server begins no XMPP stream");
    if (read_element(w, t, e) < 0)
        return -1;
    if (!is_called(t, "features") || t->closing)
        return starttls_refused("has closed the stream", t->text, e);
    for (int i = 0; !t->empty && i < TAGS_MOST; i++) {
        if (read_element(w, t, e) < 0)
            return -1;
        if (t->closing && is_called(t, "features"))
            break;
        offered |= !t->closing && is_called(t, "starttls") && strstr(t->text, TLS_SPACE);
        t->empty = false;
    }
    return offered ? 0 : starttls_not_offered(e);
}

static int client_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    char opening[512];
    struct tag t = {{0}, false, false};
    (void)st;
    (void)r;
    int n = snprintf(opening, sizeof opening, "<?xml version='1.0'?><stream:stream xmlns='%s' xmlns:stream='" STREAM_SPACE
                                              "' to='%.250s' version='1.0'>", kind_of(a), starttls_domain(a));
    if (wire_write(w, opening, (size_t)n, e) < 0 || await_offer(w, &t, e) < 0 ||
        wire_write(w, START "/>", sizeof START "/>" - 1, e) < 0 || read_element(w, &t, e) < 0)
        return -1;
    if (!is_called(&t, "proceed") || t.closing)
        return starttls_refused("has refused TLS", t.text, e);
    return skip_to_end(w, &t, "proceed", e) < 0 ? -1 : starttls_nothing_behind(w, "the server's go-ahead", e);
}

/* ---- toward a client ---- */

/* What he wants to talk to, in his quotes, which are not in it. */
static int domain_of(const struct tag *t, char quoted[static OWN_NAME + 8])
{
    const char *to = strstr(t->text, " to=");
    size_t n = to && strchr("'\"", to[4]) ? strcspn(to + 5, to[4] == '"' ? "\"" : "'") : 0;
    return snprintf(quoted, OWN_NAME + 8, n > 0 && n < OWN_NAME ? " from=%.*s" : "%.0d", n > 0 && n < OWN_NAME ? (int)n + 2 : 0,
                    to ? to + 4 : "");
}

static int greet(struct wire *w, const struct addr *a, const struct tag *t, struct err *e)
{
    char all[1024], from[OWN_NAME + 8];
    (void)domain_of(t, from);
    int n = snprintf(all, sizeof all, "<?xml version='1.0'?><stream:stream xmlns='%s' xmlns:stream='" STREAM_SPACE
                                      "' id='starttls' version='1.0'%s><stream:features>" START
                                      "><required/></starttls></stream:features>", kind_of(a), from);
    return wire_write(w, all, (size_t)n, e);
}

static int refuse(struct wire *w, const char *condition, struct err *e)
{
    char all[300];
    int n = snprintf(all, sizeof all, "<stream:error><%s xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
                                      "</stream:stream>", condition);
    return wire_write(w, all, (size_t)n, e);
}

/* Many a client ends its element with a line; it may say no more, but this is nothing that was said. */
static void skip_white_space(struct buf *in)
{
    while (in->len > 0 && memchr(" \t\r\n", *buf_data(in), 4))
        buf_consume(in, 1);
}

static int server_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    static const char proceed[] = "<proceed xmlns='" TLS_SPACE "'/>";
    struct tag t;
    (void)st;
    (void)r;
    if (read_element(w, &t, e) < 0)
        return -1;
    if (!is_called(&t, "stream") || t.closing)
        return err_set(e, ERR_PROTOCOL, "the client begins no XMPP stream");
    if (greet(w, a, &t, e) < 0 || read_element(w, &t, e) < 0)
        return -1;
    if (t.closing)
        return starttls_left(e);
    if (!is_called(&t, "starttls") || !strstr(t.text, TLS_SPACE))
        return refuse(w, "policy-violation", e) < 0 ? -1 : err_set(e, ERR_PROTOCOL, "the client goes on without TLS");
    if (skip_to_end(w, &t, "starttls", e) < 0)
        return -1;
    skip_white_space(&w->in);
    if (starttls_nothing_behind(w, "the client's wish for TLS", e) < 0)
        return -1;
    return wire_write(w, proceed, sizeof proceed - 1, e);
}

const struct negotiator_ops xmpp_client_ops = {.learn = client_learn};
const struct negotiator_ops xmpp_server_ops = {.learn = server_learn};
