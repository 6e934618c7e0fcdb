/**
 * Where a sender's datagrams go: a link that leads nowhere, a receiver on this machine, or a host.
 *
 * @module
 */
import type { Address } from "../../../ffi/kernel/address.ts";
import type { Place } from "../../../ffi/net/place.ts";
import { Socket } from "../../../ffi/net/socket.ts";
import { hostPortProblem, parseHostPort } from "./host_port.ts";
import type { InterfaceSettings } from "./interface_settings.ts";
import { Testbed } from "./testbed.ts";

const PORT = 9000;
const NAMES: readonly string[] = ["ifb", "veth", "loopback"];

/**
 * Where datagrams go. `ifb` drops them, and `veth` is a pair whose far end drops them at ingress, both
 * without a copy. `loopback` and `veth-receiver` have a socket that owns the port, for which the kernel
 * always copies. `ADDRESS:PORT` is a host.
 */
export class DatagramSink implements AsyncDisposable {
  /** Its name. */
  readonly name: string;
  /** The links on the way, and their settings; none for a host. */
  readonly settings: readonly InterfaceSettings[];
  readonly #place: Place;
  readonly #address: Address;
  readonly #held: AsyncDisposableStack;

  private constructor(
    name: string,
    place: Place,
    address: Address,
    settings: readonly InterfaceSettings[],
    held: AsyncDisposableStack,
  ) {
    this.name = name;
    this.#place = place;
    this.#address = address;
    this.settings = settings;
    this.#held = held;
  }

  /**
   * Opens one.
   *
   * @param name As above.
   * @throws {RangeError} If it is the name of none, nor an address with a port.
   */
  static async open(name: string): Promise<DatagramSink> {
    await using held = new AsyncDisposableStack();
    if (DatagramSink.isHost(name)) {
      return new DatagramSink(name, {}, parseHostPort(name), [], held.move());
    }
    const bed = held.use(await makeTestbed(name));
    if (name === "loopback" || name === "veth-receiver") {
      // Somebody must own the port, or the kernel answers each datagram that nobody does. It never
      // reads: what does not fit its buffer is dropped, after it was copied.
      held.use(Socket.udp(bed.far).bind(bed.far.address(PORT)));
    }
    const settings = await bed.interfaceSettings();
    return new DatagramSink(name, bed.near, bed.far.address(PORT), settings, held.move());
  }

  /** What is wrong with the name of a sink, as the `check` of an option; undefined if nothing is. */
  static problem(text: string): string | undefined {
    const problem = NAMES.includes(text) ? undefined : hostPortProblem(text);
    return problem && `${problem}; it is none of ${NAMES.join(", ")} either`;
  }

  /** Whether a name is the address of a host. */
  static isHost(name: string): boolean {
    return name.includes(":");
  }

  /**
   * A new socket that sends to it.
   *
   * @throws {UringError} If the address cannot be reached from here.
   */
  connect(): Socket {
    const family = this.#address.host.includes(":") ? 6 : 4;
    using stack = new DisposableStack();
    const socket = stack.use(Socket.udp(this.#place, { family })).connect(this.#address);
    stack.move();
    return socket;
  }

  /** Takes its links down. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#held.disposeAsync();
  }
}

function makeTestbed(name: string): Promise<Testbed> {
  switch (name) {
    case "ifb":
      return Testbed.sink();
    case "loopback":
      return Testbed.loopback();
    case "veth":
    case "veth-receiver":
      return Testbed.pair({ dropAtFar: name === "veth" });
    default:
      throw new RangeError(`There is no sink ${JSON.stringify(name)}: ${NAMES.join(", ")}`);
  }
}
