/* SPDX-License-Identifier: GPL-2.0-or-later
 * The command line's switches. */
#ifndef CATENA_CMDLINE_H
#define CATENA_CMDLINE_H

#include <sys/utsname.h>

#include "catena/catena.h"
#include "catena/err.h"
#include "catena/settings.h"

enum { MODULES_NAMED = 32 };
enum cmdline_action { CMDLINE_RUN, CMDLINE_HELP, CMDLINE_VERSION, CMDLINE_COMPLETE };

struct cmdline {
    struct catena catena; /* the process's own instance */
    struct diag_peer nobody; /* its messages about nobody */
    struct settings settings;
    enum cmdline_action action;
    int help_level; /* 1 to 3 */
    enum { VIEW_PLAN, VIEW_SENTENCES, VIEW_JSON, VIEW_DOT } view; /* of a dry run */
    const char *topic; /* what help is wanted about, or to be completed, of argv; NULL: all */
    char *address[2]; /* of argv */
    const char *modules[MODULES_NAMED]; /* --module, of argv */
    size_t nmodules;
    char env_prefix[128]; /* room for that of -lp */
    struct utsname host; /* -lh */
};

/* Reads argv. Gives 0, or -1 and what is wrong, told best in the log as it is by then. *c is pointed to
 * from inside, and has to stay where it is. */
int cmdline_parse(int argc, char *const argv[], struct cmdline *c, struct err *e);

/* One switch, for the help text. */
struct cmdline_switch {
    const char *name;  /* as typed, without its value */
    const char *value; /* how help shows it, or NULL */
    const char *help;
};
extern const struct cmdline_switch cmdline_switches[]; /* ends with name NULL */

#endif
