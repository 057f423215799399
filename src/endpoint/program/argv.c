/* SPDX-License-Identifier: GPL-2.0-or-later
 * The words of a program address. EXEC splits its parameter, from which the address parser has
 * already taken one layer of quoting, at blanks; here quotes vanish, brackets stay, and each
 * protects what is between it and its partner. SYSTEM and SHELL hand the text to a shell. */
#include "endpoint/program/argv.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "catena/catena.h"
#include "catena/options.h"
#include "endpoint/options/opts_program.h"

const enum command_style command_exec = COMMAND_EXEC;
const enum command_style command_system = COMMAND_SYSTEM;
const enum command_style command_shell = COMMAND_SHELL;

/* The closing partner of an opening character, or 0. */
static char partner(char c)
{
    static const char pairs[] = "\"\"''(){}[]";

    for (const char *p = pairs; *p; p += 2) {
        if (*p == c)
            return p[1];
    }
    return 0;
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* What a character behind a backslash stands for. */
static char escaped(char c)
{
    static const char codes[] = "n\nr\rt\tf\fb\ba\a";

    for (const char *p = codes; *p; p += 2) {
        if (*p == c)
            return p[1];
    }
    return c == '0' ? '\0' : c;
}

/* Copies one word from *in to *out (NUL included) and leaves *in behind it. open: room for the
 * partners still awaited, as many as there are characters. False: the text ends inside a unit. */
static bool copy_word(const char **in, char **out, char *open)
{
    const char *s = *in;
    char *to = *out;
    size_t depth = 0;

    while (*s && (depth || *s != ' ')) {
        char c = *s++;
        char close = partner(c);
        bool keep = depth || !is_quote(c);

        if (c == '\\') {
            if (!*s)
                return false;
            c = escaped(*s++);
            keep = true;
        } else if (depth && c == open[depth - 1]) {
            depth--;
            keep = depth || !is_quote(c);
        } else if (close && !(depth && open[depth - 1] == '\'')) {
            open[depth++] = close;
        }
        if (keep)
            *to++ = c;
    }
    *to++ = '\0';
    *in = s;
    *out = to;
    return depth == 0;
}

int argv_split(const char *line, char ***argv, struct err *e)
{
    size_t len = strlen(line);
    size_t most = len / 2 + 3; /* words are apart by a blank; one empty one at the end; NULL */
    char **words = calloc(1, most * sizeof *words + len + 2);
    char *open = malloc(len + 1);
    const char *s = line;
    size_t n = 0;
    int rc = -1;

    if (!words || !open) {
        err_nomem(e);
        goto out;
    }
    char *to = (char *)(words + most);

    s += strspn(s, " ");
    for (;;) {
        words[n++] = to;
        if (!copy_word(&s, &to, open)) {
            err_set(e, ERR_BAD_VALUE, "unexpected end of command line \"%s\": a quote, bracket or "
                    "backslash has no partner", line);
            goto out;
        }
        if (!*s)
            break;
        s += strspn(s, " "); /* blanks at the end make one empty word */
    }
    if (!*words[0]) {
        err_set(e, ERR_BAD_VALUE, "no program in the command line \"%s\"", line);
        goto out;
    }
    *argv = words;
    words = NULL;
    rc = 0;
out:
    free(open);
    free(words);
    return rc;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* words: room for argv[0] and up to three arguments. */
static int shell_words(struct command *c, const char *arg0, const char *text, struct err *e)
{
    size_t head = 5 * sizeof *c->words;
    size_t n0 = strlen(arg0) + 1, n = text ? strlen(text) + 1 : 0;
    char **w = calloc(1, head + n0 + n + sizeof "-c");

    if (!w)
        return err_nomem(e);
    char *to = (char *)(w + 5);

    w[0] = memcpy(to, arg0, n0);
    if (text) {
        w[1] = memcpy(to + n0, "-c", sizeof "-c");
        w[2] = memcpy(to + n0 + sizeof "-c", text, n);
    }
    c->words = w;
    return 0;
}

/* login shells have a dash in front of their name */
static int add_dash(struct command *c, struct err *e)
{
    size_t n = strlen(c->words[0]) + 1;

    c->name = malloc(n + 1);
    if (!c->name)
        return err_nomem(e);
    c->name[0] = '-';
    memcpy(c->name + 1, c->words[0], n);
    return 0;
}

int command_init(struct command *c, const struct addr *a, struct err *e)
{
    enum command_style style = *(const enum command_style *)a->form->arg;
    const char *text = a->nparams ? a->params[0] : NULL;
    int rc;

    *c = (struct command){0};
    if (style == COMMAND_EXEC) {
        rc = argv_split(text ? text : "", &c->words, e);
        if (rc < 0 && e->kind == ERR_USAGE)
            e->where = a->at;
        c->file = rc == 0 ? c->words[0] : NULL;
    } else if (style == COMMAND_SYSTEM) {
        c->file = "/bin/sh";
        c->system = text;
        rc = shell_words(c, "sh", text, e);
    } else {
        c->shell = opt_string(a, &opt_shell, NULL);
        c->file = c->shell ? c->shell : catena_variable(a->catena, "SHELL");
        if (!c->file || !*c->file)
            return err_set(e, ERR_OTHER, "SHELL variable undefined; option \"shell=<path>\" "
                           "names a shell as well");
        rc = shell_words(c, base_name(c->file), text, e);
    }
    if (rc == 0 && style != COMMAND_SYSTEM && opt_true(a, &opt_dash))
        rc = add_dash(c, e);
    if (rc < 0) {
        command_fini(c);
        return -1;
    }
    c->argv = c->words;
    if (c->name)
        c->argv[0] = c->name;
    return 0;
}

void command_fini(struct command *c)
{
    free(c->words);
    free(c->name);
    *c = (struct command){0};
}

static bool in_path(const char *file, const char *path)
{
    char full[PATH_MAX];

    for (size_t n; path; path = path[n] ? path + n + 1 : NULL) {
        n = strcspn(path, ":");
        int len = snprintf(full, sizeof full, "%.*s%s%s", (int)n, path, n ? "/" : "", file);
        if (len > 0 && (size_t)len < sizeof full && access(full, X_OK) == 0)
            return true;
    }
    return false;
}

int command_foresee(const struct addr *a, struct err *e)
{
    struct command c;
    const char *path = opt_string(a, &opt_path, catena_variable(a->catena, "PATH"));
    int rc = command_init(&c, a, e);

    for (size_t i = 0; i < a->nopts; i++)
        if (a->opts[i].desc->groups & GROUP_PROCESS || option_is(a->opts[i].desc, &opt_chdir))
            path = NULL;
    if (rc == 0 && path && !in_path(c.file, strchr(c.file, '/') ? "" : path))
        rc = err_sys(e, "program \"%.300s\"", c.file);
    command_fini(&c);
    return rc;
}

void command_show(const struct addr *a, FILE *f)
{
    struct command c;
    struct err e;

    if (command_init(&c, a, &e) == 0) {
        fprintf(f, "      executes: %s, as", c.file);
        for (char **word = c.argv; *word; word++)
            fprintf(f, " [%s]", *word);
        fputc('\n', f);
    }
    command_fini(&c);
}
