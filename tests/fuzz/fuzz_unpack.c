/* SPDX-License-Identifier: GPL-2.0-or-later
 * The other compressing codecs, as fuzz_gunzip.c does: the first byte chooses the format. */
#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"ZSTD", "LZ4", "BROTLI", "ZLIB", "DEFLATE"};
    if (size < 3)
        return 0;
    const char *name = formats[data[0] % (sizeof formats / sizeof formats[0])];
    const struct form *f = form_of(name);
    const struct addr a = {.form = f};
    there_and_back(f->ops.codec, &a, &a, 1 + data[1] * 16U, 1 + data[2] * 16U, data + 3, size - 3);
    return 0;
}
