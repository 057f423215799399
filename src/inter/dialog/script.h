/* SPDX-License-Identifier: GPL-2.0-or-later
 * The script of a dialog: what is waited for and what is said, in words as chat(8) has them. Pure: text becomes
 * steps, and a step knows where it was written. */
#ifndef INTER_DIALOG_SCRIPT_H
#define INTER_DIALOG_SCRIPT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "catena/arena.h"
#include "catena/err.h"

enum {
    SCRIPT_MOST = 65536,  /* bytes of a script */
    WORD_MOST = 1024,     /* bytes of a word */
    STEPS_MOST = 1000,
    WATCHES_MOST = 32,    /* ABORT and WHEN at a time */
};

struct pattern {
    const char *shown;         /* as it was written */
    const unsigned char *text; /* what is waited for; or, NULL, re */
    size_t n;                  /* 0: nothing is */
    regex_t re;
};

/* What is said, piece by piece. */
enum piece_kind { PIECE_TEXT, PIECE_PAUSE, PIECE_ENV, PIECE_FILE };
struct piece {
    enum piece_kind kind;
    char *text; /* bytes; the name of a variable, or of a file with a secret in its first line */
    size_t n;         /* bytes, milliseconds */
    bool secret;
    struct piece *next;
};
struct message {
    struct piece *first;
    bool no_eol; /* no line end behind it */
};

enum on_fail { FAIL_ERROR, FAIL_PASS, FAIL_SEND };

enum step_kind { STEP_EXPECT, STEP_SEND, STEP_ABORT, STEP_CLEAR, STEP_WHEN, STEP_TIMEOUT, STEP_SAY, STEP_ON_FAIL };
struct step {
    enum step_kind kind;
    unsigned line;         /* 0: an option */
    struct pattern *await; /* EXPECT, ABORT, CLEAR, WHEN */
    struct message say;    /* SEND, WHEN, SAY, ON_FAIL */
    double seconds;        /* TIMEOUT; 0 for ever */
    enum on_fail on_fail;
    struct step *next;
};

struct script {
    struct arena arena;
    const char *name; /* of its file; borrowed */
    struct step *first, **end;
    unsigned nsteps;
};

void script_init(struct script *s);
void script_fini(struct script *s);
/* Adds what the text of that file says. */
int script_read(struct script *s, const char *name, const char *text, size_t n, struct err *e);
/* Adds one step, at its end or in front of all; line 0. NULL without memory, or there are too many. */
struct step *script_step(struct script *s, enum step_kind kind, struct err *e);
/* From the value of an option: a text with escapes, or /regular expression/; plain: as it is, whatever is in it. */
int script_awaits(const struct step *t, struct err *e); /* does its pattern fit it? */
struct pattern *script_pattern(struct script *s, const char *text, bool plain, struct err *e);
/* With escapes, $variables, or @file; plain: as it is. */
int script_message(struct script *s, const char *text, bool plain, struct message *out, struct err *e);
/* fail, pass, send:<text>. */
int script_on_fail(struct script *s, const char *text, struct step *to, struct err *e);

#endif
