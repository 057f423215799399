/* SPDX-License-Identifier: GPL-2.0-or-later
 * The version for whatever is only a test, so that a commit has no tests linked anew. */
#include "catena/version.h"

const char catena_version[] = "0.0.0";
