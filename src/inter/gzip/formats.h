/* SPDX-License-Identifier: GPL-2.0-or-later
 * The formats of the deflate family. */
#ifndef CATENA_INTER_FORMATS_H
#define CATENA_INTER_FORMATS_H

#include "inter/gzip/gzip.h"

extern const struct deflate_format format_gzip, format_zlib, format_deflate;

#endif
