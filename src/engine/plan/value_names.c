/* SPDX-License-Identifier: GPL-2.0-or-later
 * Names in option values: users, groups and services, looked up in the system's databases once it is
 * clear that there is going to be a run, and before it may change its root directory. */
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>

#include "catena/arena.h"
#include "catena/option.h"
#include "catena/options.h"

struct look {
    struct arena *mem;
    const struct option_desc *d;
    struct span at;
    struct value *v;
    struct err *e;
};

/* Calls one of the passwd/group functions with a buffer that is big enough. */
#define LOOK_UP(l, call, buf, size)                                                                \
    do {                                                                                           \
        size *= 2;                                                                                 \
        buf = arena_alloc((l)->mem, size);                                                         \
    } while (buf && (call) == ERANGE && size < (1U << 20))

static int look_up_service(struct look *l)
{
    char buf[2048];
    struct servent entry, *found = NULL;
    if (getservbyname_r(l->v->s, NULL, &entry, buf, sizeof buf, &found) != 0 || !found)
        return err_at(l->e, l->at, "missing numerical value of option \"%s\", and \"%s\" is no known "
                                   "service", l->d->name, l->v->s);
    l->v->i = ntohs((uint16_t)entry.s_port);
    return 0;
}

static int look_up_group(struct look *l)
{
    size_t size = 1024;
    char *buf;
    struct group entry, *found = NULL;
    LOOK_UP(l, getgrnam_r(l->v->s, &entry, buf, size, &found), buf, size);
    if (!buf)
        return err_nomem(l->e);
    if (!found)
        return err_at(l->e, l->at, "option \"%s\": no such group \"%s\"", l->d->name, l->v->s);
    l->v->i = entry.gr_gid;
    return 0;
}

/* All groups of a user, the primary one included. */
static int supplementary_groups(struct look *l, struct user_ids *ids)
{
    for (int room = 32; room <= (1 << 17); room *= 2) {
        int n = room;
        gid_t *list = arena_alloc(l->mem, (size_t)room * sizeof *list);
        if (!list)
            return err_nomem(l->e);
        if (getgrouplist(ids->name, ids->gid, list, &n) >= 0) {
            ids->groups = list;
            ids->ngroups = (size_t)n;
            return 0;
        }
    }
    return err_at(l->e, l->at, "option \"%s\": user \"%s\" is in too many groups", l->d->name,
                  ids->name);
}

static int look_up_user(struct look *l)
{
    struct user_ids *ids = arena_alloc(l->mem, sizeof *ids);
    size_t size = 1024;
    char *buf;
    struct passwd entry, *found = NULL;
    if (l->v->s)
        LOOK_UP(l, getpwnam_r(l->v->s, &entry, buf, size, &found), buf, size);
    else
        LOOK_UP(l, getpwuid_r((uid_t)l->v->i, &entry, buf, size, &found), buf, size);
    if (!ids || !buf)
        return err_nomem(l->e);
    if (!found && l->v->s)
        return err_at(l->e, l->at, "option \"%s\": no such user \"%s\"", l->d->name, l->v->s);
    if (!found)
        return err_at(l->e, l->at, "option \"%s\": no such user \"%lld\"", l->d->name, l->v->i);
    *ids = (struct user_ids){.uid = entry.pw_uid, .gid = entry.pw_gid, .name = entry.pw_name,
                             .home = entry.pw_dir, .shell = entry.pw_shell};
    l->v->i = ids->uid;
    l->v->ids = ids;
    return option_is(l->d, &opt_su) ? supplementary_groups(l, ids) : 0;
}

/* Owners need no entry; who becomes a user needs his groups. */
bool value_is_name(const struct option_desc *d, const struct value *v)
{
    switch (d->type) {
    case VALUE_UID: return v->s || option_is(d, &opt_su);
    case VALUE_GID: return v->s != NULL;
    case VALUE_USHORT: return v->s != NULL;
    default: return false;
    }
}

int value_look_up(struct arena *a, const struct option_desc *d, struct span at, struct value *v,
                  struct err *e)
{
    struct look l = {.mem = a, .d = d, .at = at, .v = v, .e = e};
    if (!value_is_name(d, v))
        return 0;
    int rc = d->type == VALUE_UID   ? look_up_user(&l)
             : d->type == VALUE_GID ? look_up_group(&l)
                                    : look_up_service(&l);
    return rc < 0 ? err_more_precisely(e, ERR_BAD_VALUE) : rc;
}
