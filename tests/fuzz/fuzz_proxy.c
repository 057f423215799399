/* SPDX-License-Identifier: GPL-2.0-or-later
 * Replies of HTTP proxies to CONNECT: the first byte chooses the address, the second how many bytes
 * come at once, the rest is the header and what follows it. */
#include "dialog.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const addresses[] = {
    "proxy:www.example.org:443|pipe",
    "proxy:127.0.0.1:443,proxyauth=me:s3cret,proxy-auth-scheme=basic,http-version=1.1|pipe",
    "proxy:www.example.org:443,ignorecr|pipe", /* the last one */
};
enum { ADDRESSES = sizeof addresses / sizeof addresses[0] };
static const struct plan *plans[ADDRESSES];

enum { LINE = 8192, HEADER = 65536 }; /* bytes: more is refused */

/* The next line as the dialog sees it. */
static bool take_line(struct answer *a, bool ignore_cr, char *line, size_t *total)
{
    const uint8_t *nl = a->n > 0 ? memchr(a->p, '\n', a->n) : NULL;
    size_t n = nl ? (size_t)(nl - a->p) : 0, o = 0, whole;
    if (!nl || n >= LINE || memchr(a->p, '\0', n))
        return false;
    whole = n > 0 && nl[-1] == '\r' ? n - 1 : n;
    if (whole + 2 > *total)
        return false;
    *total -= whole + 2;
    for (size_t i = 0; i < whole; i++)
        if (a->p[i] != '\r' || !ignore_cr)
            line[o++] = (char)a->p[i];
    line[o] = '\0';
    (void)answer_take(a, n + 1);
    return true;
}

/* In a shape, "d" is a digit and " " one or more blanks. */
static bool has_status(const char *line, const char *shape)
{
    for (; *shape; shape++) {
        size_t n = *shape == ' ' ? strspn(line, " \t") : *shape == 'd' ? strspn(line, "0123456789")
                                                                       : *line == *shape;
        if (n == 0)
            return false;
        line += *shape == ' ' ? n : 1;
    }
    return *line == ' ' || *line == '\t' || *line == '\0';
}

static bool header(struct answer *a, bool ignore_cr)
{
    static char line[LINE];
    size_t total = HEADER;
    for (;;) {
        if (!take_line(a, ignore_cr, line, &total))
            return false;
        bool more = has_status(line, "HTTP/1.d 1dd") && !has_status(line, "HTTP/1.d 101"); /* only announces another one */
        if (!more && !has_status(line, "HTTP/1.d 2dd"))
            return false;
        do {
            if (!take_line(a, ignore_cr, line, &total))
                return false;
        } while (line[0] != '\0');
        if (!more)
            return true;
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < ADDRESSES; i++)
        plans[i] = dialog_plan(addresses[i]);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t which = data[0] % ADDRESSES;
    struct answer a = {data + 2, size - 2};
    bool good = header(&a, which == ADDRESSES - 1);
    dialog_hold(plans[which], data + 2, size - 2, data[1], good, a.n);
    return 0;
}
