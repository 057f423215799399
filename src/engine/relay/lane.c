/* SPDX-License-Identifier: GPL-2.0-or-later
 * One direction of an engine: how much is read at once. A flow starts with small blocks, which suit
 * a dialog; one that fills them gets larger ones, and a plain one the kernel's express way. */
#include "catena/catena.h"
#include "catena/diag.h"
#include "engine/relay/engine.h"
#include "engine/port/express.h"

enum {
    START = 16384,  /* bytes read at once in the beginning */
    PACKET = 65536 + 64, /* a packet of IP must fit at once, with what devices put in front of it */
    MESSAGE_MOST = 16 << 20, /* bytes of a message that are relayed as one */
    MOST = 256 * 1024,
    FULL_ENOUGH = 2,   /* reads in a row that filled their block */
    SMALL_ENOUGH = 16, /* reads in a row that took less than START of a larger one */
};

static const struct catena_limits *limits(const struct engine *e)
{
    return catena_limits(e->run->settings->catena);
}

bool lane_is_plain(const struct engine *e, int source)
{
    return e->nlayers == 0 || stack_is_plain(e, source);
}

void lane_init(struct engine *e, int source)
{
    struct engine_lane *lane = &e->lane[source];
    lane->settled = e->run->settings->block_given || engine_is_seen(e);
    lane->block = lane->settled ? e->block : catena_limited(e->block, START);
}

/* What layers put behind a full block finds room in it. */
static size_t with_slack(size_t block)
{
    return block + block / 16;
}

int lane_first_block(const struct run *r, struct buf *b)
{
    size_t most = catena_limits(r->settings->catena)->block;
    size_t block = r->settings->block_given ? r->settings->block : START;
    return buf_init(b, with_slack(catena_limited(most, block)));
}

void lane_leave_express(struct engine_lane *lane)
{
    express_free(lane->express);
    lane->express = NULL;
    lane->settled = false;
    lane->full = 0;
}

bool lane_takes_whole(const struct engine *e, int source)
{
    unsigned flags = e->side[source].port->flags;
    return flags & PORT_MSG_R && !(flags & PORT_SPLIT_R && e->run->settings->block_given);
}

size_t lane_room(const struct engine *e, int source)
{
    size_t block = e->lane[source].block;
    return lane_takes_whole(e, source) && block < PACKET ? PACKET : block;
}

int lane_make_room(struct engine *e, int source, struct buf *b, size_t n, struct err *err)
{
    size_t most = catena_limited(limits(e)->message, MESSAGE_MOST);
    if (n > most && n > lane_room(e, source))
        return err_set(err, ERR_TOO_LARGE, "%s: a message of %zu bytes came; up to %zu are relayed",
                       e->side[source].port->label, n, most);
    if (!b->p)
        buf_swap(b, &e->spare);
    return buf_grow(b, with_slack(n)) < 0 ? err_nomem(err) : 0;
}

size_t lane_cut(struct engine *e, int source, struct buf *b)
{
    struct engine_lane *lane = &e->lane[source];
    size_t n = b->len, most = e->block;
    bool whole = e->side[source].port->flags & PORT_SEALED || !lane_takes_whole(e, source);
    if (!e->run->settings->block_given || n <= most || whole)
        return n;
    b->len = most;
    diag(lane->told_cut ? DIAG_NOTICE : DIAG_WARN,
         "%s: a packet of %zu bytes has been cut to %zu, the block size of option -b",
         e->side[source].port->label, n, most);
    lane->told_cut = true;
    if (!e->run->settings->v1_name) /* v1 takes that for an order */
        run_lose(e->run, source, n - most, NULL);
    return most;
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
    bool pending = !e->side[!source].port; /* a dialog reads, while the line is being opened */
    if (pending || lane->settled || lane->full < FULL_ENOUGH || e->side[source].port->flags & PORT_MSG_R)
        return;
    lane->full = 0;
    size_t most = catena_limited(limits(e)->block, MOST);
    if (lane->block < e->block || (lane->block < most && !lane_is_plain(e, source))) {
        lane->block = catena_limited(limits(e)->block, 4 * lane->block);
        return;
    }
    if (stack_is_bare(e, source))
        lane->express = express_new(e->side[source].port, e->side[!source].port);
    lane->block = most;
    lane->settled = true;
}
