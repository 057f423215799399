/* SPDX-License-Identifier: GPL-2.0-or-later
 * Replies of protocols that speak in lines: see lines.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inter/starttls/lines.h"

enum { REPLY_BYTES = 65536, LITERAL_MOST = 8192 };

static bool begins(const char *line, const char *with)
{
    return strncasecmp(line, with, strlen(with)) == 0;
}

/* RFC 5321, RFC 959: "250-first", then anything, until "250 last". */
enum verdict judge_code(const struct reply *r, const char *line, const char *want)
{
    const char *first = r->nlines > 0 ? (const char *)buf_data(&r->text) : line;
    for (int i = 0; i < 3; i++)
        if (!isdigit((unsigned char)first[i]))
            return BAD;
    if (strncmp(line, first, 3) != 0 || (line[3] != ' ' && line[3] != '\0'))
        return r->nlines > 0 || line[3] == '-' ? MORE : BAD;
    return begins(line, want) ? GOOD : BAD;
}

/* IMAP: "* anything" until the tagged line; a greeting is such a line itself. */
enum verdict judge_tagged(const struct reply *r, const char *line, const char *want)
{
    (void)r;
    if (begins(line, want) && (line[strlen(want)] == ' ' || line[strlen(want)] == '\0'))
        return GOOD;
    return *want != '*' && begins(line, "* ") && !begins(line, "* BYE") ? MORE : BAD;
}

enum verdict judge_word(const struct reply *r, const char *line, const char *want)
{
    (void)r;
    return begins(line, want) ? GOOD : BAD;
}

/* RFC 5804: capabilities are strings, which begin with a quote or are literals. */
enum verdict judge_sieve(const struct reply *r, const char *line, const char *want)
{
    if (r->inside || *line == '"' || *line == '{')
        return MORE;
    return begins(line, want) ? GOOD : BAD;
}

/* ":server 670 nick :text"; what a server notes while somebody comes in passes. */
enum verdict judge_irc(const struct reply *r, const char *line, const char *want)
{
    const char *word = *line == ':' ? strchr(line, ' ') : line;
    (void)r;
    word = word ? word + strspn(word, " ") : "";
    if (begins(word, want))
        return GOOD;
    return begins(word, "NOTICE") || begins(word, "020") ? MORE : BAD;
}

/* How many bytes follow the line as a part of it: "{5}" or "{5+}" at its end; -1: none. */
static long literal_of(const char *line)
{
    const char *open = strrchr(line, '{');
    char *end;
    if (!open || !isdigit((unsigned char)open[1]))
        return -1;
    long n = strtol(open + 1, &end, 10);
    end += *end == '+';
    return strcmp(end, "}") == 0 ? n : -1;
}

static int keep(struct reply *r, const void *data, size_t n, struct err *e)
{
    if (r->text.len + n > REPLY_BYTES)
        return err_set(e, ERR_PROTOCOL, "the peer's reply has more than %d bytes", REPLY_BYTES);
    if (r->text.cap - r->text.len < n + 1 && buf_grow(&r->text, 2 * (r->text.len + n) + 1) < 0)
        return err_nomem(e);
    buf_put(&r->text, data, n);
    return 0;
}

static int keep_literal(struct wire *w, struct reply *r, struct err *e)
{
    char piece[LITERAL_MOST];
    long n = literal_of(r->last);
    r->inside = n >= 0;
    if (n > LITERAL_MOST)
        return err_set(e, ERR_PROTOCOL, "the peer's reply has a text of %ld bytes; at most %d are possible", n, LITERAL_MOST);
    return n <= 0 ? 0 : wire_read(w, piece, (size_t)n, e) < 0 ? -1 : keep(r, piece, (size_t)n, e);
}

/* What is a line's end to some is none to others, so that a line could hide another one; and terminals obey the rest.
 * On IRC that is how texts are coloured. */
static int check_line(const char *line, bool coloured, struct err *e)
{
    for (const char *c = line; *c; c++)
        if (*c == '\r' || (!coloured && ((unsigned char)*c < ' ' || *c == 0x7f) && *c != '\t'))
            return err_set(e, ERR_PROTOCOL, "the peer's reply has a control character in its text (0x%02x)", (unsigned char)*c);
    return 0;
}

int reply_read(struct wire *w, judge *is, const char *want, struct reply *r, enum verdict *v, struct err *e)
{
    *r = (struct reply){0};
    for (*v = MORE; *v == MORE; r->nlines++) {
        if (r->nlines == REPLY_LINES)
            return err_set(e, ERR_PROTOCOL, "the peer's reply has more than %d lines", REPLY_LINES);
        if (wire_read_line(w, r->last, sizeof r->last, e) < 0)
            return -1;
        if (check_line(r->last, is == judge_irc, e) < 0)
            return -1;
        *v = is(r, r->last, want);
        if (keep(r, r->last, strlen(r->last), e) < 0 || keep(r, "\r\n", 2, e) < 0 ||
            (*v == MORE && is == judge_sieve && keep_literal(w, r, e) < 0))
            return -1;
    }
    return 0;
}

void reply_fini(struct reply *r)
{
    buf_fini(&r->text);
}

bool reply_has_word(const struct reply *r, const char *word)
{
    const char *p = (const char *)buf_data(&r->text), *end = p + r->text.len, *nl;
    size_t n = strlen(word);
    for (; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
        const char *at = p + (*p == '"' ? 1 : 4);
        if (at + n < nl && strncasecmp(at, word, n) == 0 && strchr(" \"\r", at[n]))
            return true;
    }
    return false;
}

static size_t skipped(const char *p, const char *end)
{
    static const char *const words[] = {" STARTTLS", " LOGINDISABLED"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(end - p) > n && strncasecmp(p, words[i], n) == 0 && (p[n] == ' ' || p[n] == ']'))
            return n;
    }
    return 0;
}

void greeting_without_tls(struct buf *text)
{
    char *p = (char *)buf_data(text), *to = p, *end = p + text->len;
    bool inside = false;
    while (p < end) {
        inside = *p == '[' || (inside && *p != ']');
        size_t n = inside ? skipped(p, end) : 0;
        if (n > 0)
            p += n;
        else
            *to++ = *p++;
    }
    text->len -= (size_t)(end - to);
}
