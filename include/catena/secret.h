/* SPDX-License-Identifier: GPL-2.0-or-later
 * The values of secret options, wherever they come from. */
#ifndef CATENA_INTER_SECRET_VALUE_H
#define CATENA_INTER_SECRET_VALUE_H

#include <stdint.h>

#include "catena/api.h"
#include "catena/addr.h"
#include "catena/err.h"
#include "catena/run.h"

enum { SECRET_MAX = 4096 }; /* bytes, without the NUL */

struct secret_value {
    char text[SECRET_MAX + 2];
};

/* The value of that option, the last one given of <name>, <name>-file and <name>-env. A file, which
 * may be a FIFO, is read up to the end of its first line before the deadline (-1: none). Gives 1, 0
 * if the option is not given (then the text is empty), or -1. Wipe it with secret_value_wipe(), in
 * every case. */
int secret_value(const struct addr *a, const struct option_desc *row, struct run *r,
                 int64_t deadline, struct secret_value *out, struct err *e) CATENA_API(secret_value);
/* Asks for one at the process's terminal, without showing what is typed; a signal ends it, and the
 * terminal is then as it was. Gives 1, 0 if there is no terminal, or -1. To be wiped as well. */
int secret_ask(struct run *r, const char *prompt, struct secret_value *out, struct err *e)
    CATENA_API(secret_ask);
/* All of a file that has secrets, to be given back with secret_file_free(); it may be a FIFO. One that
 * anybody may change is refused; *exposed: anybody may read it. */
struct secret_file {
    char *text; /* NUL-terminated */
    size_t len;
    bool exposed;
};
enum { SECRET_FILE_MAX = 1 << 20 };
int secret_file_read(const struct opt *o, struct run *r, struct secret_file *out, struct err *e)
    CATENA_API(secret_file_read);
void secret_file_free(struct secret_file *f) CATENA_API(secret_file_free);
void secret_value_wipe(struct secret_value *v) CATENA_API(secret_value_wipe);

#endif
