/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options of THROTTLE, DELAY, PACE and NETEM. Values with units are texts. */
#include "inter/clocks/opts_clocks.h"

#include "catena/option_row.h"

NAMED_OPTION(opt_to_right, "to-right", NULL, 0, SPECIFIC, STRING,
             "the rate or the delay of what goes to the right, in place of the parameter's");
NAMED_OPTION(opt_to_left, "to-left", NULL, 0, SPECIFIC, STRING,
             "the rate or the delay of what goes to the left, in place of the parameter's");
NAMED_OPTION(opt_burst, "burst", NULL, 0, SPECIFIC, STRING,
             "bytes that may pass at once after a pause, default a tenth of a second's");
NAMED_OPTION(opt_jitter, "jitter", NULL, 0, SPECIFIC, STRING,
             "so much more or less than the delay, by chance; what came first leaves first all the same");
NAMED_OPTION(opt_buffer, "buffer", NULL, 0, SPECIFIC, STRING,
             "memory for what is delayed in one direction, default 4M; when it is full nothing more is read");
NAMED_OPTION(opt_seed, "seed", NULL, 0, SPECIFIC, LONG,
             "a number from which all chances follow, so that they can be had again", FROM_TO(0, UINT32_MAX));
NAMED_OPTION(opt_bits, "bits", NULL, 0, SPECIFIC, INT,
             "bits of a character on the serial line, with start, parity and stop, default 10", FROM_TO(1, 100));
NAMED_OPTION(opt_char_delay, "char-delay", NULL, 0, SPECIFIC, STRING, "a pause behind each byte");
NAMED_OPTION(opt_line_delay, "line-delay", NULL, 0, SPECIFIC, STRING, "a pause behind each line feed or carriage return");
NAMED_OPTION(opt_loss, "loss", NULL, 0, SPECIFIC, STRING, "percentage of the packets that are lost");
NAMED_OPTION(opt_duplicate, "duplicate", NULL, 0, SPECIFIC, STRING, "percentage of the packets that come twice");
NAMED_OPTION(opt_reorder, "reorder", NULL, 0, SPECIFIC, STRING,
             "percentage of the packets that come behind the next one, or after 50 ms without one");
NAMED_OPTION(opt_corrupt, "corrupt", NULL, 0, SPECIFIC, STRING, "percentage of the packets in which a bit is wrong");

OPTION_TABLE(throttle) = {&opt_to_right, &opt_to_left, &opt_burst, OPTIONS_END};
OPTION_TABLE(delay) = {&opt_to_right, &opt_to_left, &opt_jitter, &opt_buffer, &opt_seed, OPTIONS_END};
OPTION_TABLE(pace) = {&opt_bits, &opt_char_delay, &opt_line_delay, &opt_to_right, &opt_to_left, OPTIONS_END};
OPTION_TABLE(netem) = {&opt_loss, &opt_duplicate, &opt_reorder, &opt_corrupt, &opt_seed, OPTIONS_END};
