import { assertEquals } from "@std/assert";
import { countTests, summaryLine, withSecondRun } from "./report.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="9" failures="3" errors="0" time="0.204">
    <testsuite name="./test/a_test.ts" tests="6" disabled="2" errors="0" failures="2">
        <testcase name="a passes" classname="./test/a_test.ts" time="0.000" line="1" col="6">
        </testcase>
        <testcase name="b needs &lt;root&gt; &amp; &quot;ifb&quot;" classname="./test/a_test.ts" time="0.000" line="2" col="6">
            <skipped/>
        </testcase>
        <testcase name="c steps" classname="./test/a_test.ts" time="0.002" line="3" col="6">
            <failure message="1 test step failed">1 test step failed.</failure>
        </testcase>
        <testcase name="c steps &gt; inner ok" classname="./test/a_test.ts" time="0.000" line="3" col="45">
        </testcase>
        <testcase name="c steps &gt; inner skip" classname="./test/a_test.ts" time="0.000" line="3" col="81">
            <skipped/>
        </testcase>
        <testcase name="c steps &gt; inner bad" classname="./test/a_test.ts" time="0.000" line="3" col="141">
            <failure message="Uncaught Error: x">Error: x says &lt;testcase name=&quot;no&quot;&gt;</failure>
        </testcase>
        <testcase name="c stepsister" classname="./test/a_test.ts" time="0.000" line="9" col="1">
        </testcase>
        <testcase name="d hung" classname="./test/a_test.ts" time="0.000" line="10" col="1">
            <error message="Cancelled"/>
        </testcase>
        <testcase name="left out" classname="./test/a_test.ts" line="1" col="6">
            <skipped/>
        </testcase>
    </testsuite>
    <testsuite name="./mod.ts#3-7.ts" tests="1" disabled="0" errors="0" failures="0">
        <testcase name="file:///mod.ts#3-7.ts" classname="./mod.ts#3-7.ts" time="0.000" line="3" col="6">
        </testcase>
    </testsuite>
</testsuites>`;

Deno.test("countTests() counts steps with their test, and names what did not run", () => {
  assertEquals(countTests(REPORT), {
    passed: 3,
    failed: [{
      name: "c steps",
      reason: '1 test step failed.\nc steps > inner bad: Error: x says <testcase name="no">',
    }, { name: "d hung", reason: "Cancelled" }],
    skipped: ['b needs <root> & "ifb"', "c steps > inner skip"],
  });
});

Deno.test("countTests() finds nothing in an empty report", () => {
  assertEquals(countTests(""), { passed: 0, failed: [], skipped: [] });
});

Deno.test("summaryLine() mentions skipped tests only where there are some", () => {
  assertEquals(summaryLine({ passed: 3, failed: [], skipped: [] }), "3 passed, 0 failed");
  assertEquals(
    summaryLine({
      passed: 3,
      failed: [{ name: "a", reason: "" }],
      skipped: ["b", "c"],
    }),
    "3 passed, 1 failed, 2 skipped",
  );
});

Deno.test("withSecondRun() counts what passes the second time, and tells it", () => {
  const [a, b] = [{ name: "a", reason: "late" }, { name: "b", reason: "wrong" }];
  const first = { passed: 3, failed: [a, b], skipped: ["c"] };
  assertEquals(withSecondRun(first, { passed: 1, failed: [b], skipped: [] }), {
    passed: 4,
    failed: [b],
    skipped: ["c"],
    unsteady: [a],
  });
});

Deno.test("withSecondRun() does not take for passed what did not run again", () => {
  const first = { passed: 3, failed: [{ name: "a", reason: "late" }], skipped: [] };
  assertEquals(withSecondRun(first, { passed: 0, failed: [], skipped: ["a"] }), first);
  const crash = { name: "deno test (exit code 1, see above)", reason: "" };
  assertEquals(withSecondRun(first, { passed: 0, failed: [crash], skipped: [] }), first);
});
