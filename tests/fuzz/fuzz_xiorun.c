/* SPDX-License-Identifier: GPL-2.0-or-later
 * What xiorun's helper reads of strangers: a rule and a target (the first byte is even), or a question to its
 * resolver, whose answer has to begin with the question and to be one that fits. */
#include <stdlib.h>
#include <string.h>

#include "xiorun/helper.h"
#include "xiorun/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void rule(const char *text, size_t n)
{
    struct rulebook r;
    struct target t = {.port = 80};
    char *line = strndup(text, n);
    size_t at = line ? strcspn(line, "\n") : 0;
    rulebook_begin(&r);
    if (line && line[at]) { /* a name behind it */
        line[at] = '\0';
        strncpy(t.host, line + at + 1, sizeof t.host - 1);
    }
    if (line && rulebook_add_line(&r, line) < 0 && !r.why[0])
        abort();
    if (rulebook_match(&r, &t) && !r.first)
        abort();
    rulebook_free(&r);
    free(line);
}

static void ask(const uint8_t *packet, size_t n)
{
    static struct rulebook none;
    static struct names *names;
    names = names ? names : names_new();
    struct helper h = {.rules = &none, .names = names};
    struct question q;
    uint8_t out[512];
    size_t m = h.names ? resolver_answer(&h, packet, n, out, sizeof out) : 0;
    if (m > 0 && (!question_read(packet, n, &q) || m < q.end || memcmp(out + 12, packet + 12, q.end - 12) != 0 || !(out[2] & 0x80)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > 0 && data[0] % 2 == 0)
        rule((const char *)data + 1, n - 1);
    else if (n > 0)
        ask(data + 1, n - 1);
    return 0;
}
