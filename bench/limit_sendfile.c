/* SPDX-License-Identifier: GPL-2.0-or-later
 * A file sent by sendfile(2) alone: limit_sendfile <in> <out>, ends as in ends.h. */
#include "ends.h"

#include <signal.h>
#include <sys/sendfile.h>

enum { PIECE = 4 * 1024 * 1024 };

int main(int argc, char **argv)
{
    struct end in, out;

    if (argc != 3)
        die("usage: limit_sendfile <in> <out>", NULL);
    signal(SIGPIPE, SIG_IGN);
    end_prepare(&in, argv[1]);
    end_prepare(&out, argv[2]);
    end_complete(&in);
    end_complete(&out);
    while (sendfile(out.fd, in.fd, NULL, PIECE) > 0)
        ;
    end_shut(&out);
    return 0;
}
