/* SPDX-License-Identifier: GPL-2.0-or-later
 * Words to steps: see script.h. */
#include "inter/dialog/script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- escapes ---- */

/* What a backslash and the letters behind it stand for; in words that are said there are more. */
enum { NO_BYTE = 256, NO_EOL, PAUSE_LONG, PAUSE_SHORT, UNKNOWN };

static int digits(const char **p, int base, int most)
{
    int value = 0, n = 0;
    for (; n < most; n++, (*p)++) {
        char c = **p;
        int d = c >= '0' && c <= '9' ? c - '0' : base == 16 && isxdigit((unsigned char)c) ? (c | 0x20) - 'a' + 10 : base;
        if (d >= base)
            break;
        value = value * base + d;
    }
    return n == 0 || value > 255 ? UNKNOWN : value;
}

/* *p is behind the backslash, and then behind it all. */
static int escape(const char **p, bool said)
{
    static const struct {
        char c;
        short value;
    } known[] = {{'r', '\r'}, {'n', '\n'}, {'t', '\t'}, {'b', '\b'}, {'s', ' '},  {'e', 27},  {'N', 0},
                 {'\\', '\\'}, {'"', '"'}, {'\'', '\''}, {'/', '/'}, {'$', '$'}, {'@', '@'}, {'#', '#'}};
    static const struct {
        char c;
        short value;
    } when_said[] = {{'c', NO_EOL}, {'d', PAUSE_LONG}, {'p', PAUSE_SHORT}, {'q', NO_BYTE}};
    if (**p >= '0' && **p <= '7')
        return digits(p, 8, 3);
    char c = *(*p)++;
    if (c == 'x')
        return digits(p, 16, 2);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].c == c)
            return known[i].value;
    for (size_t i = 0; said && i < sizeof when_said / sizeof when_said[0]; i++)
        if (when_said[i].c == c)
            return when_said[i].value;
    if (c == '\0')
        (*p)--;
    return UNKNOWN;
}

static int bad_escape(const char *at, struct err *e)
{
    return err_set(e, ERR_BAD_VALUE, "\"\\%.1s\" is no escape here (\\\\ is a backslash)", at);
}

/* ---- what is waited for ---- */

/* What a match may look at behind itself would make it a matter of how the text comes in pieces; and a peer could
 * make a back-reference take for ever. */
static int check_regex(const char *text, struct err *e)
{
    for (const char *p = text; (p = strchr(p, '\\')) && p[1]; p += 2)
        if (strchr("bB<>`'123456789", p[1]))
            return err_set(e, ERR_BAD_VALUE, "/%s/: \\%c is not for a dialog", text, p[1]);
    return 0;
}

enum { REGEX_MOST = 20000, DEPTH_MOST = 32 };

/* Behind a bracket expression, which begins at p. */
static const char *skip_bracket(const char *p)
{
    p += p[1] == '^' ? 2 : 1;
    for (p += *p == ']'; *p && *p != ']'; p++)
        ;
    return *p ? p : p - 1;
}

/* How often what stands before it is written out: regcomp(3) does so, and where repetitions are repeated that may
 * be more than there is memory. */
static size_t times(const char *p)
{
    size_t n = 0, most = 1;
    if (*p != '{')
        return *p == '+' ? 2 : 1;
    for (p++; *p && *p != '}'; p++) {
        n = *p >= '0' && *p <= '9' && n <= REGEX_MOST ? 10 * n + (size_t)(*p - '0') : 0;
        most = n + 1 > most ? n + 1 : most;
    }
    return most;
}

static int check_size(const char *text, struct err *e)
{
    size_t sum[DEPTH_MOST + 1] = {0}, last = 0, depth = 0;
    for (const char *p = text; *p && depth < DEPTH_MOST && sum[depth] <= REGEX_MOST; p++) {
        if (strchr("*+?{", *p)) {
            size_t more = last * (times(p) - 1);
            sum[depth] += more;
            last += more;
            p += *p == '{' ? strcspn(p, "}") - (strchr(p, '}') ? 0 : 1) : 0;
        } else if (*p == '(') {
            sum[++depth] = 0;
        } else {
            if (*p == ')' && depth > 0)
                last = sum[depth--];
            else
                last = 1;
            sum[depth] += last;
            p = *p == '[' ? skip_bracket(p) : *p == '\\' && p[1] ? p + 1 : p;
        }
    }
    size_t most = 0;
    for (size_t i = 0; i <= depth; i++)
        most += sum[i];
    return depth < DEPTH_MOST && most <= REGEX_MOST ? 0 : err_set(e, ERR_BAD_VALUE, "/%s/ is too large: repetitions of "
                                                                                "repetitions", text);
}

