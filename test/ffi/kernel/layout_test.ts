import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Layout, LAYOUTS, Struct } from "../../../ffi/kernel/layout.ts";
import { test } from "../../needs.ts";
import { askHeaders } from "../headers.ts";

const layouts: readonly Layout[] = Object.values(LAYOUTS);

/** Fields that lie in a structure inside of theirs. */
const NESTED: Readonly<Record<string, string>> = {
  "io_uring_sync_cancel_reg.tv_sec": "timeout.tv_sec",
  "io_uring_sync_cancel_reg.tv_nsec": "timeout.tv_nsec",
};

const questions = new Map<string, string>();
for (const { name, fields } of layouts) {
  questions.set(name, `sizeof(struct ${name})`);
  for (const field of Object.keys(fields)) {
    const member = NESTED[`${name}.${field}`] ?? field;
    questions.set(`${name}.${field} offset`, `offsetof(struct ${name}, ${member})`);
    questions.set(`${name}.${field} width`, `sizeof(((struct ${name} *)0)->${member})`);
  }
}
const answers = askHeaders(questions);

function isKnown(name: string, field: string): boolean {
  return answers.has(`${name}.${field} offset`);
}

function compareField(name: string, field: string, [offset, width]: readonly number[]): void {
  assertEquals(offset, Number(answers.get(`${name}.${field} offset`)), `offset of ${field}`);
  // Width 0 is an array or a structure, of which only the place matters.
  if (width === 0) return;
  assertEquals<number | undefined>(width, Number(answers.get(`${name}.${field} width`)), field);
}

for (const { name, size, fields } of layouts) {
  test(`The layout of ${name} is that of the system's headers`, {
    needs: [{ name: `headers with struct ${name}`, here: answers.has(name), inGuest: true }],
  }, () => {
    assertEquals(size, Number(answers.get(name)), "size");
    // Older headers may lack some.
    const known = Object.keys(fields).filter((field) => isKnown(name, field));
    for (const field of known) compareField(name, field, fields[field]!);
    assert(known.length > 0, "no field was compared");
  });
}

const missing = layouts.flatMap(({ name, fields }) =>
  Object.keys(fields).filter((field) => !isKnown(name, field)).map((field) => `${name}.${field}`)
);

test("The headers know every field of every layout, where it is", {
  needs: [{
    name: "headers with all fields",
    here: missing.length === 0,
    why: `these have no ${missing.join(", ")}`,
    inGuest: true,
  }],
}, () => {
  for (const { name, fields } of layouts) {
    for (const field of Object.keys(fields)) compareField(name, field, fields[field]!);
  }
});

Deno.test("LAYOUTS names each layout by its key, and no field leaves its structure", () => {
  for (const [key, { name, size, fields }] of Object.entries<Layout>(LAYOUTS)) {
    assertEquals(name, key);
    for (const [field, [offset, width]] of Object.entries(fields)) {
      assert(offset + Math.max(1, width) <= size, `${name}.${field}`);
      assert(width === 0 || offset % width === 0, `${name}.${field} is not aligned`);
    }
  }
});

Deno.test("Struct writes and reads each width where the layout says", () => {
  const sqe = new Struct(LAYOUTS.io_uring_sqe)
    .set("opcode", 0xab)
    .set("ioprio", 0xcdef)
    .set("len", 0xfedcba98)
    .set("user_data", 0x0123456789abcdefn);
  const view = new DataView(sqe.buffer);
  assertEquals(view.getUint8(0), 0xab);
  assertEquals(view.getUint16(2, true), 0xcdef);
  assertEquals(view.getUint32(24, true), 0xfedcba98);
  assertEquals(view.getBigUint64(32, true), 0x0123456789abcdefn);
  assertEquals(sqe.get("opcode"), 0xab);
  assertEquals(sqe.get("ioprio"), 0xcdef);
  assertEquals(sqe.get("len"), 0xfedcba98);
});

Deno.test("Struct looks at memory that exists already", () => {
  const memory = new ArrayBuffer(120);
  new DataView(memory).setUint32(80 + 4, 7, true);
  const offsets = new Struct(LAYOUTS.io_cqring_offsets, { buffer: memory, at: 80 });
  assertEquals(offsets.get("tail"), 7);
});

Deno.test("Struct refuses a field that is no number", () => {
  const params = new Struct(LAYOUTS.io_uring_params);
  assertThrows(() => params.set("sq_off", 1), TypeError, "sq_off");
  assertThrows(() => params.get("sq_off"), TypeError, "sq_off");
});
