/**
 * Keeps a guest that stays: boots it, hands it the commands that come, and ends it when it is stopped,
 * when nobody has used it for long, or when those have ended for whom it was started.
 *
 * @module
 */
import type { Room } from "../../labs/kit/files/room.ts";
import {
  BOOT_MILLISECONDS,
  causeOfEnd,
  furnish,
  type GuestMachine,
  startMachine,
} from "../guest.ts";
import { countsInstructions, type GuestKind } from "../guest_kind.ts";
import { close, socketIn, STANDING } from "./find.ts";
import {
  type Booted,
  type Description,
  type Ended,
  type Frame,
  listen,
  type Order,
  type Owner,
  say,
  type SignalOrder,
} from "./messages.ts";
import { isAlive, together } from "./owners.ts";
import { Slot } from "./slot.ts";

/** How many commands can run at the same time, where the clock counts time. */
const SLOTS = 8;

/**
 * A guest whose clock counts instructions is halted when no command has run for so long: it never
 * sleeps, but goes on from timer to timer, and would keep a processor of the host's busy for nothing.
 */
const HALT_MILLISECONDS = 1000;

/** How long the guest stays without a command. */
const IDLE_SECONDS = 3600;

/** How often it is looked whether owners still run. */
const LOOK_MILLISECONDS = 1000;

/** A guest in which a command cannot be killed for so long is of no use any more. */
const KILL_MILLISECONDS = 30_000;

/** How long those who wait for a command may take to hear that the guest has ended. */
const TELL_MILLISECONDS = 2000;

/** What to keep. */
export interface KeeperRequest {
  /** The folder of the project that the guest shows. */
  readonly project: string;
  /** The kind of guest. */
  readonly guestKind: GuestKind;
  /** What it is booted from. */
  readonly build: string;
  /** How. */
  readonly booted: Booted;
  /** Its machine. */
  readonly machine: GuestMachine;
  /** It ends when no command has run for so long; an hour unless given. */
  readonly idleSeconds?: number | undefined;
  /** It ends when none of these processes runs any more; without any that does not end it. */
  readonly owners: readonly Owner[];
}

/** Keeps one guest. */
export class Keeper {
  /** Resolves, with the reason, when the guest is gone and nothing of it is left. */
  readonly ended: Promise<string>;
  readonly #request: KeeperRequest;
  readonly #room: Room;
  readonly #slots: readonly Slot[];
  readonly #machine: Deno.ChildProcess;
  readonly #failing = Promise.withResolvers<string>();
  #owners: readonly Owner[];
  #idleSeconds: number;
  #commands = 0;
  #retiring = false;
  #since = "";
  #why: string | undefined;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #halting: ReturnType<typeof setTimeout> | undefined;

  private constructor(request: KeeperRequest, room: Room) {
    this.#request = request;
    this.#room = room;
    this.#owners = request.owners;
    this.#idleSeconds = request.idleSeconds ?? IDLE_SECONDS;
    const numbers = Array.from({ length: slotsOf(request.guestKind) }, (_, index) => index + 1);
    this.#slots = numbers.map((number) => new Slot(room, number));
    this.#machine = startMachine(request.machine, room, numbers.flatMap(Slot.ports));
    this.ended = this.#follow();
  }

