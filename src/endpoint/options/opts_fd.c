/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for any descriptor. */
#include <fcntl.h>
#include <sys/file.h>

#include "endpoint/options/apply.h"

NAMED_OPTION(opt_o_append, "append", "o-append", GROUP_FD | GROUP_OPEN, LATE, BOOL,
             "write at the end of the file only (O_APPEND)", .apply = apply_status_flag,
             .a = O_APPEND);
NAMED_OPTION(opt_cool_write, "cool-write", "coolwrite", GROUP_FD, INIT, BOOL,
             "take a closed connection on writing for a normal end");
NAMED_OPTION(opt_end_close, "end-close", "close", GROUP_FD, OFFSET, CONST,
             "end the address with close() only: no shutdown, no signal to a child");
NAMED_OPTION(opt_group, "group", "gid", GROUP_FD | GROUP_NAMED, FD, GID,
             "group of the file system entry or the descriptor", .apply = apply_group);
NAMED_OPTION(opt_perm, "perm", "mode", GROUP_FD | GROUP_NAMED, FD, MODE,
             "octal mode of the file system entry or the descriptor", .apply = apply_mode);
NAMED_OPTION(opt_shut_close, "shut-close", NULL, GROUP_FD, OFFSET, CONST, "end writing by close()");
NAMED_OPTION(opt_shut_down, "shut-down", NULL, GROUP_FD, OFFSET, CONST,
             "end writing by shutdown()");
NAMED_OPTION(opt_shut_none, "shut-none", "shutdown-none", GROUP_FD, OFFSET, CONST,
             "do nothing when writing ends");
NAMED_OPTION(opt_shut_null, "shut-null", NULL, GROUP_FD, OFFSET, CONST,
             "end writing by an empty packet");
NAMED_OPTION(opt_user, "user", "owner uid", GROUP_FD | GROUP_NAMED, FD, UID,
             "owner of the file system entry or the descriptor", .apply = apply_owner);

OPTION_TABLE(fd) = {
    &opt_o_append,
    OPTION("async", "o-async", GROUP_FD | GROUP_OPEN, LATE, BOOL,
           "signal when input or output becomes possible (O_ASYNC)",
           .apply = apply_status_flag, .a = O_ASYNC),
    OPTION("cloexec", NULL, GROUP_FD, LATE, BOOL,
           "close the descriptor when a program is run (FD_CLOEXEC)", .apply = apply_cloexec),
    &opt_cool_write, &opt_end_close,
    OPTION("f-setlk-rd", "setlk-rd", GROUP_FD, FD, BOOL,
           "take a shared lock on the file with fcntl(), fail if it is taken",
           .apply = apply_record_lock, .a = F_RDLCK),
    OPTION("f-setlk-wr", "f-setlk setlk setlk-wr", GROUP_FD, FD, BOOL,
           "take an exclusive lock on the file with fcntl(), fail if it is taken",
           .apply = apply_record_lock, .a = F_WRLCK),
    OPTION("f-setlkw-rd", "setlkw-rd", GROUP_FD, FD, BOOL,
           "wait for a shared lock on the file with fcntl()",
           .apply = apply_record_lock, .a = F_RDLCK, .waits = true),
    OPTION("f-setlkw-wr", "f-setlkw lock lockw setlkw setlkw-wr", GROUP_FD, FD, BOOL,
           "wait for an exclusive lock on the file with fcntl()",
           .apply = apply_record_lock, .a = F_WRLCK, .waits = true),
    OPTION("flock-ex", "flock", GROUP_FD, FD, BOOL,
           "wait for an exclusive lock on the file with flock()",
           .apply = apply_flock, .a = LOCK_EX, .waits = true),
    OPTION("flock-ex-nb", "flock-nb", GROUP_FD, FD, BOOL,
           "take an exclusive lock on the file with flock(), fail if it is taken",
           .apply = apply_flock, .a = LOCK_EX),
    OPTION("flock-sh", NULL, GROUP_FD, FD, BOOL, "wait for a shared lock on the file with flock()",
           .apply = apply_flock, .a = LOCK_SH, .waits = true),
    OPTION("flock-sh-nb", NULL, GROUP_FD, FD, BOOL,
           "take a shared lock on the file with flock(), fail if it is taken",
           .apply = apply_flock, .a = LOCK_SH),
    &opt_group,
    OPTION("group-late", "gid-l", GROUP_FD, LATE, GID, "group of the descriptor, set after opening",
           .apply = apply_group),
    OPTION("ioctl-bin", NULL, GROUP_FD, FD, INT_BIN,
           "<request>:<data>: ioctl() with a pointer to the data", .apply = apply_ioctl_bin),
    OPTION("ioctl-int", NULL, GROUP_FD, FD, INT_INT, "<request>:<number>: ioctl() with the number",
           .apply = apply_ioctl_int),
    OPTION("ioctl-intp", NULL, GROUP_FD, FD, INT_INTP,
           "<request>:<number>: ioctl() with a pointer to the number", .apply = apply_ioctl_intp),
    OPTION("ioctl-string", NULL, GROUP_FD, FD, INT_STRING,
           "<request>:<text>: ioctl() with a pointer to the text", .apply = apply_ioctl_string),
    OPTION("ioctl-void", "ioctl", GROUP_FD, FD, INT, "ioctl() with this request and no argument",
           .apply = apply_ioctl_void),
    OPTION("o-noatime", "noatime", GROUP_FD | GROUP_OPEN, FD, BOOL,
           "reading does not change the access time (O_NOATIME)",
           .apply = apply_status_flag, .a = O_NOATIME),
    OPTION("o-nonblock", "ndelay nonblock o-ndelay o_ndelay", GROUP_FD | GROUP_OPEN, FD, BOOL,
           "open and use without blocking (O_NONBLOCK)",
           .apply = apply_status_flag, .a = O_NONBLOCK),
    &opt_perm,
    OPTION("perm-late", NULL, GROUP_FD, LATE, MODE,
           "octal mode of the descriptor, set after opening", .apply = apply_mode),
    &opt_shut_close, &opt_shut_down, &opt_shut_none, &opt_shut_null, &opt_user,
    OPTION("user-late", "uid-l", GROUP_FD, LATE, UID, "owner of the descriptor, set after opening",
           .apply = apply_owner),
    OPTIONS_END,
};
