/**
 * What the tests of ffi/ share: sockets that are connected inside a testbed, and child processes.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { type Ring, Socket, type Testbed } from "zclab";
import { Command } from "../child.ts";
import { PATIENCE, until, untilBlocking } from "../until.ts";

export { until, untilBlocking };

/** The text as bytes. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The bytes as text. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Bytes that differ from place to place, so that what is lost, moved or doubled shows. */
export function pattern(length: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = (seed ^ 0x9e3779b9) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Two sockets that are connected, near and far. */
export class Connection implements Disposable {
  constructor(readonly near: Socket, readonly far: Socket) {}

  [Symbol.dispose](): void {
    this.near.close();
    this.far.close();
  }
}

/** A UDP socket at the near end, connected to one at the far end. */
export function connectUdp(bed: Testbed, family: 4 | 6 = 4): Connection {
  const far = Socket.udp(bed.far, { family }).bind(bed.far.address(0, family));
  const near = Socket.udp(bed.near, { family }).connect(far.localAddress!);
  return new Connection(near, far);
}

/** A TCP connection from the near end to the far end, whose port is any unless it is given. */
export async function connectTcp(
  ring: Ring,
  bed: Testbed,
  options: { family?: 4 | 6; receiveBuffer?: number; port?: number } = {},
): Promise<Connection> {
  const { family = 4, receiveBuffer, port = 0 } = options;
  using listener = Socket.tcp(bed.far, { family }).setOption("SO_REUSEADDR", true)
    .bind(bed.far.address(port, family));
  if (receiveBuffer !== undefined) listener.setOption("SO_RCVBUF", receiveBuffer);
  listener.listen();
  const near = Socket.tcp(bed.near, { family }).connectBlocking(listener.localAddress!);
  return new Connection(near, await ring.accept(listener));
}

/** A completion, as the batch API hands it out. */
export type Completion = readonly [userData: number, result: number, flags: number];

/** Awaits until nothing is in flight, such as the time limits of what has completed. */
export async function drained(ring: Ring): Promise<void> {
  await until("nothing is in flight", async () => {
    await ring.nop();
    return ring.inFlight === 0;
  });
}

/** Submits what is prepared and reaps, blocking, until nothing is in flight. */
export function reapAll(ring: Ring): Completion[] {
  const completions: Completion[] = [];
  untilBlocking("nothing is in flight", () => {
    ring.batch.waitBlocking(Math.min(1, ring.inFlight), PATIENCE * 1000);
    ring.batch.reap((...completion) => completions.push(completion));
    return ring.inFlight === 0;
  });
  return completions;
}

/** Whether memory is mapped at an address. The kernel shows neighbouring mappings as one. */
export function isMapped(address: number): boolean {
  return Deno.readTextFileSync("/proc/self/maps").split("\n").some((line) => {
    const [from, to] = line.split(" ")[0]!.split("-").map((text) => Number(`0x${text}`));
    return from! <= address && address < to!;
  });
}

/** Resolves after a turn of the event loop that also runs timers. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Runs a module in a process of its own, with `zclab` and everything else that tests import.
 *
 * @param source The module.
 * @param options `prefix`: a program that runs it, with its first arguments.
 */
export function runModule(
  source: string,
  options: { prefix?: readonly string[] } = {},
): { code: number; stdout: string; stderr: string } {
  const line = [...options.prefix ?? [], Deno.execPath(), "eval", "--ext=ts", source];
  const output = new Command(line[0]!, {
    args: line.slice(1),
    cwd: fromFileUrl(new URL("../..", import.meta.url)),
    env: { NO_COLOR: "1" },
  }).outputSync();
  return { code: output.code, stdout: textOf(output.stdout), stderr: textOf(output.stderr) };
}

/** Runs a module in a process of its own and requires that it ends well and says exactly that. */
export function assertModule(source: string, expected: string): void {
  const { code, stdout, stderr } = runModule(source);
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: expected, stderr: "" });
}
