/* SPDX-License-Identifier: GPL-2.0-or-later
 * What may stand where a shell asks, out of the tables: catena --complete <word so far>. */
#ifndef CATENA_COMPLETE_H
#define CATENA_COMPLETE_H

#include <stdio.h>

struct registry;

/* Writes a line for each way to go on: the whole word, then behind a TAB what it is. A line that begins with a TAB
 * says what else may follow: "files", "hosts", "interfaces" or "users", behind another TAB the part of the word in
 * front of it. */
void complete_word(FILE *f, const struct registry *known, const char *word);

#endif
