/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options that change the process. They run in the program's own process or in a child behind
 * fork(), so they only make system calls; names were looked up when the value was converted. */
#include <grp.h>
#include <unistd.h>

#include "endpoint/options/apply.h"

int apply_setuid(const struct opt *o, int fd, struct err *e)
{
    (void)fd;
    return setuid((uid_t)o->v.i) == 0 ? 0 : err_sys(e, "setuid(%lld)", o->v.i);
}

int apply_setgid(const struct opt *o, int fd, struct err *e)
{
    (void)fd;
    return setgid((gid_t)o->v.i) == 0 ? 0 : err_sys(e, "setgid(%lld)", o->v.i);
}

/* Groups first: once the user is another one it is no longer allowed. */
int apply_substuser(const struct opt *o, int fd, struct err *e)
{
    const struct user_ids *u = o->v.ids;
    (void)fd;
    if (setgroups(u->ngroups, u->groups) < 0)
        return err_sys(e, "setgroups() of user \"%s\"", u->name);
    if (setgid(u->gid) < 0)
        return err_sys(e, "setgid(%u)", (unsigned)u->gid);
    if (setuid(u->uid) < 0)
        return err_sys(e, "setuid(%u)", (unsigned)u->uid);
    return 0;
}

int apply_chroot(const struct opt *o, int fd, struct err *e)
{
    (void)fd;
    if (chroot(o->v.s) < 0)
        return err_sys(e, "chroot(\"%s\")", o->v.s);
    if (chdir("/") < 0)
        return err_sys(e, "chdir(\"/\") in \"%s\"", o->v.s);
    return 0;
}

int apply_setsid(const struct opt *o, int fd, struct err *e)
{
    (void)fd;
    if (o->v.i == 0 || setsid() >= 0)
        return 0;
    return err_sys(e, "setsid()");
}

/* 0 and 1 both mean a new group: 1 is what the option is without a value. */
int apply_setpgid(const struct opt *o, int fd, struct err *e)
{
    pid_t group = o->v.i == 1 ? 0 : (pid_t)o->v.i;
    (void)fd;
    if (setpgid(0, group) == 0)
        return 0;
    return err_sys(e, "setpgid(0, %d)", (int)group);
}
