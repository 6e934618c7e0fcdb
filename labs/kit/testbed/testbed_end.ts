/**
 * The two ends of a testbed: where sockets are made, and what each is called by the other.
 *
 * @module
 */
import { checkWhole } from "../../../ffi/kernel/arguments.ts";
import { ClosedError, UnsupportedError } from "../../../ffi/kernel/errors.ts";
import {
  CLOSED,
  type Display,
  type Fact,
  inLine,
  inTable,
} from "../../../ffi/kernel/inspection.ts";
import type { NetworkNamespace } from "../../../ffi/net/namespace.ts";

/** What both ends of a link and the sink are called by others. Nobody outside can reach them. */
export const NEAR = {
  ipv4: "10.231.0.1",
  ipv6: "fd7a:636c:6162::1",
  link: "02:00:00:00:00:01",
} as const;
export const FAR = {
  ipv4: "10.231.0.2",
  ipv6: "fd7a:636c:6162::2",
  link: "02:00:00:00:00:02",
} as const;
export const LOOPBACK = { ipv4: "127.0.0.1", ipv6: "::1", link: "00:00:00:00:00:00" } as const;

/** An IP address with a port, as sockets take it. */
export interface TestbedAddress {
  /** The numeric IP address. */
  readonly host: string;
  /** The port, from 0 (the kernel chooses) to 65535. */
  readonly port: number;
}

/** One end of a testbed: where sockets are made, and what the other end calls it. */
export interface TestbedEnd {
  /**
   * The namespace in which this end's sockets are made. A sink's far end is nobody: it has the near
   * end's namespace, as both ends of a loopback do.
   *
   * @throws {ClosedError} After the testbed was closed.
   */
  readonly namespace: NetworkNamespace;
  /** The name of the interface that leads to the other end. */
  readonly interface: string;
  /** The MTU of that interface, in bytes. */
  readonly mtu: number;
  /**
   * The address of this end.
   *
   * @param port From 0 to 65535.
   * @param family 4 or 6. Default: 4.
   * @throws {RangeError} If the port is none.
   * @throws {UnsupportedError} If IPv6 is asked for and this kernel has it switched off.
   * @throws {ClosedError} After the testbed was closed.
   */
  address(port: number, family?: 4 | 6): TestbedAddress;
}

/** The end of a testbed, by its addresses. */
export class End implements TestbedEnd {
  readonly interface: string;
  readonly mtu: number;
  readonly #namespace: NetworkNamespace;
  readonly #addresses: { readonly ipv4: string; readonly ipv6: string };

  constructor(
    namespace: NetworkNamespace,
    addresses: { readonly ipv4: string; readonly ipv6: string },
    name: string,
    mtu: number,
  ) {
    this.#namespace = namespace;
    this.#addresses = addresses;
    this.interface = name;
    this.mtu = mtu;
  }

  get namespace(): NetworkNamespace {
    if (this.#namespace.closed) throw new ClosedError("Testbed");
    return this.#namespace;
  }

  address(port: number, family: 4 | 6 = 4): TestbedAddress {
    if (this.#namespace.closed) throw new ClosedError("Testbed");
    checkWhole("port", port, 0, 65535);
    if (family === 4) return { host: this.#addresses.ipv4, port };
    if (!hasIpv6()) {
      throw new UnsupportedError("IPv6", { advice: "Boot without ipv6.disable=1, or use IPv4" });
    }
    return { host: this.#addresses.ipv6, port };
  }

  [Symbol.for("Deno.customInspect")](): string {
    return inLine("TestbedEnd", this.#facts());
  }

  /** A small table for notebooks. */
  [Symbol.for("Jupyter.display")](): Display {
    return inTable("TestbedEnd", this.#facts());
  }

  #facts(): readonly Fact[] {
    if (this.#namespace.closed) return CLOSED;
    const { ipv4, ipv6 } = this.#addresses;
    return [
      ["interface", this.interface, "bare"],
      ["mtu", this.mtu],
      ["IPv4", ipv4, "bare"],
      ["IPv6", ipv6, "bare"],
    ];
  }
}

/** Whether this kernel has IPv6. */
export function hasIpv6(): boolean {
  try {
    Deno.statSync("/proc/net/if_inet6");
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
