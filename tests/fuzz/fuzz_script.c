/* SPDX-License-Identifier: GPL-2.0-or-later
 * Scripts of dialogs and what a peer says to them: the input is a script, a NUL, and the peer's text. Whatever comes
 * of it, it is the same when the text comes byte by byte: what is said, how it ends, what is given back. */
#include "dialog.h"
#include "inter/dialog/talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MOST = 3000, SAID_MOST = 1 << 18 };

struct ear {
    const uint8_t *text;
    size_t left, piece, nsaid;
    uint8_t said[SAID_MOST];
};

static int fill(struct wire *w, int *eof, struct err *e)
{
    struct ear *p = w->carrier;
    size_t n = p->left < p->piece ? p->left : p->piece;
    (void)e;
    n = buf_put(&w->in, p->text, n);
    p->text += n;
    p->left -= n;
    *eof = n == 0;
    return 0;
}

static int hear(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct ear *p = w->carrier;
    if (n > SAID_MOST - p->nsaid)
        return err_set(e, ERR_OTHER, "too much is said");
    memcpy(p->said + p->nsaid, data, n);
    p->nsaid += n;
    return 0;
}

/* What waits, opens files or shows something is for other tests. */
static bool is_quiet(const struct script *s)
{
    for (const struct step *t = s->first; t; t = t->next) {
        if (t->kind == STEP_SAY || (t->kind == STEP_ON_FAIL && t->on_fail == FAIL_PASS))
            return false;
        for (const struct piece *p = t->say.first; p; p = p->next)
            if (p->kind == PIECE_PAUSE || p->kind == PIECE_FILE)
                return false;
    }
    return true;
}

/* Gives how much is left of the text; *kind: how it ended. */
static size_t play(const struct script *s, struct ear *p, const uint8_t *text, size_t n, size_t piece,
                   enum err_kind *kind)
{
    static const struct wire_ops ops = {.fill = fill, .write = hear};
    static const struct talk_how how = {.eol = "\r", .timeout = 60};
    struct err e = {.kind = ERR_NONE};
    struct run run;
    struct wire w;
    p->text = text;
    p->left = n;
    p->piece = piece;
    p->nsaid = 0;
    if (run_init(&run, &dialog_settings, NULL, -1, &e) < 0 || wire_init(&w, &ops, p, &run, -1, &e) < 0)
        abort();
    int rc = talk(s, &how, &w, &e);
    if (rc < 0 && (e.kind == ERR_NONE || e.text[0] == '\0'))
        abort();
    *kind = rc < 0 ? e.kind : ERR_NONE;
    size_t rest = w.in.len + p->left;
    wire_fini(&w);
    run_fini(&run);
    return rest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char variable[] = "WHO=joe";
    static char *environment[] = {variable, NULL};
    static struct ear whole, bytes;
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    if (!end)
        return 0;
    const uint8_t *text = end + 1;
    size_t n = size - (size_t)(text - data);
    if (n > TEXT_MOST)
        return 0;
    home.environment = environment;
    struct script s;
    struct err e = {.kind = ERR_NONE};
    enum err_kind one, other;
    script_init(&s);
    int rc = script_read(&s, "script", (const char *)data, (size_t)(end - data), &e);
    if (rc < 0 && (e.kind == ERR_NONE || e.text[0] == '\0'))
        abort();
    if (rc == 0 && is_quiet(&s)) {
        size_t rest = play(&s, &whole, text, n, n + 1, &one);
        size_t left = play(&s, &bytes, text, n, 1, &other);
        if (one != other || whole.nsaid != bytes.nsaid || memcmp(whole.said, bytes.said, whole.nsaid) != 0 ||
            (one == ERR_NONE && rest != left))
            abort();
    }
    script_fini(&s);
    return 0;
}
