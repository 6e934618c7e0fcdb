import { assertEquals } from "@std/assert";
import { EventPump, type Pumped } from "../../../ffi/ring/event_pump.ts";
import { native } from "../../../ffi/kernel/native.ts";
import { until } from "../connections.ts";

/** A ring of which only the calls are real. */
class FakeRing implements Pumped {
  closed = false;
  prepared = 0;
  readonly calls: string[] = [];
  eventFd = -1;
  /** What each call of settle finds. */
  settles: (() => number) | undefined;

  submit(): number {
    this.calls.push(`submit ${this.prepared}`);
    this.prepared = 0;
    return 0;
  }

  settle(): number {
    this.calls.push("settle");
    return this.settles?.() ?? 0;
  }

  signalEvents(enabled: boolean): void {
    this.calls.push(`signals ${enabled}`);
  }

  registerEvents(fd: number): void {
    this.eventFd = fd;
  }

  fail(error: unknown): void {
    this.calls.push(`fail ${(error as Error).message}`);
  }
}

Deno.test("EventPump submits what one turn prepares together", async () => {
  const ring = new FakeRing();
  const pump = new EventPump(ring);
  for (let i = 0; i < 5; i++) {
    ring.prepared++;
    pump.submitSoon();
  }
  assertEquals(ring.calls, []);
  await Promise.resolve();
  assertEquals(ring.calls, ["submit 5", "settle"]);
  ring.closed = true;
  pump.submitSoon();
  await Promise.resolve();
  assertEquals(ring.calls.length, 2);
});

Deno.test("EventPump looks again when the eventfd is signalled, as long as somebody waits", async () => {
  const ring = new FakeRing();
  const pump = new EventPump(ring);
  pump.watch();
  pump.watch();
  const settles = (): number => ring.calls.filter((call) => call === "settle").length;
  await until("it waits for the eventfd", () => settles() === 1);
  native().zclab_eventfd_signal(ring.eventFd);
  await until("it has looked again", () => settles() === 2);
  pump.unwatch();
  assertEquals(ring.calls.includes("signals false"), false);
  pump.unwatch();
  assertEquals(ring.calls.filter((call) => call !== "settle"), ["signals true", "signals false"]);
  ring.closed = true;
  pump.close();
});

Deno.test("EventPump tells of a ring that fails, wherever it fails", async () => {
  const ring = new FakeRing();
  const pump = new EventPump(ring);
  ring.settles = () => {
    throw new Error("broken");
  };
  pump.submitSoon();
  await Promise.resolve();
  assertEquals(ring.calls, ["settle", "fail broken"]);
  pump.watch();
  await until("it fails", () => ring.calls.includes("fail broken", 2));
  ring.closed = true;
  pump.unwatch();
  pump.close();
});
