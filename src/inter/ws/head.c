/* SPDX-License-Identifier: GPL-2.0-or-later
 * Heads of HTTP: see head.h. */
#include "inter/ws/head.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- reading ---- */

/* Behind the empty line, or 0. */
static size_t end_of(const char *p, size_t n, size_t from)
{
    for (size_t i = from; i < n; i++) {
        if (p[i] != '\n')
            continue;
        if (i + 1 < n && p[i + 1] == '\n')
            return i + 2;
        if (i + 2 < n && p[i + 1] == '\r' && p[i + 2] == '\n')
            return i + 3;
    }
    return 0;
}

static int is_none(struct err *e, const char *why)
{
    return err_set(e, ERR_PROTOCOL, "the peer does not speak HTTP/1.1: %s", why);
}

/* Ends the line at p and gives the next one; NULL: there is a character that may not be in it. */
static char *cut_line(char *p, const char *end)
{
    char *nl = memchr(p, '\n', (size_t)(end - p));
    char *last = nl > p && nl[-1] == '\r' ? nl - 1 : nl;
    for (const char *c = p; c < last; c++)
        if (*c == '\0' || *c == '\r' || (iscntrl((unsigned char)*c) && *c != '\t'))
            return NULL;
    *last = '\0';
    return nl + 1;
}

static int add_field(struct head *h, char *line, struct err *e)
{
    char *colon = strchr(line, ':');
    if (!colon || !is_token(line, (size_t)(colon - line)))
        return is_none(e, "a line of its head has no name");
    if (h->nfields == FIELDS_MAX)
        return is_none(e, "its head has too many fields");
    *colon = '\0';
    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t n = strlen(value);
    while (n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'))
        value[--n] = '\0';
    h->field[h->nfields++] = (struct field){line, value};
    return 0;
}

static int parse(struct head *h, struct err *e)
{
    char *p = (char *)buf_data(&h->text), *end = p + h->text.len;
    h->line = p;
    if (!(p = cut_line(p, end)))
        return is_none(e, "control characters in its first line");
    for (char *line = p; (p = cut_line(line, end)) && *line; line = p)
        if (add_field(h, line, e) < 0)
            return -1;
    return p ? 1 : is_none(e, "control characters in its head");
}

int head_take(struct head *h, struct buf *in, bool *too_large, struct err *e)
{
    *too_large = false;
    if (!h->text.p && buf_init(&h->text, HEAD_MAX) < 0)
        return err_nomem(e);
    size_t had = h->text.len, n = in->len > 0 ? buf_put(&h->text, buf_data(in), in->len) : 0;
    size_t end = end_of((const char *)buf_data(&h->text), h->text.len, had > 2 ? had - 3 : 0);
    if (end > 0) {
        buf_consume(in, end - had);
        h->text.len = end;
        return parse(h, e);
    }
    buf_consume(in, n);
    if (h->text.len < HEAD_MAX)
        return 0;
    *too_large = true;
    return err_set(e, ERR_PROTOCOL, "the head of what the peer has sent has more than %d bytes", HEAD_MAX);
}

void head_fini(struct head *h)
{
    buf_fini(&h->text);
    h->nfields = 0;
}

/* ---- asking ---- */

const char *head_field(const struct head *h, const char *name, size_t *n)
{
    const char *value = NULL;
    *n = 0;
    for (size_t i = 0; i < h->nfields; i++)
        if (strcasecmp(h->field[i].name, name) == 0) {
            value = value ? value : h->field[i].value;
            ++*n;
        }
    return value;
}

size_t list_next(const char **p, const char **element)
{
    *p += strspn(*p, ", \t");
    *element = *p;
    bool quoted = false;
    for (; **p && (quoted || **p != ','); ++*p)
        quoted ^= **p == '"';
    size_t n = (size_t)(*p - *element);
    while (n > 0 && ((*element)[n - 1] == ' ' || (*element)[n - 1] == '\t'))
        n--;
    return n;
}

bool head_has_word(const struct head *h, const char *name, const char *word)
{
    for (size_t i = 0; i < h->nfields; i++) {
        const char *p = h->field[i].value, *at;
        if (strcasecmp(h->field[i].name, name) != 0)
            continue;
        for (size_t n; (n = list_next(&p, &at)) > 0;)
            if (n == strlen(word) && strncasecmp(at, word, n) == 0)
                return true;
    }
    return false;
}

bool is_token(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] >= 0x80 || !(isalnum((unsigned char)s[i]) || strchr("!#$%&'*+-.^_`|~", s[i])) || !s[i])
            return false;
    return n > 0;
}
