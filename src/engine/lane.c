/* SPDX-License-Identifier: GPL-2.0-or-later
 * One direction of an engine: how much is read at once. A flow starts with small blocks, which suit
 * a dialog; one that fills them gets larger ones, and a plain one the kernel's express way. */
#include "engine.h"
#include "express.h"

enum {
    START = 16384,  /* bytes read at once in the beginning */
    PACKET = 65536, /* a packet must fit at once */
    MOST = 256 * 1024,
    FULL_ENOUGH = 2,   /* reads in a row that filled their block */
    SMALL_ENOUGH = 16, /* reads in a row that took less than START of a larger one */
};

bool lane_is_plain(const struct engine *e, int source)
{
    return !e->session && !e->lane[source].ops;
}

void lane_init(struct engine *e, int source)
{
    struct engine_lane *lane = &e->lane[source];
    lane->settled = e->run->settings->block_given || engine_is_seen(e);
    lane->block = lane->settled || !lane_is_plain(e, source) ? e->block : START;
}

void lane_leave_express(struct engine_lane *lane)
{
    express_free(lane->express);
    lane->express = NULL;
    lane->settled = false;
    lane->full = 0;
}

int lane_make_room(struct engine *e, int source, struct err *err)
{
    struct engine_side *s = &e->side[source], *to = &e->side[!source];
    struct engine_lane *lane = &e->lane[source];
    if (s->port->flags & PORT_MSG && lane->block < PACKET && !e->run->settings->block_given)
        lane->block = PACKET;
    if (lane_is_plain(e, source) && s->in.cap < lane->block && to->out.len == 0)
        buf_swap(&s->in, &to->out); /* one buffer does for a plain flow */
    return buf_grow(&s->in, lane->block) < 0 ? err_nomem(err) : 0;
}

bool lane_is_busy(const struct engine_lane *lane)
{
    return !lane->express && lane->block > START && lane->small < SMALL_ENOUGH;
}

void lane_learn(struct engine *e, int source, size_t n, size_t room)
{
    struct engine_lane *lane = &e->lane[source];
    lane->full = n == room ? lane->full + 1 : 0;
    lane->small = n < START ? lane->small + 1 : 0;
    if (lane->settled || lane->full < FULL_ENOUGH || e->side[source].port->flags & PORT_MSG)
        return;
    lane->full = 0;
    if (lane->block < e->block || (lane->block < MOST && !lane_is_plain(e, source))) {
        lane->block *= 4;
        return;
    }
    if (lane_is_plain(e, source))
        lane->express = express_new(e->side[source].port, e->side[!source].port);
    lane->block = MOST;
    lane->settled = true;
}
