/* SPDX-License-Identifier: GPL-2.0-or-later
 * The address forms known to the program, out of its tables (cli/tables.c). */
#include "catena/registry.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

const struct form *registry_next(const struct form *after)
{
    size_t t = 0;
    if (after) {
        if (after[1].keyword)
            return after + 1;
        for (const struct form *f = NULL; form_tables[t]; t++) {
            for (f = form_tables[t]; f->keyword && f != after; f++)
                ;
            if (f == after)
                break;
        }
        t++;
    }
    return form_tables[t];
}

bool each_word(const char *list, bool (*f)(const char *word, size_t n, void *arg), void *arg)
{
    while (list && *list) {
        size_t n = strcspn(list, " ");
        if (n > 0 && f(list, n, arg))
            return true;
        list += n + strspn(list + n, " ");
    }
    return false;
}

static bool word_is(const char *word, size_t n, void *keyword)
{
    const char *k = keyword;
    return strlen(k) == n && strncasecmp(word, k, n) == 0;
}

bool form_answers(const struct form *f, const char *keyword)
{
    char k[64];
    if (strlen(keyword) >= sizeof k)
        return false;
    (void)strcpy(k, keyword);
    return strcasecmp(f->keyword, keyword) == 0 || each_word(f->aliases, word_is, k);
}

bool registry_known(const char *keyword)
{
    for (const struct form *f = registry_next(NULL); f; f = registry_next(f))
        if (form_answers(f, keyword))
            return true;
    return false;
}

bool form_is_inter(const struct form *f)
{
    return f->kind != FORM_ENDPOINT && f->kind != FORM_COMPOUND;
}

unsigned word_distance(const char *a, const char *b, size_t nb)
{
    enum { MAX = 40 };
    size_t na = strlen(a);
    if (na > MAX || nb > MAX)
        return MAX;
    unsigned rows[3][MAX + 1]; /* Damerau-Levenshtein, neighbouring swaps only */
    for (unsigned j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= na; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *up = rows[(i - 1) % 3], *up2 = rows[(i + 1) % 3];
        row[0] = i;
        for (unsigned j = 1; j <= nb; j++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[j - 1]);
            unsigned best = up[j - 1] + (x != y);
            if (up[j] + 1 < best)
                best = up[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) &&
                tolower((unsigned char)a[i - 2]) == y && up2[j - 2] + 1 < best)
                best = up2[j - 2] + 1;
            row[j] = best;
        }
    }
    return rows[na % 3][nb];
}

struct nearest {
    const char *wanted;
    unsigned distance;
    char *found;
    size_t cap;
};

static bool consider(const char *word, size_t n, void *arg)
{
    struct nearest *best = arg;
    unsigned d = word_distance(best->wanted, word, n);
    if (d < best->distance && n < best->cap) {
        best->distance = d;
        for (size_t i = 0; i < n; i++)
            best->found[i] = (char)tolower((unsigned char)word[i]);
        best->found[n] = '\0';
    }
    return false;
}

bool registry_nearest(const char *keyword, char *found, size_t cap)
{
    struct nearest best = {.wanted = keyword, .found = found, .cap = cap};
    best.distance = strlen(keyword) < 4 ? 2 : 3;
    found[0] = '\0';
    for (const struct form *f = registry_next(NULL); f; f = registry_next(f)) {
        consider(f->keyword, strlen(f->keyword), &best);
        each_word(f->aliases, consider, &best);
    }
    return found[0] != '\0';
}
