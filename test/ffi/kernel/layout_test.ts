import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Layout, LAYOUTS, Struct } from "../../../ffi/kernel/layout.ts";
import { askHeaders } from "../headers.ts";

const layouts: readonly Layout[] = Object.values(LAYOUTS);

const questions = new Map<string, string>();
for (const { name, fields } of layouts) {
  questions.set(name, `sizeof(struct ${name})`);
  for (const field of Object.keys(fields)) {
    questions.set(`${name}.${field} offset`, `offsetof(struct ${name}, ${field})`);
    questions.set(`${name}.${field} width`, `sizeof(((struct ${name} *)0)->${field})`);
  }
}
const answers = askHeaders(questions);

for (const { name, size, fields } of layouts) {
  const names = Object.keys(fields);
  const missing = names.filter((field) => !answers.has(`${name}.${field} offset`));

  Deno.test({
    name: answers.has(name)
      ? `The layout of ${name} is that of the system's headers`
      : `The layout of ${name} is that of the headers (these are too old to know ${name})`,
    ignore: !answers.has(name),
    fn(): void {
      assertEquals(size, Number(answers.get(name)), "size");
      for (const field of names.filter((field) => !missing.includes(field))) {
        const [offset, width] = fields[field]!;
        assertEquals(offset, Number(answers.get(`${name}.${field} offset`)), `offset of ${field}`);
        // Width 0 is an array or a structure, of which only the place matters.
        if (width === 0) continue;
        assertEquals<number>(width, Number(answers.get(`${name}.${field} width`)), field);
      }
      assert(missing.length < names.length, "no field was compared");
    },
  });

  if (answers.has(name) && missing.length > 0) {
    const list = missing.map((field) => `${name}.${field}`).join(", ");
    Deno.test({
      name: `The layout of ${list} is that of the headers (these are too old to know it)`,
      ignore: true,
      fn(): void {},
    });
  }
}

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
