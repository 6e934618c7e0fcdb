/**
 * What is said through a control port of the guest, a line at a time: by its first process, `ready` and
 * `exit STATUS`; to it, orders. vm/init.sh is the other end.
 *
 * @module
 */

/** The guest can take a command, or a command has ended with this status. */
export type Report = "ready" | number;

/**
 * What the guest's first process reports.
 *
 * @param connection The port.
 * @returns The reports, until the port is closed.
 */
export async function* reports(connection: Deno.UnixConn): AsyncGenerator<Report, void> {
  const decoder = new TextDecoder();
  const bytes = new Uint8Array(256);
  let text = "";
  while (true) {
    const count = await connection.read(bytes).catch(() => null);
    if (count === null) return;
    const lines = (text + decoder.decode(bytes.subarray(0, count), { stream: true })).split("\n");
    text = lines.pop()!;
    for (const line of lines) {
      const [word, value] = line.split(" ");
      if (word === "ready") yield word;
      else if (word === "exit") yield Number(value);
    }
  }
}

/**
 * Gives the guest's first process an order. That the guest has ended is told by QEMU's end.
 *
 * @param connection The port; where there is none yet, nothing is ordered.
 * @param text The order.
 */
export async function order(connection: Deno.UnixConn | undefined, text: string): Promise<void> {
  await connection?.write(new TextEncoder().encode(`${text}\n`)).catch(() => {});
}

/**
 * Orders a signal for the command that runs.
 *
 * @param connection The port.
 * @param name The signal's name, such as `SIGINT`.
 */
export async function orderSignal(
  connection: Deno.UnixConn | undefined,
  name: string,
): Promise<void> {
  await order(connection, `signal ${name.replace(/^SIG/, "")}`);
}
