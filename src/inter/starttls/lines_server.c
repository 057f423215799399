/* SPDX-License-Identifier: GPL-2.0-or-later
 * Toward a client that speaks in lines: a row each. The greeting is that of the server behind, which is open by
 * then: what is unique in it (a time stamp for APOP, a name) holds, and it does not come again in TLS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inter/starttls/lines.h"
#include "inter/starttls/starttls.h"

enum { COMMANDS_MOST = 50, ANSWER_CAP = 1024 };

/* In answers $n is our name, $t the tag of the command. */
struct lines_command {
    const char *words; /* how it begins */
    const char *answer;
    enum { STAY, GO, LEAVE } then;
};

struct lines_server {
    const char *name;
    judge *is;
    const char *greeting; /* the server behind begins so; NULL: there is none */
    void (*shown)(const struct buf *greeting, struct buf *shown); /* how its client gets it; NULL: as it came */
    bool again;           /* the client expects it once more, in TLS */
    bool tagged;
    const char *failed, *other; /* answers: there is no server; any other command */
    struct lines_command commands[6];
};

/* ---- greetings ---- */

/* What a server behind can do in TLS is told there; here is nothing but TLS. */
static void show_imap(const struct buf *greeting, struct buf *shown)
{
    static const char here[] = "[CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED]";
    const char *text = (const char *)buf_data(greeting), *end = text + greeting->len;
    const char *from = memmem(text, greeting->len, "[CAPABILITY", 11);
    const char *to = from ? memchr(from, ']', (size_t)(end - from)) : NULL;
    if (!to) {
        buf_put(shown, text, greeting->len);
        return;
    }
    buf_put(shown, text, (size_t)(from - text));
    buf_put(shown, here, sizeof here - 1);
    buf_put(shown, to + 1, (size_t)(end - to) - 1);
}

static void show_sieve(const struct buf *greeting, struct buf *shown)
{
    const char *p = (const char *)buf_data(greeting), *end = p + greeting->len, *next;
    for (; p < end; p = next) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        next = nl ? nl + 1 : end;
        if (strncasecmp(p, "\"SASL\"", 6) == 0)
            buf_put(shown, "\"SASL\" \"\"\r\n", 11);
        else if (next == end)
            buf_put(shown, "\"STARTTLS\"\r\n", 12);
        if (strncasecmp(p, "\"SASL\"", 6) != 0 && strncasecmp(p, "\"STARTTLS\"", 10) != 0)
            buf_put(shown, p, (size_t)(next - p));
    }
}

/* ---- rows ---- */

#define MAIL(hello)                                                                                \
    {                                                                                              \
        {hello, "250-$n\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n", STAY},  \
            {"HELO", "250 $n\r\n", STAY}, {"NOOP", "250 2.0.0 Ok\r\n", STAY},                      \
            {"RSET", "250 2.0.0 Ok\r\n", STAY}, {"QUIT", "221 2.0.0 Bye\r\n", LEAVE},              \
            {"STARTTLS", "220 2.0.0 Go ahead\r\n", GO},                                            \
    }

static const struct lines_server rows[] = {
    {"smtp", judge_code, "220", NULL, false, false, "421 4.3.0 No server behind this one\r\n",
     "530 5.7.0 STARTTLS first\r\n", MAIL("EHLO")},
    {"lmtp", judge_code, "220", NULL, false, false, "421 4.3.0 No server behind this one\r\n",
     "530 5.7.0 STARTTLS first\r\n", MAIL("LHLO")},
    {"imap", judge_tagged, "* OK", show_imap, false, true, "* BYE No server behind this one\r\n",
     "$t NO [PRIVACYREQUIRED] STARTTLS first\r\n",
     {{"CAPABILITY", "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n$t OK Done\r\n", STAY},
      {"NOOP", "$t OK Done\r\n", STAY},
      {"LOGOUT", "* BYE Bye\r\n$t OK Done\r\n", LEAVE},
      {"STARTTLS", "$t OK Go ahead\r\n", GO}}},
    {"pop3", judge_word, "+OK", NULL, false, false, "-ERR No server behind this one\r\n", "-ERR STLS first\r\n",
     {{"CAPA", "+OK\r\nSTLS\r\n.\r\n", STAY}, {"QUIT", "+OK\r\n", LEAVE}, {"STLS", "+OK Go ahead\r\n", GO}}},
    {"sieve", judge_sieve, "OK", show_sieve, true, false, "BYE \"No server behind this one\"\r\n",
     "NO (ENCRYPT-NEEDED) \"STARTTLS first\"\r\n",
     {{"NOOP", "OK \"Done\"\r\n", STAY},
      {"LOGOUT", "OK \"Bye\"\r\n", LEAVE},
      {"STARTTLS", "OK \"Begin TLS negotiation now\"\r\n", GO}}},
    {"ftp", judge_code, "220", NULL, false, false, "421 No server behind this one\r\n", "530 AUTH TLS first\r\n",
     {{"FEAT", "211-Features:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n211 End\r\n", STAY},
      {"NOOP", "200 Ok\r\n", STAY},
      {"QUIT", "221 Bye\r\n", LEAVE},
      {"AUTH TLS", "234 Go ahead\r\n", GO}}},
    {"nntp", judge_word, "20", NULL, false, false, "400 No server behind this one\r\n", "483 STARTTLS first\r\n",
     {{"CAPABILITIES", "101 Capabilities:\r\nVERSION 2\r\nSTARTTLS\r\n.\r\n", STAY},
      {"MODE READER", "201 STARTTLS first\r\n", STAY},
      {"QUIT", "205 Bye\r\n", LEAVE},
      {"STARTTLS", "382 Go ahead\r\n", GO}}},
    {"irc", judge_irc, NULL, NULL, false, false, "", ":$n 451 * :STARTTLS first\r\n",
     {{"CAP LS", ":$n CAP * LS :tls\r\n", STAY},
      {"CAP REQ :tls", ":$n CAP * ACK :tls\r\n", STAY},
      {"CAP END", "", STAY},
      {"QUIT", "ERROR :Bye\r\n", LEAVE},
      {"STARTTLS", ":$n 670 * :STARTTLS successful, go ahead with TLS\r\n", GO}}},
};

