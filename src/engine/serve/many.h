/* SPDX-License-Identifier: GPL-2.0-or-later
 * A listener's many runs: each goes on in a child (fork) or in a thread of its own. */
#ifndef CATENA_MANY_H
#define CATENA_MANY_H

#include "engine/serve/brood.h"
#include "engine/serve/passage.h"

/* Both come back when there is nothing more to serve: -1 and why, or as passage_go_on() in a child. */
int many_forked(struct passage *s, int side, struct retries *t, struct brood *b, struct err *e);
int many_in_threads(struct passage *s, struct retries *t, long long max, struct err *e);

#endif
