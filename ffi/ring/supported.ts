/**
 * What this kernel can do with a ring.
 *
 * @module
 */
import type { Engine } from "./engine.ts";
import { UnsupportedError } from "../kernel/errors.ts";
import { LAYOUTS } from "../kernel/layout.ts";
import { OP_SINCE, type OperationName, REGISTER } from "../kernel/uapi.ts";

/** Which operations this kernel has (`IORING_REGISTER_PROBE`, 5.6): 1 for each opcode it has. */
export function supportedOperations(engine: Engine): Uint8Array {
  const { size } = LAYOUTS.io_uring_probe;
  const entry = LAYOUTS.io_uring_probe_op;
  const probe = new ArrayBuffer(size + 256 * entry.size);
  engine.register("IORING_REGISTER_PROBE", REGISTER.PROBE, probe, 256);
  const bytes = new DataView(probe);
  const supported = new Uint8Array(256);
  for (let op = 0; op <= bytes.getUint8(0); op++) {
    const flags = bytes.getUint16(size + op * entry.size + entry.fields.flags[0], true);
    supported[op] = flags & 1;
  }
  return supported;
}

/** The error for an operation that this kernel lacks. */
export function unsupported(operation: OperationName): UnsupportedError {
  return new UnsupportedError(`IORING_OP_${operation}`, { since: OP_SINCE[operation] });
}

/** The error for a kernel that sends no vectors. */
export function noVectors(): UnsupportedError {
  return new UnsupportedError("IORING_SEND_VECTORIZED", {
    since: "6.17",
    advice: "Use sendMsg or sendMsgZc",
  });
}
