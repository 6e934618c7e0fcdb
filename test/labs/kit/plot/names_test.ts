import { assertEquals } from "@std/assert";
import {
  axisText,
  capitalised,
  describeFactor,
  describeMeasure,
  words,
} from "../../../../labs/kit/plot/names.ts";

Deno.test("names in camel case become words, and what is no word keeps its letters", () => {
  assertEquals(words("droppedFrames"), "dropped frames");
  assertEquals(words("cpuSecondsPerMiB"), "CPU seconds per MiB");
  assertEquals(words("napiId"), "NAPI id");
  assertEquals(words("busy-poll"), "busy poll");
});

Deno.test("the unit of a measure is read off its name", () => {
  const cases: [name: string, label: string, unit: string, scale: number][] = [
    ["bytesPerSecond", "bytes per second", "B/s", 1],
    ["datagramsPerSecond", "datagrams per second", "/s", 1],
    ["p50Seconds", "p50 latency", "s", 1],
    ["p999Microseconds", "p99.9 latency", "s", 1e-6],
    ["cpuMicrosecondsPerMiB", "CPU time per MiB", "s", 1e-6],
    ["resumedAfterMilliseconds", "resumed after", "s", 1e-3],
    ["seconds", "time", "s", 1],
    ["copiedBytes", "copied bytes", "B", 1],
    ["pieces", "pieces", "", 1],
  ];
  for (const [name, label, unit, scale] of cases) {
    assertEquals(describeMeasure(name), { label, unit, scale }, name);
  }
});

Deno.test("factors that are sizes are bytes", () => {
  assertEquals(describeFactor("payload"), { label: "payload", unit: "bytes" });
  assertEquals(describeFactor("bytes"), { label: "bytes", unit: "" });
  assertEquals(describeFactor("mtu"), { label: "MTU", unit: "bytes" });
  assertEquals(describeFactor("cores"), { label: "cores", unit: "" });
});

Deno.test("an axis names its unit unless its ticks or its words do", () => {
  assertEquals(axisText({ label: "payload", unit: "bytes" }), "payload (bytes)");
  assertEquals(axisText({ label: "latency", unit: "s" }), "latency");
  assertEquals(axisText({ label: "requests per second", unit: "/s" }), "requests per second");
  assertEquals(capitalised("requests per second"), "Requests per second");
  assertEquals(capitalised("p50 latency"), "p50 latency");
});
