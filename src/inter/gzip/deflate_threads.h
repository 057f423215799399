/* SPDX-License-Identifier: GPL-2.0-or-later
 * From the plain stream to gzip format with several threads, as one member that every gzip reads.
 * To be used as a codec (catena/inter.h) by one thread at a time. */
#ifndef CATENA_INTER_DEFLATE_THREADS_H
#define CATENA_INTER_DEFLATE_THREADS_H

#include "inter/gzip/gzip.h"

struct deflate_threads;

struct deflate_threads *deflate_threads_new(const struct gzip_settings *s, struct err *e);
int deflate_threads_push(struct deflate_threads *d, struct buf *in, struct buf *out,
                         enum codec_mode mode, struct err *e);
void deflate_threads_free(struct deflate_threads *d); /* also fine with NULL */

#endif
