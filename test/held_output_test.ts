import { assertEquals } from "@std/assert";
import { HeldOutput } from "./held_output.ts";
import { until } from "./until.ts";

Deno.test("output is held back until it is released, and passed on in order from then on", async () => {
  let printed = "";
  const output = new HeldOutput((text) => printed += text);
  const { readable, writable } = new TransformStream<
    Uint8Array<ArrayBuffer>,
    Uint8Array<ArrayBuffer>
  >();
  const taken = output.take(readable);
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode("first "));
  await writer.write(new TextEncoder().encode("second "));
  assertEquals(printed, "");
  output.release();
  await until("what was held is printed", () => printed === "first second ");
  await writer.write(new TextEncoder().encode("third"));
  await until("what comes later is printed", () => printed === "first second third");
  await writer.close();
  await taken;
  output.release();
  assertEquals(printed, "first second third");
});
