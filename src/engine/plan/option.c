/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options: the words for what rows say, and using the options bound to an address. */
#include "catena/option.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "catena/addr.h"
#include "catena/diag.h"
#include "catena/options.h"
#include "catena/wait.h"

static const double LOOK_AGAIN = 0.1; /* seconds, for a lock */

const char *group_name(enum group_bit g)
{
    static const char *const words[GROUP_COUNT] = {
#define X(g) [GROUP_BIT_##g] = #g,
        GROUP_LIST(X)
#undef X
    };
    return g == GROUP_BIT_ANY ? "(all)" : words[g];
}

void group_list(uint64_t groups, char *out, size_t cap)
{
    size_t n = 0;
    out[0] = '\0';
    for (unsigned g = 0; g < GROUP_COUNT; g++)
        if (groups & UINT64_C(1) << g && n < cap)
            n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? "," : "",
                                  group_name((enum group_bit)g));
}

const char *phase_name(enum phase p)
{
    static const char *const words[PHASE_COUNT] = {
#define X(p) [PHASE_##p] = #p,
        PHASE_LIST(X)
#undef X
    };
    return words[p];
}

const char *value_type_name(enum value_type t)
{
    static const char *const words[VALUE_TYPE_COUNT] = {
#define X(t, word) [VALUE_##t] = word,
        VALUE_TYPE_LIST(X)
#undef X
    };
    return words[t];
}

const struct opt *opt_find(const struct addr *a, const struct option_desc *row)
{
    for (size_t i = a->nopts; i-- > 0;)
        if (option_is(a->opts[i].desc, row))
            return &a->opts[i];
    return NULL;
}

bool opt_true(const struct addr *a, const struct option_desc *row)
{
    const struct opt *o = opt_find(a, row);
    return o && o->v.i != 0;
}

const char *opt_string(const struct addr *a, const struct option_desc *row,
                       const char *otherwise)
{
    const struct opt *o = opt_find(a, row);
    return o && o->v.s ? o->v.s : otherwise;
}

long long opt_int(const struct addr *a, const struct option_desc *row, long long otherwise)
{
    const struct opt *o = opt_find(a, row);
    return o ? o->v.i : otherwise;
}

double opt_time(const struct addr *a, const struct option_desc *row, double otherwise)
{
    const struct opt *o = opt_find(a, row);
    return o ? o->v.t : otherwise;
}

/* The phase in which an option acts on this address, where that is not the one it is listed with:
 * a delayed substuser is only looked up at INIT; and what changes the process waits until the
 * process that goes on with the connection exists, be it a forked child or the program. */
static enum phase acts_in(const struct option_desc *d)
{
    if (option_is(d, &opt_su) && d->phase == PHASE_INIT)
        return PHASE_LATE2;
    if (d->phase == PHASE_LATE && (d->groups & (GROUP_PROCESS | GROUP_FORK)))
        return PHASE_LATE2;
    return d->phase;
}

/* An entry of the file system gets its mode from what creates it, so that umask holds. Not a pty,
 * which the system creates, nor a pipe without a name, which has no entry. */
static bool left_to_opener(const struct addr *a, const struct option_desc *d)
{
    return option_is(d, &opt_perm) && (a->form->groups & GROUP_NAMED) && a->nparams > 0 &&
           !(a->form->groups & GROUP_PTY);
}

/* Names are looked up here and locks waited for, where a signal can end that. */
static int apply_one(const struct addr *a, struct run *r, const struct opt *o, int fd,
                     struct err *e)
{
    struct opt with_numbers = *o;
    char *numeric = NULL;
    if (o->desc->look_up && r) {
        if (ERR_ASKED(e, o->desc->look_up(o, a, r, &numeric, e)) < 0)
            return -1;
        if (numeric)
            with_numbers.v.s = numeric;
    }
    int rc;
    while ((rc = ERR_ASKED(e, o->desc->apply(&with_numbers, fd, e))) < 0 && o->desc->waits && e->kind == ERR_BUSY && r)
        if (wait_seconds(r, LOOK_AGAIN, e) < 0)
            break;
    free(numeric);
    return rc;
}

/* Applies what is listed with one phase and acts in another, or the same. */
static int apply_listed(const struct addr *a, struct run *r, enum phase listed, enum phase acts,
                        int fd, struct err *e)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        const struct option_desc *d = o->desc;
        if (!d->apply || d->phase != listed || acts_in(d) != acts || left_to_opener(a, d))
            continue;
        if (apply_one(a, r, o, fd, e) == 0)
            continue;
        e->where = o->at;
        (void)err_reword(e, "option \"%s\"", d->name);
        if (!o->sloppy || err_is_end(e))
            return -1;
        diag_err(DIAG_ERROR, e);
    }
    return 0;
}

int opts_apply_in(const struct addr *a, struct run *r, enum phase phase, int fd, struct err *e)
{
    if (a->nopts == 0)
        return 0;
    /* In LATE2 first what was put off (setsid, chroot), then what needs it (ctty, su), then the
     * delayed substuser, after which little is permitted. */
    if (phase == PHASE_LATE2 && apply_listed(a, r, PHASE_LATE, PHASE_LATE2, fd, e) < 0)
        return -1;
    if (apply_listed(a, r, phase, phase, fd, e) < 0)
        return -1;
    if (phase == PHASE_LATE2 && apply_listed(a, r, PHASE_INIT, PHASE_LATE2, fd, e) < 0)
        return -1;
    return 0;
}

int opts_apply(const struct addr *a, enum phase phase, int fd, struct err *e)
{
    return opts_apply_in(a, NULL, phase, fd, e);
}

int opts_open_flags(const struct addr *a, int base)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct option_desc *d = a->opts[i].desc;
        if (!(d->groups & GROUP_OPEN))
            continue;
        int flag = (int)d->a, mask = d->b ? (int)d->b : flag;
        if (a->opts[i].v.i != 0)
            base = (base & ~mask) | flag;
        else if (mask != O_ACCMODE)
            base &= ~flag;
    }
    return base;
}
