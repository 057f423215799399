/* SPDX-License-Identifier: GPL-2.0-or-later
 * The registry: which address forms and which options are known. Const, and so thread-safe; it grows
 * by making a larger one that stands on it. */
#ifndef CATENA_REGISTRY_H
#define CATENA_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/addr.h"
#include "catena/arena.h"

struct registry;

/* A family of which only the names are there, until one of them is used. */
struct late_family {
    const char *names; /* blank-separated: all that its forms answer to */
    /* Has its forms stand in the registry's table. Any thread, any number of times. */
    int (*have)(const struct registry *r, struct err *e);
    /* Could that be, as far as can be told without loading anything? */
    int (*look)(const struct registry *r, struct err *e);
};

struct registry {
    /* Tables, each ended by a row without keyword, NULL behind the last one. */
    const struct form *const *forms;
    /* Tables, each ended by NULL, NULL behind the last one; those of form.options come on top. */
    const struct option_desc *const *const *options;
    const struct registry *base; /* what else is known, or NULL */
    const char *from; /* the module's file, NULL: the program itself */
    const struct late_family *late; /* what stands here is one, NULL: it is there */
};

/* What the program itself brings, out of endpoints.def, inters.def and options.def. */
extern const struct registry builtin_registry;

/* Gives in *out what is known when a family is added to base: its forms, and options of groups that
 * others share (each may be NULL). Fails, and says why, if a name means something already. What is
 * given has to last as long as the registry, whose memory is from a. */
int registry_add(struct arena *a, const struct registry *base, const struct form *forms,
                 const struct option_desc *const *options, const struct registry **out,
                 struct err *e);

/* The module's file that the form comes from; NULL: none, it is the program's. */
const char *registry_from(const struct registry *known, const struct form *f);
/* Iterates over all forms: start with NULL; gives NULL at the end. A late family that cannot be had has none. */
const struct form *registry_next(const struct registry *known, const struct form *after);
/* ... over those that answer to the keyword: of late families only the one that has it is loaded. */
const struct form *registry_called(const struct registry *known, const char *keyword, const struct form *after);
/* Does the keyword belong to a late family that cannot be had? Says why, then. */
bool registry_misses(const struct registry *known, const char *keyword, struct err *e);
/* Does the form answer to that keyword (canonical or alias, any case)? */
bool form_answers(const struct form *f, const char *keyword);
bool registry_known(const struct registry *known, const char *keyword);
bool form_is_inter(const struct form *f);
/* Is it one of the options that the form brings along? */
bool form_brings(const struct form *f, const struct option_desc *d);
/* Does the form take the option, for a group or because it brings it along? */
bool form_takes(const struct form *f, const struct option_desc *d);
/* The keyword nearest to a misspelt one into found; false if none is near. */
bool registry_nearest(const struct registry *known, const char *keyword, char *found, size_t cap);

/* The row called so (canonical or alias, any case), NULL if there is none. */
const struct option_desc *option_lookup(const struct registry *known, const char *name);
/* What that name means at an address of this form: a row that it brings along, else the first of all. */
const struct option_desc *option_lookup_at(const struct registry *known, const struct form *f, const char *name);
/* The option name nearest to a misspelt one into found, of what that form takes (if not NULL) rather
 * than of others; false if none is near. */
bool option_nearest(const struct registry *known, const char *name, const struct form *f,
                    char *found, size_t cap);
/* Calls f for every row, each once (unsorted). */
void option_each(const struct registry *known, void (*f)(const struct option_desc *, void *),
                 void *arg);
/* Who takes the option, with commas: its groups, or the keywords of the addresses that bring it. */
void option_owners(const struct registry *known, const struct option_desc *d, char *out,
                   size_t cap);

/* Words of a blank-separated list: calls f for each until it gives true; gives whether one did. */
bool each_word(const char *list, bool (*f)(const char *word, size_t n, void *arg), void *arg);
/* How many letters to add, drop, change or swap to get from one word to the other (any case). */
unsigned word_distance(const char *a, const char *b, size_t nb);

#endif