/* \r, \n, \t and \xNN are characters, \/ is a slash, all else is the expression's. */
static int regex_text(const char *from, size_t n, char *to, struct err *e)
{
    for (const char *p = from, *end = from + n; p < end;) {
        if (*p != '\\' || p + 1 >= end || !strchr("rntxe/", p[1])) {
            if (*p == '\\' && p + 1 < end && isalpha((unsigned char)p[1]) && !strchr("wWsSbB", p[1]))
                return bad_escape(p + 1, e);
            if (*p == '\\' && p + 1 < end)
                *to++ = *p++;
            *to++ = *p++;
            continue;
        }
        const char *at = ++p;
        int c = escape(&p, false);
        if (c >= NO_BYTE || c == 0)
            return bad_escape(at, e);
        if (strchr(".[]()*+?{}|^$\\", c))
            *to++ = '\\';
        *to++ = (char)c;
    }
    *to = '\0';
    return 0;
}

static int compile(struct pattern *p, const char *text, size_t n, struct err *e)
{
    char expression[2 * WORD_MOST + 1], why[128];
    if (n == 0)
        return err_set(e, ERR_BAD_VALUE, "// is an empty expression");
    if (regex_text(text, n, expression, e) < 0 || check_regex(expression, e) < 0 ||
        check_size(expression, e) < 0)
        return -1;
    int rc = regcomp(&p->re, expression, REG_EXTENDED | REG_NEWLINE);
    if (rc == 0 && regexec(&p->re, "", 0, NULL, REG_NOTEOL) == 0) {
        regfree(&p->re);
        return err_set(e, ERR_BAD_VALUE, "/%s/ matches nothing at all", expression);
    }
    if (rc == 0)
        return 0;
    (void)regerror(rc, &p->re, why, sizeof why);
    return err_set(e, ERR_BAD_VALUE, "/%s/: %s", expression, why);
}

static int plain_text(struct script *s, const char *from, const char *end, struct pattern *p, struct err *e)
{
    char text[WORD_MOST];
    size_t n = 0;
    while (from < end) {
        const char *at = from + 1;
        int c = *from == '\\' ? escape(&at, false) : (unsigned char)*from;
        if (c >= NO_BYTE)
            return bad_escape(from + 1, e);
        text[n++] = (char)c;
        from = *from == '\\' ? at : from + 1;
    }
    p->n = n;
    p->text = (unsigned char *)arena_strndup(&s->arena, text, n);
    return p->text ? 0 : err_nomem(e);
}

static int too_long(size_t n, struct err *e)
{
    return n < WORD_MOST ? 0 : err_set(e, ERR_BAD_VALUE, "a word of %zu bytes; up to %d are possible", n, WORD_MOST - 1);
}

static struct pattern *pattern_of(struct script *s, const char *text, size_t n, bool regex, struct err *e)
{
    struct pattern *p = arena_alloc(&s->arena, sizeof *p);
    if (!p || !(p->shown = arena_strndup(&s->arena, text, n))) {
        (void)err_nomem(e);
        return NULL;
    }
    if (too_long(n, e) < 0)
        return NULL;
    int rc = regex ? compile(p, p->shown + 1, n - 2, e) : plain_text(s, p->shown, p->shown + n, p, e);
    return rc < 0 ? NULL : p;
}

struct pattern *script_pattern(struct script *s, const char *text, bool plain, struct err *e)
{
    size_t n = strlen(text);
    bool regex = !plain && n >= 2 && text[0] == '/' && text[n - 1] == '/';
    if (!plain)
        return pattern_of(s, text, n, regex, e);
    struct pattern *p = arena_alloc(&s->arena, sizeof *p);
    if (too_long(n, e) < 0)
        return NULL;
    if (!p || !(p->shown = arena_strndup(&s->arena, text, n))) {
        (void)err_nomem(e);
        return NULL;
    }
    p->text = (const unsigned char *)p->shown;
    p->n = n;
    return p;
}

