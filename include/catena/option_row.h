/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the option tables (opts_*.c) are written with. A table is named in options.def and ends with
 * OPTIONS_END. */
#ifndef OPTION_ROW_H
#define OPTION_ROW_H

#include "catena/option.h"

/* One row: canonical name, aliases, groups, phase, value type, help, then designated initialisers
 * (.id, .apply, .look_up, .tio, .a, .b). */
#define OPTION(n, al, g, p, t, h, ...)                                                             \
    {                                                                                              \
        .name = n, .aliases = al, .groups = g, .phase = PHASE_##p, .type = VALUE_##t, .help = h,   \
        __VA_ARGS__                                                                                \
    }
/* The three rows of a secret: the value itself, a file and a variable of the environment with it;
 * each has its aliases. */
#define SECRET(n, al, al_file, al_env, g, p, which, h)                                             \
    OPTION(n, al, g, p, STRING, h, .id = which, .secret = SECRET_TEXT),                            \
        OPTION(n "-env", al_env, g, p, STRING, h ", from this variable of the environment",        \
               .id = which, .secret = SECRET_ENV),                                                 \
        OPTION(n "-file", al_file, g, p, STRING, h ", from the first line of this file",           \
               .id = which, .secret = SECRET_FILE)
/* A table begins with this, and is named in options.def. */
#define OPTION_TABLE(table)                                                                        \
    extern const struct option_desc options_##table[];                                             \
    const struct option_desc options_##table[]
#define OPTIONS_END {.name = NULL}

/* Rows of GROUP_OPEN are flags of open(2): a is the flag, b the mask to clear before (0: the flag).
 * Termios rows: a is the flag word (0 c_iflag, 1 c_oflag, 2 c_cflag, 3 c_lflag) and a mask. */
#define TIO_FIELD(word, mask) .a = (long)(mask) << 2 | (word)

#endif
