/**
 * Which Debian the guest is, and where its packages come from.
 *
 * @module
 */
import { UnsupportedError } from "zclab";
import { command } from "./command.ts";
import { EMULATOR_PACKAGE } from "./emulator.ts";

/** The release that the guest is. */
export const SUITE = "trixie";

/** Where its kernel comes from: the release's own is too old for the newest of zero-copy receive. */
export const KERNEL_SUITE = `${SUITE}-backports`;

/** What is taken from {@linkcode KERNEL_SUITE}. */
export const KERNEL_PACKAGES: readonly string[] = ["linux-image-amd64", "linux-headers-amd64"];

/**
 * What the guest has besides: for the labs, for building softnic, for whoever looks around, and what
 * boots it.
 */
export const PACKAGES: readonly string[] = [
  "busybox-static",
  "ethtool",
  "gcc",
  "iproute2",
  "kmod",
  "libc6-dev",
  "liburing-dev",
  "liburing2",
  "make",
  "procps",
  EMULATOR_PACKAGE,
];

/**
 * The mirror from which this machine takes Debian, as its apt is configured.
 *
 * @returns Its address.
 * @throws {UnsupportedError} If apt knows no mirror of Debian.
 */
export async function configuredMirror(): Promise<string> {
  const format = "$(ORIGIN) $(COMPONENT) $(LABEL) $(REPO_URI)";
  const text = new TextDecoder().decode(
    await command("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]),
  );
  const mirror = mirrorOf(text);
  if (mirror === undefined) {
    throw new UnsupportedError("A mirror of Debian in this machine's apt configuration", {
      advice: "Name one: deno task vm build --mirror ADDRESS",
    });
  }
  return mirror;
}

/**
 * The mirror of Debian itself among the sources of apt, not that of its security updates.
 *
 * @param targets Lines of origin, component, label and address.
 * @returns The address without a slash at its end, or undefined if there is none.
 */
export function mirrorOf(targets: string): string | undefined {
  for (const line of targets.split("\n")) {
    const [, address] = /^Debian main Debian (\S+)$/.exec(line.trim()) ?? [];
    if (address !== undefined) return address.replace(/\/+$/, "");
  }
  return undefined;
}

/**
 * The sources of the guest's packages, as lines of sources.list.
 *
 * @param mirror The address of the mirror.
 * @returns The lines.
 */
export function sourceLines(mirror: string): readonly string[] {
  return [SUITE, KERNEL_SUITE].map((suite) => `deb ${mirror} ${suite} main`);
}
