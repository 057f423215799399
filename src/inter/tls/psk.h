/* SPDX-License-Identifier: GPL-2.0-or-later
 * Pre-shared keys by name, as a file or an option has them. */
#ifndef CATENA_INTER_PSK_H
#define CATENA_INTER_PSK_H

#include <stddef.h>

#include "catena/err.h"

enum { PSK_NAME_MAX = 255, PSK_LEAST = 16, PSK_MOST = 256 }; /* bytes */

struct psk {
    char name[PSK_NAME_MAX + 1];
    unsigned char key[PSK_MOST];
    size_t n;
};
struct psks {
    struct psk *v;
    size_t n;
};

/* "name:key", the key in hexadecimal digits; messages do not show it. */
int psk_add(struct psks *p, const char *text, struct err *e);
/* Lines of that, with empty ones and comments (#) between them. */
int psk_add_lines(struct psks *p, const char *text, struct err *e);
const struct psk *psk_find(const struct psks *p, const char *name); /* NULL: there is none */
void psk_free(struct psks *p);

#endif
