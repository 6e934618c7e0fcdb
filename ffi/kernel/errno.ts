/**
 * Numbers of errors, under the kernel's names (`asm-generic/errno.h`).
 *
 * @module
 */

/** What the code asks for by name. A result of the kernel is the number with a minus before it. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  EAGAIN: 11,
  ENOMEM: 12,
  EBUSY: 16,
  EEXIST: 17,
  ENODEV: 19,
  EINVAL: 22,
  ENOSPC: 28,
  EBADR: 53,
  ETIME: 62,
  EMSGSIZE: 90,
  EOPNOTSUPP: 95,
  ENOBUFS: 105,
  ENOTCONN: 107,
  ECANCELED: 125,
} as const;
