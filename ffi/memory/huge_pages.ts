/**
 * What stands in the way of huge pages.
 *
 * @module
 */
import { UnsupportedError, UringError } from "../kernel/errors.ts";

/** Why there are no huge pages: too few are reserved, or the processor has none of that size. */
export function hugePageError(
  error: UringError,
  size: "2MiB" | "1GiB",
  count: number,
): Error {
  if (error.code === "ENOMEM") {
    return new UringError(error.operation, error.errno, {
      meaning: `${count} free huge pages of ${size} are needed`,
      advice: size === "2MiB"
        ? `as root: sysctl vm.nr_hugepages=${count} (or more)`
        : "reserve them at boot: hugepagesz=1G hugepages=N",
    });
  }
  // EINVAL of mmap(2), ENODEV of memfd_create(2): the kernel has set up no pages of this size.
  if (error.code === "EINVAL" || error.code === "ENODEV") {
    return new UnsupportedError(`A huge page of ${size}`, {
      advice: "This processor or kernel has none of that size; those there are stand in " +
        "/sys/kernel/mm/hugepages" + (size === "1GiB" ? '. Use "2MiB"' : ""),
    });
  }
  return error;
}
