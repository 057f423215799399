/* SPDX-License-Identifier: GPL-2.0-or-later
 * Dialogs that are held while the line is being opened: over what the cursor has reached, in one go or in
 * two halves. */
#ifndef CATENA_DIALOG_H
#define CATENA_DIALOG_H

#include "engine/open/line.h"

/* Holds it over that side's cursor. One that answers for the rest of the line waits (line.waiting) if the
 * other end is not open by now. */
int dialog_hold(struct line *l, int side, size_t item, struct err *e);
/* The right end listens: the one that waits may say where. */
int dialog_meanwhile(struct line *l, struct err *e);
/* The rest stands: the one that waits, if there is one, answers. */
int dialog_answer(struct line *l, struct err *e);
/* The session that the cursor has reached has shaken hands, or the line ends: what was handed on comes
 * before what it gives. */
int dialog_hand_on(struct line *l, int side, struct err *e);
/* It has to hear what is on its data side, too. */
bool dialog_talks_beyond(const struct plan_item *item);
/* What was learnt or handed on at that side is not wanted any more. */
void dialog_drop(struct line *l, int side);

/* line.c: if the cursor has reached a program, it gets descriptors and becomes a port. */
int line_face_program(struct line *l, int side, struct err *e);
/* Whatever the cursor has reached, it is a port of descriptors then. */
int line_face_descriptors(struct line *l, int side, struct err *e);
/* Do packets that come from that address go all the way to that side's end, and back? As far as what is open by now
 * and the plan of the rest say. */
bool line_carries_records(const struct line *l, int side, const struct plan_link *from);

#endif
