/* SPDX-License-Identifier: GPL-2.0-or-later
 * The texts of a meter: see reading.h. */
#include "inter/meter/reading.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catena/amount.h"

struct text {
    char *p;
    size_t n;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(t->p + t->n, READING_MAX - t->n, fmt, ap);
    va_end(ap);
    if (n > 0)
        t->n = t->n + (size_t)n < READING_MAX ? t->n + (size_t)n : READING_MAX - 1;
}

static void add_bytes(struct text *t, double n)
{
    char room[AMOUNT_MAX];
    add(t, "%s", amount_text(n, room));
}

static void add_clock(struct text *t, double seconds)
{
    unsigned long long s = seconds < 1e9 ? (unsigned long long)(seconds + 0.5) : 1000000000;
    add(t, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
}

static double per_second(uint64_t bytes, double seconds)
{
    return seconds > 0 ? (double)bytes / seconds : 0;
}

static double rate(const struct reading *r, const struct reading_flow *f)
{
    return per_second(f->bytes - f->before, r->lately);
}

static double average(const struct reading *r, const struct reading_flow *f)
{
    return per_second(f->bytes, r->seconds);
}

/* Seconds that it will still take; < 0 nobody knows. */
static double left(const struct reading *r, const struct reading_flow *f)
{
    double a = average(r, f);
    return f->size == 0 || r->end || a <= 0 ? -1 : f->bytes >= f->size ? 0 : (double)(f->size - f->bytes) / a;
}

static double part(const struct reading_flow *f)
{
    return (double)f->bytes / (double)f->size;
}

/* It is 100 when all has passed, and more when that is more than was expected. */
static unsigned long long percent(const struct reading_flow *f)
{
    double p = 100 * part(f);
    return p < 1e15 ? (unsigned long long)p : 1000000000000000;
}

static bool two_ways(const struct reading *r)
{
    return r->flow[0].is && r->flow[1].is;
}

/* ---- line ---- */

static void line_flow(struct text *t, const struct reading *r, int i)
{
    const struct reading_flow *f = &r->flow[i];
    add_bytes(t, (double)f->bytes);
    if (two_ways(r))
        add(t, i == 0 ? " to the right" : " to the left");
    if (!r->end) {
        add(t, ", ");
        add_bytes(t, rate(r, f));
        add(t, "/s");
    }
    if (r->seconds > 0) {
        add(t, ", average ");
        add_bytes(t, average(r, f));
        add(t, "/s");
    }
    if (f->size > 0)
        add(t, ", %llu %%", percent(f));
    if (left(r, f) >= 0) {
        add(t, ", ");
        add_clock(t, left(r, f));
        add(t, " left");
    }
}

size_t reading_line(const struct reading *r, char out[READING_MAX])
{
    struct text t = {out, 0};
    add(&t, "%s%s%s: %.1f s, ", r->peer ? r->peer : "", r->peer ? ": " : "", r->label, r->seconds);
    for (int i = 0; i < 2; i++) {
        if (i == 1 && two_ways(r))
            add(&t, "; ");
        if (r->flow[i].is)
            line_flow(&t, r, i);
    }
    return t.n;
}

/* ---- JSON ---- */

static void add_string(struct text *t, const char *name, const char *s)
{
    add(t, "\"%s\":\"", name);
    for (size_t n = 0; *s && n < 200; s++, n++) {
        unsigned char c = (unsigned char)*s;
        if (c == '"' || c == '\\')
            add(t, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            add(t, "\\u%04x", c);
        else
            add(t, "%c", c);
    }
    add(t, "\"");
}

static void json_flow(struct text *t, const struct reading *r, const struct reading_flow *f)
{
    add(t, "{\"bytes\":%llu,\"rate\":%.0f,\"average\":%.0f", (unsigned long long)f->bytes, rate(r, f), average(r, f));
    if (f->size > 0)
        add(t, ",\"size\":%llu", (unsigned long long)f->size);
    if (left(r, f) >= 0)
        add(t, ",\"left\":%.0f", left(r, f));
    add(t, "}");
}

size_t reading_json(const struct reading *r, char out[READING_MAX])
{
    static const char *const names[] = {"to_right", "to_left"};
    struct text t = {out, 0};
    add(&t, "{");
    add_string(&t, "link", r->label);
    if (r->peer) {
        add(&t, ",");
        add_string(&t, "peer", r->peer);
    }
    add(&t, ",\"seconds\":%.3f,\"end\":%s", r->seconds, r->end ? "true" : "false");
    for (int i = 0; i < 2; i++)
        if (r->flow[i].is) {
            add(&t, ",\"%s\":", names[i]);
            json_flow(&t, r, &r->flow[i]);
        }
    add(&t, "}");
    return t.n;
}

/* ---- bar ---- */

static void figures(struct text *t, const struct reading *r)
{
    for (int i = 0; i < 2; i++) {
        const struct reading_flow *f = &r->flow[i];
        if (!f->is)
            continue;
        if (two_ways(r))
            add(t, "%c ", i == 0 ? '>' : '<');
        add_bytes(t, (double)f->bytes);
        add(t, " [");
        add_bytes(t, r->end ? average(r, f) : rate(r, f));
        add(t, "/s] ");
    }
    add_clock(t, r->seconds);
}

size_t reading_bar(const struct reading *r, size_t columns, char out[READING_MAX])
{
    char tail[READING_MAX];
    struct text t = {out, 0}, u = {tail, 0};
    const struct reading_flow *f = r->flow[0].is && r->flow[0].size > 0 ? &r->flow[0] : &r->flow[1];
    bool known = f->is && f->size > 0;
    columns = columns < READING_MAX - 1 ? columns : READING_MAX - 1;
    figures(&t, r);
    if (known)
        add(&u, "] %3llu %%", percent(f));
    if (known && left(r, f) >= 0) {
        add(&u, " ETA ");
        add_clock(&u, left(r, f));
    }
    size_t room = t.n + 2 + u.n < columns ? columns - t.n - 2 - u.n : 0;
    if (known && room > 3) {
        size_t done = f->bytes < f->size ? (size_t)((double)room * part(f)) : room;
        add(&t, " [");
        for (size_t i = 0; i < room; i++)
            add(&t, "%c", i < done ? '=' : i == done ? '>' : ' ');
    }
    if (known)
        add(&t, "%s", room > 3 ? tail : tail + 1);
    return t.n < columns ? t.n : columns;
}

/* ---- sizes ---- */

bool reading_size(const char *text, uint64_t *out)
{
    static const char units[] = "kmgt";
    char *end;
    errno = 0;
    double n = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end | 0x20) : NULL;
    if (end == text || !(n > 0) || strpbrk(text, "xXpPnN") || (*end && (!unit || end[1] != '\0')))
        return false;
    for (const char *u = units; unit && u <= unit; u++)
        n *= 1024;
    if (n < 1 || n >= 9e18)
        return false;
    *out = (uint64_t)n;
    return true;
}
