/* SPDX-License-Identifier: GPL-2.0-or-later
 * Joints: what neighbouring stations are connected by, and the programs that stand between two. */
#ifndef CATENA_JOINT_H
#define CATENA_JOINT_H

#include "engine/open/line.h"

/* Connects outer (its inner side) with inner (its side `side`); inner NULL: with a port for the
 * opening code. Gives a port for each that is an engine, in ports[0] (outer) and ports[1]; programs
 * keep their descriptors in station.ends. */
int joint_make(struct line *l, struct station *outer, struct station *inner, int side,
               struct port *ports[2], struct err *e);
/* Connects the inner side of one that looks to `side`, whatever it is, with a port of descriptors. */
int joint_face(struct station *s, int side, struct port **out, struct err *e);
/* Starts the program(s) of a station whose both sides are joined. */
int joint_spawn(struct line *l, struct station *s, struct err *e);
/* Do the two (NULL: a plain engine) hand each other blocks? Engines of ours do unless -c wants other
 * descriptors than ptys, which have no use there and forget what was written when they close. */
bool joint_in_memory(const struct plan *p, const struct plan_link *left,
                     const struct plan_link *right);
/* If not: what kind of descriptors joins the two (NULL: an engine), as -n tells it. */
int joint_type(const struct plan *p, const struct plan_link *left, const struct plan_link *right,
               enum comm_type *type, struct err *e);

#endif
