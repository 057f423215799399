/* SPDX-License-Identifier: GPL-2.0-or-later
 * Toward a server that speaks in lines: a row each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "catena/diag.h"
#include "inter/starttls/lines.h"
#include "inter/starttls/starttls.h"

/* What comes out beyond TLS: what a client in plain text waits for. */
enum hands_on {
    NOTHING, /* the server says it again in TLS, or it may be anybody's words */
    GREETING,
    CAPABILITIES, /* a greeting, but for words that hold in plain text only */
};

struct lines_client {
    const char *name;
    judge *is;
    const char *greeting;       /* it begins so; NULL: there is none */
    const char *hello, *heard;  /* what is said first, and how its answer begins; NULL: nothing */
    const char *offer;          /* a line that has to be in what was heard last; NULL: a try shows it */
    const char *ask, *go_ahead;
    enum hands_on on;
};

static const struct lines_client rows[] = {
    {"smtp", judge_code, "220", "EHLO", "250", "STARTTLS", "STARTTLS", "220", GREETING},
    {"lmtp", judge_code, "220", "LHLO", "250", "STARTTLS", "STARTTLS", "220", GREETING},
    {"imap", judge_tagged, "* OK", NULL, NULL, NULL, "a1 STARTTLS", "a1 OK", CAPABILITIES},
    {"pop3", judge_word, "+OK", NULL, NULL, NULL, "STLS", "+OK", GREETING},
    {"sieve", judge_sieve, "OK", NULL, NULL, "STARTTLS", "STARTTLS", "OK", NOTHING},
    {"ftp", judge_code, "220", NULL, NULL, NULL, "AUTH TLS", "234", GREETING},
    {"nntp", judge_word, "20", NULL, NULL, NULL, "STARTTLS", "382", GREETING},
    {"irc", judge_irc, NULL, NULL, NULL, NULL, "STARTTLS", "670", NOTHING},
};

static const struct lines_client *row_of(const struct addr *a)
{
    const struct lines_client *row = rows;
    while (strcasecmp(row->name, a->params[0]) != 0)
        row++;
    return row;
}

static int say(struct wire *w, const char *words, const char *name, struct err *e)
{
    char line[2 * OWN_NAME];
    int n = snprintf(line, sizeof line, "%s%s%s\r\n", words, name ? " " : "", name ? name : "");
    return wire_write(w, line, (size_t)n, e);
}

static int hear(struct wire *w, const struct lines_client *row, const char *want, const char *what, struct reply *r,
                struct err *e)
{
    enum verdict v;
    if (reply_read(w, row->is, want, r, &v, e) < 0)
        return -1;
    return v == GOOD ? 0 : starttls_refused(what, r->last, e);
}

static int hand_on(struct wire *w, const struct lines_client *row, struct reply *greeting, struct err *e)
{
    if (row->on == CAPABILITIES)
        greeting_without_tls(&greeting->text);
    return row->on == NOTHING ? 0 : wire_hand_on(w, buf_data(&greeting->text), greeting->text.len, e);
}

/* All that has been heard: greeting, answer to the hello, go-ahead. */
static int talk(const struct addr *a, const struct lines_client *row, struct wire *w, struct reply heard[3], struct err *e)
{
    char name[OWN_NAME];
    if (row->greeting && hear(w, row, row->greeting, "greets otherwise", &heard[0], e) < 0)
        return -1;
    if (row->hello && (say(w, row->hello, starttls_own_name(a, name), e) < 0 ||
                       hear(w, row, row->heard, "has refused our greeting", &heard[1], e) < 0))
        return -1;
    if (row->offer && !reply_has_word(&heard[row->hello ? 1 : 0], row->offer))
        return starttls_not_offered(e);
    if (say(w, row->ask, NULL, e) < 0 || hear(w, row, row->go_ahead, "has refused TLS", &heard[2], e) < 0)
        return -1;
    return starttls_nothing_behind(w, "the server's go-ahead", e) < 0 ? -1 : hand_on(w, row, &heard[0], e);
}

static int client_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    struct reply *heard = calloc(3, sizeof *heard);
    (void)st;
    (void)r;
    if (!heard)
        return err_nomem(e);
    int rc = talk(a, row_of(a), w, heard, e);
    for (int i = 0; i < 3; i++)
        reply_fini(&heard[i]);
    free(heard);
    return rc;
}

const struct negotiator_ops lines_client_ops = {.learn = client_learn, .needs_session = true};
