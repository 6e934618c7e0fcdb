/**
 * Generic netlink, where the kernel's families are found by name.
 *
 * @module
 */
import { UnsupportedError, UringError } from "../../kernel/errors.ts";
import type { Place } from "../place.ts";
import { type Attribute, attribute, Attributes, encodeAttributes } from "./attributes.ts";
import { NETLINK, type NetlinkMessage, type NetlinkRequest, NetlinkSocket } from "./socket.ts";

const GENERIC_HEADER_BYTES = 4;
const GENL_ID_CTRL = 16;
const CTRL_CMD_GETFAMILY = 3;
const CTRL_ATTR = {
  FAMILY_ID: 1,
  FAMILY_NAME: 2,
  VERSION: 3,
  OPS: 6,
  MCAST_GROUPS: 7,
} as const;
const CTRL_ATTR_OP_ID = 1;
const CTRL_ATTR_MCAST_GRP = { NAME: 1, ID: 2 } as const;

/** A family of generic netlink, as this kernel has it. */
export interface NetlinkFamily {
  /** Its name, such as `netdev`. */
  readonly name: string;
  /** The type of its messages on this boot. */
  readonly id: number;
  /** The version of its interface. */
  readonly version: number;
  /** The commands that this kernel knows. */
  readonly commands: ReadonlySet<number>;
  /** The multicast groups, by name. */
  readonly groups: ReadonlyMap<string, number>;
}

/** A command of a family. */
export interface FamilyRequest extends Omit<NetlinkRequest, "type" | "body"> {
  /** The number of the command. */
  readonly command: number;
  /** Its attributes; none by default. */
  readonly attributes?: readonly Attribute[];
}

/**
 * A generic netlink socket.
 */
export class GenericNetlink implements Disposable {
  readonly #socket: NetlinkSocket;

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /**
   * Opens a socket.
   *
   * @param place The namespace to ask about; without it, this one.
   * @throws {UringError} If the kernel refuses.
   */
  static open(place: Place = {}): GenericNetlink {
    return new GenericNetlink(NetlinkSocket.open(NETLINK.GENERIC, place));
  }

  /** The file descriptor. */
  get fd(): number {
    return this.#socket.fd;
  }

  /** Whether {@linkcode close} was called. */
  get closed(): boolean {
    return this.#socket.closed;
  }

  /**
   * Looks a family up by its name.
   *
   * @param name Such as `netdev` or `ethtool`.
   * @param since The kernel version that brought it, for the error.
   * @throws {UnsupportedError} If this kernel does not have it.
   */
  family(name: string, since?: string): NetlinkFamily {
    let reply: NetlinkMessage | undefined;
    try {
      [reply] = this.#socket.request({
        operation: `CTRL_CMD_GETFAMILY ${name}`,
        type: GENL_ID_CTRL,
        body: generic(CTRL_CMD_GETFAMILY, 1, [attribute.text(CTRL_ATTR.FAMILY_NAME, name)]),
      });
    } catch (error) {
      if (!(error instanceof UringError) || error.code !== "ENOENT") throw error;
      throw new UnsupportedError(`The generic netlink family ${name}`, { since });
    }
    const attributes = attributesOf(reply!);
    const commands = attributes.nest(CTRL_ATTR.OPS)?.nests() ?? [];
    const groups = attributes.nest(CTRL_ATTR.MCAST_GROUPS)?.nests() ?? [];
    return {
      name,
      id: attributes.number(CTRL_ATTR.FAMILY_ID)!,
      version: attributes.number(CTRL_ATTR.VERSION)!,
      commands: new Set(commands.map((command) => command.number(CTRL_ATTR_OP_ID)!)),
      groups: new Map(
        groups.map((group) =>
          [group.text(CTRL_ATTR_MCAST_GRP.NAME)!, group.number(CTRL_ATTR_MCAST_GRP.ID)!] as const
        ),
      ),
    };
  }

  /**
   * Gives a family a command.
   *
   * @param family Who shall do it.
   * @param request What it shall do.
   * @returns The attributes of each message of the answer.
   * @throws {UringError} If the kernel refuses.
   * @throws {ClosedError} After {@linkcode close}.
   */
  request(family: NetlinkFamily, request: FamilyRequest): Attributes[] {
    const { command, attributes = [], ...rest } = request;
    return this.#socket.request({
      ...rest,
      type: family.id,
      body: generic(command, family.version, attributes),
    }).map(attributesOf);
  }

  /** Closes the socket; what the kernel has tied to it ends. Idempotent. */
  close(): void {
    this.#socket.close();
  }

  /** The same as {@linkcode close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** One line for the REPL. */
  [Symbol.for("Deno.customInspect")](): string {
    return this.closed ? "GenericNetlink { closed }" : `GenericNetlink { fd: ${this.fd} }`;
  }
}

function generic(
  command: number,
  version: number,
  attributes: readonly Attribute[],
): Uint8Array {
  const encoded = encodeAttributes(attributes);
  const body = new Uint8Array(GENERIC_HEADER_BYTES + encoded.length);
  body[0] = command;
  body[1] = version;
  body.set(encoded, GENERIC_HEADER_BYTES);
  return body;
}

function attributesOf({ body }: NetlinkMessage): Attributes {
  return new Attributes(body.subarray(GENERIC_HEADER_BYTES));
}
