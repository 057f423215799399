/* SPDX-License-Identifier: GPL-2.0-or-later
 * Lines of pre-shared keys, read a second time here: what was taken is what stands there, written again and read
 * again it is the same, and no message has a key in it. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inter/tls/psk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool good)
{
    if (!good)
        abort();
}

static char *written(const struct psks *p)
{
    char *text = calloc(p->n + 1, PSK_NAME_MAX + 2 * PSK_MOST + 3), *at = text;
    check(text != NULL);
    for (size_t i = 0; i < p->n; i++) {
        at += sprintf(at, "%s:", p->v[i].name);
        for (size_t k = 0; k < p->v[i].n; k++)
            at += sprintf(at, "%02X", p->v[i].key[k]);
        *at++ = '\n';
    }
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct psks p = {0}, again = {0};
    struct err e = {0};
    char *text = calloc(1, size + 1);
    check(text != NULL);
    memcpy(text, data, size);
    int rc = psk_add_lines(&p, text, &e);
    check(rc == 0 || (rc == -1 && e.text[0]));
    for (size_t i = 0; i < p.n; i++) {
        check(p.v[i].name[0] && p.v[i].n >= PSK_LEAST && p.v[i].n <= PSK_MOST);
        check(psk_find(&p, p.v[i].name) == &p.v[i] && strstr(text, p.v[i].name));
    }
    char *out = written(&p);
    if (!strstr(out, "#")) { /* a name may begin like a comment only behind another character */
        check(psk_add_lines(&again, out, &e) == 0 && again.n == p.n);
        for (size_t i = 0; i < p.n; i++)
            check(again.v[i].n == p.v[i].n && memcmp(again.v[i].key, p.v[i].key, p.v[i].n) == 0);
    }
    free(out);
    free(text);
    psk_free(&again);
    psk_free(&p);
    return 0;
}
