/* SPDX-License-Identifier: GPL-2.0-or-later
 * NOP: passes everything on as it is. */
#include "catena/inter.h"

static const struct codec_pair nop_pair = {.passes = true};

extern const struct form forms_nop[];
const struct form forms_nop[] = {
    CODEC_FORM("NOP", NULL, NULL, nop_pair, "passes the stream on unchanged"),
    {0},
};
