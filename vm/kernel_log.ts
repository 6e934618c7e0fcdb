/**
 * Reads the log of the guest's kernel.
 *
 * @module
 */

/** How the kernel begins to say that something is wrong with itself. */
const COMPLAINTS =
  /\b(WARNING: (CPU|possible|suspicious|bad unlock|lock held|inconsistent|kernel|.*:\d+ at)|BUG: |Oops: |Kernel panic|general protection fault|refcount_t: |UBSAN: |KASAN: |INFO: task .* blocked|rcu: INFO: |watchdog: BUG|unregister_netdevice: waiting|page_pool_release_retry|list_add corruption|list_del corruption)/;

/**
 * The lines of a kernel log that mean a mistake in the kernel or in a module.
 *
 * @param log The log.
 * @returns Those lines.
 */
export function kernelComplaints(log: string): readonly string[] {
  return log.split(/\r?\n/).filter((line) => COMPLAINTS.test(line));
}