/* Only who waits may do so for nothing. */
int script_awaits(const struct step *t, struct err *e)
{
    bool nothing = t->kind != STEP_EXPECT && t->await->text && t->await->n == 0;
    return nothing ? err_set(e, ERR_BAD_VALUE, "an empty text comes always") : 0;
}

/* ---- what is said ---- */

static int add_piece(struct script *s, struct message *m, enum piece_kind kind, const char *text, size_t n,
                     struct err *e)
{
    struct piece **end = &m->first, *p = arena_alloc(&s->arena, sizeof *p);
    while (*end)
        end = &(*end)->next;
    if (!p || !(p->text = arena_strndup(&s->arena, text, n)))
        return err_nomem(e);
    p->kind = kind;
    p->n = n;
    p->secret = kind == PIECE_ENV || kind == PIECE_FILE;
    *end = p;
    return 0;
}

static int add_pause(struct script *s, struct message *m, size_t ms, struct err *e)
{
    if (add_piece(s, m, PIECE_PAUSE, "", 0, e) < 0)
        return -1;
    struct piece *p = m->first;
    while (p->next)
        p = p->next;
    p->n = ms;
    return 0;
}

/* $NAME, ${NAME}: gives what is behind it, or NULL. */
static const char *add_variable(struct script *s, struct message *m, const char *p, struct err *e)
{
    bool braces = p[1] == '{';
    const char *name = p + 1 + braces;
    size_t n = 0;
    while (isalnum((unsigned char)name[n]) || name[n] == '_')
        n++;
    if (n == 0 || isdigit((unsigned char)name[0]) || (braces && name[n] != '}')) {
        (void)err_set(e, ERR_BAD_VALUE, "\"$\" without the name of a variable (\\$ is the character)");
        return NULL;
    }
    return add_piece(s, m, PIECE_ENV, name, n, e) < 0 ? NULL : name + n + braces;
}

static int flush(struct script *s, struct message *m, const char *text, size_t *n, struct err *e)
{
    int rc = *n > 0 ? add_piece(s, m, PIECE_TEXT, text, *n, e) : 0;
    *n = 0;
    return rc;
}

static int add_escape(struct script *s, struct message *m, int what, const char *at, struct err *e)
{
    if (what == UNKNOWN)
        return bad_escape(at, e);
    if (what == NO_EOL)
        m->no_eol = true;
    return what == PAUSE_LONG || what == PAUSE_SHORT ? add_pause(s, m, what == PAUSE_LONG ? 1000 : 100, e) : 0;
}

/* variables: $ is no plain character. */
static int message_of(struct script *s, const char *from, size_t len, bool variables, struct message *m, struct err *e)
{
    char text[WORD_MOST];
    size_t n = 0;
    const char *end = from + len;
    if (too_long(len, e) < 0)
        return -1;
    if (len > 1 && from[0] == '@')
        return add_piece(s, m, PIECE_FILE, from + 1, len - 1, e);
    while (from < end) {
        const char *at = from + 1;
        int c = *from == '\\' ? escape(&at, true) : (unsigned char)*from;
        if (*from == '$' && variables) {
            if (flush(s, m, text, &n, e) < 0 || !(from = add_variable(s, m, from, e)))
                return -1;
            continue;
        }
        if (c < NO_BYTE)
            text[n++] = (char)c;
        else if (flush(s, m, text, &n, e) < 0 || add_escape(s, m, c, from + 1, e) < 0)
            return -1;
        from = *from == '\\' ? at : from + 1;
    }
    return flush(s, m, text, &n, e);
}

int script_message(struct script *s, const char *text, bool plain, struct message *out, struct err *e)
{
    size_t n = strlen(text);
    if (!plain)
        return message_of(s, text, n, true, out, e);
    return too_long(n, e) < 0 ? -1 : n == 0 ? 0 : add_piece(s, out, PIECE_TEXT, text, n, e);
}

