/* SPDX-License-Identifier: GPL-2.0-or-later
 * zlib alone: limit_zlib <level> <in> <out>, ends as in ends.h, 256 KiB a time, as a gzip stream.
 */
#include "ends.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

enum { GZIP_WINDOW = 15 + 16, MEMORY = 8 };

int main(int argc, char **argv)
{
    unsigned char *plain = malloc(CHUNK), *packed = malloc(CHUNK);
    struct end in, out;
    z_stream z = {0};
    ssize_t n;

    if (argc != 4 || !plain || !packed)
        die("usage: limit_zlib <level> <in> <out>", NULL);
    signal(SIGPIPE, SIG_IGN);
    end_prepare(&in, argv[2]);
    end_prepare(&out, argv[3]);
    end_complete(&in);
    end_complete(&out);
    if (deflateInit2(&z, atoi(argv[1]), Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        die("no zlib", NULL);
    do {
        n = read(in.fd, plain, CHUNK);
        z.next_in = plain;
        z.avail_in = n > 0 ? (uInt)n : 0;
        do {
            z.next_out = packed;
            z.avail_out = CHUNK;
            deflate(&z, n > 0 ? Z_NO_FLUSH : Z_FINISH);
            if (!write_all(out.fd, packed, CHUNK - z.avail_out))
                die("cannot write", NULL);
        } while (z.avail_out == 0);
    } while (n > 0);
    end_shut(&out);
    return 0;
}
