/* SPDX-License-Identifier: GPL-2.0-or-later
 * Keeping secrets out of sight: see secret.h. */
#include "secret.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/option.h"
#include "catena/registry.h"

enum { WORD_MAX = 64 };

/* ---- arguments ---- */

static const char *closing(char c)
{
    static const char pairs[] = "\"\"''()[]{}";
    for (const char *p = pairs; c && *p; p += 2)
        if (*p == c)
            return p + 1;
    return NULL;
}

/* Behind the character, protected or not, or quoted piece at s. */
static char *skip_unit(char *s)
{
    if (*s == '\\')
        return s + (s[1] ? 2 : 1);
    const char *close = closing(*s++);
    if (!close)
        return s;
    while (*s && *s != *close)
        s = skip_unit(s);
    return *s ? s + 1 : s;
}

static char *skip_blanks(char *s)
{
    while (isspace((unsigned char)*s) || (s[0] == '\\' && s[1] == '\n'))
        s++;
    return s;
}

/* The word at s, unquoted, without the blanks behind it. Gives where it ends. */
static char *take_word(char *s, const char *ends, char word[WORD_MAX])
{
    size_t n = 0;
    for (s = skip_blanks(s); *s && !strchr(ends, *s); s++)
        if (!strchr("\"'\\", *s) && n < WORD_MAX - 1)
            word[n++] = *s;
    while (n > 0 && isspace((unsigned char)word[n - 1]))
        n--;
    word[n] = '\0';
    return s;
}

/* A name that is only nearly one of a secret option is taken for a slip. */
static bool is_secret(const char *name)
{
    const struct option_desc *d = option_lookup(name);
    const char *near = d ? NULL : option_nearest(name, 0);
    if (near)
        d = option_lookup(near);
    return d && d->secret == SECRET_TEXT;
}

static bool is_operator(char c) { return c == '|' || c == '%'; }

/* Operators are only where addresses follow; else the planner reads them as text, as v1 does. */
static bool addresses_follow(char *s)
{
    char word[WORD_MAX];
    for (;; s++) {
        s = skip_blanks(s);
        (void)take_word(s + (*s == '^'), ",:|%!", word);
        if (!registry_known(word))
            return false;
        while (*s && !is_operator(*s))
            s = skip_unit(s);
        if (!*s)
            return true;
    }
}

static char *value_end(char *s, bool v1)
{
    while (*s && *s != ',' && !(s[0] == '!' && s[1] == '!') &&
           !(!v1 && is_operator(*s) && addresses_follow(s + 1)))
        s = skip_unit(s);
    return s;
}

void secret_mask(char *argument, bool v1)
{
    char word[WORD_MAX];
    for (char *s = strchr(argument, ','); s; s = strchr(s, ',')) {
        char *end = take_word(s + 1, "=,|", word);
        if (*end == '=' && is_secret(word)) {
            char *from = end + 1;
            end = value_end(from, v1);
            memset(from, '*', (size_t)(end - from));
        }
        s = end;
    }
}

int secret_hide_argument(char *argument, bool v1, char **copy, struct err *e)
{
    *copy = strdup(argument);
    if (!*copy)
        return err_nomem(e);
    secret_mask(argument, v1);
    if (strcmp(*copy, argument) == 0) {
        free(*copy);
        *copy = NULL;
    } else {
        diag_show_instead(*copy, argument);
    }
    return 0;
}

void secret_free(char *copy)
{
    if (!copy)
        return;
    diag_show_instead(copy, NULL);
    explicit_bzero(copy, strlen(copy));
    free(copy);
}

/* ---- the environment ---- */

static void hide_variables(const struct addr *a)
{
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        char *value = o->desc->secret == SECRET_ENV ? getenv(o->v.variable) : NULL;
        if (value) {
            memset(value, '*', strlen(value)); /* the kernel shows what the process began with */
            (void)unsetenv(o->v.variable);
        }
    }
}

void secret_hide_environment(const struct plan *p)
{
    const struct addr *a;
    for (int chain = LEFT; chain <= RIGHT; chain++)
        for (size_t i = 0; (a = plan_chain_addr(p, chain, i)); i++)
            hide_variables(a);
}
