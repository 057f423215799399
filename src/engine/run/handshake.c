/* SPDX-License-Identifier: GPL-2.0-or-later
 * The deadline of handshakes and dialogs: see catena/handshake.h. */
#include "catena/handshake.h"

#include "catena/options.h"
#include "catena/wait.h"

static const double PATIENCE_S = 30; /* unless handshake-timeout says otherwise */

int64_t handshake_patience(const struct addr *a)
{
    double seconds = opt_time(a, &opt_handshake_timeout, PATIENCE_S);
    return seconds <= 0 ? -1 : wait_ms(seconds);
}

int64_t handshake_patience_over(const struct addr *a, const struct addr *end)
{
    static const struct option_desc *const limits[] = {&opt_connect_timeout, &opt_so_rcvtimeo};
    for (size_t i = 0; !opt_find(a, &opt_handshake_timeout) && i < sizeof limits / sizeof limits[0]; i++)
        if (opt_time(end, limits[i], 0) > 0)
            return wait_ms(opt_time(end, limits[i], 0));
    return handshake_patience(a);
}

int64_t handshake_deadline(int64_t patience)
{
    return patience < 0 ? -1 : wait_now() + patience;
}

bool handshake_is_late(int64_t deadline)
{
    return deadline >= 0 && wait_now() >= deadline;
}

int handshake_late(int64_t patience, struct err *e)
{
    return err_set(e, ERR_TIMEOUT,
                   "the peer took too long (%g seconds; handshake-timeout=<seconds> "
                   "says how long to wait)",
                   (double)patience / 1000);
}
