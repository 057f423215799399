/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for POSIX message queues. */
#include "catena/option_row.h"

OPTION_TABLE(posixmq) = {
    OPTION("posixmq-flush", "mq-flush", GROUP_POSIXMQ, EARLY, BOOL,
           "drop what is in the queue first", .id = OPT_MQ_FLUSH),
    OPTION("posixmq-maxmsg", "mq-maxmsg", GROUP_POSIXMQ, OPEN, LONG,
           "most messages in a queue that is created", .id = OPT_MQ_MAXMSG),
    OPTION("posixmq-msgsize", "mq-msgsize", GROUP_POSIXMQ, OPEN, LONG,
           "largest message of a queue that is created, in bytes", .id = OPT_MQ_MSGSIZE),
    OPTION("posixmq-priority", "mq-prio", GROUP_POSIXMQ, INIT, UINT, "priority of messages sent",
           .id = OPT_MQ_PRIORITY),
    OPTIONS_END,
};
