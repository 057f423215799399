/* SPDX-License-Identifier: GPL-2.0-or-later
 * Replies of SOCKS5 servers, to clients with and without a login and to those that have it listen:
 * the first byte chooses the address, the second how many bytes come at once. */
#include "dialog.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    const char *address;
    bool login, listens;
} cases[] = {
    {"socks5:www.example.org:443|pipe", false, false},
    {"socks5:[::1]:443,socksuser=me,sockspass=s3cret|pipe", true, false},
    {"socks5-listen:10.1.2.3:0|pipe", false, true},
    {"socks5-listen:www.example.org:4433,socksuser=me,sockspass=s3cret|pipe", true, true},
};
enum { CASES = sizeof cases / sizeof cases[0] };
static const struct plan *plans[CASES];

static bool greeting(struct answer *a, bool login)
{
    const uint8_t *p = answer_take(a, 2);
    if (!p || p[0] != 5 || (p[1] != 0 && !(p[1] == 2 && login)))
        return false;
    if (p[1] == 0)
        return true;
    p = answer_take(a, 2);
    return p && (p[0] == 1 || p[0] == 5) && p[1] == 0;
}

static bool reply(struct answer *a)
{
    const uint8_t *p = answer_take(a, 4), *n;
    if (!p || p[0] != 5 || p[1] != 0)
        return false;
    switch (p[3]) {
    case 1: return answer_take(a, 4 + 2);
    case 3: return (n = answer_take(a, 1)) && answer_take(a, *n + 2U);
    case 4: return answer_take(a, 16 + 2);
    default: return false;
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < CASES; i++)
        plans[i] = dialog_plan(cases[i].address);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t which = data[0] % CASES;
    struct answer a = {data + 2, size - 2};
    bool good = greeting(&a, cases[which].login) && reply(&a) &&
                (!cases[which].listens || reply(&a));
    dialog_hold(plans[which], data + 2, size - 2, data[1], good, a.n);
    return 0;
}
