/* SPDX-License-Identifier: GPL-2.0-or-later
 * Options for entries of the file system: how they are made, opened and removed, and what can be
 * said about open files and pipes. */
#include <fcntl.h>
#include <linux/fs.h>
#include <unistd.h>

#include "endpoint/options/apply.h"

/* A flag of open(2), see opts_open_flags(). */
#define OPEN_FLAG(n, al, flag, h) OPTION(n, al, GROUP_OPEN, OPEN, BOOL, h, .a = flag)
/* One of the access modes; they exclude each other. */
#define OPEN_MODE(n, al, mode, h)                                                                  \
    OPTION(n, al, GROUP_OPEN, OPEN, BOOL, h, .a = mode, .b = O_ACCMODE)
/* An attribute that chattr(1) knows. */
#define FS_FLAG(n, al, flag, h)                                                                    \
    OPTION(n, al, GROUP_REG, FD, BOOL, h, .apply = apply_fs_flag, .a = flag)
#define SEEK(n, al, type, whence, h)                                                               \
    OPTION(n, al, GROUP_BLK | GROUP_REG, LATE, type, h, .apply = apply_seek, .a = whence)

NAMED_OPTION(opt_group_early, "group-early", "gid-e", GROUP_NAMED, PREOPEN, GID,
             "group of the entry, set before it is opened");
NAMED_OPTION(opt_perm_early, "perm-early", NULL, GROUP_NAMED, PREOPEN, MODE,
             "octal mode of the entry, set before it is opened");
NAMED_OPTION(opt_user_early, "user-early", "uid-e", GROUP_NAMED, PREOPEN, UID,
             "owner of the entry, set before it is opened");
NAMED_OPTION(opt_unlink, "unlink", "delete remove", GROUP_NAMED, PREOPEN, BOOL,
             "remove the entry before it is made or opened");
NAMED_OPTION(opt_unlink_close, "unlink-close", NULL, GROUP_NAMED, LATE, BOOL,
             "remove the entry at the end");
NAMED_OPTION(opt_unlink_early, "unlink-early", "new", GROUP_NAMED, EARLY, BOOL,
             "remove the entry first of all");
NAMED_OPTION(opt_unlink_late, "unlink-late", NULL, GROUP_NAMED, PASTOPEN, BOOL,
             "remove the entry after it was opened");

