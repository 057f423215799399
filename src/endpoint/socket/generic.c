/* SPDX-License-Identifier: GPL-2.0-or-later
 * SOCKET-* addresses: sockets of any family, made of numbers, with addresses as binary data: what
 * stands behind the family in a struct sockaddr. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/arena.h"
#include "catena/diag.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/packet/ancillary.h"
#include "endpoint/packet/dgram.h"

/* Of the port; the rest is said by the parameters. */
#define STREAM .flags = PORT_SHUT_BOTH, .shut = PORT_SHUT_DOWN, .reuseaddr = true
#define DGRAM .shut = PORT_SHUT_NONE
static const struct sock_kind stream = {.type = SOCK_STREAM, STREAM};
static const struct sock_kind dgram = {DGRAM};

static int number(const struct addr *a, size_t i, int *out, struct err *e)
{
    const char *text = a->params[i];
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 0);
    if (end == text || *end != '\0' || errno != 0 || n < 0 || n > INT_MAX)
        return err_at(e, a->param_at[i], "\"%.60s\" is no number; SOCKET addresses are: %s", text,
                      a->form->params);
    *out = (int)n;
    return 0;
}

static int binary_name(int family, const char *text, struct sockname *out, struct err *e)
{
    struct arena arena = {0};
    const unsigned char *bytes;
    const size_t head = offsetof(struct sockaddr, sa_data);
    size_t n;
    int rc = dalan_convert(&arena, text, &bytes, &n, e);

    memset(out, 0, sizeof *out);
    if (rc == 0 && n > sizeof out->u - head)
        rc = err_set(e, ERR_BAD_VALUE, "the socket address has %zu bytes, %zu are possible", n,
                     sizeof out->u - head);
    if (rc == 0) {
        out->u.sa.sa_family = (sa_family_t)family;
        memcpy((unsigned char *)&out->u + head, bytes, n);
        out->len = (socklen_t)(head + n);
    }
    arena_free(&arena);
    return rc;
}

/* <domain>:<protocol>:<address> of streams, <domain>:<type>:<protocol>:<address> of packets. */
static int parse(const struct addr *a, struct sock_kind *kind, struct sockname *name, struct err *e)
{
    size_t last = a->nparams - 1;

    *kind = *(const struct sock_kind *)a->form->arg;
    if (number(a, 0, &kind->family, e) < 0 ||
        (last > 2 && number(a, 1, &kind->type, e) < 0) ||
        number(a, last - 1, &kind->protocol, e) < 0)
        return -1;
    if (binary_name(kind->family, a->params[last], name, e) == 0)
        return 0;
    e->where = a->param_at[last];
    return -1;
}

/* What bind= says, if it is given. */
static int bind_name(const struct addr *a, const struct sock_kind *kind, struct sockname *local,
                     struct err *e)
{
    const struct opt *o = opt_find(a, &opt_bind);

    if (!o || binary_name(kind->family, o->v.s, local, e) == 0)
        return 0;
    e->where = o->at;
    return -1;
}

static int check(const struct addr *a, struct err *e)
{
    struct sock_kind kind;
    struct sockname name;

    return parse(a, &kind, &name, e) < 0 || bind_name(a, &kind, &name, e) < 0 ||
                   range_check(a, RANGE_BINARY, e) < 0
               ? -1
               : 0;
}

