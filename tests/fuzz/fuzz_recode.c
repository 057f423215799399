/* SPDX-License-Identifier: GPL-2.0-or-later
 * RECODE: the first byte chooses the sets and what is done about errors, the next two the sizes of the
 * buffers. However the input is cut, the same has to come out. */
#include "codec.h"
#include "inter/recode/opts_recode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const sets[] = {"UTF-8", "CP437", "UTF-16", "ISO-2022-JP", "GB18030", "UTF-7", "CP1255", "EUC-JISX0213"};
    static const char *const policies[] = {"fail", "replace", "skip", "replace"};
    enum { NSETS = sizeof sets / sizeof sets[0], ENOUGH = 1 << 16 };
    if (size < 4 || size > ENOUGH)
        return 0;
    const char *params[] = {sets[data[0] % NSETS], sets[data[1] / 4 % NSETS]};
    const struct opt o = {.desc = &opt_on_error, .v = {.given = true, .s = policies[data[1] % 4]}};
    const struct form *f = form_of("RECODE");
    const struct addr a = {.form = f, .params = params, .nparams = 2, .opts = &o, .nopts = 1};
    struct lane pieces, whole;
    lane_open(&pieces, f->ops.codec->encode, &a, 1 + data[2], 1 + data[3]);
    lane_open(&whole, f->ops.codec->encode, &a, ENOUGH, ENOUGH);
    int rc = run(&pieces, data + 4, size - 4);
    if (rc != run(&whole, data + 4, size - 4) || pieces.ngot != whole.ngot ||
        memcmp(pieces.got, whole.got, whole.ngot) != 0)
        abort();
    lane_close(&pieces);
    lane_close(&whole);
    return 0;
}
