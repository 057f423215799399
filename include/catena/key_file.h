/* SPDX-License-Identifier: GPL-2.0-or-later
 * A file that an option names, as a path that OpenSSL can open without waiting. */
#ifndef CATENA_INTER_TLS_FILE_H
#define CATENA_INTER_TLS_FILE_H

#include "catena/err.h"
#include "catena/option.h"
#include "catena/run.h"

struct tls_file {
    const struct opt *option; /* NULL: there is none */
    const char *path;         /* NULL then, too */
    int copy;                 /* what it said, in memory; -1: the file itself will do */
    char copy_path[32];
};

/* Where reading may take its time (a FIFO, a terminal) all is read here, as often as it is then
 * needed, and a signal ends the wait. What cannot be opened is left for OpenSSL to say. */
int tls_file_open(struct tls_file *f, const struct opt *option, struct run *r, struct err *e);
void tls_file_close(struct tls_file *f);

#endif
