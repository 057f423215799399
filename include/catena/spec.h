/* SPDX-License-Identifier: GPL-2.0-or-later
 * The syntax tree of one address argument: what chain_parser.c gives and plan.c takes. Every piece
 * knows where in the argument it stood. */
#ifndef CATENA_SPEC_H
#define CATENA_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/arena.h"
#include "catena/err.h"

struct text {
    const char *s;  /* unquoted, NUL-terminated */
    const size_t *braces; /* where in it an opening brace stands that no backslash protects */
    size_t nbraces;
    struct span at; /* as typed */
};

struct opt_spec {
    struct text name, value;
    bool has_value; /* an "=" was there */
};

enum short_form { SHORT_NONE, SHORT_FD, SHORT_PATH };

struct single_spec {
    bool reverse; /* ^ */
    enum short_form shortened;
    struct text keyword; /* for short forms: empty, and the text is params[0] */
    struct text *params;
    size_t nparams;
    struct opt_spec *opts;
    size_t nopts;
    struct span at;
};

/* Is it an address only because of its looks, a path or a number? */
bool single_is_guess(const struct single_spec *s);
/* Does it end in text that could go on: a parameter, a value, a path? */
bool single_carries_text(const struct single_spec *s);

enum piece_kind {
    PIECE_SINGLE, /* fwd only */
    PIECE_DUAL,   /* fwd % back: fwd goes left to right (is written), back right to left (read) */
    PIECE_V1DUAL, /* back !! fwd: v1's order, the read part first */
};

struct piece_spec {
    enum piece_kind kind;
    bool reverse; /* ^ before a whole dual, "^ a % b" belongs to a; reserved for grouping */
    struct single_spec fwd, back;
    struct span at;
};

struct chain_spec {
    struct piece_spec *pieces; /* the last one is the endpoint */
    size_t npieces;
    bool chained; /* | % or a leading ^ was found: v1 gives them no meaning */
};

enum {
    PARSE_V1 = 1,      /* only v1's syntax: "!!", no | % ^ */
    PARSE_LENIENT = 2, /* nothing is a mistake: an open quote or bracket ends with the text */
    PARSE_CAREFUL = 4, /* what is only guessed behind an operator in text makes that text, too, unless
                        * it is the last piece of a chain */
};

/* Parses one argument. Takes memory from a, borrows text. Fails on syntax only (ERR_USAGE with
 * position), or without memory. Pure: no registry, no system call. */
int chain_parse(struct arena *a, const char *text, unsigned how, struct chain_spec *out,
                struct err *e);

#endif
