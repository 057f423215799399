/* SPDX-License-Identifier: GPL-2.0-or-later
 * ClientHello (RFC 8446, 4.1.2; RFC 6066, 3; RFC 7301): see client_hello.h. */
#include "inter/front/client_hello.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum { HANDSHAKE = 22, CLIENT_HELLO = 1, RECORD_HEAD = 5, MESSAGE_HEAD = 4, RECORD_MAX = 16384,
       SERVER_NAME = 0, ALPN = 16, HOST_NAME = 0 };

/* ---- records ---- */

struct message { /* out of its records, as far as it is there */
    unsigned char bytes[MESSAGE_HEAD + HELLO_MAX];
    size_t n;
};

static size_t number(const unsigned char *p, size_t bytes)
{
    size_t n = 0;
    while (bytes-- > 0)
        n = n << 8 | *p++;
    return n;
}

static enum hello_is wrong(struct client_hello *out, const char *why)
{
    out->wrong = why;
    return HELLO_WRONG;
}

/* Whole, when it has as many bytes as its head says. */
static enum hello_is is_whole(struct message *m, struct client_hello *out)
{
    if (m->n > 0 && m->bytes[0] != CLIENT_HELLO)
        return HELLO_NO_TLS;
    if (m->n < MESSAGE_HEAD)
        return HELLO_SHORT;
    size_t all = MESSAGE_HEAD + number(m->bytes + 1, 3);
    if (all > sizeof m->bytes)
        return wrong(out, "it has more than 16384 bytes");
    if (m->n < all)
        return HELLO_SHORT;
    m->n = all;
    return HELLO_WHOLE;
}

static enum hello_is gather(const unsigned char *p, size_t n, struct message *m, struct client_hello *out)
{
    m->n = 0;
    for (size_t at = 0; at < n;) {
        size_t there = n - at;
        if (p[at] != HANDSHAKE || (there > 1 && p[at + 1] != 3))
            return at == 0 ? HELLO_NO_TLS : wrong(out, "something else stands in the middle of it");
        if (there < RECORD_HEAD)
            return HELLO_SHORT;
        size_t len = number(p + at + 3, 2), part = there - RECORD_HEAD;
        if (len == 0 || len > RECORD_MAX)
            return at == 0 ? HELLO_NO_TLS : wrong(out, "a record of it has a length that none can have");
        if (part > len)
            part = len;
        size_t room = sizeof m->bytes - m->n;
        memcpy(m->bytes + m->n, p + at + RECORD_HEAD, part < room ? part : room);
        m->n += part < room ? part : room;
        enum hello_is is = is_whole(m, out);
        if (is != HELLO_SHORT)
            return is;
        at += RECORD_HEAD + part;
    }
    return HELLO_SHORT;
}

/* ---- the message ---- */

struct bytes {
    const unsigned char *p;
    size_t n;
};

static bool take(struct bytes *from, size_t n, struct bytes *out)
{
    if (from->n < n)
        return false;
    *out = (struct bytes){from->p, n};
    from->p += n;
    from->n -= n;
    return true;
}

/* Behind its length, which has so many bytes. */
static bool take_vector(struct bytes *from, size_t length_bytes, struct bytes *out)
{
    struct bytes length;
    return take(from, length_bytes, &length) && take(from, number(length.p, length_bytes), out);
}

static bool is_of_name(unsigned char c) { return c < 0x80 && (isalnum(c) || c == '-' || c == '_' || c == '.'); }

/* A number is no name (RFC 6066), though some send it. */
static bool is_number(const char *name) { return name[strspn(name, "0123456789.")] == '\0'; }

/* Only what the name of a host can have: it is going to stand where one is meant. */
static bool keep_name(struct bytes name, struct client_hello *out)
{
    if (name.n > 0 && name.p[name.n - 1] == '.')
        name.n--;
    if (name.n == 0 || name.n > HELLO_NAME_MAX || name.p[0] == '.' || name.p[0] == '-' || memmem(name.p, name.n, "..", 2))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        if (!is_of_name(name.p[i]))
            return false;
        out->name[i] = (char)tolower(name.p[i]);
    }
    out->name[name.n] = '\0';
    if (is_number(out->name))
        out->name[0] = '\0';
    return true;
}

static bool read_name(struct bytes extension, struct client_hello *out)
{
    struct bytes list, type, name;
    if (!take_vector(&extension, 2, &list) || extension.n > 0)
        return false;
    while (list.n > 0) {
        if (!take(&list, 1, &type) || !take_vector(&list, 2, &name))
            return false;
        if (type.p[0] == HOST_NAME)
            return keep_name(name, out);
    }
    return true;
}

/* Protocols that nobody could write are left out: clients make some up, so that servers get used to it. */
static bool read_alpn(struct bytes extension, struct client_hello *out)
{
    struct bytes list, one;
    size_t n = 0;
    if (!take_vector(&extension, 2, &list))
        return false;
    while (list.n > 0) {
        bool shown = true;
        if (!take_vector(&list, 1, &one) || one.n == 0)
            return false;
        for (size_t i = 0; i < one.n; i++)
            shown &= one.p[i] > ' ' && one.p[i] <= '~' && one.p[i] != ',';
        if (!shown || n + one.n + 2 > sizeof out->alpn)
            continue;
        if (n > 0)
            out->alpn[n++] = ',';
        memcpy(out->alpn + n, one.p, one.n);
        n += one.n;
        out->alpn[n] = '\0';
    }
    return true;
}

static bool read_extensions(struct bytes all, struct client_hello *out, bool *bad_name)
{
    struct bytes type, one;
    while (all.n > 0) {
        if (!take(&all, 2, &type) || !take_vector(&all, 2, &one))
            return false;
        *bad_name |= number(type.p, 2) == SERVER_NAME && !read_name(one, out);
        if (number(type.p, 2) == ALPN && !read_alpn(one, out))
            return false;
    }
    return true;
}

enum hello_is client_hello_read(const unsigned char *p, size_t n, struct client_hello *out)
{
    struct message m;
    struct bytes rest, skipped, extensions;
    bool bad_name = false;
    *out = (struct client_hello){.wrong = NULL};
    enum hello_is is = gather(p, n, &m, out);
    if (is != HELLO_WHOLE)
        return is;
    rest = (struct bytes){m.bytes + MESSAGE_HEAD, m.n - MESSAGE_HEAD};
    /* version and random, session, cipher suites, compression */
    if (!take(&rest, 2 + 32, &skipped) || !take_vector(&rest, 1, &skipped) || !take_vector(&rest, 2, &skipped) ||
        !take_vector(&rest, 1, &skipped))
        return wrong(out, "it is shorter than it says");
    if (rest.n == 0)
        return HELLO_WHOLE;
    if (!take_vector(&rest, 2, &extensions) || !read_extensions(extensions, out, &bad_name))
        return wrong(out, "its extensions are shorter than they say");
    return bad_name ? wrong(out, "the server's name in it is none of a host") : HELLO_WHOLE;
}
