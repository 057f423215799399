/* SPDX-License-Identifier: GPL-2.0-or-later
 * Address argument to syntax tree: chains, reverse, duals, parameters, options, and v1's quoting.
 * Pure: knows no keyword and calls nothing. Two layers: lex_unit() is the one place where quotes,
 * brackets and backslashes mean something; everything above it looks for separators between units. */
#include <ctype.h>
#include <string.h>

#include "catena/spec.h"

enum { MAX_NESTING = 64 };

struct lex {
    struct arena *arena;
    const char *text; /* the whole argument */
    size_t len;
    bool chained; /* | % ^ mean something */
    bool links;   /* there is a | */
    bool careful; /* a guess makes no operator of text */
    bool lenient; /* no mistakes: what is not closed ends with the text */
    struct err *e;
};

struct out { /* unquoted text being built; !s: only skipping */
    char *s;
    size_t n;
    size_t *braces; /* room for all that there are, or NULL */
    size_t nbraces;
};

static void emit(struct out *o, char c)
{
    if (o && o->s)
        o->s[o->n++] = c;
}

/* What no backslash protects. */
static void emit_bare(struct out *o, char c)
{
    if (c == '{' && o && o->braces)
        o->braces[o->nbraces++] = o->n;
    emit(o, c);
}

static char closing(char c)
{
    switch (c) {
    case '(': return ')';
    case '[': return ']';
    case '{': return '}';
    case '"': return '"';
    case '\'': return '\'';
    default: return '\0';
    }
}

static char escaped(char c)
{
    static const char names[] = "nrtfba0", values[] = "\n\r\t\f\b\a";
    const char *p = c ? strchr(names, c) : NULL;
    return p ? values[p - names] : c; /* "0" maps to the NUL that ends values */
}

static struct span span_of(const struct lex *l, size_t from, size_t to)
{
    return (struct span){.text = l->text, .off = from, .len = to > from ? to - from : 0};
}

static int unexpected_end(struct lex *l, size_t from)
{
    return err_at(l->e, span_of(l, from, from + 1),
                  "unexpected end of address \"%.500s\": the %s opened here is not closed (syntax error)",
                  l->text, l->text[from] == '\\' ? "backslash" : "quote or bracket");
}

/* Takes one character or one protected unit at *pos (which is before end); appends what it stands
 * for. At depth 0 quotes vanish and brackets stay; inside another unit everything stays, but has to
 * be closed in order. */
static int lex_unit(struct lex *l, size_t *pos, size_t end, struct out *o, int depth)
{
    size_t from = *pos;
    char c = l->text[(*pos)++];
    if (c == '\\') {
        if (*pos >= end)
            return l->lenient ? 0 : unexpected_end(l, from);
        emit(o, escaped(l->text[(*pos)++]));
        return 0;
    }
    char close = closing(c);
    if (!close || (l->lenient && depth >= MAX_NESTING)) {
        emit_bare(o, c);
        return 0;
    }
    if (depth >= MAX_NESTING)
        return err_at(l->e, span_of(l, from, from + 1),
                      "quotes and brackets are nested more than %d deep", MAX_NESTING);
    bool keep = depth > 0 || (c != '"' && c != '\'');
    if (keep)
        emit_bare(o, c);
    while (*pos < end && l->text[*pos] != close) {
        if (c == '\'' && l->text[*pos] != '\\')
            emit_bare(o, l->text[(*pos)++]);
        else if (lex_unit(l, pos, end, o, depth + 1) < 0)
            return -1;
    }
    if (*pos >= end) /* v1 has open brackets go on to the end */
        return l->lenient || (!l->chained && strchr("([{", c)) ? 0 : unexpected_end(l, from);
    (*pos)++;
    if (keep)
        emit(o, close);
    return 0;
}

static bool at_bangs(const struct lex *l, size_t pos, size_t end)
{
    return pos + 1 < end && l->text[pos] == '!' && l->text[pos + 1] == '!';
}

/* Finds the first unprotected separator in [from, end): one of the characters in `seps`, or "!!"
 * when seps holds '!'. Gives its place, or end. */
static int find(struct lex *l, size_t from, size_t end, const char *seps, size_t *at)
{
    size_t pos = from;
    while (pos < end) {
        char c = l->text[pos];
        if (c == '!' ? strchr(seps, c) && at_bangs(l, pos, end) : c && strchr(seps, c))
            break;
        if (lex_unit(l, &pos, end, NULL, 0) < 0)
            return -1;
    }
    *at = pos;
    return 0;
}