OPTION_TABLE(file) = {
    /* the entry */
    &opt_group_early, &opt_perm_early, &opt_user_early, &opt_unlink, &opt_unlink_close,
    &opt_unlink_early, &opt_unlink_late,
    /* opening it */
    OPEN_FLAG("o-creat", "creat create o-create o_creat o_create", O_CREAT,
              "create the file if it is missing (O_CREAT)"),
    OPEN_FLAG("o-direct", "direct o_direct", O_DIRECT, "bypass the system's cache (O_DIRECT)"),
    OPEN_FLAG("o-directory", "directory o_directory", O_DIRECTORY,
              "fail if it is no directory (O_DIRECTORY)"),
    OPEN_FLAG("o-dsync", "dsync o_dsync", O_DSYNC,
              "writing waits until the data is on the medium (O_DSYNC)"),
    OPEN_FLAG("o-excl", "excl o_excl", O_EXCL, "with creat: fail if the file exists (O_EXCL)"),
    OPEN_FLAG("o-largefile", "largefile o_largefile", O_LARGEFILE,
              "allow sizes that do not fit 32 bits (O_LARGEFILE)"),
    OPEN_FLAG("o-noctty", "noctty o_noctty", O_NOCTTY,
              "do not make it the controlling terminal (O_NOCTTY)"),
    OPEN_FLAG("o-nofollow", "nofollow o_nofollow", O_NOFOLLOW,
              "fail if it is a symbolic link (O_NOFOLLOW)"),
    OPEN_MODE("o-rdonly", "o_rdonly rdonly", O_RDONLY, "open for reading only (O_RDONLY)"),
    OPEN_MODE("o-rdwr", "o_rdwr rdwr", O_RDWR, "open for reading and writing (O_RDWR)"),
    OPEN_FLAG("o-rsync", "o_rsync rsync", O_RSYNC, "reading waits for pending writes (O_RSYNC)"),
    OPEN_FLAG("o-sync", "o_sync sync", O_SYNC, "writing waits until all is on the medium (O_SYNC)"),
    OPTION("o-trunc", "trunc", GROUP_OPEN, LATE, BOOL, "empty the file when opening it (O_TRUNC)",
           .a = O_TRUNC),
    OPEN_MODE("o-wronly", "o_wronly wronly", O_WRONLY, "open for writing only (O_WRONLY)"),
    /* the open file */
    OPTION("f-setpipe-sz", "pipesz", GROUP_FIFO, FD, INT,
           "capacity of the pipe in bytes (F_SETPIPE_SZ)", .apply = apply_pipe_size),
    OPTION("ftruncate32", NULL, GROUP_REG, LATE, OFF,
           "cut or extend the file to this length (32 bit)", .apply = apply_truncate),
    OPTION("ftruncate64", "ftruncate truncate", GROUP_REG, LATE, OFF64,
           "cut or extend the file to this length", .apply = apply_truncate),
    SEEK("lseek32-cur", NULL, OFF, SEEK_CUR,
         "move by this offset from the current position (32 bit)"),
    SEEK("lseek32-end", NULL, OFF, SEEK_END, "go to this offset from the end (32 bit)"),
    SEEK("lseek32-set", "lseek32", OFF, SEEK_SET, "go to this offset (32 bit)"),
    SEEK("lseek64-cur", "seek-cur", OFF64, SEEK_CUR,
         "move by this offset from the current position"),
    SEEK("lseek64-end", "seek-end", OFF64, SEEK_END, "go to this offset from the end"),
    SEEK("lseek64-set", "lseek lseek64 seek seek-set", OFF64, SEEK_SET, "go to this offset"),
    /* attributes of the file system */
    FS_FLAG("fs-append", "ext2-append ext3-append", FS_APPEND_FL,
            "file attribute: writing appends only"),
    FS_FLAG("fs-compr", "compr ext2-compr ext3-compr", FS_COMPR_FL,
            "file attribute: compressed on the medium"),
    FS_FLAG("fs-dirsync", "dirsync ext2-dirsync ext3-dirsync", FS_DIRSYNC_FL,
            "file attribute: directory changes are written at once"),
    FS_FLAG("fs-immutable", "ext2-immutable ext3-immutable immutable", FS_IMMUTABLE_FL,
            "file attribute: cannot be changed"),
    FS_FLAG("fs-journal-data", "ext2-journal-data ext3-journal-data journal journal-data",
            FS_JOURNAL_DATA_FL, "file attribute: data goes through the journal"),
    FS_FLAG("fs-noatime", "ext2-noatime ext3-noatime", FS_NOATIME_FL,
            "file attribute: the access time is not kept"),
    FS_FLAG("fs-nodump", "ext2-nodump ext3-nodump nodump", FS_NODUMP_FL,
            "file attribute: left out by dump(8)"),
    FS_FLAG("fs-notail", "ext2-notail ext3-notail", FS_NOTAIL_FL,
            "file attribute: the tail is not merged with other files'"),
    FS_FLAG("fs-secrm", "ext2-secrm ext3-secrm secrm", FS_SECRM_FL,
            "file attribute: overwritten when removed"),
    FS_FLAG("fs-sync", "ext2-sync ext3-sync", FS_SYNC_FL,
            "file attribute: changes are written at once"),
    FS_FLAG("fs-topdir", "ext2-topdir ext3-topdir topdir", FS_TOPDIR_FL,
            "file attribute: top of a directory hierarchy"),
    FS_FLAG("fs-unrm", "ext2-unrm ext3-unrm unrm", FS_UNRM_FL,
            "file attribute: can be restored after removal"),
    OPTIONS_END,
};
