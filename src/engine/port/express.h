/* SPDX-License-Identifier: GPL-2.0-or-later
 * The express way of a plain flow: the kernel moves its bytes from descriptor to descriptor without
 * a copy through this process. It is entered when a flow has shown that it is a stream of large
 * blocks, left as soon as it does not pay or does not work, and never tells an end of file or an
 * error that the plain way would not tell better: both are found by the plain way, right after. */
#ifndef CATENA_EXPRESS_H
#define CATENA_EXPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "catena/buf.h"
#include "catena/port.h"

struct express {
    /* From file to descriptor in one call; NULL: through the pipe, which holds what was taken. */
    ssize_t (*direct)(int from, int to, size_t most);
    int pipe[2];
    bool source_is_pipe; /* then that is the pipe, borrowed, and nothing is taken before it is given */
    size_t held;    /* bytes in the pipe */
    unsigned small; /* takes in a row that were too small to pay */
};

/* Gives NULL when the two ports have no faster way (or its means are exhausted). */
struct express *express_new(const struct port *from, const struct port *to);
void express_free(struct express *x); /* NULL is fine; what the pipe holds is gone */

/* Takes from the port into the pipe. Bytes, 0 nothing more comes, -1 and errno. */
ssize_t express_take(struct express *x, const struct port *from);
/* Gives to the port, from the pipe or (direct) the source. Bytes, 0 nothing more comes, -1, errno. */
ssize_t express_give(struct express *x, const struct port *from, const struct port *to);
/* What the pipe holds comes back into a buffer. 0, or -1 without memory. */
int express_recall(struct express *x, struct buf *to);
/* Bytes the source still has, where it is a file that is given from directly. */
size_t express_left(const struct express *x, const struct port *from);
/* The flow has become one of small blocks, which are better copied. */
bool express_is_over(const struct express *x);

#endif
