/* SPDX-License-Identifier: GPL-2.0-or-later
 * See names.h. Two threads ask, those of the lease and of the resolver: hence the lock. */
#include "xiorun/names.h"

#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MANY = 131070, BUCKETS = 1 << 15, NAME_MAX_ = 255 };

static const uint8_t prefix6[8] = {0xfd, 0x63, 0x61, 0x74, 0x65, 0x6e, 0x61, 0x00};

struct entry {
    char *name;
    uint32_t next; /* in its bucket; 0 none */
};

struct names {
    pthread_mutex_t lock;
    uint32_t last; /* given out */
    uint32_t bucket[BUCKETS];
    struct entry entry[MANY + 1]; /* 0 is none */
};

struct names *names_new(void)
{
    struct names *n = calloc(1, sizeof *n);
    if (n)
        (void)pthread_mutex_init(&n->lock, NULL);
    return n;
}

void names_free(struct names *n)
{
    for (uint32_t i = 1; n && i <= MANY; i++)
        free(n->entry[i].name);
    free(n);
}

/* ---- by name ---- */

static uint32_t bucket_of(const char *name)
{
    uint32_t h = 2166136261U;
    for (; *name; name++)
        h = (h ^ (uint32_t)tolower((unsigned char)*name)) * 16777619U;
    return h % BUCKETS;
}

static uint32_t find(const struct names *n, const char *name)
{
    uint32_t i = n->bucket[bucket_of(name)];
    while (i && strcasecmp(n->entry[i].name, name) != 0)
        i = n->entry[i].next;
    return i;
}

static void forget(struct names *n, uint32_t i)
{
    uint32_t *at = &n->bucket[bucket_of(n->entry[i].name)];
    while (*at != i)
        at = &n->entry[*at].next;
    *at = n->entry[i].next;
    free(n->entry[i].name);
    n->entry[i].name = NULL;
}

static uint32_t add(struct names *n, const char *name)
{
    char *copy = strdup(name);
    if (!copy)
        return 0;
    n->last = n->last % MANY + 1;
    if (n->entry[n->last].name)
        forget(n, n->last);
    uint32_t *at = &n->bucket[bucket_of(name)];
    n->entry[n->last] = (struct entry){copy, *at};
    return *at = n->last;
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);
    for (const char *c = name; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("-._", *c))
            return false;
    return n > 0 && n <= NAME_MAX_ && *name != '-' && *name != '.' && !strstr(name, "..");
}

bool names_stand_in(struct names *n, const char *given, uint8_t v4[4], uint8_t v6[16])
{
    char name[NAME_MAX_ + 1];
    size_t len = strlen(given);
    if (len > 1 && given[len - 1] == '.') /* the root's dot is not part of it */
        len--;
    if (len >= sizeof name)
        return false;
    memcpy(name, given, len);
    name[len] = '\0';
    if (!is_name(name))
        return false;
    pthread_mutex_lock(&n->lock);
    uint32_t i = find(n, name);
    i = i ? i : add(n, name);
    pthread_mutex_unlock(&n->lock);
    const uint8_t four[4] = {198, (uint8_t)(18 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i};
    memcpy(v4, four, sizeof four);
    memset(v6, 0, 16);
    memcpy(v6, prefix6, sizeof prefix6);
    memcpy(v6 + 13, (const uint8_t[]){(uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}, 3);
    return i != 0;
}

/* ---- by address ---- */

bool names_find(struct names *n, int version, const uint8_t *a, char *name)
{
    bool ours = version == 4 ? a[0] == 198 && (a[1] & 0xfe) == 18 : memcmp(a, prefix6, sizeof prefix6) == 0;
    uint32_t i = version == 4 ? (uint32_t)(a[1] & 1) << 16 | (uint32_t)a[2] << 8 | a[3]
                              : (uint32_t)a[13] << 16 | (uint32_t)a[14] << 8 | a[15];
    *name = '\0';
    if (!ours)
        return false;
    pthread_mutex_lock(&n->lock);
    if (i <= MANY && n->entry[i].name)
        memcpy(name, n->entry[i].name, strlen(n->entry[i].name) + 1);
    pthread_mutex_unlock(&n->lock);
    return true;
}
