/* SPDX-License-Identifier: GPL-2.0-or-later
 * The chain parser on any text, in both syntaxes: it ends, and every piece lies in the text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(const char *text, const struct span *at)
{
    if (at->text != text || at->off + at->len > strlen(text))
        abort();
}

static void check_text(const char *text, const struct text *t)
{
    inside(text, &t->at);
    if (!t->s || strlen(t->s) > t->at.len) /* unquoting never makes anything longer */
        abort();
}

static void check_single(const char *text, const struct single_spec *s)
{
    inside(text, &s->at);
    if (s->shortened == SHORT_NONE)
        check_text(text, &s->keyword);
    for (size_t i = 0; i < s->nparams; i++)
        check_text(text, &s->params[i]);
    for (size_t i = 0; i < s->nopts; i++) {
        check_text(text, &s->opts[i].name);
        check_text(text, &s->opts[i].value);
    }
}

static void parse(const char *text, unsigned how)
{
    bool v1 = how & PARSE_V1;
    struct arena a = {0};
    struct chain_spec c;
    struct err e = {.kind = ERR_NONE};
    if (chain_parse(&a, text, how, &c, &e) < 0) {
        if (how & PARSE_LENIENT || e.kind != ERR_USAGE || e.text[0] == '\0')
            abort();
        inside(text, &e.where);
    } else {
        if (c.npieces == 0 || (v1 && (c.npieces != 1 || c.chained)))
            abort();
        for (size_t i = 0; i < c.npieces; i++) {
            inside(text, &c.pieces[i].at);
            check_single(text, &c.pieces[i].fwd);
            if (c.pieces[i].kind != PIECE_SINGLE)
                check_single(text, &c.pieces[i].back);
        }
    }
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    for (unsigned how = 0; how <= (PARSE_V1 | PARSE_LENIENT | PARSE_CAREFUL); how++)
        parse(text, how);
    free(text);
    return 0;
}
