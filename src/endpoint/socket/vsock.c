/* SPDX-License-Identifier: GPL-2.0-or-later
 * VSOCK: streams between a virtual machine and its host. Both parts of an address are numbers of 32
 * bits: the context identifier (host 2) and the port. */
#include <sys/socket.h> /* which linux/vm_sockets.h needs */

#include <errno.h>
#include <linux/vm_sockets.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/diag.h"
#include "endpoint/options/opts_socket.h"
#include "endpoint/socket/sock.h"

static const struct sock_kind vsock = {
    .family = AF_VSOCK,
    .type = SOCK_STREAM,
    .name = "VSOCK",
    .flags = PORT_SHUT_BOTH,
    .shut = PORT_SHUT_DOWN,
};

static int number(const char *text, size_t n, const char *what, unsigned *out, struct err *e)
{
    char copy[32], *end;
    unsigned long long v;

    if (n > 0 && n < sizeof copy && text[0] != '-') {
        memcpy(copy, text, n);
        copy[n] = '\0';
        v = strtoull(copy, &end, 0);
        if (end != copy && *end == '\0' && v <= UINT32_MAX) {
            *out = (unsigned)v;
            return 0;
        }
    }
    return err_set(e, ERR_BAD_VALUE, "\"%.*s\" is no VSOCK %s: a number from 0 to %u",
                   n < 60 ? (int)n : 60, text, what, UINT32_MAX);
}

static void make_name(struct sockname *out, unsigned cid, unsigned port)
{
    struct sockaddr_vm vm = {.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};

    memset(out, 0, sizeof *out);
    memcpy(&out->u, &vm, sizeof vm);
    out->len = sizeof vm;
}

/* bind=: "<cid>", "<cid>:<port>", ":<port>"; a listener takes the first only. Without, *found is
 * false and the name stays as it is. */
static int bind_name(const struct addr *a, unsigned port, struct sockname *out, bool *found,
                     struct err *e)
{
    const struct opt *bind_to = opt_find(a, &opt_bind);
    unsigned cid = VMADDR_CID_ANY;
    const char *colon;

    *found = bind_to != NULL;
    if (!bind_to)
        return 0;
    colon = strchr(bind_to->v.s, ':');
    size_t n = colon ? (size_t)(colon - bind_to->v.s) : strlen(bind_to->v.s);
    if ((n > 0 && number(bind_to->v.s, n, "cid", &cid, e) < 0) ||
        (colon && number(colon + 1, strlen(colon + 1), "port", &port, e) < 0)) {
        e->where = bind_to->at;
        return -1;
    }
    make_name(out, cid, port);
    return 0;
}

/* All parameters are numbers, the last one a port. */
static int check(const struct addr *a, struct err *e)
{
    struct sockname local;
    unsigned value;
    bool bound;

    for (size_t i = 0; i < a->nparams; i++) {
        if (number(a->params[i], strlen(a->params[i]), i + 1 < a->nparams ? "cid" : "port", &value,
                   e) < 0) {
            e->where = a->param_at[i];
            return -1;
        }
    }
    return bind_name(a, 0, &local, &bound, e);
}

static int connect_open(const struct addr *a, struct run *r, void *state, struct port **out,
                        struct err *e)
{
    struct sockname to, local;
    char text[SOCKNAME_TEXT];
    unsigned cid, port;
    bool bound;
    int fd;

    (void)state;
    if (number(a->params[0], strlen(a->params[0]), "cid", &cid, e) < 0 ||
        number(a->params[1], strlen(a->params[1]), "port", &port, e) < 0 ||
        bind_name(a, VMADDR_PORT_ANY, &local, &bound, e) < 0)
        return -1;
    make_name(&to, cid, port);
    diag(DIAG_NOTICE, "opening connection to %s", sockname_text(&to, text));
    fd = sock_open_to_connect(a, r, &vsock, AF_VSOCK, e);
    if (fd < 0)
        return -1;
    if ((bound && sock_bind(a, fd, &local, e) < 0) || sock_connect(a, r, fd, &to, e) < 0) {
        close(fd);
        return -1;
    }
    return sock_connected(a, r, &vsock, fd, out, e);
}

static int vsock_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    struct access access;
    struct sockname local;
    unsigned port;
    bool bound;
    int fd;

    if (number(a->params[0], strlen(a->params[0]), "port", &port, e) < 0 ||
        bind_name(a, port, &local, &bound, e) < 0 ||
        access_init(a, r, AF_VSOCK, &access, e) < 0)
        return -1;
    if (!bound)
        make_name(&local, VMADDR_CID_ANY, port);
    fd = sock_open(a, r, &vsock, AF_VSOCK, true, e);
    if (fd < 0)
        return -1;
    if (sock_bind(a, fd, &local, e) < 0) {
        close(fd);
        return -1;
    }
    return sock_listen(a, &vsock, fd, &access, state, e);
}

static const struct endpoint_ops connect_ops = {.open = connect_open};
static const struct endpoint_ops listen_ops = {
    .listen = vsock_listen,
    .open = sock_accept,
    .unlisten = sock_unlisten,
    .waits_at = sock_waits_at,
};

#define GROUPS (GROUP_FD | GROUP_SOCKET | GROUP_CHILD | GROUP_RETRY)

extern const struct form forms_vsock[];
const struct form forms_vsock[] = {
    {
        .keyword = "VSOCK-CONNECT",
        .aliases = "VSOCK",
        .params = ":<cid>:<port>",
        .min_params = 2,
        .max_params = 2,
        .left = CTX_RWB,
        .right = RIGHT_NONE,
        .groups = GROUPS,
        .help = "connects to a port of a virtual machine or its host",
        .check = check,
        .kind = FORM_ENDPOINT,
        .role = ROLE_CLIENT,
        .gives = GIVES_PEER,
        .ops.endpoint = &connect_ops,
    },
    {
        .keyword = "VSOCK-LISTEN",
        .aliases = "VSOCK-L",
        .params = ":<port>",
        .min_params = 1,
        .max_params = 1,
        .left = CTX_RWB,
        .right = RIGHT_NONE,
        .groups = GROUPS | GROUP_LISTEN,
        .help = "accepts a connection from a virtual machine or its host",
        .check = check,
        .kind = FORM_ENDPOINT,
        .role = ROLE_SERVER,
        .gives = GIVES_PEER,
        .ops.endpoint = &listen_ops,
    },
    {.keyword = NULL},
};
