/**
 * The row of receiving: what a piece of a TCP stream costs the receiving thread, by zcrx on softnic.
 *
 * Sender, NIC and receiver share the guest's one processor, so only what the receiving thread itself
 * executes is counted, and what the kernel does in its name.
 *
 * @module
 */
import { Softnic, Testbed } from "zclab";
import { INSTRUCTIONS_PER_SECOND } from "../../labs/kit/trials/clock.ts";
import { receiveZeroCopy } from "../receive.ts";
import { namespacesOf, Reference } from "../reference.ts";
import type { OnListening, Received } from "../stream.ts";
import type { Row } from "./count.ts";

/** What the scheduler does and leaves undone. */
const SCHEDULER = "/sys/kernel/debug/sched/features";

const QUEUES = 2;
const QUEUE = 1;
const PORT = 9100;
const CPU = 0;
/** 16 000 pieces. With 2000 V8 was not done compiling when the rows were measured. */
const BYTES = 64 << 20;
/** The same for both sides, as in ../receive_trials.ts. */
const MEMORY = { area: 32 << 20, refill: 8192, completions: 4096 } as const;

/** What receives and sends in turns. */
export class ReceiveRows implements AsyncDisposable {
  readonly #bed: Testbed;
  readonly #sender: Reference;
  readonly #receiver: Reference;
  readonly #made: AsyncDisposable;

  private constructor(
    bed: Testbed,
    sender: Reference,
    receiver: Reference,
    made: AsyncDisposable,
  ) {
    this.#bed = bed;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#made = made;
  }

  /**
   * Makes the wire, and starts the C program at both ends.
   *
   * @throws {UnsupportedError} If softnic is not loaded.
   */
  static async open(): Promise<ReceiveRows> {
    await using made = new AsyncDisposableStack();
    const bed = made.use(await Testbed.softnic({ queues: QUEUES }));
    const nic = await Softnic.of(bed.far);
    await nic.steer({ port: PORT, queue: QUEUE });
    const sender = made.use(await Reference.start(namespacesOf(bed.near)));
    const receiver = made.use(await Reference.start(namespacesOf(bed.far)));
    made.use(await untilBlocked());
    return new ReceiveRows(bed, sender, receiver, made.move());
  }

  /** The rows. */
  get rows(): readonly Row[] {
    const bed = this.#bed;
    const stream = { ...bed.far.address(PORT), bytes: BYTES, cpu: CPU };
    const options = { ...stream, interface: bed.far.interface, queue: QUEUE, ...MEMORY };
    return [{
      name: "zcrx, a piece",
      c: () => this.#receive((listening) => this.#receiver.receiveZeroCopy(options, listening)),
      ours: () => this.#receive((listening) => receiveZeroCopy(bed.far, options, listening)),
    }];
  }

  async #receive(receive: (onListening: OnListening) => Promise<Received>): Promise<number> {
    const stream = { ...this.#bed.far.address(PORT), bytes: BYTES, cpu: CPU };
    const { cpuSeconds, pieces, copiedBytes } = await receive(() => this.#sender.stream(stream));
    await this.#sender.sent();
    if (copiedBytes !== 0) throw new Error(`The kernel copied ${copiedBytes} bytes of the stream`);
    return cpuSeconds * INSTRUCTIONS_PER_SECOND / pieces;
  }

  /** Ends the programs, and takes the wire away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#made[Symbol.asyncDispose]();
  }
}

/**
 * Lets each thread run until it has nothing to do. Otherwise a receiver that is woken takes the processor
 * from the sender or not as the moment has it, and so finds one piece or many, and what it pays for each
 * time that it is woken is shared by as many.
 */
async function untilBlocked(): Promise<AsyncDisposable> {
  const write = (feature: string): Promise<void> => Deno.writeTextFile(SCHEDULER, feature);
  await write("NO_WAKEUP_PREEMPTION");
  return { [Symbol.asyncDispose]: () => write("WAKEUP_PREEMPTION") };
}