int script_on_fail(struct script *s, const char *text, struct step *to, struct err *e)
{
    static const char send[] = "send:";
    if (strcmp(text, "fail") == 0 || strcmp(text, "pass") == 0) {
        to->on_fail = text[0] == 'p' ? FAIL_PASS : FAIL_ERROR;
        return 0;
    }
    if (strncmp(text, send, sizeof send - 1) != 0)
        return err_set(e, ERR_BAD_VALUE, "\"%s\" is none of fail, pass, send:<text>", text);
    to->on_fail = FAIL_SEND;
    return script_message(s, text + sizeof send - 1, false, &to->say, e);
}

/* ---- the words of a file ---- */

struct reader {
    const char *p, *end;
    unsigned line;
};

struct word {
    char text[WORD_MOST]; /* without quotes or slashes, escapes as they are */
    size_t n;
    char quote; /* that was around it, or '/', or 0 */
    unsigned line;
};

static void skip(struct reader *r)
{
    for (; r->p < r->end; r->p++) {
        if (*r->p == '\n')
            r->line++;
        if (*r->p == '#')
            while (r->p + 1 < r->end && r->p[1] != '\n')
                r->p++;
        else if (!isspace((unsigned char)*r->p))
            return;
    }
}

static int take(struct reader *r, struct word *w, struct err *e)
{
    if (*r->p == '\0')
        return err_set(e, ERR_BAD_VALUE, "a script is text, and has no NUL byte");
    if (w->n + 1 >= WORD_MOST)
        return too_long(WORD_MOST, e);
    r->line += *r->p == '\n';
    w->text[w->n++] = *r->p++;
    w->text[w->n] = '\0';
    return 0;
}

/* Gives 1, 0 at the end, -1. expected: a / begins an expression. */
static int next_word(struct reader *r, struct word *w, bool expected, struct err *e)
{
    skip(r);
    w->n = 0;
    w->text[0] = '\0';
    w->line = r->line;
    if (r->p >= r->end)
        return 0;
    w->quote = strchr(expected ? "'\"/" : "'\"", *r->p) ? *r->p : '\0';
    if (w->quote == '/' && take(r, w, e) < 0)
        return -1;
    if (w->quote && w->quote != '/')
        r->p++;
    while (r->p < r->end && (w->quote ? *r->p != w->quote : !isspace((unsigned char)*r->p))) {
        if (*r->p == '\\' && r->p + 1 < r->end && take(r, w, e) < 0)
            return -1;
        if (take(r, w, e) < 0)
            return -1;
    }
    if (w->quote && r->p >= r->end)
        return err_set(e, ERR_BAD_VALUE, "no %c ends what begins in line %u", w->quote, w->line);
    if (w->quote == '/' && take(r, w, e) < 0)
        return -1;
    r->p += w->quote && w->quote != '/';
    if (w->quote && r->p < r->end && !isspace((unsigned char)*r->p))
        return err_set(e, ERR_BAD_VALUE, "something follows the %c at once", w->quote);
    return 1;
}

/* ---- steps ---- */

void script_init(struct script *s)
{
    *s = (struct script){0};
    s->end = &s->first;
}

void script_fini(struct script *s)
{
    for (struct step *t = s->first; t; t = t->next)
        if (t->await && !t->await->text)
            regfree(&t->await->re);
    for (struct step *t = s->first; t; t = t->next)
        for (struct piece *p = t->say.first; p; p = p->next) /* it may be a password */
            if (p->kind == PIECE_TEXT)
                explicit_bzero(p->text, p->n);
    arena_free(&s->arena);
}

struct step *script_step(struct script *s, enum step_kind kind, struct err *e)
{
    struct step *t = arena_alloc(&s->arena, sizeof *t);
    if (!t)
        (void)err_nomem(e);
    else if (++s->nsteps > STEPS_MOST)
        (void)err_set(e, ERR_BAD_VALUE, "more than %d steps", STEPS_MOST);
    else {
        t->kind = kind;
        *s->end = t;
        s->end = &t->next;
        return t;
    }
    return NULL;
}

