/* SPDX-License-Identifier: GPL-2.0-or-later
 * Loads the readline library the program was compiled for. */
#include "endpoint/terminal/readline.h"

#include <stddef.h>

#include "catena/library.h"

#define STRING(x) STRING_(x)
#define STRING_(x) #x

static struct readline_library functions;

static const struct library_symbol symbols[] = {
#define X(symbol) {#symbol, &functions.symbol},
    READLINE_SYMBOLS(X)
#undef X
    {0},
};

static struct library library = {"libreadline.so." STRING(RL_VERSION_MAJOR), symbols, false,
                                 "libreadline" STRING(RL_VERSION_MAJOR)};

const struct readline_library *readline_load(struct err *e)
{
    if (library_load(&library, e) == 0)
        return &functions;
    (void)err_hint(e, "STDIO does without line editing");
    return NULL;
}

static int load(struct err *e) { return library_load(&library, e); }
static const char *version(char room[16]) { return (void)room, *functions.rl_library_version; }
extern const struct library_about about_readline[];
const struct library_about about_readline[] = {
    {"readline", STRING(RL_VERSION_MAJOR) "." STRING(RL_VERSION_MINOR), load, version}, {0}};
