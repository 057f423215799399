/* SPDX-License-Identifier: GPL-2.0-or-later
 * Replies of SOCKS4 servers: the first byte chooses the address, the second how many bytes come at
 * once, the rest is the reply and what follows it. */
#include "dialog.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const addresses[] = {
    "socks4:127.0.0.1:80|pipe",
    "socks4:10.1.2.3:80,socksuser=me|pipe",
    "socks4a:www.example.org:443|pipe",
};
enum { ADDRESSES = sizeof addresses / sizeof addresses[0] };
static const struct plan *plans[ADDRESSES];

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
    struct answer a = {data + 2, size - 2};
    const uint8_t *reply = answer_take(&a, 8);
    bool good = reply && reply[0] == 0 && reply[1] == 90;
    size_t which = data[0] % ADDRESSES;
    dialog_hold(plans[which], data + 2, size - 2, data[1], good, a.n);
    return 0;
}