/* Text [from, end) with quoting undone. A NUL written as \0 ends it, as in v1. */
static int unquote(struct lex *l, size_t from, size_t end, struct text *t)
{
    bool braces = end > from && memchr(l->text + from, '{', end - from);
    struct out o = {.s = arena_alloc(l->arena, end - from + 1)};
    if (braces)
        o.braces = arena_alloc(l->arena, (end - from) * sizeof *o.braces);
    if (!o.s || (braces && !o.braces))
        return err_nomem(l->e);
    for (size_t pos = from; pos < end;)
        if (lex_unit(l, &pos, end, &o, 0) < 0)
            return -1;
    *t = (struct text){o.s, o.braces, o.nbraces, span_of(l, from, end)};
    return 0;
}

/* White space around operators: blanks, line ends, and a backslash before a line end. */
static size_t skip_blanks(const struct lex *l, size_t pos, size_t end)
{
    while (pos < end) {
        if (isspace((unsigned char)l->text[pos]))
            pos++;
        else if (l->text[pos] == '\\' && pos + 1 < end && l->text[pos + 1] == '\n')
            pos += 2;
        else
            break;
    }
    return pos;
}

static size_t trim_blanks(const struct lex *l, size_t from, size_t end)
{
    while (end > from && isspace((unsigned char)l->text[end - 1])) {
        size_t slashes = 0;
        while (end - 1 - slashes > from && l->text[end - 2 - slashes] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            end--;
        else if (l->text[end - 1] == '\n')
            end -= 2;
        else
            break; /* a protected blank belongs to the text */
    }
    return end;
}

/* An upper bound for arrays; a syntax error is found again, and reported, by the real pass. */
static size_t count_separators(struct lex *l, size_t from, size_t end, const char *seps)
{
    size_t n = 0, at = from;
    while (from < end && find(l, from, end, seps, &at) == 0 && at < end) {
        n++;
        from = at + 1;
    }
    return n;
}

static int parse_option(struct lex *l, size_t from, size_t end, struct opt_spec *o)
{
    size_t eq;
    from = skip_blanks(l, from, end);
    if (find(l, from, end, "=", &eq) < 0 || unquote(l, from, trim_blanks(l, from, eq), &o->name) < 0)
        return -1;
    o->has_value = eq < end;
    if (o->has_value)
        return unquote(l, eq + 1, end, &o->value);
    o->value = (struct text){.s = "", .at = span_of(l, eq, eq)};
    return 0;
}

static int parse_options(struct lex *l, size_t from, size_t end, struct single_spec *s)
{
    size_t max = 1 + count_separators(l, from, end, ",");
    s->opts = arena_alloc(l->arena, max * sizeof *s->opts);
    if (!s->opts)
        return err_nomem(l->e);
    for (;;) {
        size_t comma;
        if (find(l, from, end, ",", &comma) < 0)
            return -1;
        struct opt_spec *o = &s->opts[s->nopts];
        *o = (struct opt_spec){0};
        if (parse_option(l, from, comma, o) < 0)
            return -1;
        if (o->name.s[0] != '\0' || o->has_value) /* a comma too many is harmless */
            s->nopts++;
        if (comma >= end)
            return 0;
        from = comma + 1;
    }
}

static int parse_params(struct lex *l, size_t from, size_t end, struct single_spec *s)
{
    size_t max = 1 + count_separators(l, from, end, ":");
    s->params = arena_alloc(l->arena, max * sizeof *s->params);
    if (!s->params)
        return err_nomem(l->e);
    for (;;) {
        size_t colon;
        if (find(l, from, end, ":", &colon) < 0 ||
            unquote(l, from, colon, &s->params[s->nparams]) < 0)
            return -1;
        s->nparams++;
        if (colon >= end)
            return 0;
        from = colon + 1;
    }
}

static enum short_form short_form(const char *word)
{
    size_t digits = strspn(word, "0123456789");
    if (digits > 0 && word[digits] == '\0' && (word[0] != '0' || digits == 1))
        return SHORT_FD;
    return strchr(word, '/') ? SHORT_PATH : SHORT_NONE;
}

/* One sub-address: keyword, parameters, options in [from, end). */
static int parse_single(struct lex *l, size_t from, size_t end, struct single_spec *s)
{
    *s = (struct single_spec){0};
    if (l->chained) {
        from = skip_blanks(l, from, end);
        if (l->links || end < l->len) /* v1's single addresses may end in a blank that counts */
            end = trim_blanks(l, from, end);
        if (from < end && l->text[from] == '^') {
            s->reverse = true;
            from = skip_blanks(l, from + 1, end);
        }
    }
    s->at = span_of(l, from, end);
    size_t comma, colon;
    if (find(l, from, end, ",", &comma) < 0 || find(l, from, comma, ":", &colon) < 0 ||
        unquote(l, from, colon, &s->keyword) < 0)
        return -1;
    s->shortened = short_form(s->keyword.s);
    if (s->shortened != SHORT_NONE) {
        /* the word itself is the first parameter of FD or GOPEN */
        if (parse_params(l, from, comma, s) < 0)
            return -1;
        s->keyword.s = "";
    } else if (colon < comma && parse_params(l, colon + 1, comma, s) < 0) {
        return -1;
    }
    return comma < end ? parse_options(l, comma + 1, end, s) : 0;
}

bool single_is_guess(const struct single_spec *s)
{
    return s->shortened != SHORT_NONE;
}

bool single_carries_text(const struct single_spec *s)
{
    for (size_t i = 0; i < s->nopts; i++)
        if (s->opts[i].has_value)
            return true;
    return s->nparams > 0 && s->shortened != SHORT_FD;
}

/* Is what stands between the operator and the next one an address only by its looks, and not the
 * last piece of the chain? */
static int guess_follows(struct lex *l, size_t at, size_t end, bool *guess)
{
    struct single_spec s;
    size_t next;
    if (find(l, at + 1, end, "|%!", &next) < 0 || parse_single(l, at + 1, next, &s) < 0)
        return -1;
    *guess = single_is_guess(&s) && !(l->text[at] == '|' && next == end);
    return 0;
}

/* As find(), for an operator behind the single address that begins at `from`. With care one is passed
 * over that would make a guess of what is text without it. */
static int find_operator(struct lex *l, size_t from, size_t end, const char *seps, size_t *at)
{
    struct single_spec before;
    bool guess;
    if (find(l, from, end, seps, at) < 0)
        return -1;
    if (!l->careful || *at >= end)
        return 0;
    if (parse_single(l, from, *at, &before) < 0)
        return -1;
    while (single_carries_text(&before) && *at < end && l->text[*at] != '!') {
        if (guess_follows(l, *at, end, &guess) < 0)
            return -1;
        if (!guess)
            break;
        if (find(l, *at + 1, end, seps, at) < 0)
            return -1;
    }
    return 0;
}

static int parse_piece(struct lex *l, size_t from, size_t end, struct piece_spec *p)
{
    size_t at;
    p->at = span_of(l, skip_blanks(l, from, end), trim_blanks(l, from, end));
    if (find_operator(l, from, end, l->chained ? "%!" : "!", &at) < 0)
        return -1;
    if (at >= end) {
        p->kind = PIECE_SINGLE;
        return parse_single(l, from, end, &p->fwd);
    }
    bool bangs = l->text[at] == '!';
    size_t second = at + (bangs ? 2 : 1), more;
    if (find_operator(l, second, end, l->chained ? "%!" : "!", &more) < 0)
        return -1;
    if (more < end && !l->lenient)
        return err_at(l->e, span_of(l, more, more + (l->text[more] == '!' ? 2 : 1)),
                      "a dual address joins two single ones; \"%s\" stands here for a third",
                      l->text[more] == '!' ? "!!" : "%");
    p->kind = bangs ? PIECE_V1DUAL : PIECE_DUAL;
    struct single_spec *first = bangs ? &p->back : &p->fwd;
    struct single_spec *other = bangs ? &p->fwd : &p->back;
    if (parse_single(l, from, at, first) < 0)
        return -1;
    return parse_single(l, second, end, other);
}

static int parse(struct arena *a, const char *text, unsigned how, struct chain_spec *out, struct err *e)
{
    bool v1 = how & PARSE_V1;
    struct lex l = {.arena = a, .text = text, .len = strlen(text), .chained = !v1,
                    .lenient = how & PARSE_LENIENT, .careful = how & PARSE_CAREFUL, .e = e};
    size_t pipes = v1 ? 0 : count_separators(&l, 0, l.len, "|");
    l.links = pipes > 0;
    *out = (struct chain_spec){0};
    out->pieces = arena_alloc(a, (pipes + 1) * sizeof *out->pieces);
    if (!out->pieces)
        return err_nomem(e);
    for (size_t from = 0;;) {
        size_t bar = l.len;
        if (!v1 && find_operator(&l, from, l.len, "|", &bar) < 0)
            return -1;
        struct piece_spec *p = &out->pieces[out->npieces++];
        if (parse_piece(&l, from, bar, p) < 0)
            return -1;
        if (p->kind == PIECE_DUAL || p->fwd.reverse || p->back.reverse)
            out->chained = true;
        if (bar >= l.len)
            break;
        from = bar + 1;
    }
    if (out->npieces > 1)
        out->chained = true;
    return 0;
}

int chain_parse(struct arena *a, const char *text, unsigned how, struct chain_spec *out, struct err *e)
{
    return parse(a, text, how, out, e) < 0 ? err_more_precisely(e, ERR_SYNTAX) : 0;
}
