/* SPDX-License-Identifier: GPL-2.0-or-later
 * Keeping secrets out of sight: see secret.h. */
#include "engine/plan/secret.h"

#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/option.h"
#include "catena/registry.h"
#include "engine/plan/bind.h"

/* ---- arguments ---- */

static bool speaks_of_secrets(const char *name)
{
    static const char *const words[] = {"pass", "pwd", "secret", "auth"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcasestr(name, words[i]))
            return true;
    return false;
}

/* A name that is only nearly one of a secret option, or sounds like one, is taken for a slip. */
static bool is_secret(const struct registry *known, const char *name)
{
    char near[64];
    const struct option_desc *d = option_lookup(known, name);
    if (d)
        return d->secret == SECRET_TEXT;
    if (option_nearest(known, name, NULL, near, sizeof near))
        d = option_lookup(known, near);
    return d && d->secret ? d->secret == SECRET_TEXT : speaks_of_secrets(name);
}

static void mask_single(const struct registry *known, char *argument, const struct single_spec *s)
{
    for (size_t i = 0; i < s->nopts; i++)
        if (s->opts[i].has_value && is_secret(known, s->opts[i].name.s))
            memset(argument + s->opts[i].value.at.off, '*', s->opts[i].value.at.len);
}

/* A secret with "!!" in it, which looks like a dual: what follows is no address then. */
static void mask_tail(const struct registry *known, char *argument, const struct piece_spec *p)
{
    const struct single_spec *first = &p->back, *second = &p->fwd; /* read!!write */
    bool ends_in_secret = first->nopts > 0 && first->opts[first->nopts - 1].has_value &&
                          is_secret(known, first->opts[first->nopts - 1].name.s);
    if (p->kind != PIECE_V1DUAL || !ends_in_secret || single_is_guess(second) ||
        registry_known(known, second->keyword.s))
        return;
    size_t from = first->at.off + first->at.len, to = second->at.off + second->at.len;
    memset(argument + from, '*', to - from);
}

static void mask_chain(const struct registry *known, char *argument, const struct chain_spec *c)
{
    for (size_t i = 0; i < c->npieces; i++) {
        mask_single(known, argument, &c->pieces[i].fwd);
        mask_single(known, argument, &c->pieces[i].back);
        mask_tail(known, argument, &c->pieces[i]);
    }
}

/* Where it need not be a chain, a value may go on behind an operator. */
static int mask(const struct registry *known, struct arena *a, char *argument, bool v1,
                struct err *e)
{
    struct chain_spec chain, single;
    bool is_chain = !v1 && chain_parse(a, argument, PARSE_LENIENT | PARSE_CAREFUL, &chain, e) == 0;
    bool sure = is_chain && chain_in_place(known, &chain);
    if (!sure && chain_parse(a, argument, PARSE_LENIENT | PARSE_V1, &single, e) < 0)
        return -1;
    if (is_chain)
        mask_chain(known, argument, &chain);
    if (!sure)
        mask_chain(known, argument, &single);
    return 0;
}

int secret_mask(const struct registry *known, char *argument, bool v1, struct err *e)
{
    struct arena a = {0};
    int rc = mask(known, &a, argument, v1, e);
    arena_free(&a);
    return rc;
}

int secret_hide_argument(const struct registry *known, char *argument, bool v1, char **copy,
                         struct err *e)
{
    *copy = strdup(argument);
    if (!*copy)
        return err_nomem(e);
    if (secret_mask(known, argument, v1, e) < 0) {
        secret_free(*copy);
        *copy = NULL;
        return -1;
    }
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
