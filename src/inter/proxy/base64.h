/* SPDX-License-Identifier: GPL-2.0-or-later
 * Base64 (RFC 4648, padded), as HTTP's credentials have it. */
#ifndef CATENA_INTER_PROXY_BASE64_H
#define CATENA_INTER_PROXY_BASE64_H

#include <stddef.h>

#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1) /* with the NUL */
extern const char base64_digits[]; /* all that may be in it */
void base64(char *to, const char *from, size_t n); /* NUL-terminated */

#endif
