/**
 * What this process may do beside what every user may.
 *
 * @module
 */

/** `CAP_*` of linux/capability.h, as far as zclab asks for them. */
export const CAP = { NET_ADMIN: 12, IPC_LOCK: 14, SYS_ADMIN: 21 } as const;

/**
 * Whether this process has a capability, if only over a user namespace of its own.
 *
 * @param name The capability, without its prefix.
 * @param status The text of `/proc/self/status`; by default it is read.
 */
export function hasCapability(
  name: keyof typeof CAP,
  status: string = Deno.readTextFileSync("/proc/self/status"),
): boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  return ((effective >> BigInt(CAP[name])) & 1n) === 1n;
}
