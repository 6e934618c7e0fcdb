import { assert, assertEquals } from "@std/assert";
import { allowedProcessors, processorProblem } from "../../../../labs/kit/workload/processors.ts";

Deno.test("allowedProcessors() reads the kernel's list", () => {
  const list = (text: string): number[] | undefined =>
    allowedProcessors(`Cpus_allowed:\tff\nCpus_allowed_list:\t${text}\nMems_allowed:\t1\n`);
  assertEquals(list("0"), [0]);
  assertEquals(list("0-3"), [0, 1, 2, 3]);
  assertEquals(list("1,3-4,10-11"), [1, 3, 4, 10, 11]);
  assertEquals(allowedProcessors("Name:\tdeno\n"), undefined);
});

Deno.test("processorProblem() knows on which processors this process may run", () => {
  const allowed = allowedProcessors()!;
  assert(allowed.length > 0);
  for (const cpu of allowed) assertEquals(processorProblem(cpu), undefined);
  const next = allowed.at(-1)! + 1;
  assertEquals(
    processorProblem(next)?.startsWith(`${next} is none of the processors of this process: `),
    true,
  );
});
