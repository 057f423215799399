/* SPDX-License-Identifier: GPL-2.0-or-later
 * Which version this is (tools/version): in an object of its own, so that a commit has nothing else compiled anew. Not for modules:
 * they have CATENA_ABI. */
#ifndef CATENA_VERSION_H
#define CATENA_VERSION_H

extern const char catena_version[];

#endif
