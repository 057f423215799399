/* SPDX-License-Identifier: GPL-2.0-or-later
 * Opening one endpoint: options that hold while it opens (umask, chdir, netns, locks), the
 * endpoint's own ops, dual addresses. */
#include "engine/open/open.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/options.h"
#include "catena/sockaddr.h"
#include "catena/wait.h"
#include "engine/run/lock.h"

/* ---- what holds only while an address opens ---- */

struct surroundings {
    int cwd, netns;
    bool masked;
    mode_t mask;
};

static int enter_netns(const char *name, int *before, struct err *e)
{
    char path[4200];
    (void)snprintf(path, sizeof path, "/run/netns/%s", name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        (void)err_sys(e, "cannot open the network namespace \"%s\"", name);
        return err_call(e, "open(\"%s\")", path);
    }
    *before = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int rc = *before < 0 ? -1 : setns(fd, CLONE_NEWNET);
    if (rc < 0) {
        (void)err_sys(e, "cannot enter the network namespace \"%s\"", name);
        (void)err_call(e, "setns()");
    }
    close(fd);
    return rc;
}

/* The user may have become one who cannot be here. */
static int open_cwd(void)
{
    int fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 && errno == EACCES ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : fd;
}

/* What is for good (EARLY) acts once, however often the address is opened, and before the working
 * directory changes: a jail is one only when the way back does not lead out of it. The namespace
 * comes first, its names are outside of the jail. */
static int try_enter(const struct addr *a, struct surroundings *s, bool *early, struct err *e)
{
    const struct opt *mask = opt_find(a, &opt_umask);
    const char *dir = opt_string(a, &opt_chdir, NULL), *ns = opt_string(a, &opt_netns, NULL);
    *s = (struct surroundings){.cwd = -1, .netns = -1};
    if (ns && enter_netns(ns, &s->netns, e) < 0)
        return -1;
    if (!*early && opts_apply(a, PHASE_EARLY, -1, e) < 0)
        return -1;
    *early = true;
    if (dir && ((s->cwd = open_cwd()) < 0 || chdir(dir) < 0)) {
        (void)err_sys(e, "cannot change to the directory \"%s\"", dir);
        return err_call(e, "chdir(\"%s\")", dir);
    }
    s->masked = mask != NULL;
    if (mask)
        s->mask = umask((mode_t)mask->v.i);
    return 0;
}

static int leave(struct surroundings *s, struct err *e)
{
    int rc = 0;
    if (s->masked)
        umask(s->mask);
    if (s->cwd >= 0) {
        if (fchdir(s->cwd) < 0)
            rc = err_sys(e, "cannot return to the working directory");
        close(s->cwd);
    }
    if (s->netns >= 0) {
        if (setns(s->netns, CLONE_NEWNET) < 0)
            rc = err_sys(e, "cannot return to the network namespace");
        close(s->netns);
    }
    return rc;
}

/* What fails here counts where nothing has failed before. */
FRAME_APART static int leave_after(struct surroundings *s, int rc, struct err *e)
{
    struct err ignored;
    return leave(s, rc < 0 ? &ignored : e) < 0 ? -1 : rc;
}

static int enter(const struct addr *a, struct run *r, struct surroundings *s, bool *early,
                 struct err *e)
{
    if (try_enter(a, s, early, e) == 0) {
        if (s->netns >= 0)
            run_experimental(r, "option \"netns\"");
        return 0;
    }
    return leave_after(s, -1, e); /* the next try starts where this one did */
}

static int lock_of(const struct addr *a, struct run *r, struct err *e)
{
    const char *fail = opt_string(a, &opt_lockfile, NULL),
               *wait = opt_string(a, &opt_waitlock, NULL);
    if (fail && lock_take(r, fail, false, e) < 0)
        return -1;
    return wait ? lock_take(r, wait, true, e) : 0;
}

/* ---- the endpoint's own ops, with that around ---- */

static int listen_on(const struct addr *a, struct run *r, bool *early, void **state,
                     struct err *e)
{
    struct surroundings s;
    if (lock_of(a, r, e) < 0 || enter(a, r, &s, early, e) < 0)
        return -1;
    return leave_after(&s, ERR_ASKED(e, a->form->ops.endpoint->listen(a, r, state, e)), e);
}

/* UDP-LISTEN makes a socket for each client, which has to be where the first one is. Whoever has
 * other clients waits when there are no descriptors for that; the rest is done already. */
static int open_next(const struct addr *a, struct run *r, void *state, struct port **out,
                     struct err *e)
{
    struct surroundings s = {.cwd = -1, .netns = -1};
    const char *ns = opt_string(a, &opt_netns, NULL);
    while (ns && enter_netns(ns, &s.netns, e) < 0) {
        (void)leave_after(&s, -1, e);
        s.netns = -1;
        if (!endpoint_serves_many(r, a) || wait_for_more(r, e) < 0)
            return -1;
    }
    return leave_after(&s, ERR_ASKED(e, a->form->ops.endpoint->open(a, r, state, out, e)), e);
}

