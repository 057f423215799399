/* SPDX-License-Identifier: GPL-2.0-or-later
 * The apply functions that option rows share. a and b of the row are what each comment says; all
 * give 0, or -1 with the system call and its reason. */
#ifndef APPLY_H
#define APPLY_H

#include "catena/option_row.h"

/* apply_sock.c; a: level, b: name of setsockopt(2) */
int apply_sockopt_int(const struct opt *o, int fd, struct err *e);
int apply_sockopt_int_null(const struct opt *o, int fd, struct err *e); /* "opt=" makes no call */
int apply_sockopt_int3(const struct opt *o, int fd, struct err *e);
int apply_sockopt_byte(const struct opt *o, int fd, struct err *e);
int apply_sockopt_timeval(const struct opt *o, int fd, struct err *e);
int apply_sockopt_linger(const struct opt *o, int fd, struct err *e);
int apply_sockopt_string(const struct opt *o, int fd, struct err *e);
int apply_ip_options(const struct opt *o, int fd, struct err *e); /* appends */
/* ... level and name come with the value */
int apply_any_sockopt_int(const struct opt *o, int fd, struct err *e);
int apply_any_sockopt_bin(const struct opt *o, int fd, struct err *e);
int apply_any_sockopt_string(const struct opt *o, int fd, struct err *e);
/* apply_mcast.c */
int look_up_mcast(const struct opt *o, const struct addr *a, struct run *r, char **numeric,
                  struct err *e); /* for all of these; they themselves take numbers only */
int apply_ip_membership(const struct opt *o, int fd, struct err *e);
int apply_ip_source_membership(const struct opt *o, int fd, struct err *e);
int apply_ip_multicast_if(const struct opt *o, int fd, struct err *e);
int apply_ip6_membership(const struct opt *o, int fd, struct err *e);
int apply_ip6_source_membership(const struct opt *o, int fd, struct err *e);

/* apply_fd.c */
int apply_status_flag(const struct opt *o, int fd, struct err *e); /* a: O_... of F_SETFL */
int apply_cloexec(const struct opt *o, int fd, struct err *e);
int apply_pipe_size(const struct opt *o, int fd, struct err *e);
int apply_mode(const struct opt *o, int fd, struct err *e);
int apply_owner(const struct opt *o, int fd, struct err *e);
int apply_group(const struct opt *o, int fd, struct err *e);
int apply_seek(const struct opt *o, int fd, struct err *e); /* a: whence */
int apply_truncate(const struct opt *o, int fd, struct err *e);
int apply_fs_flag(const struct opt *o, int fd, struct err *e);  /* a: FS_..._FL */
int apply_record_lock(const struct opt *o, int fd, struct err *e); /* a: F_RDLCK.., b: 1 waits */
int apply_flock(const struct opt *o, int fd, struct err *e);    /* a: LOCK_EX.., b: 1 waits */
int apply_ioctl_void(const struct opt *o, int fd, struct err *e);
int apply_ioctl_int(const struct opt *o, int fd, struct err *e);
int apply_ioctl_intp(const struct opt *o, int fd, struct err *e);
int apply_ioctl_bin(const struct opt *o, int fd, struct err *e);
int apply_ioctl_string(const struct opt *o, int fd, struct err *e);
int apply_ioctl_fixed(const struct opt *o, int fd, struct err *e); /* a: request taking an int * */
int apply_window_size(const struct opt *o, int fd, struct err *e);
int apply_controlling_tty(const struct opt *o, int fd, struct err *e);

/* apply_process.c: these act on the process; async-signal-safe, for use behind fork() */
int apply_setuid(const struct opt *o, int fd, struct err *e);
int apply_setgid(const struct opt *o, int fd, struct err *e);
int apply_substuser(const struct opt *o, int fd, struct err *e);
int apply_chroot(const struct opt *o, int fd, struct err *e);
int apply_setsid(const struct opt *o, int fd, struct err *e);
int apply_setpgid(const struct opt *o, int fd, struct err *e);

#endif
