/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which lines may run in a process that is not ours (catena.owns_process). */
#include <string.h>

#include "catena/catena.h"
#include "catena/options.h"
#include "engine/plan/checks.h"

/* Beside those of GROUP_PROCESS. */
static const struct {
    const struct option_desc *row;
    const char *instead; /* or NULL */
} changing[] = {
    {&opt_fork, "leave it out: xiolisten() gives a handle for each connection"},
    {&opt_nofork, "leave it out"},
    {&opt_chdir, NULL},
    {&opt_umask, NULL},
    {&opt_netns, NULL},
};

/* Addresses that take what the process has for itself. */
static const struct {
    const char *keyword, *why;
} taking[] = {
    {"STDIO", "its standard input and output are its own; \"FD:0\" and \"FD:1\" name them if they are meant"},
    {"STDIN", "its standard input is its own; \"FD:0\" names it if it is meant"},
    {"STDOUT", "its standard output is its own; \"FD:1\" names it if it is meant"},
    {"STDERR", "its standard error is its own; \"FD:2\" names it if it is meant"},
    {"READLINE", "its terminal and signals are its own"},
};

static int check_taking(const struct addr *a, struct err *e)
{
    for (size_t i = 0; i < sizeof taking / sizeof taking[0]; i++)
        if (strcmp(a->form->keyword, taking[i].keyword) == 0)
            return err_at(e, a->at, "%s: the process is not ours, and %s", a->label, taking[i].why);
    return 0;
}

static int not_here(const struct addr *a, const struct opt *o, const char *instead, struct err *e)
{
    return err_at(e, o->at, "%s: option \"%s\" changes the process, which is not ours%s%s", a->label,
                  o->desc->name, instead ? "; " : "", instead ? instead : "");
}

static int check_option(const struct addr *a, const struct opt *o, struct err *e)
{
    bool child = a->form->groups & GROUP_EXEC && !opt_true(a, &opt_nofork); /* it changes itself */
    if (o->desc->groups & GROUP_PROCESS && !child)
        return not_here(a, o, NULL, e);
    for (size_t i = 0; i < sizeof changing / sizeof changing[0]; i++) {
        bool serves = changing[i].row == &opt_fork || changing[i].row == &opt_nofork;
        bool given = o->v.i != 0 || o->v.s || option_is(o->desc, &opt_umask);
        if (option_is(o->desc, changing[i].row) && given && (serves || !child))
            return not_here(a, o, changing[i].instead, e);
    }
    return 0;
}

int plan_check_guest(const struct plan *p, struct err *e)
{
    const struct addr *a;
    if (catena_owns_process(p->settings->catena))
        return 0;
    if (p->settings->sandbox)
        return err_set(e, ERR_USAGE, "--sandbox confines the process, which is not ours");
    for (int chain = LEFT; chain <= RIGHT; chain++)
        for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++) {
            if (check_taking(a, e) < 0)
                return -1;
            for (size_t k = 0; k < a->nopts; k++)
                if (check_option(a, &a->opts[k], e) < 0)
                    return -1;
        }
    return 0;
}
