/* SPDX-License-Identifier: GPL-2.0-or-later
 * Showing a block of data: see catena/sink.h; and the names of raw dumps: see dump.h. */
#include "engine/relay/dump.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "catena/catena.h"
#include "catena/diag.h"
#include "catena/facts.h"
#include "catena/plan.h"
#include "catena/run.h"
#include "catena/sink.h"

struct page { /* gathers output so that a block is few writes */
    struct sink *to;
    char data[16384];
    size_t n;
};

static void flush(struct page *s)
{
    sink_write(s->to, s->data, s->n);
    s->n = 0;
}

static void put(struct page *s, const char *p, size_t n)
{
    if (s->n + n > sizeof s->data)
        flush(s);
    memcpy(s->data + s->n, p, n);
    s->n += n;
}

static void put_hex(struct page *s, unsigned char c)
{
    static const char digits[] = "0123456789abcdef";
    const char t[3] = {' ', digits[c >> 4], digits[c & 15]};
    put(s, t, 3);
}

static void put_text(struct page *s, unsigned char c)
{
    static const char codes[] = "\a\b\v\f\r\\", letters[] = "abvfr\\";
    const char *code = c ? strchr(codes, c) : NULL;
    if (code) {
        const char escaped[2] = {'\\', letters[code - codes]};
        put(s, escaped, 2);
    } else if (c == '\n' || c == '\t' || (c >= 0x20 && c < 0x7f)) {
        put(s, (const char *)&c, 1);
    } else {
        put(s, ".", 1);
    }
}

/* It stays within its line. */
static void put_label(struct page *s, unsigned char c)
{
    if (c == '\n')
        put(s, "\\n", 2);
    else if (c == '\t')
        put(s, "\\t", 2);
    else if (c < 0x80) /* names may be in any language */
        put_text(s, c);
    else
        put(s, (const char *)&c, 1);
}

static void both(struct page *s, const unsigned char *p, size_t n)
{
    while (n > 0) {
        size_t k = 0;
        while (k < n && k < 16 && (k == 0 || p[k - 1] != '\n'))
            k++;
        for (size_t i = 0; i < k; i++)
            put_hex(s, p[i]);
        for (size_t i = k; i < 16; i++)
            put(s, "   ", 3);
        put(s, "  ", 2);
        for (size_t i = 0; i < k; i++)
            put(s, p[i] >= 0x20 && p[i] < 0x7f ? (const char *)&p[i] : ".", 1);
        put(s, "\n", 1);
        p += k;
        n -= k;
    }
    put(s, "--\n", 3);
}

static void put_labels(struct page *s, const char *label)
{
    for (const char *c = label; c && *c; c++)
        put_label(s, (unsigned char)*c);
    if (label)
        put(s, "  ", 2);
}

/* Of several connections: which one. Version 1 does not say. No run: the sink is closed. */
static const char *connection_of(const struct run *r)
{
    return !r || r->settings->v1_name ? NULL : atomic_load(&r->peer.name);
}

static void header(struct page *s, const struct dump *d, size_t n)
{
    struct timeval now = {0};
    struct tm tm = {0};
    char date[32], line[160];
    gettimeofday(&now, NULL);
    localtime_r(&now.tv_sec, &tm);
    (void)strftime(date, sizeof date, "%Y/%m/%d %H:%M:%S", &tm);
    int len = snprintf(line, sizeof line, "%c %s.%06ld  ", d->direction, date, (long)now.tv_usec);
    put(s, line, (size_t)len);
    put_labels(s, connection_of(d->sink.run));
    put_labels(s, d->label);
    len = snprintf(line, sizeof line, "length=%zu from=%llu to=%llu\n", n, d->offset, d->offset + n - 1);
    put(s, line, (size_t)len);
}

void dump_block(struct dump *d, const unsigned char *p, size_t n)
{
    struct page s;
    if (d->format == DUMP_RAW) {
        sink_write(&d->sink, p, n);
        return;
    }
    s.to = &d->sink;
    s.n = 0;
    header(&s, d, n);
    if (d->format == DUMP_BOTH) {
        both(&s, p, n);
    } else if (d->format == DUMP_HEX) {
        for (size_t i = 0; i < n; i++)
            put_hex(&s, p[i]);
        put(&s, "\n", 1);
    } else {
        for (size_t i = 0; i < n; i++)
            put_text(&s, p[i]);
    }
    flush(&s);
    d->offset += n;
}

