/**
 * Receive-side scaling: tables, and the commands that make them.
 *
 * @module
 */

/**
 * The arguments of ethtool that set an indirection table, or undefined if only the kernel's own
 * interface can, which takes it entry by entry.
 *
 * @param name The interface.
 * @param table A queue for each entry.
 * @param queues How many queues the NIC has.
 */
export function indirectionArgs(
  name: string,
  table: readonly number[],
  queues: number,
): string[] | undefined {
  if (isDefaultTable(table, queues)) return ["-X", name, "default"];
  const start = Math.min(...table);
  const width = Math.max(...table) - start + 1;
  if (table.every((queue, index) => queue === start + index % width)) {
    const from = start === 0 ? [] : ["start", String(start)];
    return ["-X", name, ...from, "equal", String(width)];
  }
  // By weights ethtool gives each queue one run of entries, in the order of the queues.
  if (table.some((queue, index) => index > 0 && queue < table[index - 1]!)) return undefined;
  const weights = new Array<number>(Math.max(...table) + 1).fill(0);
  for (const queue of table) weights[queue]!++;
  return ["-X", name, "weight", ...weights.map(String)];
}

/** Whether a table is the one that the kernel makes when nobody asks for another. */
export function isDefaultTable(table: readonly number[], queues: number): boolean {
  return table.every((queue, index) => queue === index % queues);
}

/** How a table is shown that ethtool cannot set. */
export function showIndirection(name: string, table: readonly number[]): string {
  return `ioctl ETHTOOL_SRXFHINDIR ${name} [${table.join(" ")}]`;
}