static const struct lines_server *row_of(const struct addr *a)
{
    const struct lines_server *row = rows;
    while (strcasecmp(row->name, a->params[0]) != 0)
        row++;
    return row;
}

/* ---- commands ---- */

static void put(char *to, size_t *n, const char *text, size_t len)
{
    len = len < ANSWER_CAP - *n ? len : ANSWER_CAP - *n;
    memcpy(to + *n, text, len);
    *n += len;
}

/* In one write, so that nobody gets half of it. */
static int answer(struct wire *w, const struct addr *a, const char *text, const char *line, struct err *e)
{
    char all[ANSWER_CAP], name[OWN_NAME];
    size_t n = 0;
    for (; *text; text++) {
        if (*text != '$')
            put(all, &n, text, 1);
        else if (*++text == 'n')
            put(all, &n, name, strlen(starttls_own_name(a, name)));
        else
            put(all, &n, line, strcspn(line, " "));
    }
    return wire_write(w, all, n, e);
}

static const struct lines_command *command_of(const struct lines_server *row, const char *line)
{
    const char *behind = line + strcspn(line, " "), *word = row->tagged ? behind + strspn(behind, " ") : line;
    for (const struct lines_command *c = row->commands; c < row->commands + 6 && c->words; c++) {
        size_t n = strlen(c->words);
        if (strncasecmp(word, c->words, n) == 0 && (word[n] == ' ' || word[n] == '\0'))
            return c;
    }
    return NULL;
}

static bool asks_for_greeting(const struct lines_server *row, const char *line)
{
    return row->again && strcasecmp(line, "CAPABILITY") == 0;
}

/* Gives 1 when TLS is to begin. */
static int serve_command(struct wire *w, const struct addr *a, const struct lines_server *row, const struct buf *greeting,
                         struct err *e)
{
    char line[LINE_CAP];
    if (wire_read_line(w, line, sizeof line, e) < 0)
        return err_wrap(e, "the client");
    if (asks_for_greeting(row, line))
        return wire_write(w, buf_data(greeting), greeting->len, e);
    const struct lines_command *c = command_of(row, line);
    bool goes = c && c->then == GO;
    if (goes && starttls_nothing_behind(w, "the client's wish for TLS", e) < 0)
        return -1;
    if (answer(w, a, c ? c->answer : row->other, line, e) < 0)
        return -1;
    return c && c->then == LEAVE ? starttls_left(e) : goes;
}

static int serve(struct wire *w, const struct addr *a, const struct lines_server *row, const struct buf *greeting,
                 struct err *e)
{
    int rc = 0;
    for (int n = 0; rc == 0 && n < COMMANDS_MOST; n++)
        rc = serve_command(w, a, row, greeting, e);
    return rc > 0 ? 0 : rc < 0 ? -1 : err_set(e, ERR_PROTOCOL, "the client has not asked for TLS with %d commands", COMMANDS_MOST);
}

/* ---- the dialog ---- */

static int greet(struct wire *w, const struct lines_server *row, const struct buf *greeting, struct buf *shown, struct err *e)
{
    if (buf_init(shown, greeting->len + 100) < 0)
        return err_nomem(e);
    if (row->shown)
        row->shown(greeting, shown);
    else
        buf_put(shown, buf_data(greeting), greeting->len);
    return wire_write(w, buf_data(shown), shown->len, e);
}

static int front(struct wire *w, const struct addr *a, const struct lines_server *row, struct wire *beyond,
                 struct reply *r, struct buf *shown, struct err *e)
{
    enum verdict v;
    if (reply_read(beyond, row->is, row->greeting, r, &v, e) < 0)
        return err_wrap(e, "the greeting of the server behind");
    if (v == BAD && wire_write(w, buf_data(&r->text), r->text.len, e) < 0)
        return -1;
    if (v == BAD)
        return starttls_refused("behind greets otherwise", r->last, e);
    if (greet(w, row, &r->text, shown, e) < 0 || serve(w, a, row, shown, e) < 0)
        return -1;
    return row->again ? wire_hand_back(beyond, buf_data(&r->text), r->text.len, e) : 0;
}

static int server_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    (void)st;
    (void)a;
    (void)r;
    (void)w;
    (void)e;
    return 0;
}

static int server_answer(void *st, const struct addr *a, struct run *run, struct wire *w, const struct outcome *o, struct err *e)
{
    const struct lines_server *row = row_of(a);
    struct buf shown = {0};
    (void)st;
    (void)run;
    if (o->failed)
        return answer(w, a, row->failed, "", e);
    struct reply *r = calloc(1, sizeof *r);
    if (!r)
        return err_nomem(e);
    int rc = front(w, a, row, o->beyond, r, &shown, e);
    reply_fini(r);
    free(r);
    buf_fini(&shown);
    return rc;
}

static int alone_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    static const struct buf none;
    (void)st;
    (void)r;
    return serve(w, a, row_of(a), &none, e);
}

const struct negotiator_ops lines_server_ops = {.learn = server_learn, .answer = server_answer, .answers_for_rest = true,
                                                .talks_beyond = true, .needs_session = true};
const struct negotiator_ops lines_alone_ops = {.learn = alone_learn};
