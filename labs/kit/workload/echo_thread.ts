/**
 * The thread behind {@linkcode Echo}: a Worker's main module, which echoes on a socket with a ring of
 * its own and never busy polls.
 *
 * @module
 */
import { UringError } from "../../../ffi/kernel/errors.ts";
import { pinThread, threadCpuSeconds } from "../../../ffi/kernel/thread.ts";
import { Area } from "../../../ffi/memory/area.ts";
import { Ring } from "../../../ffi/ring/ring.ts";
import { answerRequests } from "./peer.ts";

/** What the thread is asked: to echo what arrives on a socket until it is told to stop. */
export interface EchoRequest {
  /** The socket's descriptor; descriptors belong to the process, so every thread can use it. */
  readonly fd: number;
  /** Bytes that arrive at once, at most. */
  readonly bytes: number;
  /** What has at most so many bytes ends it: a short datagram, or 0 for a stream, which ends. */
  readonly stopBytes: number;
  /** The processor to echo on, or undefined for any. */
  readonly cpu: number | undefined;
}

/** What was echoed. */
export interface Echoed {
  /** Messages; of a stream, pieces of it. */
  readonly messages: number;
  /** CPU time of the thread while it echoed, in seconds. */
  readonly cpuSeconds: number;
}

/** User data of what the echo prepares. */
const RECEIVED = 1;
const SENT = 2;

/** Blocks the thread until it is told to stop, or the socket is shut down. */
function echo({ fd, bytes, stopBytes, cpu }: EchoRequest, prepared: () => void): Echoed {
  using _pinned = cpu === undefined ? undefined : pinThread(cpu);
  using ring = Ring.open({ entries: 8 });
  using area = Area.map({ bytes: 2 * bytes });
  // One half is sent while the other one receives.
  const halves = [area.slice(0, bytes), area.slice(bytes, bytes)] as const;
  const { batch } = ring;
  let received = 0;
  const onCompletion = (userData: number, result: number): void => {
    if (result < 0) throw new UringError(userData === RECEIVED ? "RECV" : "SEND", -result);
    if (userData === RECEIVED) received = result;
  };

  prepared();
  let messages = 0;
  const cpuBefore = threadCpuSeconds();
  batch.recv(fd, halves[0], RECEIVED).submitAndWait(1);
  batch.reap(onCompletion);
  while (received > stopBytes) {
    const [full, empty] = messages % 2 === 0 ? halves : [halves[1], halves[0]];
    const piece = received === bytes ? full : full.slice(0, received);
    batch.send(fd, piece, SENT).recv(fd, empty, RECEIVED).submitAndWait(2);
    batch.reap(onCompletion);
    messages++;
  }
  return { messages, cpuSeconds: threadCpuSeconds() - cpuBefore };
}

answerRequests(echo);
