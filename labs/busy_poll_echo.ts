/**
 * The far end of the `busy-poll` lab: a Worker's main module, which echoes on a socket with a ring
 * of its own and never busy polls.
 *
 * @module
 */
import { Area, describeErrno, pinThread, Ring, threadCpuSeconds } from "zclab";

/** What the Worker is told: echo what arrives on a socket until it is told to stop. */
export interface EchoRequest {
  /** The socket's descriptor; descriptors belong to the process, so every thread can use it. */
  readonly fd: number;
  /** Bytes that arrive at once, at most. */
  readonly bytes: number;
  /** What has at most so many bytes ends it: a short datagram, or 0 for a stream, which ends. */
  readonly stopBytes: number;
  /** The processor to echo on. */
  readonly cpu: number;
}

/** What the Worker says: first that it is ready, then for each request what was done. */
export interface EchoReport {
  /** Messages echoed; for TCP pieces of the stream. */
  readonly echoed: number;
  /** CPU time of the Worker's thread while it echoed, in seconds. */
  readonly cpuSeconds: number;
  /** What went wrong, if something did. */
  readonly error: string | undefined;
}

/** User data of what the echo prepares. */
const RECEIVED = 1;
const SENT = 2;

/** The Worker's own side of its port: types for that scope would not fit the rest of the program. */
interface Port {
  onmessage: ((event: MessageEvent<EchoRequest>) => void) | null;
  postMessage(report: EchoReport): void;
}

/** Blocks the thread until it is told to stop, or the socket is shut down. */
function echo({ fd, bytes, stopBytes, cpu }: EchoRequest): EchoReport {
  using _pinned = pinThread(cpu);
  using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 2 * bytes });
  // One half is sent while the other one receives.
  const halves = [area.slice(0, bytes), area.slice(bytes, bytes)] as const;
  const { batch } = ring;
  let received = 0;
  let sent = 0;
  const onCompletion = (userData: number, result: number): void => {
    if (userData === RECEIVED) received = result;
    else sent = result;
  };

  let echoed = 0;
  const cpuBefore = threadCpuSeconds();
  batch.recv(fd, halves[0], RECEIVED).submitAndWait(1);
  batch.reap(onCompletion);
  while (received > stopBytes && sent >= 0) {
    const [full, empty] = echoed % 2 === 0 ? halves : [halves[1], halves[0]];
    const piece = received === bytes ? full : full.slice(0, received);
    batch.send(fd, piece, SENT).recv(fd, empty, RECEIVED).submitAndWait(2);
    batch.reap(onCompletion);
    echoed++;
  }
  const cpuSeconds = threadCpuSeconds() - cpuBefore;
  const [code] = describeErrno(-Math.min(received, sent));
  return { echoed, cpuSeconds, error: received < 0 || sent < 0 ? code : undefined };
}

if ("DedicatedWorkerGlobalScope" in globalThis) {
  const port = globalThis as unknown as Port;
  port.onmessage = ({ data }) => {
    try {
      port.postMessage(echo(data));
    } catch (error) {
      port.postMessage({ echoed: 0, cpuSeconds: 0, error: String(error) });
    }
  };
  port.postMessage({ echoed: 0, cpuSeconds: 0, error: undefined });
}
