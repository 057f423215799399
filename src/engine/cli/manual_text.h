/* SPDX-License-Identifier: GPL-2.0-or-later
 * What the manual says, as plain text: made of man/ by tools/manual_text.awk when the program is built. */
#ifndef CATENA_MANUAL_TEXT_H
#define CATENA_MANUAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum manual_kind { MANUAL_ADDRESS = 'a', MANUAL_OPTION = 'o', MANUAL_SWITCH = 's', MANUAL_TOPIC = 't', MANUAL_CODE = 'c' };

struct manual_entry {
    char kind;         /* enum manual_kind, or another kind of list */
    const char *names; /* each with a blank in front and behind; of a topic: its title in small letters */
    const char *head;  /* as the manual writes them, with parameters */
    const char *text;  /* lines */
};
/* Ended by one without names. */
extern const struct manual_entry manual_text[];

/* How long the first word of its names is: what a topic is asked for by, and listed as. */
size_t manual_first_word(const struct manual_entry *m);

/* Is that entry about the name, in any case? Of a topic the first word of its title will do. */
bool manual_is_about(const struct manual_entry *m, enum manual_kind kind, const char *name);

#endif