/* A socket for sending first, bound as bind= says. */
static int client(const struct addr *a, struct run *r, const struct sock_kind *kind, bool connects, struct err *e)
{
    bool bound = opt_find(a, &opt_bind) != NULL;
    struct sockname local;
    int fd;

    if (bind_name(a, kind, &local, e) < 0)
        return -1;
    fd = connects ? sock_open_to_connect(a, r, kind, kind->family, e) : sock_open(a, r, kind, kind->family, false, e);
    if (fd >= 0 && bound && sock_bind(a, fd, &local, e) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int connect_open(const struct addr *a, struct run *r, void *state, struct port **out,
                        struct err *e)
{
    struct sock_kind kind;
    struct sockname to;
    char text[SOCKNAME_TEXT];
    int fd;

    (void)state;
    if (parse(a, &kind, &to, e) < 0)
        return -1;
    diag(DIAG_NOTICE, "opening connection to %s", sockname_text(&to, text));
    fd = client(a, r, &kind, true, e);
    if (fd < 0)
        return -1;
    if (sock_connect(a, r, fd, &to, e) < 0) {
        close(fd);
        return -1;
    }
    return sock_connected(a, r, &kind, fd, out, e);
}

static int send_open(const struct addr *a, struct run *r, bool from_all, struct port **out,
                     struct err *e)
{
    struct sock_kind kind;
    struct sockname to;
    struct access access;
    int fd;

    if (parse(a, &kind, &to, e) < 0 ||
        (from_all && access_init(a, r, RANGE_BINARY, &access, e) < 0))
        return -1;
    fd = client(a, r, &kind, false, e);
    if (fd < 0)
        return -1;
    return dgram_sender(a, r, &kind, fd, &to, from_all ? &access : NULL, from_all, out, e);
}

static int sendto_open(const struct addr *a, struct run *r, void *state, struct port **out,
                       struct err *e)
{
    (void)state;
    return send_open(a, r, false, out, e);
}

static int datagram_open(const struct addr *a, struct run *r, void *state, struct port **out,
                         struct err *e)
{
    (void)state;
    return send_open(a, r, true, out, e);
}

/* A socket bound to the address, and who may talk to it. */
static int bound(const struct addr *a, struct run *r, struct sock_kind *kind, struct access *access,
                 struct err *e)
{
    struct sockname name;
    int fd;

    if (parse(a, kind, &name, e) < 0 || access_init(a, r, RANGE_BINARY, access, e) < 0)
        return -1;
    fd = sock_open(a, r, kind, kind->family, true, e);
    if (fd >= 0 && sock_bind(a, fd, &name, e) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static int recv_open(const struct addr *a, struct run *r, void *state, struct port **out,
                     struct err *e)
{
    struct sock_kind kind;
    struct access access;
    int fd = bound(a, r, &kind, &access, e);

    (void)state;
    return fd < 0 ? -1 : dgram_receiver(a, r, &kind, fd, &access, out, e);
}

static int recvfrom_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    struct sock_kind kind;
    struct access access;
    int fd = bound(a, r, &kind, &access, e);

    return fd < 0 ? -1 : dgram_from_listen(a, &kind, fd, &access, state, e);
}

static int stream_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    struct sock_kind kind;
    struct access access;
    int fd = bound(a, r, &kind, &access, e);

    return fd < 0 ? -1 : sock_listen(a, &stream, fd, &access, state, e);
}

static const struct endpoint_ops connect_ops = {.open = connect_open};
static const struct endpoint_ops sendto_ops = {.open = sendto_open};
static const struct endpoint_ops datagram_ops = {.open = datagram_open};
static const struct endpoint_ops recv_ops = {.open = recv_open};
static const struct endpoint_ops recvfrom_ops = {
    .listen = recvfrom_listen,
    .open = dgram_from_open,
    .unlisten = dgram_from_unlisten,
};
static const struct endpoint_ops listen_ops = {
    .listen = stream_listen,
    .open = sock_accept,
    .unlisten = sock_unlisten,
    .waits_at = sock_waits_at,
};

#define GROUPS (GROUP_FD | GROUP_SOCKET)
#define FORM(name, groups_, ops_, ...)                                                             \
    {.keyword = name, .groups = GROUPS | (groups_), .ops.endpoint = &(ops_), .right = RIGHT_NONE,  \
     .check = check, .kind = FORM_ENDPOINT, .help = __VA_ARGS__}
#define STREAM_OF(which, role_)                                                                    \
    .params = ":<domain>:<protocol>:<" which "-address>", .min_params = 3, .max_params = 3,        \
    .left = CTX_RWB, .arg = &stream, .role = (role_), .gives = GIVES_PEER
#define PACKETS_OF(which, left_, records_)                                                         \
    .params = ":<domain>:<type>:<protocol>:<" which "-address>", .min_params = 4, .max_params = 4, \
    .left = (left_), .arg = &dgram, .records = (records_)

extern const struct form forms_generic[];
const struct form forms_generic[] = {
    FORM("SOCKET-CONNECT", GROUP_CHILD | GROUP_RETRY, connect_ops,
         "connects a stream socket of any family", STREAM_OF("remote", ROLE_CLIENT)),
    FORM("SOCKET-LISTEN", GROUP_LISTEN | GROUP_CHILD | GROUP_RETRY | GROUP_RANGE, listen_ops,
         "accepts a connection on a stream socket of any family", STREAM_OF("local", ROLE_SERVER),
         .admits = access_admits),
    FORM("SOCKET-SENDTO", 0, sendto_ops,
         "sends packets over a socket of any family and takes the answers",
         PACKETS_OF("remote", CTX_RWB, RECORDS_MANY), .aliases = "SENDTO"),
    FORM("SOCKET-DATAGRAM", GROUP_RANGE, datagram_ops,
         "sends packets over a socket of any family and takes anybody's",
         PACKETS_OF("remote", CTX_RWB, RECORDS_MANY), .aliases = "DATAGRAM DGRAM"),
    FORM("SOCKET-RECV", GROUP_RANGE, recv_ops, "receives anybody's packets on a socket of any family",
         PACKETS_OF("local", CTX_R, RECORDS_MANY)),
    FORM("SOCKET-RECVFROM", GROUP_CHILD | GROUP_RANGE, recvfrom_ops,
         "receives one packet on a socket of any family and answers its sender",
         PACKETS_OF("local", CTX_RWB, RECORDS_ONE), .gives = GIVES_PEER GIVES_PACKET,
         .untold = ancillary_untold),
    {.keyword = NULL},
};
