/**
 * Checks of what a caller passes, before it reaches the kernel, which would take another value for it
 * without a word: numbers wrap, and text becomes 0.
 *
 * @module
 */
import { OwnershipError } from "./errors.ts";
import { MSG } from "./uapi.ts";

/** Flags of a receive that take from the socket what somebody else waits for. */
const FOREIGN = MSG.ERRQUEUE | MSG.SOCK_DEVMEM;

/** Whether it is an unsigned 32-bit number. */
export function isUnsigned32(value: unknown): value is number {
  return typeof value === "number" && value >>> 0 === value;
}

/**
 * The error for what is no whole number from one bound to another.
 *
 * @param name What it is, such as `shutdown: how`.
 */
function notWhole(name: string, value: unknown, least: number, most: number): RangeError {
  return new RangeError(
    `${name} must be a whole number from ${least} to ${most}, got ${Deno.inspect(value)}`,
  );
}

/**
 * Makes sure that it is a whole number.
 *
 * @param name What it is, such as `shutdown: how`.
 * @throws {RangeError} If it is none, or out of bounds.
 */
export function checkWhole(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw notWhole(name, value, least, most);
  }
}

/**
 * Makes sure that it is a time.
 *
 * @param name What it is, such as `Ring.close: timeout`.
 * @throws {RangeError} If it is not a number, or negative.
 */
export function checkTime(name: string, milliseconds: number): void {
  if (typeof milliseconds === "number" && milliseconds >= 0) return;
  throw new RangeError(
    `${name} must be a time in milliseconds, 0 or more, got ${Deno.inspect(milliseconds)}`,
  );
}

/** The error for user data that does not come back as it was given. */
export function badUserData(value: unknown): RangeError {
  return notWhole("userData", value, 0, 0xffff_ffff);
}

/**
 * Makes sure that an argument with named values is an object.
 *
 * @param name What it is, such as `options`.
 * @throws {TypeError} If it is none.
 */
export function checkObject(name: string, value: unknown): void {
  if (typeof value !== "object" || value === null) throw wrongKind(name, "an object", value);
}

/**
 * Makes sure that an argument is an object of a class.
 *
 * @param name What it is, such as `slice`.
 * @throws {TypeError} If it is none.
 */
export function checkKind(
  name: string,
  // A class with a private constructor is no constructor to TypeScript.
  kind: { readonly name: string; readonly prototype: object },
  value: unknown,
): void {
  if (value instanceof (kind as new () => object)) return;
  throw wrongKind(name, `${/^[AEIOU]/.test(kind.name) ? "an" : "a"} ${kind.name}`, value);
}

/** The error for an argument of a wrong kind. */
export function wrongKind(name: string, wanted: string, value: unknown): TypeError {
  const got = value === null || typeof value !== "object"
    ? Deno.inspect(value)
    : value.constructor?.name ?? "an object";
  return new TypeError(`${name} must be ${wanted}, got ${got}`);
}

/**
 * Makes sure that the flags of a send that copies leave its memory the program's.
 *
 * @param operation Such as `SEND`.
 * @throws {RangeError} If they are no 32-bit number.
 * @throws {OwnershipError} If MSG_ZEROCOPY is among them: the kernel would go on reading the memory.
 */
export function checkSendFlags(operation: string, flags: number): void {
  checkFlags(operation, flags);
  if ((flags & MSG.ZEROCOPY) === 0) return;
  throw new OwnershipError(
    `${operation}: with MSG_ZEROCOPY the kernel reads the memory after the send has completed, and ` +
      "says when it is done where this call does not look. Use sendZc or sendMsgZc of a ring, or " +
      "MessageZeroCopy, which send without copying and say when the memory is free",
  );
}

/**
 * Makes sure that the flags of a receive take only data of the stream or datagrams.
 *
 * @param operation Such as `RECV`.
 * @throws {RangeError} If they are no 32-bit number.
 * @throws {OwnershipError} If MSG_ERRQUEUE or MSG_SOCK_DEVMEM is among them.
 */
export function checkReceiveFlags(operation: string, flags: number): void {
  checkFlags(operation, flags);
  if ((flags & FOREIGN) === 0) return;
  throw new OwnershipError(
    (flags & MSG.ERRQUEUE) !== 0
      ? `${operation}: MSG_ERRQUEUE would take the notifications of zero-copy sends, and their memory ` +
        "would never be free. MessageZeroCopy.reap reads the error queue"
      : `${operation}: MSG_SOCK_DEVMEM would take memory of the device that nobody gives back. Use ` +
        "DeviceMemoryReceiver",
  );
}

/**
 * Makes sure that flags are what the kernel gets.
 *
 * @throws {RangeError} If they are no 32-bit number.
 */
export function checkFlags(operation: string, flags: number): void {
  if (isUnsigned32(flags)) return;
  if (typeof flags === "number" && (flags | 0) === flags) return;
  throw notWhole(`${operation}: flags`, flags, 0, 0xffff_ffff);
}
