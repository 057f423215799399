/* SPDX-License-Identifier: GPL-2.0-or-later
 * Base64: see base64.h. */
#include "inter/proxy/base64.h"

const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

void base64(char *to, const char *from, size_t n)
{
    for (size_t i = 0; i < n; i += 3) {
        unsigned long bits = 0;
        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < n ? (unsigned char)from[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            *to++ = i + j <= n ? base64_digits[bits >> (18 - 6 * j) & 63] : '=';
    }
    *to = '\0';
}
