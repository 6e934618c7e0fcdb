/**
 * Busy polling of a socket: the options that make its receives poll.
 *
 * @module
 */
import { checkWhole } from "../kernel/arguments.ts";
import { kernelIsAtLeast, UnsupportedError, UringError } from "../kernel/errors.ts";
import type { Socket } from "./socket.ts";
import type { SocketOption } from "./socket_options.ts";

const LARGEST_INT = 0x7fff_ffff;

/** How a socket shall busy poll. */
export interface SocketBusyPollOptions {
  /** How long a receive that finds nothing polls before it sleeps, in microseconds. */
  readonly microseconds: number;
  /** `SO_PREFER_BUSY_POLL` (5.11); left as it is by default. */
  readonly prefer?: boolean;
  /**
   * `SO_BUSY_POLL_BUDGET` (5.11): packets that one poll takes at most, 1 to 65535; left as it is by
   * default. The kernel does not tell the value from before: 0, its default (8 packets), is what
   * is put back.
   */
  readonly budget?: number;
}

/**
 * Sets a socket to busy polling. When that fails, nothing has changed.
 *
 * @param budgetBefore What was set before, which the kernel does not tell.
 * @returns Puts back what was there; does nothing once the socket is closed.
 */
export function pollSocket(
  socket: Socket,
  { microseconds, prefer, budget }: SocketBusyPollOptions,
  budgetBefore: number,
): () => void {
  checkWhole("microseconds", microseconds, 0, LARGEST_INT);
  if (budget !== undefined) checkWhole("budget", budget, 1, 0xffff);

  const before: [name: SocketOption, value: number][] = [];
  const change = (name: SocketOption, value: number, old: number): void => {
    setPollingOption(socket, name, value);
    before.unshift([name, old]);
  };
  const putBack = (): void => {
    if (socket.closed) return;
    for (const [name, value] of before) setPollingOption(socket, name, value);
  };
  try {
    change("SO_BUSY_POLL", microseconds, pollingOption(socket, "SO_BUSY_POLL"));
    if (prefer !== undefined) {
      change("SO_PREFER_BUSY_POLL", Number(prefer), pollingOption(socket, "SO_PREFER_BUSY_POLL"));
    }
    // There is no getsockopt for the budget.
    if (budget !== undefined) change("SO_BUSY_POLL_BUDGET", budget, budgetBefore);
  } catch (error) {
    putBack();
    throw error;
  }
  return putBack;
}

function setPollingOption(socket: Socket, name: SocketOption, value: number): void {
  try {
    socket.setOption(name, value);
  } catch (error) {
    throw explainOption(error, name);
  }
}

/**
 * Reads an option that has to do with busy polling.
 *
 * @throws {UnsupportedError} If this kernel lacks it.
 */
export function pollingOption(socket: Socket, name: SocketOption): number {
  try {
    return socket.option(name);
  } catch (error) {
    throw explainOption(error, name);
  }
}

function explainOption(error: unknown, name: SocketOption): unknown {
  if (!(error instanceof UringError)) return error;
  if (error.code === "ENOPROTOOPT") {
    const isRecent = name === "SO_PREFER_BUSY_POLL" || name === "SO_BUSY_POLL_BUDGET";
    return isRecent && !kernelIsAtLeast("5.11")
      ? new UnsupportedError(name, { since: "5.11" })
      : notBuilt(name);
  }
  if (error.code !== "EPERM") return error;
  return new UringError(error.operation, error.errno, {
    meaning: `to raise ${name}, this kernel wants CAP_NET_ADMIN outside of any user namespace`,
    advice: name === "SO_BUSY_POLL"
      ? "run as root, or use Linux 6.4 or later, which lets everybody set it"
      : "run as root, or do without it: since Linux 6.4 everybody may set SO_BUSY_POLL",
  });
}

/** The error of a kernel without busy polling. */
export function notBuilt(feature: string): UnsupportedError {
  return new UnsupportedError(feature, {
    advice: "This kernel was built without CONFIG_NET_RX_BUSY_POLL",
  });
}
