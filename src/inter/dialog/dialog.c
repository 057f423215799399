/* SPDX-License-Identifier: GPL-2.0-or-later
 * DIALOG: says and waits for what a script has, or options, before bytes pass: modems, menus, logins. */
#include <stdlib.h>
#include <string.h>

#include "catena/file_text.h"
#include "catena/inter.h"
#include "catena/options.h"
#include "inter/dialog/opts_dialog.h"
#include "inter/dialog/talk.h"

static const double TIMEOUT_S = 30;

/* ---- line ends ---- */

static const struct eol {
    const char *name, *text;
} eols[] = {{"cr", "\r"}, {"lf", "\n"}, {"crlf", "\r\n"}, {"none", ""}};
enum { NEOLS = sizeof eols / sizeof eols[0] };

/* NULL: it is none. */
static const char *eol_of(const struct addr *a)
{
    const char *name = opt_string(a, &opt_say_end, eols[0].name);
    for (int i = 0; i < NEOLS; i++)
        if (strcmp(eols[i].name, name) == 0)
            return eols[i].text;
    return NULL;
}

/* ---- options as steps ---- */

/* What facts have filled is a text as it is: nothing a peer said is parsed. */
static bool is_plain(const struct opt *o)
{
    return o->hole || o->desc->secret == SECRET_ENV;
}

static int from_expect(struct script *s, const struct opt *o, enum step_kind kind, struct err *e)
{
    struct step *t = script_step(s, kind, e);
    if (!t || !(t->await = script_pattern(s, o->v.s ? o->v.s : "", is_plain(o), e)))
        return -1;
    return o->hole ? 0 : script_awaits(t, e);
}

static int from_send(struct script *s, const struct opt *o, struct err *e)
{
    struct step *t = script_step(s, STEP_SEND, e);
    const char *text = o->v.s ? o->v.s : "";
    if (!t)
        return -1;
    if (o->desc->secret != SECRET_FILE && script_message(s, text, is_plain(o), &t->say, e) < 0)
        return -1;
    if (o->desc->secret == SECRET_FILE) {
        struct piece *p = arena_alloc(&s->arena, sizeof *p);
        if (!p || !(p->text = arena_strndup(&s->arena, text, strlen(text))))
            return err_nomem(e);
        p->kind = PIECE_FILE;
        t->say.first = p;
    }
    for (struct piece *p = t->say.first; p; p = p->next)
        p->secret = true;
    return 0;
}

static int from_on_fail(struct script *s, const struct opt *o, struct err *e)
{
    struct step *t = script_step(s, STEP_ON_FAIL, e);
    return t ? script_on_fail(s, o->v.s ? o->v.s : "", t, e) : -1;
}

/* Those that hold for all of it come before the script, what is said and waited for behind. */
static int from_option(struct script *s, const struct opt *o, bool before, struct err *e)
{
    if (option_is(o->desc, &opt_abort))
        return before ? from_expect(s, o, STEP_ABORT, e) : 0;
    if (option_is(o->desc, &opt_on_fail))
        return before ? from_on_fail(s, o, e) : 0;
    if (option_is(o->desc, &opt_await))
        return before ? 0 : from_expect(s, o, STEP_EXPECT, e);
    if (option_is(o->desc, &opt_send))
        return before ? 0 : from_send(s, o, e);
    return 0;
}

static int from_options(struct script *s, const struct addr *a, bool before, struct err *e)
{
    for (size_t i = 0; i < a->nopts; i++)
        if (from_option(s, &a->opts[i], before, e) < 0) {
            (void)err_wrap(e, "%s", a->opts[i].desc->name);
            e->where = a->opts[i].at;
            return -1;
        }
    return 0;
}

/* r NULL: a dry run. */
static int make_script(struct script *s, const struct addr *a, bool with_file, struct run *r, struct err *e)
{
    char *text;
    size_t n;
    script_init(s);
    if (from_options(s, a, true, e) < 0)
        return -1;
    if (with_file && a->nparams > 0) {
        if (file_text("script", a->params[0], SCRIPT_MOST, r, &text, &n, e) < 0)
            return err_points_at(e, a->param_at[0]);
        int rc = script_read(s, a->params[0], text, n, e);
        explicit_bzero(text, n);
        free(text);
        if (rc == 0 && s->nsteps == 0 && (r || n > 0))
            rc = err_set(e, ERR_USAGE, "script \"%s\" says nothing and waits for nothing", a->params[0]);
        if (rc < 0)
            return err_points_at(e, a->param_at[0]);
    }
    return from_options(s, a, false, e);
}

static int try_script(const struct addr *a, bool with_file, struct err *e)
{
    struct script s;
    int rc = make_script(&s, a, with_file, NULL, e);
    script_fini(&s);
    return rc;
}

static int dialog_check(const struct addr *a, struct err *e)
{
    if (!eol_of(a))
        return err_at(e, opt_find(a, &opt_say_end)->at, "line-end \"%s\" is none of cr, lf, crlf, none",
                      opt_string(a, &opt_say_end, ""));
    if (a->nparams == 0 && !opt_find(a, &opt_await) && !opt_find(a, &opt_send))
        return err_at(e, a->at, "what is to be said? dialog:<script file>, or expect=<text> and send=<text>");
    return try_script(a, false, e);
}

static int dialog_foresee(const struct addr *a, struct err *e)
{
    return try_script(a, true, e);
}

static int dialog_learn(void *st, const struct addr *a, struct run *r, struct wire *w, struct err *e)
{
    struct script s;
    const struct talk_how how = {.eol = eol_of(a), .timeout = opt_time(a, &opt_timeout, TIMEOUT_S),
                                 .whole = opt_find(a, &opt_handshake_timeout) != NULL};
    (void)st;
    int rc = make_script(&s, a, true, r, e);
    rc = rc == 0 ? talk(&s, &how, w, e) : rc;
    script_fini(&s);
    return rc;
}

static const struct negotiator_ops dialog_ops = {.learn = dialog_learn};

extern const struct form forms_dialog[];
const struct form forms_dialog[] = {
    {
        .keyword = "DIALOG",
        .params = "[:<script>]",
        .max_params = 1,
        .left = CTX_RWB,
        .right = RIGHT_BOTH,
        .groups = GROUP_CHILD | GROUP_RETRY,
        .options = options_dialog,
        .help = "talks to its right side first, by a script: modems, menus, logins",
        .check = dialog_check,
        .foresee = dialog_foresee,
        .kind = FORM_NEGOTIATOR,
        .ops.negotiator = &dialog_ops,
    },
    {0},
};
