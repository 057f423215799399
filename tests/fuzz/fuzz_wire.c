/* SPDX-License-Identifier: GPL-2.0-or-later
 * Replies of proxies and socks servers: the first byte chooses the address, the second how many
 * bytes come at once, the rest is what the server says. Every dialog ends, takes bounded memory,
 * and no byte of the peer gets into a message unescaped. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "catena/diag.h"
#include "catena/inter.h"
#include "catena/plan.h"
#include "catena/run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const addresses[] = {
    "socks4:127.0.0.1:80|pipe",
    "socks4:10.1.2.3:80,socksuser=me|pipe",
    "socks4a:www.example.org:443|pipe",
    "socks5:www.example.org:443|pipe",
    "socks5:[::1]:443,socksuser=me,sockspass=secret|pipe",
    "proxy:www.example.org:443|pipe",
    "proxy:www.example.org:443,ignorecr|pipe",
    "proxy:127.0.0.1:443,proxyauth=me:secret,http-version=1.1|pipe",
};
enum { ADDRESSES = sizeof addresses / sizeof addresses[0], MUCH = 1 << 20 };

struct script {
    const uint8_t *answer;
    size_t left, piece, nsent;
};

static int fill(struct wire *w, int *eof, struct err *e)
{
    struct script *s = w->carrier;
    size_t n = s->left < s->piece ? s->left : s->piece;
    (void)e;
    n = buf_put(&w->in, s->answer, n);
    s->answer += n;
    s->left -= n;
    *eof = n == 0;
    return 0;
}

static int take(struct wire *w, const void *data, size_t n, struct err *e)
{
    struct script *s = w->carrier;
    (void)data;
    (void)e;
    s->nsent += n;
    if (s->nsent > MUCH)
        abort();
    return 0;
}

static const struct wire_ops script_ops = {.fill = fill, .write = take};
static const struct settings settings = {.to_right = true, .to_left = true, .linger = -1,
                                         .idle = -1, .ip_version = 4, .comm = 'S',
                                         .env_prefix = "SOCAT"};

static const struct plan *plan_of(size_t which)
{
    static struct plan *plans[ADDRESSES];
    struct err e;
    if (!plans[which] && plan_make(&settings, "-", addresses[which], &plans[which], &e) < 0)
        abort();
    return plans[which];
}

static void check_message(const struct err *e)
{
    if (e->kind == ERR_NONE || e->text[0] == '\0')
        abort();
    for (const char *c = e->text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct run run;
    struct wire w;
    struct err e = {.kind = ERR_NONE};
    if (size < 2)
        return 0;
    diag_config.level = DIAG_FATAL;
    const struct plan *p = plan_of(data[0] % ADDRESSES);
    const struct addr *a = p->links[0].fwd;
    struct script s = {.answer = data + 2, .left = size - 2, .piece = data[1] ? data[1] : 65536};
    if (run_init(&run, &settings, p, -1, &e) < 0)
        return 0;
    if (wire_init(&w, &script_ops, &s, &run, -1, &e) == 0) {
        if (a->form->ops.negotiator->negotiate(a, &run, &w, &e) < 0)
            check_message(&e);
        wire_fini(&w);
    }
    run_fini(&run);
    return 0;
}
