/* SPDX-License-Identifier: GPL-2.0-or-later
 * Help on one screen: what there is, by name, and how to ask for more. */
#include <string.h>

#include "catena/registry.h"
#include "engine/cli/cmdline.h"
#include "engine/cli/help.h"
#include "engine/cli/manual_text.h"

enum { WIDTH = 79, MARGIN = 4 };

/* The switches that everybody needs; the rest have -hh. */
static const char *const everyday[] = {"-n", "--explain", "-v", "-x", "-u", "-U", "-t", "-T", "--statistics", "--progress", "-V"};

static void switches(FILE *f)
{
    for (size_t i = 0; i < sizeof everyday / sizeof everyday[0]; i++)
        for (const struct cmdline_switch *s = cmdline_switches; s->name; s++)
            if (strcmp(s->name, everyday[i]) == 0)
                fprintf(f, "  %s%-*s %s\n", s->name, (int)(14 - strlen(s->name)), s->value ? s->value : "", s->help);
    fprintf(f, "  %-14s %s\n", "-d -d", "tell what is going on (warnings, notices; up to four)");
}

struct words {
    FILE *f;
    size_t column;
};

static void word(struct words *w, const char *text, size_t n)
{
    if (w->column > MARGIN && w->column + 1 + n > WIDTH) {
        fputc('\n', w->f);
        w->column = 0;
    }
    w->column += (size_t)fprintf(w->f, "%*s%.*s", w->column == 0 ? MARGIN : 1, "", (int)n, text);
}

static size_t stem(const char *keyword) { return strcspn(keyword, "-"); }

const char *help_plain(const struct registry *known, const char *keyword)
{
    char plain[64];
    size_t n = stem(keyword);
    if (n < 2 || n >= sizeof plain || !strchr("46", keyword[n - 1]))
        return NULL;
    (void)snprintf(plain, sizeof plain, "%.*s%s", (int)n - 1, keyword, keyword + n);
    const struct form *f = registry_next(known, NULL);
    while (f && strcmp(f->keyword, plain) != 0) /* as an alias it may be the same: SOCKS of SOCKS4 */
        f = registry_next(known, f);
    return f ? f->keyword : NULL;
}

static bool came_before(const struct registry *known, const struct form *f, bool inter)
{
    for (const struct form *one = registry_next(known, NULL); one != f; one = registry_next(known, one))
        if (form_is_inter(one) == inter && strcmp(one->keyword, f->keyword) == 0)
            return true;
    return false;
}

/* One word each, and those that begin alike as one: UDP-CONNECT,LISTEN. */
static void addresses(FILE *f, const struct registry *known, bool inter)
{
    struct words w = {f, 0};
    char text[160] = "";
    for (const struct form *a = registry_next(known, NULL); a; a = registry_next(known, a)) {
        if (form_is_inter(a) != inter || help_plain(known, a->keyword) || came_before(known, a, inter))
            continue;
        size_t n = stem(a->keyword), have = strlen(text);
        bool alike = a->keyword[n] && strncmp(text, a->keyword, n + 1) == 0;
        if (alike && have + strlen(a->keyword) - n < sizeof text) {
            (void)snprintf(text + have, sizeof text - have, ",%s", a->keyword + n + 1);
            continue;
        }
        if (have > 0)
            word(&w, text, have);
        (void)snprintf(text, sizeof text, "%s", a->keyword);
    }
    word(&w, text, strlen(text));
    fputc('\n', f);
}

static bool begin_alike(const struct manual_entry *a, const struct manual_entry *b)
{
    return manual_first_word(a) == manual_first_word(b) && strncmp(a->names, b->names, manual_first_word(a)) == 0;
}

/* The sections of the manual, by the first word of their titles, of which some occur more than once. */
static void topics(FILE *f)
{
    struct words w = {f, 0};
    for (const struct manual_entry *m = manual_text; m->names; m++) {
        const struct manual_entry *first = manual_text;
        if (m->kind != (char)MANUAL_TOPIC)
            continue;
        while (first->kind != (char)MANUAL_TOPIC || !begin_alike(first, m))
            first++;
        if (first == m)
            word(&w, m->names, manual_first_word(m));
    }
    fputc('\n', f);
}

/* Those that were asked for; a family of ours is in a file of its own, too, but that is nobody's business here. */
static void modules(FILE *f, const struct registry *known)
{
    for (const struct registry *r = known; r; r = r->base) {
        if (!r->from || r->late)
            continue;
        fprintf(f, "from %s\n   ", r->from);
        for (const struct form *const *t = r->forms; *t; t++)
            for (const struct form *a = *t; a->keyword; a++)
                fprintf(f, " %s", a->keyword);
        fputc('\n', f);
    }
}

void help_screen(FILE *f, const struct registry *known)
{
    fprintf(f, "catena joins two chains of addresses and relays between them.\n\n"
               "  catena [switches] <chain> <chain>\n"
               "  chain:   inter-address | ... | endpoint-address     (in quotes, for the shell)\n"
               "  address: keyword:parameter:...,option=value,...     (- is stdin and stdout)\n\n"
               "  catena - 'openssl,cafile=ca.pem|proxy:host:443|tcp:proxy:8080'\n"
               "  catena tcp-listen:8080,thread tcp:localhost:80\n\nswitches\n");
    switches(f);
    fprintf(f, "inter addresses\n");
    addresses(f, known, true);
    fprintf(f, "endpoint addresses\n");
    addresses(f, known, false);
    modules(f, known);
    fprintf(f, "topics of -h\n");
    topics(f);
    fprintf(f, "more\n"
               "  -h tcp-listen, -h cafile, -h -t, -h peeraddr   about one thing\n"
               "  -hh, -hhh                                      everything, in lines\n"
               "  man catena, catena-addresses, catena-options, catena-cookbook, catena-faq\n");
}
