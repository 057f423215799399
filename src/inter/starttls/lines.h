/* SPDX-License-Identifier: GPL-2.0-or-later
 * Replies of protocols that speak in lines, private to src/inter/starttls. */
#ifndef CATENA_STARTTLS_LINES_H
#define CATENA_STARTTLS_LINES_H

#include "catena/wire.h"

enum {
    LINE_CAP = 8192,
    REPLY_LINES = 200,
};

enum verdict { MORE, GOOD, BAD };

struct reply {
    struct buf text;     /* all of it, as it came but for bare line feeds */
    char last[LINE_CAP]; /* what decided */
    unsigned nlines;
    bool inside; /* the line before ended in a literal */
};

/* Is it over with this line, and as wanted? */
typedef enum verdict judge(const struct reply *r, const char *line, const char *want);
judge judge_code, judge_tagged, judge_word, judge_sieve, judge_irc;

/* BAD is no error: the text says what was wrong. reply_fini() in any case. */
int reply_read(struct wire *w, judge *is, const char *want, struct reply *r, enum verdict *v, struct err *e);
void reply_fini(struct reply *r);
bool reply_has_word(const struct reply *r, const char *word); /* a line of it, behind a code or in quotes */

/* Words of capabilities that hold in plain text only are taken out of a greeting, in its place. */
void greeting_without_tls(struct buf *text);

#endif
