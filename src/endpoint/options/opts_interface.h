/* SPDX-License-Identifier: GPL-2.0-or-later
 * Rows of opts_interface.c that code asks for by name. */
#ifndef OPTS_INTERFACE_H
#define OPTS_INTERFACE_H

#include "catena/option.h"

extern const struct option_desc opt_tun_no_pi, opt_if_mtu, opt_retrieve_vlan, opt_tun_device,
    opt_tun_name, opt_tun_type;

#endif
