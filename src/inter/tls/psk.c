/* SPDX-License-Identifier: GPL-2.0-or-later
 * Pre-shared keys in text: see psk.h. */
#include "inter/tls/psk.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

static int read_key(struct psk *k, const char *hex, size_t n, struct err *e)
{
    if (n % 2 != 0 || n / 2 > PSK_MOST)
        return err_set(e, ERR_TLS_FILE, "a key has two hexadecimal digits for each byte, up to %d of them", PSK_MOST);
    for (size_t i = 0; i < n; i += 2) {
        int high = digit(hex[i]), low = digit(hex[i + 1]);
        if (high < 0 || low < 0)
            return err_set(e, ERR_TLS_FILE, "a key is written in hexadecimal digits");
        k->key[k->n++] = (unsigned char)(high << 4 | low);
    }
    return k->n < PSK_LEAST ? err_set(e, ERR_TLS_FILE, "a key of %zu bytes can be guessed; %d are the least (\"openssl "
                                                    "rand -hex 32\" makes one)", k->n, PSK_LEAST)
                            : 0;
}

/* Names may have colons, keys do not. */
static int read_one(struct psk *k, const char *text, size_t n, struct err *e)
{
    const char *colon = memrchr(text, ':', n);
    size_t nname = colon ? (size_t)(colon - text) : 0;
    if (nname == 0 || nname > PSK_NAME_MAX)
        return err_set(e, ERR_TLS_FILE, "<identity>:<key in hexadecimal digits> is needed, the identity of up to %d bytes",
                       PSK_NAME_MAX);
    memcpy(k->name, text, nname);
    return read_key(k, colon + 1, n - nname - 1, e);
}

static int add(struct psks *p, const char *text, size_t n, struct err *e)
{
    struct psk one = {.n = 0}, *v = NULL;
    int rc = read_one(&one, text, n, e);
    if (rc == 0 && psk_find(p, one.name))
        rc = err_set(e, ERR_TLS_FILE, "there is a key \"%s\" already", one.name);
    if (rc == 0 && !(v = calloc(p->n + 1, sizeof *v)))
        rc = err_nomem(e);
    if (v) { /* no realloc(), which leaves keys behind */
        if (p->n > 0)
            memcpy(v, p->v, p->n * sizeof *v);
        v[p->n] = one;
        size_t count = p->n + 1;
        psk_free(p);
        *p = (struct psks){v, count};
    }
    explicit_bzero(&one, sizeof one);
    return rc;
}

int psk_add(struct psks *p, const char *text, struct err *e)
{
    return add(p, text, strlen(text), e);
}

int psk_add_lines(struct psks *p, const char *text, struct err *e)
{
    int number = 1;
    for (const char *line = text, *end; *line; line = *end ? end + 1 : end, number++) {
        end = strchrnul(line, '\n');
        size_t n = (size_t)(end - line);
        while (n > 0 && strchr(" \t\r", line[n - 1]))
            n--;
        if (n > 0 && line[0] != '#' && add(p, line, n, e) < 0)
            return err_wrap(e, "line %d", number);
    }
    return 0;
}

const struct psk *psk_find(const struct psks *p, const char *name)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->v[i].name, name) == 0)
            return &p->v[i];
    return NULL;
}

void psk_free(struct psks *p)
{
    if (p->v)
        explicit_bzero(p->v, p->n * sizeof *p->v);
    free(p->v);
    *p = (struct psks){0};
}
