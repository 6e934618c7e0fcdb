/**
 * Runs `ip` and `ethtool` on a NIC, in the network namespace that it is in, and makes the one call
 * that ethtool has no words for.
 *
 * @module
 */
import { unwrap } from "../../../ffi/kernel/errors.ts";
import { native } from "../../../ffi/kernel/native.ts";
import type { NetworkNamespace } from "../../../ffi/net/namespace.ts";
import { Socket } from "../../../ffi/net/socket.ts";
import { CommandError, requirePrograms, runInNamespace } from "../testbed/namespace_command.ts";
import { findProgram } from "../terminal/setup.ts";

/** Where a NIC is: something that has a network namespace, such as an end of a testbed. */
export interface NicPlace {
  /** The namespace; without it the NIC is in the caller's. */
  readonly namespace?: NetworkNamespace;
}

/** What zclab reads of `ip -json -details link show`. */
export interface LinkDescription {
  readonly ifindex: number;
  readonly ifname: string;
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly address?: string;
  readonly permaddr?: string;
  /** The device that this one is a part of: a bond, a bridge. */
  readonly master?: string;
  /** The device that this one lies on: that of a VLAN, or the other end of a veth. */
  readonly link?: string;
  readonly xdp?: unknown;
}

/** What ethtool said. */
export interface EthtoolAnswer {
  /** What it was asked. */
  readonly args: readonly string[];
  /** What it printed, to either stream. */
  readonly text: string;
  /** Its exit code. */
  readonly code: number;
}

const SOL_SOCKET = 1;
/** A number that no other network namespace has until the next boot (Linux 5.14). */
const SO_NETNS_COOKIE = 71;
/** Replaces the whole indirection table of receive-side scaling: `enum` of linux/ethtool.h. */
const ETHTOOL_SRXFHINDIR = 0x39;

/** Runs programs where a NIC is. */
export class NicCommands {
  readonly #place: NicPlace;
  readonly #withoutJson = new Set<string>();
  #namespaceCookie: string | undefined;

  /** @param place Where the NIC is. */
  constructor(place: NicPlace = {}) {
    this.#place = place;
  }

  /** Whether the NIC is in the network namespace of this process. */
  get isHere(): boolean {
    return this.#place.namespace === undefined ||
      this.namespaceCookie === readNamespaceCookie({});
  }

  /**
   * The kernel's number for the namespace. No other has it until the next boot.
   *
   * @throws {UringError} Before Linux 5.14.
   */
  get namespaceCookie(): string {
    return this.#namespaceCookie ??= readNamespaceCookie(this.#place);
  }

  /**
   * Runs a program and returns what it printed.
   *
   * @throws {UnsupportedError} If it is not installed.
   * @throws {CommandError} If it fails.
   */
  async run(program: string, args: readonly string[]): Promise<string> {
    if (this.#place.namespace !== undefined) {
      return await runInNamespace(this.#place.namespace, program, args);
    }
    requirePrograms(program);
    const command = new Deno.Command(findProgram(program)!, {
      args: [...args],
      stdin: "null",
      env: { LC_ALL: "C" },
    });
    const { code, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    if (code !== 0) {
      throw new CommandError([program, ...args].join(" "), code, decoder.decode(stderr).trim());
    }
    return decoder.decode(stdout);
  }

  /** The same as {@linkcode run} of `ip -json`, with what it printed as an object. */
  async ip<T>(...args: string[]): Promise<T> {
    const text = await this.run("ip", ["-json", ...args]);
    // Older versions print nothing at all where newer ones print an empty list.
    return JSON.parse(text.trim() === "" ? "[]" : text) as T;
  }

  /** The same as {@linkcode run} of `ethtool`. */
  ethtool(...args: string[]): Promise<string> {
    return this.run("ethtool", args);
  }

  /**
   * Runs ethtool several times in one go, because starting processes is what takes time here.
   *
   * @param questions The arguments of each time.
   * @returns The answers; a failure is an answer, too.
   */
  async ethtoolEach(questions: readonly (readonly string[])[]): Promise<EthtoolAnswer[]> {
    requirePrograms("ethtool");
    const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;
    const ethtool = quote(findProgram("ethtool")!);
    const lines = questions.map((args) =>
      `${ethtool} ${args.map(quote).join(" ")} 2>&1; printf '\\036%s\\036' $?`
    );
    const output = await this.run("sh", ["-c", lines.join("\n")]);
    const pieces = output.split("\x1e");
    return questions.map((args, index) => ({
      args,
      text: pieces[2 * index] ?? "",
      code: Number(pieces[2 * index + 1]),
    }));
  }

  /** Whether the installed ethtool may have JSON for an option: true until it was seen not to. */
  mayHaveJson(option: string): boolean {
    return !this.#withoutJson.has(option);
  }

  /** Notes that the installed ethtool has no JSON for an option. */
  noteWithoutJson(option: string): void {
    this.#withoutJson.add(option);
  }

  /** The interfaces of the namespace. */
  links(): Promise<LinkDescription[]> {
    return this.ip<LinkDescription[]>("-details", "link", "show");
  }

  /**
   * Sets an indirection table entry by entry, which ethtool can only for tables with a pattern.
   *
   * @param name The interface.
   * @param table A queue for each entry.
   * @throws {UringError} If the kernel refuses.
   */
  setIndirection(name: string, table: readonly number[]): void {
    // struct ethtool_rxfh_indir: u32 cmd, u32 size, u32 ring_index[size].
    const request = new Uint32Array([ETHTOOL_SRXFHINDIR, table.length, ...table]);
    const device = new TextEncoder().encode(`${name}\0`);
    using socket = Socket.udp(this.#place);
    unwrap("ETHTOOL_SRXFHINDIR", native().zclab_ethtool(socket.fd, device, request));
  }
}

function readNamespaceCookie(place: NicPlace): string {
  const cookie = new BigUint64Array(1);
  using socket = Socket.udp(place);
  unwrap(
    "SO_NETNS_COOKIE",
    native().zclab_getsockopt(socket.fd, SOL_SOCKET, SO_NETNS_COOKIE, cookie, 8),
  );
  return String(cookie[0]);
}