  /**
   * Boots the guest.
   *
   * @param request What to keep.
   * @param signal Ends it.
   * @returns It, ready for commands.
   * @throws {Error} If it does not boot; the message is a sentence.
   */
  static async boot(request: KeeperRequest, signal: AbortSignal): Promise<Keeper> {
    const slots = String(slotsOf(request.guestKind));
    const room = await furnish(STANDING, request.machine, { slots });
    const keeper = new Keeper(request, room);
    const interrupt = (): void => keeper.end("It was interrupted.");
    signal.addEventListener("abort", interrupt);
    if (signal.aborted) interrupt();
    const seconds = BOOT_MILLISECONDS / 1000;
    const late = setTimeout(
      () => keeper.end(`It did not boot (${seconds} s), and the guest was ended.`),
      BOOT_MILLISECONDS,
    );
    const ready = Promise.all(keeper.#slots.map((slot) => slot.ready)).then(() => undefined);
    const failure = await Promise.race([ready, keeper.ended]);
    clearTimeout(late);
    signal.removeEventListener("abort", interrupt);
    if (failure !== undefined) throw new Error(failure);
    keeper.#open();
    return keeper;
  }

  /**
   * Ends the guest.
   *
   * @param why Why, as a sentence.
   */
  end(why: string): void {
    this.#why ??= why;
    this.#signal("SIGKILL");
  }

  /** Waits for the machine's end, and clears up behind it. */
  async #follow(): Promise<string> {
    const said = new Response(this.#machine.stderr).text();
    await this.#machine.status;
    const why = this.#why ?? causeOfEnd(await this.#kernelLog(), await said);
    this.#failing.resolve(why);
    clearTimeout(this.#idle);
    clearTimeout(this.#halting);
    for (const slot of this.#slots) slot.close();
    // Who waits for a command is told first, unless he does not listen.
    const deadline = performance.now() + TELL_MILLISECONDS;
    while (this.#commands > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.#room[Symbol.dispose]();
    return why;
  }

  #open(): void {
    this.#since = new Date().toISOString();
    const listener = Deno.listen({ transport: "unix", path: socketIn(this.#room.folder) });
    (async () => {
      for await (const connection of listener) this.#serve(connection);
    })();
    setInterval(() => this.#lookAfterOwners(), LOOK_MILLISECONDS);
    this.#rest();
  }

  #lookAfterOwners(): void {
    if (this.#owners.length === 0) return;
    // The others are of no interest any more: a number may be given again.
    const alive = this.#owners.filter(isAlive);
    if (alive.length > 0) this.#owners = alive;
    else this.#retire("Those for whom it was started have ended.");
  }

  #retire(why: string): void {
    this.#retiring = true;
    if (this.#commands === 0) this.end(why);
  }

  /** Counts the time without a command from now on. */
  #rest(): void {
    clearTimeout(this.#idle);
    if (this.#commands > 0) return;
    if (this.#retiring) return this.end("It was to end after its last command.");
    this.#idle = setTimeout(
      () => this.end(`No command came for ${this.#idleSeconds} s.`),
      this.#idleSeconds * 1000,
    );
    if (!countsInstructions(this.#request.guestKind)) return;
    clearTimeout(this.#halting);
    this.#halting = setTimeout(() => this.#signal("SIGSTOP"), HALT_MILLISECONDS);
  }

  /** Counts neither of the two any more. */
  #wake(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#halting);
    if (countsInstructions(this.#request.guestKind)) this.#signal("SIGCONT");
  }

  #signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void {
    try {
      this.#machine.kill(name);
    } catch {
      // It has ended by itself.
    }
  }

  async #serve(connection: Deno.UnixConn): Promise<void> {
    try {
      const frames = listen(connection);
      const { value: first } = await frames.next();
      if (first?.kind !== "message") return;
      const order = first.value as Order;
      if (order.order === "run") return await this.#run(order, connection, frames);
      if (order.order === "stop") {
        this.end("The guest was stopped.");
        // The connection ends with this process.
        await new Promise(() => {});
      }
      if (order.order === "retire") this.#retire("A newer one takes its place.");
      if (order.order === "adopt") this.#adopt(order.owners, order.idleSeconds);
      await say(connection, { kind: "message", value: this.#description() });
    } catch {
      // Who asked is gone.
    } finally {
      close(connection);
    }
  }

  #adopt(owners: readonly Owner[], idleSeconds = this.#idleSeconds): void {
    this.#owners = together(this.#owners, owners);
    this.#idleSeconds = idleSeconds;
    this.#rest();
  }

  #description(): Description {
    const { project, guestKind, build, booted, machine } = this.#request;
    return {
      ...{ project, guestKind, build, booted },
      acceleration: machine.acceleration,
      pid: Deno.pid,
      since: this.#since,
      idleSeconds: this.#idleSeconds,
      owners: this.#owners,
      commands: this.#commands,
      retiring: this.#retiring,
    };
  }

  async #run(
    { script, timeLimit }: Extract<Order, { order: "run" }>,
    connection: Deno.UnixConn,
    frames: AsyncGenerator<Frame, void>,
  ): Promise<void> {
    const slot = this.#slots.find(({ isFree }) => isFree);
    const refused = this.#retiring
      ? "it is about to end"
      : slot === undefined
      ? this.#full()
      : undefined;
    if (slot === undefined || refused !== undefined) {
      return await say(connection, { kind: "message", value: { refused } });
    }
    this.#commands++;
    this.#wake();
    try {
      const ended = await this.#runIn(slot, { script, timeLimit, connection, frames });
      await say(connection, { kind: "message", value: ended });
    } finally {
      this.#commands--;
      this.#rest();
    }
  }

  async #runIn(slot: Slot, { script, timeLimit, connection, frames }: {
    readonly script: string;
    readonly timeLimit: number | undefined;
    readonly connection: Deno.UnixConn;
    readonly frames: AsyncGenerator<Frame, void>;
  }): Promise<Ended> {
    // Nothing is awaited before the slot is taken.
    const before = this.#kernelLogBytes();
    const timers: ReturnType<typeof setTimeout>[] = [];
    let failure: string | undefined;
    const kill = (why: string): void => {
      failure ??= why;
      slot.kill();
      timers.push(
        setTimeout(() => this.end("A command could not be killed."), KILL_MILLISECONDS),
      );
    };
    if (timeLimit !== undefined) {
      const seconds = Math.round(timeLimit / 1000);
      const why = `The command took longer than the time limit (${seconds} s), and was ended.`;
      timers.push(setTimeout(() => kill(why), timeLimit));
    }
    let over = false;
    const hear = async (): Promise<void> => {
      for await (const frame of frames) {
        if (frame.kind === "message") await slot.interrupt((frame.value as SignalOrder).signal);
      }
      if (!over) kill("Nobody waits for it any more.");
    };
    hear().catch(() => {});
    const status = await Promise.race([
      slot.run(script, sinkOf(connection)),
      this.#failing.promise,
    ]);
    over = true;
    for (const timer of timers) clearTimeout(timer);
    const kernelLog = await this.#kernelLog(before);
    if (typeof status === "string") return { failure: status, kernelLog };
    return failure === undefined ? { status, kernelLog } : { failure, kernelLog };
  }

  #full(): string {
    return this.#slots.length > 1
      ? `${this.#slots.length} commands run in it`
      : "a command runs in it, and each would count the other's instructions";
  }

  #kernelLogBytes(): number {
    return Deno.statSync(this.#room.path("console")).size;
  }

  async #kernelLog(from = 0): Promise<string> {
    const bytes = await Deno.readFile(this.#room.path("console")).catch(() => new Uint8Array());
    return new TextDecoder().decode(bytes.subarray(from));
  }
}

/** Two commands on one clock would count each other's instructions. */
function slotsOf(guestKind: GuestKind): number {
  return countsInstructions(guestKind) ? 1 : SLOTS;
}

/** Both streams go one way, a frame at a time; and nowhere once nobody is there. */
function sinkOf(
  connection: Deno.UnixConn,
): (kind: "out" | "err", bytes: Uint8Array) => Promise<void> {
  let last = Promise.resolve();
  return (kind, bytes) => last = last.then(() => say(connection, { kind, bytes })).catch(() => {});
}
