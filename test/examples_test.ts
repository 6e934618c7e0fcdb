/**
 * The examples of the documentation that `deno test --doc` leaves out, because few machines can run
 * them: those marked `ts ignore` that are whole programs. They run in the guest.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Command } from "./child.ts";
import { runModule } from "./ffi/connections.ts";
import { test } from "./needs.ts";

const PROJECT = fromFileUrl(new URL("..", import.meta.url));

interface Example {
  /** Where it is. */
  readonly place: string;
  readonly source: string;
}

function* modulesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${PROJECT}${folder}`)) {
    if (isDirectory) yield* modulesIn(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

function* examplesIn(file: string): Generator<Example> {
  const text = Deno.readTextFileSync(`${PROJECT}${file}`);
  for (const block of text.matchAll(/^ *\* ```ts ignore\n([\s\S]*?)^ *\* ```$/gm)) {
    const source = block[1]!.replaceAll(/^ *\* ?/gm, "");
    if (!source.startsWith("import ")) continue;
    const line = text.slice(0, block.index).split("\n").length;
    yield { place: `${file}, line ${line}`, source };
  }
}

const EXAMPLES = ["ffi", "labs"].flatMap((folder) => [...modulesIn(folder)])
  .flatMap((file) => [...examplesIn(file)]);

for (const { place, source } of EXAMPLES) {
  test(`The example in ${place}, runs`, { needs: ["softnic"] }, () => {
    const { code, stderr } = runModule(source);
    assertEquals({ code, stderr }, { code: 0, stderr: "" });
  });
}

Deno.test("The examples that only the guest can run pass deno check", async () => {
  assert(EXAMPLES.length >= 3, "the receiver, device memory and softnic have one each");
  const folder = Deno.makeTempDirSync({ prefix: "zclab-test-" });
  try {
    const files = EXAMPLES.map((_, i) => `${folder}/example_${i}.ts`);
    EXAMPLES.forEach(({ source }, i) => Deno.writeTextFileSync(files[i]!, source));
    const { code, stderr } = await new Command(Deno.execPath(), {
      args: ["check", "--quiet", `--config=${PROJECT}deno.json`, ...files],
      env: { NO_COLOR: "1" },
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
});
