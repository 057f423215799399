/* SPDX-License-Identifier: GPL-2.0-or-later
 * Two keys, the one of now and the one before it: see tls_tickets.h. */
#include "inter/tls/tls_tickets.h"

#include <openssl/rand.h>

#include <stdlib.h>
#include <string.h>

#include "inter/tls/tls_memory.h"

enum { NOW, BEFORE, NKEYS };

struct ticket_keys {
    struct tls_memory memory;
    struct ticket_key v[NKEYS];
};
struct tickets {
    int64_t life;
    struct ticket_keys *keys;
};

struct tickets *tickets_new(int64_t life)
{
    struct tickets *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->life = life;
    t->keys = tls_memory_new(sizeof *t->keys);
    if (t->keys)
        return t;
    free(t);
    return NULL;
}

void tickets_free(struct tickets *t)
{
    if (t)
        tls_memory_free(&t->keys->memory);
    free(t);
}

static bool is_younger(const struct ticket_key *k, int64_t now, int64_t age)
{
    return k->made > 0 && now - k->made < age;
}

static bool make(struct ticket_key *k, int64_t now)
{
    *k = (struct ticket_key){0};
    if (RAND_bytes(k->name, sizeof k->name) != 1 || RAND_bytes(k->cipher, sizeof k->cipher) != 1 ||
        RAND_bytes(k->mac, sizeof k->mac) != 1)
        return false;
    k->made = now;
    return true;
}

bool tickets_seal(struct tickets *t, int64_t now, struct ticket_key *out)
{
    struct ticket_key *v = t->keys->v;
    tls_memory_lock(&t->keys->memory);
    bool good = is_younger(&v[NOW], now, t->life);
    if (!good) {
        v[BEFORE] = v[NOW];
        good = make(&v[NOW], now);
    }
    *out = v[NOW];
    tls_memory_unlock(&t->keys->memory);
    return good;
}

bool tickets_open(struct tickets *t, int64_t now, const unsigned char *name, struct ticket_key *out)
{
    const struct ticket_key *v = t->keys->v;
    bool found = false;
    tls_memory_lock(&t->keys->memory);
    for (int i = 0; i < NKEYS && !found; i++) {
        found = is_younger(&v[i], now, 2 * t->life) && memcmp(v[i].name, name, TICKET_NAME) == 0;
        if (found)
            *out = v[i];
    }
    tls_memory_unlock(&t->keys->memory);
    return found;
}
