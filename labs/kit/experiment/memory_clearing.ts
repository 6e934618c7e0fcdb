/**
 * Whether the kernel clears memory when it is allocated. Where it does, each copy into a buffer that was
 * just allocated pays for clearing it first, and zero copy saves both.
 *
 * @module
 */

/** Where to read; null is for what is not there. */
interface Files {
  text(path: string): string | null;
}

/** Where a kernel's configuration is: its own account first, then where distributions put it. */
const CONFIGURATIONS = ["/proc/config.gz", "/boot/config-RELEASE", "/lib/modules/RELEASE/config"];

/** What the kernel takes for yes and no; of `on` and `off` the first two letters count. */
const YES = /^([1yYtT]|[oO][nN])/;
const NO = /^([0nNfF]|[oO][fF])/;

/**
 * Whether the kernel clears memory when it is allocated (Linux 5.3): `init_on_alloc` on its command
 * line, else what it was built with.
 * Source: Documentation/admin-guide/kernel-parameters.txt.
 *
 * @param files Where to read.
 * @returns Null where neither can be read.
 */
export function clearsOnAllocation(files: Files): boolean | null {
  const line = files.text("/proc/cmdline");
  // What comes after two dashes is for the first process.
  const words = line?.trim().split(/\s+/) ?? [];
  const own = words.includes("--") ? words.slice(0, words.indexOf("--")) : words;
  const told = own.findLast((word) => /^init[_-]on[_-]alloc=./.test(word) && known(valueOf(word)));
  if (told !== undefined) return YES.test(valueOf(told));
  return line === null ? null : clearsByDefault(files);
}

function clearsByDefault(files: Files): boolean | null {
  const release = files.text("/proc/sys/kernel/osrelease")?.trim() ?? "unknown";
  for (const path of CONFIGURATIONS) {
    const text = files.text(path.replace("RELEASE", release));
    if (text === null) continue;
    return /^CONFIG_INIT_ON_ALLOC_DEFAULT_ON=y$/m.test(text);
  }
  return null;
}

function valueOf(word: string): string {
  return word.slice(word.indexOf("=") + 1).replaceAll('"', "");
}

function known(value: string): boolean {
  return YES.test(value) || NO.test(value);
}
