import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { deadline, eventually, inTime, until, untilBlocking } from "./until.ts";

Deno.test("eventually() returns what is found, and gives up in time", async () => {
  let looks = 0;
  assertEquals(await eventually("a number", () => ++looks < 3 ? undefined : looks), 3);
  const never = eventually("a number", () => undefined, 0.05);
  await assertRejects(() => never, Error, "Waited for 0.05 s in vain: a number");
});

Deno.test("until() and untilBlocking() end when the condition holds, or give up in time", async () => {
  let looks = 0;
  await until("three looks", () => Promise.resolve(++looks === 3));
  untilBlocking("six looks", () => ++looks === 6);
  assertEquals(looks, 6);
  await assertRejects(() => until("it", () => false, 0.05), Error, "in vain: it");
  assertThrows(() => untilBlocking("it", () => false, 0.05), Error, "in vain: it");
  deadline("it")();
  assertThrows(deadline("it", -1), Error, "in vain: it");
});

Deno.test("inTime() settles as the promise does, or gives up in time", async () => {
  assertEquals(await inTime("it", Promise.resolve(1)), 1);
  const failure = Promise.reject(new Error("mine"));
  await assertRejects(() => inTime("it", failure), Error, "mine");
  await assertRejects(() => inTime("it", new Promise(() => {}), 0.05), Error, "in vain: it");
});
