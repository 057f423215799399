/* SPDX-License-Identifier: GPL-2.0-or-later
 * GOPEN, also a bare path: whatever is there is used as what it is. A UNIX domain socket is
 * connected to, anything else is opened; what does not exist is created. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catena/diag.h"
#include "endpoint/file/file.h"
#include "endpoint/terminal/tty_port.h"
#include "endpoint/options/opts_fd.h"
#include "endpoint/socket/unix.h"

static int gopen_open(const struct addr *a, struct run *r, void *state, struct port **out,
                      struct err *e)
{
    const char *path = a->params[0];
    struct stat st = {.st_mode = 0};
    (void)state;
    if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode))
        return unix_client_open(a, r, out, e);
    if (file_check_terminal(a, path, e) < 0 || file_before(a, path, e) < 0)
        return -1;
    bool exists = stat(path, &st) == 0, reading = a->left == CTX_R;
    const struct opt *append = opt_find(a, &opt_o_append);
    bool as_is = reading || S_ISCHR(st.st_mode) || (append && !append->v.i);
    int base = !exists ? O_CREAT : as_is ? 0 : O_APPEND; /* created for readers, too, as in v1 */
    if (!r->settings->v1_name) /* which takes a terminal it opens for its own, if it has none */
        base |= O_NOCTTY;
    diag(DIAG_NOTICE, "opening %s \"%s\" for %s", file_kind(path), path, file_purpose(a->left));
    int fd = file_open(r, path, file_flags(a, base), file_mode(a, 0666), e);
    if (fd < 0)
        return -1;
    if (file_after(a, r, path, false, e) < 0) {
        close(fd);
        return -1;
    }
    return endpoint_port(a, r, a->left == CTX_W ? -1 : fd, a->left == CTX_R ? -1 : fd, 0,
                         PORT_SHUT_NONE, out, e);
}

static const struct endpoint_ops gopen_ops = {.open = gopen_open};

extern const struct form forms_gopen[];
const struct form forms_gopen[] = {
    {.keyword = "GOPEN", .params = ":<filename>", .min_params = 1, .max_params = 1,
     .left = CTX_RWB,
     .groups = GROUP_FD | GROUP_FIFO | GROUP_CHR | GROUP_BLK | GROUP_REG | GROUP_SOCKET |
               GROUP_NAMED | GROUP_OPEN | GROUP_TERMIOS | GROUP_UNIX,
     .help = "a file, device, named pipe or UNIX domain socket, as it is found",
     .controls = tty_perhaps, .kind = FORM_ENDPOINT, .records = RECORDS_EITHER, .ops.endpoint = &gopen_ops},
    {.keyword = NULL},
};
