/* SPDX-License-Identifier: GPL-2.0-or-later
 * A plan as data and as a picture: see plan_views.h. */
#include "engine/cli/plan_views.h"

#include <ctype.h>
#include <string.h>

#include "catena/diag.h"

void plan_view_address(const struct addr *a, FILE *f)
{
    for (const char *k = a->form->keyword; *k; k++)
        fputc(tolower((unsigned char)*k), f);
    for (size_t i = 0; i < a->nparams; i++)
        fprintf(f, ":%s", a->holes && a->holes[i] ? a->holes[i]->text : a->params[i]);
}

/* ---- texts ---- */

/* Bytes of the UTF-8 character there; 0: it is none. (RFC 3629) */
static size_t utf8(const unsigned char *s, size_t n)
{
    size_t more = s[0] < 0x80 ? 0 : s[0] < 0xc2 ? 4 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : s[0] < 0xf5 ? 3 : 4;
    if (more >= n || more == 4 || (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
        (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    for (size_t i = 1; i <= more; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return more + 1;
}

/* In quotes, as both notations take it. */
static void quoted(FILE *f, const char *s, size_t n)
{
    fputc('"', f);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        size_t whole = utf8((const unsigned char *)s + i, n - i);
        if (c == '"' || c == '\\')
            fprintf(f, "\\%c", c);
        else if (c < 0x20 || c == 0x7f || whole == 0)
            fprintf(f, "\\u%04x", c);
        else
            i += fwrite(s + i, 1, whole, f) - 1;
    }
    fputc('"', f);
}

static void quoted_address(FILE *f, const struct addr *a, const char *before)
{
    char text[2048];
    FILE *to = fmemopen(text, sizeof text, "we");
    if (!to)
        return;
    fputs(before, to);
    plan_view_address(a, to);
    fputc('\0', to);
    (void)fclose(to);
    text[sizeof text - 1] = '\0';
    quoted(f, text, strlen(text));
}

/* ---- JSON ---- */

static void json_options(const struct addr *a, FILE *f)
{
    fprintf(f, ",\"options\":{");
    for (size_t i = 0; i < a->nopts; i++) {
        const struct opt *o = &a->opts[i];
        fprintf(f, "%s\"%s\":", i ? "," : "", o->desc->name);
        if (!o->v.given)
            fprintf(f, "true");
        else if (o->desc->secret == SECRET_TEXT)
            fprintf(f, "null");
        else
            quoted(f, o->at.text + o->at.off, o->at.len);
    }
    fputc('}', f);
}

static void json_address(const struct addr *a, FILE *f)
{
    fprintf(f, "{\"address\":");
    quoted_address(f, a, "");
    json_options(a, f);
    fputc('}', f);
}

static const char *const sides[] = {[LEFT] = "left", [RIGHT] = "right"};

static void json_pair(const struct addr *fwd, const struct addr *back, FILE *f)
{
    fprintf(f, "\"forward\":");
    json_address(fwd, f);
    if (back) {
        fprintf(f, ",\"back\":");
        json_address(back, f);
    }
}

/* The engine that a link is a layer of; 0: it is none. */
static unsigned engine_of(const struct plan *p, const struct plan_link *l)
{
    for (size_t i = 0; i < p->nitems; i++)
        if (p->items[i].link == l && p->items[i].kind == ITEM_STATION)
            return p->items[i].engine;
    return 0;
}

static void json_link(const struct plan *p, const struct plan_link *l, FILE *f)
{
    static const char *const fates[] = {
        [FATE_NOTHING] = "nothing", [FATE_DIALOG] = "dialog", [FATE_ENGINE] = "engine", [FATE_PROGRAM] = "program"};
    unsigned engine = engine_of(p, l);
    fprintf(f, ",{\"kind\":\"link\",\"chain\":\"%s\",\"reversed\":%s,\"wire\":\"%s\",\"becomes\":\"%s\",", sides[l->chain],
            l->reversed ? "true" : "false", sides[l->wire], fates[l->fate]);
    if (engine)
        fprintf(f, "\"engine\":%u,", engine);
    json_pair(l->fwd, l->back, f);
    fputc('}', f);
}

static void json_end(const struct plan *p, int side, FILE *f)
{
    fprintf(f, "{\"kind\":\"endpoint\",\"chain\":\"%s\",", sides[side]);
    json_pair(p->end[side].fwd, p->end[side].back, f);
    fputc('}', f);
}

/* As the log shows it. */
static void json_message(const struct err *e, FILE *f)
{
    struct err seen = *e;
    const char *code = err_code_name(err_code_of(e));
    diag_mask(&seen);
    fprintf(f, "{\"code\":");
    if (code)
        quoted(f, code, strlen(code));
    else
        fputs("null", f);
    fprintf(f, ",\"text\":");
    quoted(f, seen.text, strlen(seen.text));
    if (seen.where.text) {
        fprintf(f, ",\"argument\":");
        quoted(f, seen.where.text, strlen(seen.where.text));
        fprintf(f, ",\"offset\":%zu,\"length\":%zu", seen.where.off, seen.where.len);
    }
    fputc('}', f);
}

static void json_notes(const struct plan *p, FILE *f)
{
    const char *comma = "";
    for (const struct plan_note *n = p->notes; n; n = n->next) {
        if (n->level > DIAG_WARN)
            continue;
        fputs(comma, f);
        json_message(&n->what, f);
        comma = ",";
    }
}

void plan_json_error(const struct err *e, FILE *f)
{
    fprintf(f, "{\"error\":");
    json_message(e, f);
    fprintf(f, "}\n");
}

static void json_plan(const struct plan *p, FILE *f)
{
    fprintf(f, "{\"to_right\":%s,\"to_left\":%s,\"engines\":%u,\"line\":[", p->settings->to_right ? "true" : "false",
            p->settings->to_left ? "true" : "false", p->nengines);
    json_end(p, LEFT, f);
    for (size_t i = 0; i < p->nlinks; i++)
        json_link(p, &p->links[i], f);
    fputc(',', f);
    json_end(p, RIGHT, f);
    fprintf(f, "],\"missing\":[");
    for (const struct plan_note *n = p->missing; n; n = n->next) {
        fputs(n == p->missing ? "" : ",", f);
        quoted(f, n->what.text, strlen(n->what.text));
    }
    fprintf(f, "],\"warnings\":[");
    json_notes(p, f);
    fputc(']', f);
    if (p->trunk) { /* what is behind its right end, for all connections */
        fprintf(f, ",\"shared\":");
        json_plan(p->trunk, f);
    }
    fputc('}', f);
}

void plan_json(const struct plan *p, FILE *f)
{
    json_plan(p, f);
    fputc('\n', f);
}

/* ---- a picture ---- */

static void dot_link(const struct plan *p, size_t i, size_t number, FILE *f)
{
    const struct plan_link *l = &p->links[i];
    unsigned engine = engine_of(p, l);
    fprintf(f, "  n%zu [label=", number);
    quoted_address(f, l->fwd, l->reversed ? "^" : "");
    if (l->back) {
        fprintf(f, ", xlabel=");
        quoted_address(f, l->back, "back: ");
    }
    fprintf(f, ", style=\"%s\"", l->fate == FATE_NOTHING || l->fate == FATE_DIALOG ? "dashed" : "solid");
    if (engine)
        fprintf(f, ", group=e%zu, tooltip=\"engine %u\"", number - i - 1 + engine, engine);
    fprintf(f, "];\n");
}

static void dot_end(const struct plan *p, int side, size_t number, FILE *f)
{
    fprintf(f, "  n%zu [shape=ellipse, label=", number);
    quoted_address(f, p->end[side].fwd, "");
    if (p->end[side].back) {
        fprintf(f, ", xlabel=");
        quoted_address(f, p->end[side].back, "read: ");
    }
    fprintf(f, "];\n");
}

/* Its numbers begin there. What it shares follows. */
static void dot_line(const struct plan *p, size_t from, FILE *f)
{
    const struct settings *s = p->settings;
    dot_end(p, LEFT, from, f);
    for (size_t i = 0; i < p->nlinks; i++)
        dot_link(p, i, from + i + 1, f);
    dot_end(p, RIGHT, from + p->nlinks + 1, f);
    for (size_t i = from; i <= from + p->nlinks; i++)
        fprintf(f, "  n%zu -> n%zu [dir=%s];\n", i, i + 1,
                s->to_right && s->to_left ? "both" : s->to_right ? "forward" : "back");
    if (!p->trunk)
        return;
    size_t next = from + p->nlinks + 2;
    dot_line(p->trunk, next, f);
    fprintf(f, "  n%zu -> n%zu [dir=both, style=dotted, label=\"shared\"];\n", next - 1, next);
}

void plan_dot(const struct plan *p, FILE *f)
{
    fprintf(f, "digraph line {\n  rankdir=LR;\n  node [shape=box];\n");
    dot_line(p, 0, f);
    fprintf(f, "}\n");
}