static int open_one(const struct addr *a, struct run *r, bool *early, void *state,
                    struct port **out, struct err *e)
{
    struct surroundings s;
    bool program = a->form->groups & GROUP_EXEC; /* its process options act in the program ... */
    if (state) /* a passive address: most was done when it began to listen */
        return open_next(a, r, state, out, e);
    if (lock_of(a, r, e) < 0)
        return -1;
    if (program && !run_may_change_process(r)) /* ... and otherwise only there */
        return ERR_ASKED(e, a->form->ops.endpoint->open(a, r, NULL, out, e));
    if (enter(a, r, &s, program ? &program : early, e) < 0)
        return -1;
    return leave_after(&s, ERR_ASKED(e, a->form->ops.endpoint->open(a, r, NULL, out, e)), e);
}

static bool begins_with(const struct err *e, const struct addr *a) { return strncmp(e->text, a->label, strlen(a->label)) == 0; }

/* It was said where: by a part of it that has the same name, or one of those it is shared with. */
static bool is_told(const struct addr *a, const struct run *r, const struct err *e)
{
    const struct plan *trunk = r->plan ? r->plan->trunk : NULL;
    const struct addr *one;
    for (size_t i = 0; trunk && (one = plan_chain_addr(trunk, RIGHT, i)); i++)
        if (begins_with(e, one))
            return true;
    return begins_with(e, a);
}

static int wrap(const struct addr *a, const struct run *r, int rc, struct err *e)
{
    if (rc < 0 && !err_is_end(e) && !e->where.text && !is_told(a, r, e))
        (void)err_wrap(e, "%s", a->label);
    return rc;
}

bool open_is_passive(const struct plan_end *end)
{
    return !end->back && end->fwd->form->ops.endpoint->listen;
}

int open_prepare(struct opened_end *o, const struct plan_end *end, struct run *r, struct err *e)
{
    o->end = end; /* and early as an earlier attempt has left it */
    if (!open_is_passive(end))
        return 0;
    if (run_instance(r, end->fwd, &o->addr[1], e) < 0 ||
        wrap(end->fwd, r, listen_on(o->addr[1], r, &o->early[1], &o->state, e), e) < 0)
        return -1;
    o->listening = true;
    return 0;
}

static int open_half(struct opened_end *o, int i, struct run *r, struct port **out, struct err *e)
{
    void *state = NULL;
    const struct addr *a = o->addr[i];
    const struct endpoint_ops *ops = a->form->ops.endpoint;
    int rc = ops->listen ? listen_on(a, r, &o->early[i], &state, e) : 0;
    if (rc == 0)
        rc = open_one(a, r, &o->early[i], state, out, e);
    if (state)
        ops->unlisten(a, state, false);
    return wrap(a, r, rc, e);
}

int open_port(struct opened_end *o, struct run *r, struct port **out, struct err *e)
{
    const struct addr *a[2] = {o->end->back, o->end->fwd};
    struct port *half[2] = {NULL, NULL};
    if (!a[0]) {
        if (!o->listening && run_instance(r, a[1], &o->addr[1], e) < 0)
            return -1;
        return wrap(a[1], r, open_one(o->addr[1], r, &o->early[1], o->state, out, e), e);
    }
    for (int i = 0; i < 2; i++) {
        if (run_instance(r, a[i], &o->addr[i], e) < 0 || open_half(o, i, r, &half[i], e) < 0) {
            port_close(half[0]);
            port_close(half[1]);
            return -1;
        }
    }
    return port_join(half[0], half[1], out, e);
}

int open_waits_at(const struct opened_end *o)
{
    const struct endpoint_ops *ops = o->end->fwd->form->ops.endpoint;
    return o->listening && ops->waits_at ? ops->waits_at(o->state) : -1;
}

int open_tell_place(const struct opened_end *o, struct run *r, struct err *e)
{
    struct sockname name;
    char host[SOCKNAME_TEXT], port[12];
    int fd = open_waits_at(o);
    if (fd < 0)
        return 0;
    sockname_local(&name, fd);
    (void)snprintf(port, sizeof port, "%d", sockname_port(&name));
    return run_set_fact(r, o->addr[1], "sockaddr", sockname_host(&name, host), e) < 0 ||
                   (sockname_port(&name) >= 0 && run_set_fact(r, o->addr[1], "sockport", port, e) < 0)
               ? -1
               : 1;
}

void open_release(struct opened_end *o, bool forked)
{
    if (o->listening)
        o->addr[1]->form->ops.endpoint->unlisten(o->addr[1], o->state, forked);
    o->listening = false;
    o->state = NULL;
}

/* Programs started later find the user's surroundings, as after login. */
static int take_user(const struct addr *a, struct catena *c, struct err *e)
{
    const struct opt *su = opt_find(a, &opt_su);
    const struct user_ids *u = su ? su->v.ids : NULL;
    if (!u || !u->name)
        return 0;
    const char *const env[][2] = {
        {"LOGNAME", u->name}, {"USER", u->name}, {"HOME", u->home}, {"SHELL", u->shell}};
    for (size_t i = 0; i < sizeof env / sizeof env[0]; i++)
        if (env[i][1] && catena_set_variable(c, env[i][0], env[i][1], e) < 0)
            return -1;
    return 0;
}

int open_process_options(const struct opened_end *o, struct run *r, int fd, struct err *e)
{
    const struct addr *const a[2] = {o->addr[1], o->addr[0]};
    for (int i = 0; i < 2; i++) {
        if (!a[i] || a[i]->form->groups & GROUP_EXEC)
            continue; /* a program's are for its own process */
        if (opts_apply(a[i], PHASE_LATE2, fd, e) < 0 || take_user(a[i], r->settings->catena, e) < 0)
            return wrap(a[i], r, -1, e);
    }
    return 0;
}
