/* SPDX-License-Identifier: GPL-2.0-or-later
 * From an argument to a chain: its possible readings (reading.c), and binding one sub-address of the
 * syntax tree: form, context, options (bind.c). Used by plan.c only. */
#ifndef CATENA_BIND_H
#define CATENA_BIND_H

#include "catena/plan.h"
#include "catena/registry.h"
#include "catena/spec.h"

/* One argument, bound in one of its readings. */
struct chain {
    struct plan_link *links; /* in the order typed */
    size_t nlinks;
    struct plan_end end;
    struct plan_note *notes;
    struct plan_name *names;
};

/* What an argument can mean, the reading that counts first; another one is taken where the line as
 * a whole forbids that. */
struct readings {
    struct chain of[2];
    size_t n;
};

/* Gives at least one reading, or -1 and what is wrong with the chain. */
int read_argument(struct plan *p, int chain, struct readings *out, struct err *e);

/* What --progress stands for: a meter in front of the right chain. */
int read_progress(struct plan *p, struct plan_link *l, struct err *e);

/* What messages call that chain. */
const char *chain_called(const struct settings *s, int chain);
/* Does every piece name an address that can stand there, with as many parameters? */
bool chain_in_place(const struct registry *known, const struct chain_spec *c);

/* An option that its address does not hold, on its way to one further right that does. */
struct stray {
    const struct opt_spec *spec;
    const struct form *form; /* of the address it stood at */
    const char *label;
    size_t link;
};

struct binder {
    struct plan *plan;
    struct chain *out;
    int chain;    /* LEFT or RIGHT */
    bool chained; /* the argument has inter addresses or a dual */
    size_t link;  /* number of the piece in its chain, from 1 */
    bool last;    /* it is the endpoint */
    struct stray *strays; /* room for all options of the chain */
    size_t nstrays;
};

enum ctx ctx_mirror(enum ctx c);

/* An inter address used in context left (lane: as one half of a dual). */
int bind_inter(struct binder *b, const struct single_spec *s, enum ctx left, bool lane,
               const struct addr **out, struct err *e);
/* An endpoint used in that context. A compound gives its inter addresses too, left to right. */
enum { INTERS_MAX = 3 };
_Static_assert(MADE_PARTS == INTERS_MAX + 1, "inter addresses and their endpoint");
/* The form of that keyword with so many parameters, or NULL. */
const struct form *bind_find_form(const struct registry *known, const char *keyword, bool inter, size_t nparams);
/* Those of a compound that says itself what it is made of. */
int bind_made(const struct binder *b, const struct addr *whole, enum ctx left, const struct addr *inter[INTERS_MAX],
              size_t *ninter, const struct addr **out, struct err *e);
/* With its parameters and options it may be another form. */
void bind_become(struct addr *a);
void bind_settle_varies(struct addr *a);
int bind_endpoint(struct binder *b, const struct single_spec *s, enum ctx left, const struct addr *inter[INTERS_MAX],
                  size_t *ninter, const struct addr **out, struct err *e);
/* What is given to the address that it has become (bind_options.c): the holes of its parameters, whose samples go
 * into params, and its options. */
int bind_holes(const struct binder *b, const struct single_spec *s, struct addr *a, const char **params,
               struct err *e);
int bind_options(struct binder *b, const struct single_spec *s, struct addr *a, struct err *e);
/* Options whose names are to be looked up before the run. */
int bind_names(const struct binder *b, const char *label, struct opt *opts, size_t n, struct err *e);
/* The chain is complete: an option that nobody holds is an error. */
int bind_finish(const struct binder *b, struct err *e);

/* Puts a note behind the others. */
int note_add(struct arena *a, struct plan_note **list, enum diag_level level, enum err_kind code, struct span where,
             const char *fmt, ...) __attribute__((format(printf, 6, 7)));

#endif
