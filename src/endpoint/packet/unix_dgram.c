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
#define FORM(name, left_, groups_, ops_, arg_, check_, records_, ...)                              \
    {.keyword = name, .left = (left_), .groups = (groups_), .ops.endpoint = &(ops_),               \
     .arg = &(arg_), .check = check_, .records = (records_), .params = ":<filename>",              \
     .min_params = 1, .max_params = 1, .right = RIGHT_NONE, .kind = FORM_ENDPOINT,                 \
     .help = __VA_ARGS__}
#define SENDTO(name, groups, arg, ...)                                                             \
    FORM(name, CTX_W | CTX_B, groups, sendto_ops, arg, unix_check_client, RECORDS_MANY, __VA_ARGS__)
#define RECV(name, groups, arg, words)                                                             \
    FORM(name, CTX_R, groups, recv_ops, arg, unix_check_bound, RECORDS_MANY, words)
#define RECVFROM(name, groups, arg, words)                                                         \
    FORM(name, CTX_R | CTX_B, (groups) | GROUP_CHILD, recvfrom_ops, arg, unix_check_bound,         \
         RECORDS_ONE, words, .gives = GIVES_NAMES)

extern const struct form forms_unix_dgram[];
const struct form forms_unix_dgram[] = {
    SENDTO("UNIX-SENDTO", GROUPS | GROUP_NAMED, dgram,
           "sends packets to a UNIX domain datagram socket and takes its answers",
           .aliases = "UNIX-SEND"),
    RECV("UNIX-RECV", GROUPS | GROUP_NAMED, dgram,
         "receives anybody's packets on a UNIX domain datagram socket"),
    RECVFROM("UNIX-RECVFROM", GROUPS | GROUP_NAMED, dgram,
             "receives one packet on a UNIX domain datagram socket and answers its sender"),
    SENDTO("ABSTRACT-SENDTO", GROUPS, abstract,
           "sends packets to an abstract UNIX domain socket and takes its answers"),
    RECV("ABSTRACT-RECV", GROUPS, abstract,
         "receives anybody's packets on an abstract UNIX domain socket"),
    RECVFROM("ABSTRACT-RECVFROM", GROUPS, abstract,
             "receives one packet on an abstract UNIX domain socket and answers its sender"),
    {.keyword = NULL},
};
