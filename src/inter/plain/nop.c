/* SPDX-License-Identifier: GPL-2.0-or-later
 * NOP: passes everything on as it is. */
#include "catena/inter.h"

static const struct codec_pair nop_pair = {.passes = true};

extern const struct form forms_nop[];
const struct form forms_nop[] = {
    {
        .keyword = "NOP",
        .left = CTX_RWB,
        .right = RIGHT_MIRROR,
        .help = "passes the stream on unchanged",
        .kind = FORM_CODEC,
        .ops.codec = &nop_pair,
    },
    {0},
};
