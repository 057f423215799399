/* SPDX-License-Identifier: GPL-2.0-or-later
 * The gzip codecs: the first two bytes choose the sizes of the buffers, the rest is once a stream
 * to expand, and once data that has to survive compressing and expanding. */
#include "codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct addr none;
    if (size < 2)
        return 0;
    there_and_back(form_of("GZIP")->ops.codec, &none, &none, 1 + data[0] * 16U, 1 + data[1] * 16U, data + 2, size - 2);
    return 0;
}
