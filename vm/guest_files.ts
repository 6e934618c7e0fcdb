/**
 * The files that a guest boots from.
 *
 * @module
 */

/** What to boot. */
export interface GuestFiles {
  /** The emulator as a command: the program, and its first arguments. */
  readonly emulator: readonly string[];
  /** The kernel. */
  readonly kernel: string;
  /** Its initramfs, with softnic. */
  readonly initramfs: string;
  /** The image of the root file system. */
  readonly image: string;
  /** The plugin of the emulator that looks at the guest from below; it takes the instruction clock. */
  readonly microscope?: string;
}
