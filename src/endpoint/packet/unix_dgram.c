/* SPDX-License-Identifier: GPL-2.0-or-later
 * UNIX domain datagram addresses: SENDTO, RECV, RECVFROM, in the file system and abstract. */
#include <stdlib.h>
#include <unistd.h>

#include "catena/diag.h"
#include "endpoint/packet/dgram.h"
#include "endpoint/socket/unix.h"

#define DGRAM .family = AF_UNIX, .type = SOCK_DGRAM, .shut = PORT_SHUT_NONE
static const struct sock_kind dgram = {DGRAM}, abstract = {DGRAM, .abstract = true};

static int sendto_open(const struct addr *a, struct run *r, void *state, struct port **out,
                       struct err *e)
{
    const struct sock_kind *kind = a->form->arg;
    struct sockname to;
    char *path = NULL;
    int fd, rc = -1;

    (void)state;
    if (unix_name(a, kind, a->params[0], &to, e) < 0)
        return -1;
    fd = sock_open(a, r, kind, AF_UNIX, false, e);
    if (fd < 0)
        return -1;
    if (unix_bind_client(a, kind, fd, &path, e) < 0) {
        close(fd);
    } else if (unix_keep(a, r, kind, path, e) < 0) {
        if (path && !kind->abstract)
            unlink(path);
        close(fd);
    } else {
        rc = dgram_sender(a, r, kind, fd, &to, NULL, false, out, e);
    }
    free(path);
    return rc;
}

/* A socket bound to the parameter, and no rules about who may send to it. */
static int bound(const struct addr *a, struct run *r, struct access *access, struct err *e)
{
    const struct sock_kind *kind = a->form->arg;
    int fd;

    if (access_init(a, r, AF_UNIX, access, e) < 0)
        return -1;
    fd = sock_open(a, r, kind, AF_UNIX, true, e);
    if (fd < 0)
        return -1;
    if (unix_bind(a, kind, fd, a->params[0], e) < 0) {
        close(fd);
        return -1;
    }
    if (unix_keep(a, r, kind, a->params[0], e) < 0) {
        if (!kind->abstract)
            unlink(a->params[0]);
        close(fd);
        return -1;
    }
    return fd;
}

static int recv_open(const struct addr *a, struct run *r, void *state, struct port **out,
                     struct err *e)
{
    struct access access;
    int fd = bound(a, r, &access, e);

    (void)state;
    return fd < 0 ? -1 : dgram_receiver(a, r, a->form->arg, fd, &access, out, e);
}

static int recvfrom_listen(const struct addr *a, struct run *r, void **state, struct err *e)
{
    struct access access;
    int fd = bound(a, r, &access, e);

    return fd < 0 ? -1 : dgram_from_listen(a, a->form->arg, fd, &access, state, e);
}

static const struct endpoint_ops sendto_ops = {.open = sendto_open};
static const struct endpoint_ops recv_ops = {.open = recv_open};
static const struct endpoint_ops recvfrom_ops = {
    .listen = recvfrom_listen,
    .open = dgram_from_open,
    .unlisten = dgram_from_unlisten,
};

#define GROUPS (GROUP_FD | GROUP_SOCKET | GROUP_RETRY | GROUP_UNIX)
#define EVERY_FORM                                                                                 \
    .params = ":<filename>", .min_params = 1, .max_params = 1, .right = RIGHT_NONE,                \
    .kind = FORM_ENDPOINT

extern const struct form forms_unix_dgram[];
const struct form forms_unix_dgram[] = {
    {
        .keyword = "UNIX-SENDTO",
        .aliases = "UNIX-SEND",
        .left = CTX_W | CTX_B,
        .groups = GROUPS | GROUP_NAMED,
        .help = "sends packets to a UNIX domain datagram socket and takes its answers",
        .check = unix_check_client,
        .records = RECORDS_MANY,
        .ops.endpoint = &sendto_ops,
        .arg = &dgram,
        EVERY_FORM,
    },
    {
        .keyword = "UNIX-RECV",
        .left = CTX_R,
        .groups = GROUPS | GROUP_NAMED,
        .help = "receives anybody's packets on a UNIX domain datagram socket",
        .check = unix_check_bound,
        .records = RECORDS_MANY,
        .ops.endpoint = &recv_ops,
        .arg = &dgram,
        EVERY_FORM,
    },
    {
        .keyword = "UNIX-RECVFROM",
        .left = CTX_R | CTX_B,
        .groups = GROUPS | GROUP_NAMED | GROUP_CHILD,
        .help = "receives one packet on a UNIX domain datagram socket and answers its sender",
        .check = unix_check_bound,
        .records = RECORDS_ONE,
        .gives = GIVES_NAMES,
        .ops.endpoint = &recvfrom_ops,
        .arg = &dgram,
        EVERY_FORM,
    },
    {
        .keyword = "ABSTRACT-SENDTO",
        .left = CTX_W | CTX_B,
        .groups = GROUPS,
        .help = "sends packets to an abstract UNIX domain socket and takes its answers",
        .check = unix_check_client,
        .records = RECORDS_MANY,
        .ops.endpoint = &sendto_ops,
        .arg = &abstract,
        EVERY_FORM,
    },
    {
        .keyword = "ABSTRACT-RECV",
        .left = CTX_R,
        .groups = GROUPS,
        .help = "receives anybody's packets on an abstract UNIX domain socket",
        .check = unix_check_bound,
        .records = RECORDS_MANY,
        .ops.endpoint = &recv_ops,
        .arg = &abstract,
        EVERY_FORM,
    },
    {
        .keyword = "ABSTRACT-RECVFROM",
        .left = CTX_R | CTX_B,
        .groups = GROUPS | GROUP_CHILD,
        .help = "receives one packet on an abstract UNIX domain socket and answers its sender",
        .check = unix_check_bound,
        .records = RECORDS_ONE,
        .gives = GIVES_NAMES,
        .ops.endpoint = &recvfrom_ops,
        .arg = &abstract,
        EVERY_FORM,
    },
    {.keyword = NULL},
};
