/* SPDX-License-Identifier: GPL-2.0-or-later
 * The process's own variables; for the text of arguments see engine/plan/secret.h. */
#ifndef CATENA_SECRET_ENVIRONMENT_H
#define CATENA_SECRET_ENVIRONMENT_H

#include "catena/plan.h"

/* Takes the variables that secrets came from out of the environment, so that programs do not have
 * them. */
void secret_hide_environment(const struct plan *p);

#endif
