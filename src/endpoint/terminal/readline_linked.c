/* SPDX-License-Identifier: GPL-2.0-or-later
 * readline_load.c's place in the static program: the library is there. */
#include "endpoint/terminal/readline.h"

#include <stddef.h>

#include "catena/library.h"

const struct readline_library *readline_load(struct err *e)
{
    static const struct readline_library functions = {
#define X(symbol) .symbol = &symbol,
        READLINE_SYMBOLS(X)
#undef X
    };
    (void)e;
    return &functions;
}

static int load(struct err *e)
{
    return readline_load(e) ? 0 : -1;
}

static const char *version(char room[16])
{
    (void)snprintf(room, 16, "%s", rl_library_version);
    return room;
}

extern const struct library_about about_readline[];
const struct library_about about_readline[] = {{"readline", NULL, load, version}, {0}};
