/* SPDX-License-Identifier: GPL-2.0-or-later
 * All address forms, made from endpoints.def and inters.def. Const: thread-safe. */
#ifndef CATENA_REGISTRY_H
#define CATENA_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>

#include "catena/addr.h"

/* The tables, each ended by a row without keyword; NULL behind the last one. */
extern const struct form *const form_tables[];
/* Iterates over all forms: start with NULL; gives NULL at the end. */
const struct form *registry_next(const struct form *after);
/* Does the form answer to that keyword (canonical or alias, any case)? */
bool form_answers(const struct form *f, const char *keyword);
bool registry_known(const char *keyword);
bool form_is_inter(const struct form *f);
/* The keyword nearest to a misspelt one into found; false if none is near. */
bool registry_nearest(const char *keyword, char *found, size_t cap);

/* Words of a blank-separated list: calls f for each until it gives true; gives whether one did. */
bool each_word(const char *list, bool (*f)(const char *word, size_t n, void *arg), void *arg);
/* How many letters to add, drop, change or swap to get from one word to the other (any case). */
unsigned word_distance(const char *a, const char *b, size_t nb);

#endif
