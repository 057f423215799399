/* SPDX-License-Identifier: GPL-2.0-or-later
 * What a plan is looked at for as a whole. Pure; each gives 0, or -1 and an error with its place. */
#ifndef CATENA_CHECKS_H
#define CATENA_CHECKS_H

#include "catena/err.h"
#include "catena/plan.h"

/* Options that concern more than their address, and all that follows here: settles what the plan has of them. */
int plan_check_options(struct plan *p, struct err *e);
/* Who wants facts, secrets, files read again; does it have peers? */
void plan_settle_facts(struct plan *p);

/* Do runs of this plan get by with what a confined process may do (--sandbox)? */
int plan_check_sandbox(const struct plan *p, struct err *e);

/* Every address of the line gets its place, from which facts are told and asked for. */
int plan_settle_places(struct plan *p, struct err *e);
/* Sessions get to know what is spoken inside of them (spoken.c). */
int plan_settle_spoken(struct plan *p, struct err *e);
/* Is there somebody for each hole who may fill it, opened before? */
int plan_check_holes(const struct plan *p, struct err *e);

/* Does it connect anybody, from anywhere, to anywhere, without being told that this is meant? */
int plan_check_open(const struct plan *p, struct err *e);

/* In a process that is not ours: does nothing of it change the process? */
int plan_check_guest(const struct plan *p, struct err *e);

/* What dialogs wait for and hear is there (check_dialogs.c). */
int plan_check_dialogs(const struct plan *p, struct err *e);
/* The session that follows on the data side of a dialog; NULL: there is none that talks the same way. */
const struct plan_link *plan_session_behind(const struct plan *p, const struct plan_link *dialog);

#endif
