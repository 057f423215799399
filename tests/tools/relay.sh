#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A program for the middle of a chain that changes nothing: 0 to 4 and 3 to 1, each direction ending
# on its own, by close().
exec 5<&0
cat <&3 3<&- 4>&- 5<&- &
cat <&5 >&4 3<&- 4>&- 5<&- &
exec 0<&- 1>&- 3<&- 4>&- 5<&-
wait
