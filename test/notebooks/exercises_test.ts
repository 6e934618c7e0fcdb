import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { answersOf, notebookNames, readNotebook } from "../../notebooks/tool/notebook_file.ts";
import { SOLUTIONS } from "./solutions/mod.ts";

for (const [notebook, solutions] of Object.entries(SOLUTIONS)) {
  for (const { id, right, wrong, check } of solutions) {
    Deno.test(`exercise ${id} takes what is right, and helps with what is wrong`, async () => {
      assert(id.startsWith(notebook.slice(0, 3)), "its name begins with the notebook's number");
      assertEquals((await check(undefined)).status, "unanswered");
      assert(right.length >= 1);
      for (const answer of right) {
        const { status, message } = await check(answer);
        assertEquals(status, "right", `${answer}: ${message}`);
      }
      assert(wrong.length >= 3, "three typical wrong answers");
      const messages = new Set<string>();
      for (const { answer, says } of wrong) {
        const { status, message } = await check(answer);
        assertEquals(status, "wrong", `${answer}: ${message}`);
        assertStringIncludes(message, says, `what is said about ${answer}`);
        messages.add(message);
      }
      assertEquals(messages.size, wrong.length, "each wrong answer gets a message of its own");
    });
  }
}

Deno.test("each exercise of a notebook has a solution, and each solution an exercise", () => {
  const asked = Object.fromEntries(
    notebookNames().map((name) => [name, readNotebook(name).cells.flatMap(answersOf)]),
  );
  const solved = Object.fromEntries(
    Object.entries(SOLUTIONS).map(([name, solutions]) => [name, solutions.map(({ id }) => id)]),
  );
  assertEquals(asked, solved);
});
