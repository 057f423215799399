/* SPDX-License-Identifier: GPL-2.0-or-later
 * BASE64 and HEX: the first byte chooses which, with which options. */
#include "codec.h"
#include "inter/text/opts_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const paddings[] = {"optional", "none", "strict", "optional"};
    if (size < 3)
        return 0;
    bool hex = data[0] & 1;
    const struct form *f = form_of(hex ? "HEX" : "BASE64");
    const struct opt base64_options[] = {
        {.desc = &opt_line_length, .v = {.given = true, .i = data[0] & 2 ? 1 + data[1] % 80 : 0}},
        {.desc = &opt_padding, .v = {.given = true, .s = paddings[data[0] >> 2 & 3]}},
        {.desc = &opt_url, .v = {.given = true, .i = data[0] >> 4 & 1}},
    };
    const struct opt hex_options[] = {
        base64_options[0],
        {.desc = &opt_separator, .v = {.given = true, .s = data[0] & 4 ? ":" : ""}},
        {.desc = &opt_case, .v = {.given = true, .s = data[0] & 8 ? "upper" : "lower"}},
    };
    const struct addr a = {.form = f, .opts = hex ? hex_options : base64_options, .nopts = 3};
    if (!hex && (data[0] >> 2 & 3) == 2) { /* strict refuses what a pause leaves: the padding before the end */
        struct lane l;
        lane_open(&l, f->ops.codec->decode, &a, 1 + data[1], 1 + data[2]);
        (void)run(&l, data + 3, size - 3);
        lane_close(&l);
        return 0;
    }
    there_and_back(f->ops.codec, &a, &a, 1 + data[1], 1 + data[2], data + 3, size - 3);
    return 0;
}
