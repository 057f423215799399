/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for POSIX message queues. */
#include "catena/option_row.h"

NAMED_OPTION(opt_mq_flush, "posixmq-flush", "mq-flush", GROUP_POSIXMQ, EARLY, BOOL,
             "drop what is in the queue first");
NAMED_OPTION(opt_mq_maxmsg, "posixmq-maxmsg", "mq-maxmsg", GROUP_POSIXMQ, OPEN, LONG,
             "most messages in a queue that is created");
NAMED_OPTION(opt_mq_msgsize, "posixmq-msgsize", "mq-msgsize", GROUP_POSIXMQ, OPEN, LONG,
             "largest message of a queue that is created, in bytes");
NAMED_OPTION(opt_mq_priority, "posixmq-priority", "mq-prio", GROUP_POSIXMQ, INIT, UINT,
             "priority of messages sent");

OPTION_TABLE(posixmq) = {
    &opt_mq_flush, &opt_mq_maxmsg, &opt_mq_msgsize, &opt_mq_priority,
    OPTIONS_END,
};
