/* SPDX-License-Identifier: GPL-2.0-or-later
 * GNU readline, loaded when it is first needed: its own symbols by name, as some are
 * variables. It keeps a state of its own, of which there is one in a process. */
#ifndef CATENA_ENDPOINT_READLINE_H
#define CATENA_ENDPOINT_READLINE_H

#include <stdio.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "catena/err.h"

#define READLINE_SYMBOLS(X)                                                                        \
    X(rl_callback_handler_install) X(rl_callback_read_char) X(rl_callback_handler_remove)          \
    X(rl_clear_visible_line) X(rl_on_new_line) X(rl_redisplay) X(rl_set_prompt) X(using_history)   \
    X(add_history) X(read_history) X(write_history) X(rl_redisplay_function)                       \
    X(rl_catch_signals) X(rl_catch_sigwinch) X(rl_change_environment) X(rl_readline_name)     \
    X(rl_initialize) X(rl_library_version)

struct readline_library {
#define X(symbol) __typeof__(&symbol) symbol;
    READLINE_SYMBOLS(X)
#undef X
};

/* Gives NULL and says why where there is none. */
const struct readline_library *readline_load(struct err *e);

#endif
