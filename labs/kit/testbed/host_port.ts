/**
 * Addresses as people type them, checked before anything is made.
 *
 * @module
 */
import type { Address } from "../../../ffi/kernel/address.ts";

/** The words in which a text is wrong go behind the text. */
class Wrong extends Error {}

/**
 * Reads an address with a port, such as `192.0.2.1:9000`, `[2001:db8::1]:9000` or
 * `[fe80::1%eth0]:9000`. Names of hosts are not looked up. Calls nothing that must be compiled first.
 *
 * @param text What was typed.
 * @returns The address, as `Socket.connect` takes it.
 * @throws {RangeError} If it is none, or names an interface that this network namespace does not have.
 *
 * @example
 * ```ts
 * import { parseHostPort } from "./host_port.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(parseHostPort("[2001:db8::1]:9000"), { host: "2001:db8::1", port: 9000 });
 * assertThrows(() => parseHostPort("2001:db8::1:9000"), RangeError, "in brackets");
 * ```
 */
export function parseHostPort(text: string): Address {
  try {
    const [, six, rest, port] = /^(?:\[(.*)\]|(.*)):([^:\]]*)$/s.exec(text) ?? [];
    if (six === undefined && isIpv6(text.split("%")[0]!)) {
      throw new Wrong("has no port, or its address does not stand in brackets: [ADDRESS]:PORT");
    }
    if (port === undefined) throw new Wrong("is no ADDRESS:PORT such as 192.0.2.1:9000");
    const host = six === undefined ? ipv4Of(rest!) : ipv6Of(six);
    if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
      throw new Wrong(`has no port from 1 to 65535, but ${JSON.stringify(port)}`);
    }
    return { host, port: Number(port) };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    throw new RangeError(`${JSON.stringify(text)} ${error.message}`);
  }
}

/**
 * Says what is wrong with an address with a port.
 *
 * @param text What was typed.
 * @returns What {@linkcode parseHostPort} throws, as a sentence, or undefined if it is right.
 */
export function hostPortProblem(text: string): string | undefined {
  try {
    parseHostPort(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }
}

function ipv4Of(text: string): string {
  if (isIpv4(text)) return notNowhere(text);
  if (text.includes(":")) throw new Wrong("has an IPv6 address that does not stand in brackets");
  throw new Wrong(
    /[a-z]/i.test(text)
      ? "has no numeric address: names are not looked up"
      : "has no numeric address such as 192.0.2.1, of four numbers up to 255",
  );
}

function ipv6Of(text: string): string {
  const percent = text.indexOf("%");
  const numeric = percent < 0 ? text : text.slice(0, percent);
  if (!isIpv6(numeric)) throw new Wrong("has no numeric IPv6 address between its brackets");
  const isLinkLocal = /^(fe[89ab][0-9a-f]|ff[0-9a-f][12]):/i.test(numeric);
  if (percent >= 0) {
    if (!isLinkLocal) {
      throw new Wrong("names an interface, which only link-local addresses have");
    }
    requireInterface(text.slice(percent + 1));
  } else if (isLinkLocal) {
    const [name = "eth0"] = addressedInterfaces().filter(({ isLinkLocal }) => isLinkLocal)
      .map(({ name }) => name);
    throw new Wrong(`does not say on which interface it is: [${text}%${name}]:PORT`);
  }
  return notNowhere(text);
}

/**
 * Whether a text is an IPv4 address, as the kernel's tools take it: four numbers from 0 to 255.
 *
 * @param text The text.
 */
export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255);
}

/**
 * Whether a text is an IPv6 address: without brackets, without an interface.
 *
 * @param text The text.
 */
export function isIpv6(text: string): boolean {
  return /^[0-9a-f:.]+$/i.test(text) && text.includes(":") && URL.canParse(`http://[${text}]/`);
}

/** Nobody has it; Linux takes it for this machine itself. */
function notNowhere(host: string): string {
  if (/^[0:.]+$/.test(host)) throw new Wrong("has the address that stands for none");
  return host;
}

function requireInterface(zone: string): void {
  if (/^\d+$/.test(zone)) {
    if (addressedInterfaces().some(({ number }) => number === Number(zone))) return;
    throw new Wrong(`names interface number ${zone}, which is not here or has no IPv6 address`);
  }
  const names = ownInterfaces();
  if (names.includes(zone)) return;
  throw new Wrong(
    zone === ""
      ? "has no interface behind its %"
      : `names the interface ${JSON.stringify(zone)}, which is not here. There are: ` +
        names.join(", "),
  );
}

/** The interfaces of this thread's network namespace. */
function ownInterfaces(): string[] {
  const lines = Deno.readTextFileSync("/proc/thread-self/net/dev").split("\n");
  return lines.flatMap((line) => /^\s*(\S+):\s/.exec(line)?.[1] ?? []);
}

interface AddressedInterface {
  readonly number: number;
  readonly name: string;
  /** Whether one of its addresses is link-local. */
  readonly isLinkLocal: boolean;
}

/** Those that have an IPv6 address, without which nothing can be sent from them. */
function addressedInterfaces(): AddressedInterface[] {
  try {
    const lines = Deno.readTextFileSync("/proc/thread-self/net/if_inet6").split("\n");
    return lines.filter((line) => line !== "").map((line) => {
      const [address = "", number = "", , , , name = ""] = line.trim().split(/\s+/);
      return { number: parseInt(number, 16), name, isLinkLocal: address.startsWith("fe80") };
    });
  } catch (error) {
    // Without IPv6 there is no such file.
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
