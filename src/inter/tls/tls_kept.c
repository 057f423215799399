/* SPDX-License-Identifier: GPL-2.0-or-later
 * A table of sessions in memory of several processes: see tls_kept.h. */
#include "inter/tls/tls_kept.h"

#include <stdint.h>
#include <string.h>

#include "inter/tls/tls_memory.h"

enum { PLACES = 64 };

struct place {
    uint64_t turn;   /* of its coming; 0: free */
    size_t n;
    char key[KEPT_KEY_MAX];
    unsigned char bytes[KEPT_MAX];
};
struct kept {
    struct tls_memory memory;
    uint64_t turn;
    size_t used; /* places that ever were: those behind them are not touched */
    struct place places[PLACES];
};

struct kept *kept_new(void)
{
    return tls_memory_new(sizeof(struct kept));
}

void kept_free(struct kept *k)
{
    tls_memory_free(k ? &k->memory : NULL);
}

static struct place *oldest(struct kept *k)
{
    struct place *found = NULL;
    for (struct place *p = k->places; p < k->places + k->used; p++)
        if (!found || p->turn < found->turn)
            found = p;
    return found && (found->turn == 0 || k->used == PLACES) ? found : &k->places[k->used++];
}

void kept_put(struct kept *k, const char *key, const unsigned char *bytes, size_t n)
{
    if (n == 0 || n > KEPT_MAX || strlen(key) >= KEPT_KEY_MAX)
        return;
    tls_memory_lock(&k->memory);
    struct place *p = oldest(k);
    p->turn = ++k->turn;
    p->n = n;
    strcpy(p->key, key);
    memcpy(p->bytes, bytes, n);
    tls_memory_unlock(&k->memory);
}

static struct place *youngest(struct kept *k, const char *key)
{
    struct place *found = NULL;
    for (struct place *p = k->places; p < k->places + k->used; p++)
        if (p->turn > 0 && (!found || p->turn > found->turn) && strcmp(p->key, key) == 0)
            found = p;
    return found;
}

size_t kept_take(struct kept *k, const char *key, unsigned char bytes[KEPT_MAX])
{
    size_t n = 0;
    tls_memory_lock(&k->memory);
    struct place *p = youngest(k, key);
    if (p) {
        n = p->n;
        memcpy(bytes, p->bytes, n);
        explicit_bzero(p->bytes, n);
        p->turn = 0;
    }
    tls_memory_unlock(&k->memory);
    return n;
}
