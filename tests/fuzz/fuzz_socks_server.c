/* SPDX-License-Identifier: GPL-2.0-or-later
 * Clients of SOCKS-SERVER: the first byte chooses the server, the second how many bytes come at once. The target
 * is read a second time, and what the rest of the line is told has to be that, and a host. */
#include "server.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct server servers[3];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    server_make(&servers[0], "socks-server");
    server_make(&servers[1], "socks-server,auth=me:s3cret");
    server_make(&servers[2], "socks-server,allow=*.example :443,deny=evil.*");
    return 0;
}

static bool read_login(struct answer *a)
{
    const uint8_t *user, *password, *n;
    return (n = answer_take(a, 2)) && n[0] == 1 && n[1] == 2 && (user = answer_take(a, 2)) && memcmp(user, "me", 2) == 0 &&
           (n = answer_take(a, 1)) && *n == 6 && (password = answer_take(a, 6)) && memcmp(password, "s3cret", 6) == 0;
}

static bool greeting(struct answer *a, bool login)
{
    const uint8_t *n = answer_take(a, 1), *methods = n ? answer_take(a, *n) : NULL;
    return methods && memchr(methods, login ? 2 : 0, *n) && (!login || read_login(a));
}

static bool request5(struct answer *a)
{
    const uint8_t *p = answer_take(a, 4), *n;
    if (!p || p[0] != 5 || p[1] != 1)
        return false;
    switch (p[3]) {
    case 1: return answer_take(a, 4 + 2);
    case 3: return (n = answer_take(a, 1)) && answer_take(a, *n + 2U);
    case 4: return answer_take(a, 16 + 2);
    default: return false;
    }
}

static bool text(struct answer *a)
{
    const uint8_t *nul = memchr(a->p, 0, a->n);
    return nul && nul - a->p <= 255 && answer_take(a, (size_t)(nul - a->p) + 1);
}

static bool request4(struct answer *a)
{
    const uint8_t *p = answer_take(a, 7);
    return p && p[0] == 1 && text(a) && (p[3] || p[4] || p[5] || !p[6] || text(a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    struct answer a = {data + 3, size - 3};
    size_t which = data[0] % 3;
    bool login = which == 1;
    bool well_formed = data[2] == 5   ? greeting(&a, login) && request5(&a)
                       : data[2] == 4 ? !login && request4(&a)
                                      : false;
    server_meets(&servers[which], data + 2, size - 2, data[1], well_formed, a.n);
    return 0;
}
