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

Deno.test("EventPump does not watch for what completes as it is submitted", async () => {
  const ring = new FakeRing();
  const pump = new EventPump(ring);
  ring.settles = () => {
    pump.unwatch();
    return 1;
  };
  pump.open();
  ring.prepared = 1;
  pump.submitSoon();
  pump.watch();
  await new Promise((resolve) => setTimeout(resolve, 10));
  assertEquals(ring.calls, ["signals false", "submit 1", "settle"]);
  pump.close();
});

Deno.test("EventPump watches for what does not, also if it watched a moment ago", async () => {
  const ring = new FakeRing();
  const pump = new EventPump(ring);
  const settles = (): number => ring.calls.filter((call) => call === "settle").length;
  pump.watch();
  await until("it waits", () => settles() > 0);
  pump.unwatch();
  ring.prepared = 1;
  pump.submitSoon();
  pump.watch();
  await until(
    "signals are on",
    () => ring.calls.at(-1) === "settle" && ring.calls.includes("submit 1"),
  );
  assertEquals(ring.calls.filter((call) => call.startsWith("signals")).at(-1), "signals true");
  for (let turn = 0; turn < 3; turn++) {
    const before = settles();
    native().zclab_eventfd_signal(ring.eventFd);
    await until("it looks again", () => settles() > before);
  }
  ring.closed = true;
  pump.close();
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
  const signals = (): string[] => ring.calls.filter((call) => call !== "settle");
  assertEquals(signals(), ["signals false", "signals true"]);
  pump.unwatch();
  assertEquals(signals(), ["signals false", "signals true", "signals false"]);
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
