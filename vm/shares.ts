/**
 * What the guest sees of the host, each at the path that it has outside.
 *
 * @module
 */
import { asValue } from "./emulator.ts";

/** A folder or file of the host's. */
export interface Share {
  /** Its name between QEMU and the guest. */
  readonly tag: string;
  /** Where it is: outside, and inside. */
  readonly path: string;
  /**
   * What the guest can do with it: only read it, write it, write over it in memory without the host
   * seeing it, or only read this one file. What is "fixed" the guest's first process mounts itself.
   * What is "fresh" it only reads, as it is at that moment, and not as it was when it was first read.
   */
  readonly kind: "read-only" | "fresh" | "writable" | "overlaid" | "file" | "fixed";
  /** Where it is inside, if that is another path than outside. */
  readonly inside?: string;
}

/**
 * QEMU's options for a share.
 *
 * @param share The share.
 * @returns The options.
 */
export function shareOptions({ tag, path, kind }: Share): string[] {
  const folder = kind === "file" ? path.slice(0, path.lastIndexOf("/")) || "/" : path;
  // Only root can give files to whom the guest gives them.
  const model = kind === "writable" && Deno.uid() === 0 ? "passthrough" : "none";
  const access = kind === "writable" ? "" : ",readonly=on";
  return [
    "-fsdev",
    `local,id=${tag},path=${asValue(folder)},security_model=${model},multidevs=remap${access}`,
    "-device",
    `virtio-9p-pci,fsdev=${tag},mount_tag=${tag}`,
  ];
}

/**
 * The lines with which the guest's first process mounts the shares.
 *
 * @param shares The shares, in the order of mounting.
 * @returns Shell commands.
 */
export function shareScript(shares: readonly Share[]): string {
  const lines = shares.map(({ tag, path, kind, inside = path }) => {
    switch (kind) {
      case "read-only":
        return `show ${tag} ${quoted(inside)} ro,cache=loose`;
      case "fresh":
        // Nothing is kept of a file that nobody has open.
        return `show ${tag} ${quoted(inside)} ro,cache=readahead`;
      case "writable":
        // A cache would hide from the writer that the disk is full.
        return `show ${tag} ${quoted(inside)} rw,cache=none`;
      case "overlaid":
        return `show_overlaid ${tag} ${quoted(inside)}`;
      case "file":
        return `show_file ${tag} ${quoted(inside)}`;
      case "fixed":
        return "";
    }
  });
  return lines.filter((line) => line !== "").join("\n") + "\n";
}

/**
 * A word as the shell takes it literally.
 *
 * @param word Any text.
 * @returns It in single quotes.
 */
export function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
