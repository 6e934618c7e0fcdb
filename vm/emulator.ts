/**
 * The program that boots the guest: the QEMU of the guest's own Debian, run on the host by its own
 * loader, so that it does not matter which QEMU the host has.
 *
 * It has to be 8.1 or later. Earlier ones emulate processors in threads that can keep running a
 * translation of code which another thread has just changed. The kernel changes its own code all the
 * time: on a busy host the guest panicked within a minute ("Oops: int3").
 *
 * @module
 */

/** The package that brings it. */
export const EMULATOR_PACKAGE = "qemu-system-x86";

/** Its files that nobody reads in the guest, below the root. */
export const EMULATOR_FILES: readonly string[] = [
  "usr/bin/qemu-system-i386",
  "usr/bin/qemu-system-x86_64",
  "usr/bin/qemu-system-x86_64-microvm",
  "usr/share/qemu",
  "usr/share/seabios",
];

/**
 * The emulator as a command: the program, and its first arguments.
 *
 * @param root The root file system that has it.
 * @returns The command, to which a machine is added.
 */
export function emulatorCommand({ folder }: { readonly folder: string }): readonly string[] {
  return [
    `${folder}/lib64/ld-linux-x86-64.so.2`,
    ...["--library-path", `${folder}/usr/lib/x86_64-linux-gnu`],
    `${folder}/usr/bin/qemu-system-x86_64`,
    ...["-L", `${folder}/usr/share/qemu`, "-L", `${folder}/usr/share/seabios`],
  ];
}

/**
 * A text as a part of one of the emulator's options, in which a comma ends a value unless it is doubled.
 *
 * @param text Any text.
 */
export function asValue(text: string): string {
  return text.replaceAll(",", ",,");
}