/* ---- names of raw dumps ---- */

/* What a peer said of itself names no other directory. */
static char *in_one_directory(char *fact)
{
    for (char *c = fact; (c = strchr(c, '/'));)
        *c = '_';
    if (fact[0] == '.')
        fact[0] = '_';
    return fact;
}

static void variable(struct run *r, const char *name, char *out, size_t cap)
{
    const char *prefix = r->settings->env_prefix;
    size_t n = strlen(prefix);
    struct timeval now = {0};
    struct tm tm = {0};
    out[0] = '\0';
    gettimeofday(&now, NULL);
    if (strcmp(name, "PROGNAME") == 0) {
        (void)snprintf(out, cap, "%s", diag_prog());
    } else if (strcmp(name, "TIMESTAMP") == 0) {
        localtime_r(&now.tv_sec, &tm);
        (void)strftime(out, cap, "%Y%m%dT%H%M%S", &tm);
    } else if (strcmp(name, "MICROS") == 0) {
        (void)snprintf(out, cap, "%06ld", (long)now.tv_usec);
    } else {
        char *fact = strncmp(name, prefix, n) == 0 && name[n] == '_'
                         ? run_get_fact(r, name + n + 1)
                         : NULL;
        const char *value = fact ? in_one_directory(fact) : catena_variable(r->settings->catena, name);
        (void)snprintf(out, cap, "%s", value ? value : "");
        free(fact);
    }
}

static size_t name_length(const char *s)
{
    size_t n = 0;
    while (isalnum((unsigned char)s[n]) || s[n] == '_')
        n++;
    return n;
}

/* {name}: what is not to stand there is an error. */
static int fill(struct run *r, const struct fact_desc *f, char *out, size_t cap, struct err *e)
{
    struct arena mem = {NULL};
    struct saying said;
    int rc = run_knows(r, r->plan->seam, f, &mem, &said)
                 ? fact_check(f, &said, IN_NAME, e)
                 : err_set(e, ERR_UNFIT, "nobody has said what {%s} is", f->name);
    if (rc == 0)
        (void)snprintf(out, cap, "%s", said.value);
    arena_free(&mem);
    return rc < 0 ? err_wrap(e, "the name of the raw dump") : 0;
}

int dump_file_name(struct run *r, const char *pattern, char *out, size_t cap, struct err *e)
{
    size_t o = 0;
    for (const char *s = pattern; *s;) {
        char value[1024] = {*s, '\0'}, name[128];
        const struct fact_desc *fact = NULL;
        bool holes = r->plan && !r->plan->no_holes, is_text = holes && *s == '\\' && hole_at(s + 1, &fact) > 0;
        size_t hole = holes ? hole_at(s, &fact) : 0;
        size_t braced = s[0] == '$' && s[1] == '{', n = *s == '$' ? name_length(s + 1 + braced) : 0;
        if (hole > 0) {
            if (fill(r, fact, value, sizeof value, e) < 0)
                return -1;
            s += hole;
        } else if (is_text || (s[0] == '\\' && s[1] == '$')) {
            value[0] = s[1];
            s += 2;
        } else if (s[0] == '$' && s[1] == '$') {
            (void)snprintf(value, sizeof value, "%ld", (long)getpid());
            s += 2;
        } else if (n > 0 && n < sizeof name && (!braced || s[2 + n] == '}')) {
            memcpy(name, s + 1 + braced, n);
            name[n] = '\0';
            variable(r, name, value, sizeof value);
            s += 1 + n + 2 * braced;
        } else {
            s++;
        }
        size_t len = strlen(value);
        if (o + len >= cap)
            return err_set(e, ERR_USAGE, "the name of the raw dump \"%s\" is too long", pattern);
        memcpy(out + o, value, len);
        o += len;
    }
    out[o] = '\0';
    return 0;
}
