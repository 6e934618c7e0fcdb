/**
 * Memory that other drivers of the kernel can be given: a dma-buf made of ordinary pages (udmabuf),
 * which this process has mapped.
 *
 * A real accelerator exports a dma-buf of its own memory. To the network stack this one is the same:
 * it may not look inside. That the program can is what makes it good for learning and for tests.
 *
 * @module
 */
import { describeErrno, UnsupportedError, unwrap, UringError } from "../kernel/errors.ts";
import { Mapping, PAGE_SIZE } from "../kernel/memory.ts";
import { native } from "../kernel/native.ts";

/** How to make a dma-buf. */
export interface DmaBufOptions {
  /** Length in bytes: a multiple of the size of its pages. */
  readonly bytes: number;
  /** Binary logarithm of the page size: 21 or 30 for huge pages, 0 for ordinary ones. */
  readonly hugeShift?: 0 | 21 | 30;
}

/** A dma-buf: its file descriptor, and its pages as this process sees them. */
export interface DmaBuf {
  /** The file descriptor of the dma-buf; closing it leaves the memory to those who have it. */
  readonly fd: number;
  /** The same memory in this process. */
  readonly mapping: Mapping;
}

/**
 * Makes a dma-buf of zeroed pages: a file of memory that cannot shrink, mapped here, and handed to
 * `/dev/udmabuf` (4.20; huge pages since 6.11), which pins its pages.
 *
 * @param options Length, and kind of pages.
 * @throws {RangeError} If the length is not a positive multiple of the page size.
 * @throws {UnsupportedError} If this machine has no `/dev/udmabuf`, or not for this user.
 * @throws {UringError} If there is not enough memory, or more is wanted than udmabuf gives.
 */
export function createDmaBuf(options: DmaBufOptions): DmaBuf {
  const { bytes, hugeShift = 0 } = options;
  const page = hugeShift === 0 ? PAGE_SIZE : 2 ** hugeShift;
  if (!Number.isSafeInteger(bytes) || bytes <= 0 || bytes % page !== 0) {
    throw new RangeError(`A dma-buf is a multiple of ${page} bytes long, got ${bytes}`);
  }
  const memfd = unwrap("memfd_create", native().zclab_memfd(BigInt(bytes), hugeShift));
  let mapping: Mapping | undefined;
  try {
    mapping = Mapping.map({ bytes, fd: memfd });
    return { fd: exported(native().zclab_udmabuf(memfd, BigInt(bytes)), bytes), mapping };
  } catch (error) {
    mapping?.close();
    throw error;
  } finally {
    // The mapping and the dma-buf hold the memory.
    native().zclab_close(memfd);
  }
}

function exported(result: number, bytes: number): number {
  if (result >= 0) return result;
  const [code] = describeErrno(-result);
  switch (code) {
    case "ENOENT":
    case "ENODEV":
    case "ENXIO":
      throw new UnsupportedError("/dev/udmabuf", {
        advice: "As root: modprobe udmabuf (it needs CONFIG_UDMABUF)",
        remedy: "guest",
      });
    case "EACCES":
    case "EPERM":
      throw new UnsupportedError(`/dev/udmabuf (${code})`, {
        advice: "Run as root, or give this user access to it: chmod or its group, mostly kvm",
      });
    case "EINVAL":
      throw new UringError("UDMABUF_CREATE", -result, {
        meaning:
          `${bytes} bytes are more than udmabuf gives at once, or of a kind it does not take`,
        advice: `as root: echo ${Math.ceil(bytes / 2 ** 20)} > ` +
          "/sys/module/udmabuf/parameters/size_limit_mb",
      });
    default:
      throw new UringError("UDMABUF_CREATE", -result);
  }
}