/* Words that are no text to wait for, and what follows them. */
enum follows { A_PATTERN = 1, A_MESSAGE = 2, A_NUMBER = 4, A_CHOICE = 8 };
static const struct keyword {
    const char *name;
    enum step_kind kind;
    int follows;
} keywords[] = {
    {"ABORT", STEP_ABORT, A_PATTERN}, {"CLR_ABORT", STEP_CLEAR, A_PATTERN}, {"WHEN", STEP_WHEN, A_PATTERN | A_MESSAGE},
    {"TIMEOUT", STEP_TIMEOUT, A_NUMBER}, {"SAY", STEP_SAY, A_MESSAGE}, {"ON-FAIL", STEP_ON_FAIL, A_CHOICE},
    {"ON_FAIL", STEP_ON_FAIL, A_CHOICE},
};
/* chat(8) has more, which would be waited for here without a word. */
static const char *const foreign[] = {"HANGUP", "REPORT", "CLR_REPORT", "ECHO"};

static const struct keyword *keyword_of(const struct word *w)
{
    for (size_t i = 0; !w->quote && i < sizeof keywords / sizeof keywords[0]; i++)
        if (strcmp(keywords[i].name, w->text) == 0)
            return &keywords[i];
    return NULL;
}

static int check_foreign(const struct word *w, struct err *e)
{
    for (size_t i = 0; !w->quote && i < sizeof foreign / sizeof foreign[0]; i++)
        if (strcmp(foreign[i], w->text) == 0)
            return err_set(e, ERR_BAD_VALUE, "%s of chat(8) is not known here; in quotes it is a text", w->text);
    return 0;
}

static int number_of(const char *text, double *out, struct err *e)
{
    char *end;
    *out = text[0] >= '0' && text[0] <= '9' ? strtod(text, &end) : -1;
    return *out >= 0 && *end == '\0' && *out <= 1e6 ? 0 : err_set(e, ERR_BAD_VALUE, "\"%s\" is no number of seconds", text);
}

/* What belongs to a step, as it comes. */
static int read_rest(struct script *s, struct reader *r, const char *of, int follows, struct step *t, struct err *e)
{
    struct word w;
    for (int one = 1; one <= A_CHOICE; one <<= 1) {
        int rc = follows & one ? next_word(r, &w, one == A_PATTERN, e) : 0;
        if (!(follows & one))
            continue;
        if (rc < 0)
            return -1;
        if (rc == 0)
            return err_set(e, ERR_BAD_VALUE, "nothing follows %s", of);
        if (one == A_PATTERN &&
            (!(t->await = pattern_of(s, w.text, w.n, w.quote == '/', e)) || script_awaits(t, e) < 0))
            return -1;
        if ((one == A_MESSAGE && message_of(s, w.text, w.n, w.quote != '\'', &t->say, e) < 0) ||
            (one == A_NUMBER && number_of(w.text, &t->seconds, e) < 0) ||
            (one == A_CHOICE && script_on_fail(s, w.text, t, e) < 0))
            return -1;
    }
    return 0;
}

static struct step *step_at(struct script *s, enum step_kind kind, unsigned line, struct err *e)
{
    struct step *t = script_step(s, kind, e);
    if (t)
        t->line = line;
    return t;
}

/* One word to be waited for, or a keyword with what follows it, then one to be said. Gives 1, 0 at the end, -1. */
static int read_pair(struct script *s, struct reader *r, struct err *e)
{
    struct word w;
    struct step *t;
    int rc = next_word(r, &w, true, e);
    if (rc <= 0)
        return rc;
    const struct keyword *k = keyword_of(&w);
    if (check_foreign(&w, e) < 0 || !(t = step_at(s, k ? k->kind : STEP_EXPECT, w.line, e)))
        return -1;
    if (k)
        return read_rest(s, r, k->name, k->follows, t, e) < 0 ? -1 : 1;
    if (!(t->await = pattern_of(s, w.text, w.n, w.quote == '/', e)))
        return -1;
    rc = next_word(r, &w, false, e);
    if (rc <= 0)
        return rc; /* the last thing may be to wait */
    t = step_at(s, STEP_SEND, w.line, e);
    return !t || message_of(s, w.text, w.n, w.quote != '\'', &t->say, e) < 0 ? -1 : 1;
}

int script_read(struct script *s, const char *name, const char *text, size_t n, struct err *e)
{
    struct reader r = {.p = text, .end = text + n, .line = 1};
    int rc;
    s->name = name;
    while ((rc = read_pair(s, &r, e)) > 0)
        ;
    return rc < 0 ? err_wrap(e, "%s, line %u", name, r.line) : 0;
}
