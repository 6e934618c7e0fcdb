/**
 * The typed attributes of netlink messages: made, and taken apart.
 *
 * @module
 */

const ATTRIBUTE_HEADER_BYTES = 4;
const NLA_F_NESTED = 0x8000;
/** The two upper bits of an attribute's type are flags. */
const NLA_TYPE_MASK = 0x3fff;

/** Rounds a length up to the four bytes that everything in a message is aligned to. */
export function align(length: number): number {
  return (length + 3) & ~3;
}

/** One attribute of a message, ready to be sent. */
export interface Attribute {
  /** Its number. */
  readonly type: number;
  /** Its bytes. */
  readonly payload: Uint8Array;
  /** Whether its bytes are attributes. */
  readonly nested?: boolean;
}

/** Makes attributes. Numbers are in the machine's byte order, as netlink wants them. */
export const attribute = {
  /** One that is there or not, and has no value. */
  flag: (type: number): Attribute => ({ type, payload: new Uint8Array(0) }),
  /** An unsigned number of 8 bits. */
  u8: (type: number, value: number): Attribute => ({ type, payload: Uint8Array.of(value) }),
  /** An unsigned number of 16 bits. */
  u16: (type: number, value: number): Attribute => ({
    type,
    payload: new Uint8Array(Uint16Array.of(value).buffer),
  }),
  /** An unsigned number of 32 bits. */
  u32: (type: number, value: number): Attribute => ({
    type,
    payload: new Uint8Array(Uint32Array.of(value).buffer),
  }),
  /** An unsigned number of 64 bits. */
  u64: (type: number, value: number | bigint): Attribute => ({
    type,
    payload: new Uint8Array(BigUint64Array.of(BigInt(value)).buffer),
  }),
  /** Text, which ends with a NUL. */
  text: (type: number, value: string): Attribute => ({
    type,
    payload: new TextEncoder().encode(`${value}\0`),
  }),
  /** Attributes inside an attribute. */
  nest: (type: number, attributes: readonly Attribute[]): Attribute => ({
    type,
    payload: encodeAttributes(attributes),
    nested: true,
  }),
} as const;

/** The bytes of attributes, one after the other, each padded to four bytes. */
export function encodeAttributes(attributes: readonly Attribute[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const { payload } of attributes) length += ATTRIBUTE_HEADER_BYTES + align(payload.length);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { type, payload, nested } of attributes) {
    if (payload.length > 0xffff - ATTRIBUTE_HEADER_BYTES) {
      throw new RangeError(`A netlink attribute has at most 65531 bytes, got ${payload.length}`);
    }
    view.setUint16(at, ATTRIBUTE_HEADER_BYTES + payload.length, true);
    view.setUint16(at + 2, type | (nested ? NLA_F_NESTED : 0), true);
    bytes.set(payload, at + ATTRIBUTE_HEADER_BYTES);
    at += ATTRIBUTE_HEADER_BYTES + align(payload.length);
  }
  return bytes;
}

/** The attributes of a message that was received, by number. */
export class Attributes {
  readonly #attributes: readonly (readonly [type: number, payload: Uint8Array])[];

  /**
   * Parses attributes.
   *
   * @param bytes The bytes after a message's headers, or those of a nesting attribute.
   * @throws {RangeError} If an attribute is longer than what is there.
   */
  constructor(bytes: Uint8Array) {
    const attributes: [number, Uint8Array][] = [];
    const view = viewOf(bytes);
    for (let at = 0; at + ATTRIBUTE_HEADER_BYTES <= bytes.length;) {
      const length = view.getUint16(at, true);
      if (length < ATTRIBUTE_HEADER_BYTES || at + length > bytes.length) {
        throw new RangeError(
          `A netlink attribute at ${at} says that it has ${length} bytes, of ${bytes.length} in all`,
        );
      }
      attributes.push([
        view.getUint16(at + 2, true) & NLA_TYPE_MASK,
        bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length),
      ]);
      at += align(length);
    }
    this.#attributes = attributes;
  }

  /** How many there are. */
  get size(): number {
    return this.#attributes.length;
  }

  /** Number and bytes of each, in order. */
  [Symbol.iterator](): Iterator<readonly [type: number, payload: Uint8Array]> {
    return this.#attributes[Symbol.iterator]();
  }

  /** Whether there is one of this number. */
  has(type: number): boolean {
    return this.bytes(type) !== undefined;
  }

  /** The bytes of the first of this number. */
  bytes(type: number): Uint8Array | undefined {
    return this.#attributes.find(([own]) => own === type)?.[1];
  }

  /**
   * An unsigned number of whatever width the kernel chose: 1, 2, 4 or 8 bytes.
   *
   * @throws {RangeError} If it has another width.
   */
  number(type: number): number | undefined {
    const bytes = this.bytes(type);
    if (bytes === undefined) return undefined;
    const view = viewOf(bytes);
    switch (bytes.length) {
      case 1:
        return view.getUint8(0);
      case 2:
        return view.getUint16(0, true);
      case 4:
        return view.getUint32(0, true);
      case 8:
        return Number(view.getBigUint64(0, true));
    }
    throw new RangeError(`The netlink attribute ${type} has ${bytes.length} bytes, not a number's`);
  }

  /** Text, without the NUL at its end. */
  text(type: number): string | undefined {
    const bytes = this.bytes(type);
    return bytes === undefined
      ? undefined
      : new TextDecoder().decode(bytes[bytes.length - 1] === 0 ? bytes.subarray(0, -1) : bytes);
  }

  /** The attributes inside the first of this number. */
  nest(type: number): Attributes | undefined {
    const bytes = this.bytes(type);
    return bytes === undefined ? undefined : new Attributes(bytes);
  }

  /** The attributes inside each one, whatever its number: the kernel's nested arrays. */
  nests(): Attributes[] {
    return this.#attributes.map(([, payload]) => new Attributes(payload));
  }
}

/** A view of bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
