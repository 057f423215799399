/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the option tables (opts_*.c) are written with. A table is a list of pointers to rows: a new
 * option is one more OPTION() in it. A row that code asks for by name is an object of its own,
 * NAMED_OPTION() above the table, which lists it; who asks gets its declaration from opts_*.h beside
 * the table, or from catena/options.h (tests/lint/options.sh finds one that no table lists):
 *
 *     NAMED_OPTION(opt_level, "level", NULL, GROUP_X, SPECIFIC, INT, "0 (none) to 9 (best)");
 *
 *     OPTION_TABLE(x) = {
 *         &opt_level,
 *         OPTION("keepalive", NULL, GROUP_X, FD, BOOL, "probe idle connections", .apply = f),
 *         OPTIONS_END,
 *     };
 *
 * The table is named in options.def, or by the only addresses that take its options (form.options),
 * whose rows then need no group: 0. */
#ifndef OPTION_ROW_H
#define OPTION_ROW_H

#include "catena/features.h" /* where a constant that a system lacks is given a value */
#include "catena/option.h"

/* The fields of a row: canonical name, aliases, groups, phase, value type, help, then designated
 * initialisers (.same_as, .apply, .look_up, .tio, .a, .b). */
#define OPTION_FIELDS(n, al, g, p, t, ...)                                                         \
    {                                                                                              \
        .name = n, .aliases = al, .groups = g, .phase = PHASE_##p, .type = VALUE_##t,              \
        .help = __VA_ARGS__                                                                        \
    }
#define OPTION(...) &(const struct option_desc)OPTION_FIELDS(__VA_ARGS__)
#define NAMED_OPTION(row, ...)                                                                     \
    extern const struct option_desc row;                                                           \
    const struct option_desc row = OPTION_FIELDS(__VA_ARGS__)

/* The three rows of a secret: the value itself, a file and a variable of the environment with it;
 * each has its aliases. Code asks for the first; the table lists NAMED_SECRET_ROWS(row). */
#define SECRET_TEXT_FIELDS(n, al, g, p, ...)                                                       \
    OPTION_FIELDS(n, al, g, p, STRING, __VA_ARGS__, .secret = SECRET_TEXT)
#define SECRET_ENV_FIELDS(n, al, g, p, h, row)                                                     \
    OPTION_FIELDS(n "-env", al, g, p, STRING, h ", from this variable of the environment",         \
                  .secret = SECRET_ENV, .same_as = row)
#define SECRET_FILE_FIELDS(n, al, g, p, h, row)                                                    \
    OPTION_FIELDS(n "-file", al, g, p, STRING, h ", from the first line of this file",             \
                  .secret = SECRET_FILE, .file = true, .same_as = row)
#define NAMED_SECRET(row, n, al, al_file, al_env, g, p, h)                                         \
    extern const struct option_desc row;                                                           \
    const struct option_desc row = SECRET_TEXT_FIELDS(n, al, g, p, h);                             \
    static const struct option_desc row##_env = SECRET_ENV_FIELDS(n, al_env, g, p, h, &row);       \
    static const struct option_desc row##_file = SECRET_FILE_FIELDS(n, al_file, g, p, h, &row)
#define NAMED_SECRET_ROWS(row) &row, &row##_env, &row##_file
/* ... under another name. */
#define SECRET_ALSO(row, n, al, al_file, al_env, g, p, h)                                          \
    &(const struct option_desc)SECRET_TEXT_FIELDS(n, al, g, p, h, .same_as = row),                 \
        &(const struct option_desc)SECRET_ENV_FIELDS(n, al_env, g, p, h, row),                     \
        &(const struct option_desc)SECRET_FILE_FIELDS(n, al_file, g, p, h, row)

#define OPTION_TABLE(table)                                                                        \
    extern const struct option_desc *const options_##table[];                                      \
    const struct option_desc *const options_##table[]
#define OPTIONS_END NULL

/* The numbers, or seconds, that a value may be. */
#define FROM_TO(from, to) .least = (from), .most = (to)

/* Rows of GROUP_OPEN are flags of open(2): a is the flag, b the mask to clear before (0: the flag).
 * Termios rows: a is the flag word (0 c_iflag, 1 c_oflag, 2 c_cflag, 3 c_lflag) and a mask. */
#define TIO_FIELD(word, mask) .a = (long long)(mask) << 2 | (word)

#endif
