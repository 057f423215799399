/* SPDX-License-Identifier: GPL-2.0-or-later
 * The least a module is: an address that passes everything on. From here: catena-module(5).
 *
 *     cc -shared -fPIC $(pkg-config --cflags catena) skeleton.c -o skeleton.so
 *     catena --module ./skeleton.so - 'skeleton|tcp:host:port' */
#include <catena/inter.h>
#include <catena/module.h>

static const struct codec_pair nothing = {.passes = true};

static const struct form forms[] = {
    CODEC_FORM("SKELETON", NULL, NULL, nothing, "passes everything on"),
    {.keyword = NULL},
};

const struct catena_module catena_module = CATENA_MODULE(forms, NULL);
