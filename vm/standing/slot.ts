/**
 * One of the places in the guest that stays at which a command can run: three ports, and a shell behind
 * them that runs one command after the other.
 *
 * @module
 */
import type { Room } from "../../labs/kit/files/room.ts";
import { order, orderSignal, type Report, reports } from "../control_port.ts";
import { EndMark } from "./end_mark.ts";

/** The ports of a slot. */
const PORTS = ["control", "out", "err"] as const;

/** An order to kill that comes before the command does is in vain, so it is given again. */
const KILL_AGAIN_MILLISECONDS = 1000;

/** Who gets a command's output. */
export type Sink = (stream: "out" | "err", bytes: Uint8Array) => Promise<void>;

/** What runs in a slot. */
interface Running {
  readonly marks: Readonly<Record<"out" | "err", EndMark>>;
  readonly sink: Sink;
  readonly resolve: (status: number) => void;
  status: number | undefined;
}

/** A place for one command at a time. */
export class Slot {
  /** Its number, from 1. */
  readonly number: number;
  /** Resolves when a command can run. */
  readonly ready: Promise<void>;
  readonly #room: Room;
  readonly #listeners: readonly Deno.UnixListener[];
  readonly #becomeReady: () => void;
  #control: Deno.UnixConn | undefined;
  #connections: Deno.UnixConn[] = [];
  #running: Running | undefined;

  /**
   * Listens for the guest.
   *
   * @param room The folder of the guest.
   * @param number The number of the slot, from 1.
   */
  constructor(room: Room, number: number) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.number = number;
    this.ready = promise;
    this.#room = room;
    this.#becomeReady = resolve;
    this.#listeners = PORTS.map((name) => {
      const path = room.path(`${name}.${number}`);
      const listener = Deno.listen({ transport: "unix", path });
      this.#serve(name, listener);
      return listener;
    });
  }

  /**
   * The names of a slot's ports, which are those of its sockets, too.
   *
   * @param number Its number.
   */
  static ports(number: number): string[] {
    return PORTS.map((name) => `${name}.${number}`);
  }

  /** Whether nothing runs in it. */
  get isFree(): boolean {
    return this.#running === undefined;
  }

  /**
   * Runs a script.
   *
   * @param script The script.
   * @param sink Who gets its output.
   * @returns Its exit status, when all of its output has been taken.
   */
  async run(script: string, sink: Sink): Promise<number> {
    if (!this.isFree) throw new Error(`slot ${this.number} runs something`);
    const mark = EndMark.random();
    const { promise, resolve } = Promise.withResolvers<number>();
    const marks = { out: new EndMark(mark), err: new EndMark(mark) };
    this.#running = { marks, sink, resolve, status: undefined };
    await Deno.writeTextFile(this.#room.path(`run/command.${this.number}`), script);
    await order(this.#control, `run ${mark}`);
    return await promise;
  }

  /**
   * Sends a signal to the command.
   *
   * @param name Its name, such as `SIGINT`.
   */
  async interrupt(name: string): Promise<void> {
    await orderSignal(this.#control, name);
  }

  /** Kills the command with all that it has started, until it has ended. */
  async kill(): Promise<void> {
    const killed = this.#running;
    while (killed !== undefined && this.#running === killed) {
      await order(this.#control, "kill");
      await new Promise((resolve) => setTimeout(resolve, KILL_AGAIN_MILLISECONDS));
    }
  }

  /** Listens no longer. */
  close(): void {
    this.#running = undefined;
    for (const one of [...this.#listeners, ...this.#connections]) {
      try {
        one.close();
      } catch {
        // QEMU has ended, and its connection with it.
      }
    }
  }

  async #serve(name: typeof PORTS[number], listener: Deno.UnixListener): Promise<void> {
    const connection = await listener.accept().catch(() => undefined);
    // QEMU ended before it connected.
    if (connection === undefined) return;
    this.#connections.push(connection);
    if (name === "control") {
      this.#control = connection;
      for await (const report of reports(connection)) this.#hear(report);
      return;
    }
    const bytes = new Uint8Array(65536);
    while (true) {
      const count = await connection.read(bytes).catch(() => null);
      if (count === null) return;
      await this.#pass(name, bytes.subarray(0, count));
    }
  }

  async #pass(stream: "out" | "err", bytes: Uint8Array): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    const output = running.marks[stream].take(bytes);
    if (output.length > 0) await running.sink(stream, output);
    this.#endIfOver(running);
  }

  #hear(report: Report): void {
    if (report === "ready") this.#becomeReady();
    else if (this.#running !== undefined) {
      this.#running.status = report;
      this.#endIfOver(this.#running);
    }
  }

  /** The three ports do not say in which order they were written to. */
  #endIfOver(running: Running): void {
    const { marks: { out, err }, status, resolve } = running;
    if (this.#running !== running || status === undefined || !out.ended || !err.ended) return;
    this.#running = undefined;
    resolve(status);
  }
}
