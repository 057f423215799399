/* SPDX-License-Identifier: GPL-2.0-or-later
 * PASSWORD, PASSWORD-SERVER: a negotiator. The client sends a line with a password before anything else, and the
 * server reads it, answers, and lets through who knows it.
 *
 *     catena tcp-listen:7000,fork '^password-server,word-file=secret|tcp:localhost:7001'
 *     catena - 'password,word-file=secret|tcp:host:7000' */
#include <string.h>

#include <catena/inter.h>
#include <catena/module.h>
#include <catena/option_row.h>
#include <catena/secret.h>

NAMED_SECRET(opt_word, "word", NULL, NULL, NULL, 0, LATE, "the password");
OPTION_TABLE(password) = {NAMED_SECRET_ROWS(opt_word), OPTIONS_END};

static int check(const struct addr *a, struct err *e)
{
    return opt_find(a, &opt_word) ? 0 : err_set(e, ERR_USAGE, "option \"word\" is missing, or word-file, word-env");
}

static int ask(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    struct secret_value word;
    char answer[80];
    (void)st;
    int rc = secret_value(a, &opt_word, r, w->deadline, &word, e);
    if (rc > 0)
        rc = wire_write(w, word.text, strlen(word.text), e) < 0 || wire_write(w, "\n", 1, e) < 0 ? -1 : 0;
    secret_value_wipe(&word);
    if (rc < 0 || wire_read_line(w, answer, sizeof answer, e) < 0)
        return -1;
    return strcmp(answer, "welcome") == 0 ? 0 : err_set(e, ERR_DENIED, "the password was not accepted");
}

static int answer(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    struct secret_value word;
    char line[256];
    (void)st;
    int rc = wire_read_line(w, line, sizeof line, e);
    if (rc < 0)
        return -1;
    rc = secret_value(a, &opt_word, r, w->deadline, &word, e);
    bool right = rc > 0 && strcmp(line, word.text) == 0;
    secret_value_wipe(&word);
    if (rc < 0 || wire_write(w, right ? "welcome\n" : "go away\n", 8, e) < 0)
        return -1;
    return right ? 0 : err_set(e, ERR_DENIED, "a client has sent a wrong password");
}

static const struct negotiator_ops client = {.learn = ask}, server = {.learn = answer};

#define PASSWORD(name, part, which, words)                                                                             \
    {.keyword = name, .left = CTX_B, .right = RIGHT_BOTH, .options = options_password, .role = part, .check = check,   \
     .help = words, .kind = FORM_NEGOTIATOR, .ops.negotiator = &(which)}

static const struct form forms[] = {
    PASSWORD("PASSWORD", ROLE_CLIENT, client, "sends a password first"),
    PASSWORD("PASSWORD-SERVER", ROLE_SERVER, server, "wants a password first"),
    {.keyword = NULL},
};

const struct catena_module catena_module = CATENA_MODULE(forms, NULL);
