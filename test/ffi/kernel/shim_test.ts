import { assertEquals, assertStringIncludes } from "@std/assert";
import { compileShim } from "../../../ffi/kernel/compile.ts";
import { SHIM } from "../../../ffi/kernel/symbols.ts";
import { Command } from "../../child.ts";
import { Unprivileged } from "../../unprivileged.ts";
import { test } from "../../needs.ts";

const SANITIZERS = [
  "-g",
  "-O1",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover=all",
  "-fno-omit-frame-pointer",
];

/** The C types that a parameter of the symbol table may stand for. */
const C_TYPES: Readonly<Record<string, RegExp>> = {
  buffer: /\*$/,
  f64: /^double$/,
  i32: /^int$/,
  i64: /^int64_t$/,
  u16: /^uint16_t$/,
  u32: /^uint32_t$/,
  u64: /^uint64_t$/,
};

const FOLDER = new URL("../../../ffi/kernel/shim/", import.meta.url);

function units(): string[] {
  return [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) =>
    name.endsWith(".c")
  );
}

function compileTest(directory: string): string {
  const program = `${directory}/shim_test`;
  const source = new URL("./shim_test.c", import.meta.url).pathname;
  const output = new Command("cc", {
    args: [...SANITIZERS, "-Wall", "-Wextra", "-Werror", "-pthread", "-o", program, source],
  }).outputSync();
  assertEquals(new TextDecoder().decode(output.stderr), "");
  assertEquals(output.code, 0);
  return program;
}

Deno.test("shim behaves under AddressSanitizer and UBSan", () => {
  const directory = Deno.makeTempDirSync();
  try {
    const output = new Command(compileTest(directory)).outputSync();
    assertEquals(new TextDecoder().decode(output.stderr), "");
    assertStringIncludes(new TextDecoder().decode(output.stdout), "every function");
    assertEquals(output.code, 0);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

test("shim behaves for a user without privileges", { needs: ["root"] }, () => {
  using nobody = new Unprivileged();
  const program = compileTest(nobody.directory);
  const { code, stdout, stderr } = nobody.run(program);
  assertEquals(stderr, "");
  assertStringIncludes(stdout, "every function");
  assertEquals(code, 0);
});

Deno.test("shim exports every function of the symbol table", () => {
  const library = Deno.dlopen(compileShim(), SHIM);
  assertEquals(Object.keys(library.symbols).sort(), Object.keys(SHIM).sort());
  library.close();
});

Deno.test("shim has the prototypes of the symbol table", () => {
  const source = units().map((name) => Deno.readTextFileSync(new URL(name, FOLDER))).join("\n");
  const prototypes = [...source.matchAll(/^(int|double|int64_t) (zclab_\w+)\(([^)]*)\)/gm)];
  assertEquals(prototypes.map(([, , name]) => name!).sort(), Object.keys(SHIM).sort());
  for (const [, result, name, list] of prototypes) {
    const { parameters, result: declared } = SHIM[name as keyof typeof SHIM];
    const types = list === "void" ? [] : list!.split(/,\s+/).map((one) => one.replace(/\w+$/, ""));
    assertEquals(types.length, parameters.length, name);
    types.forEach((type, index) => {
      assertEquals(C_TYPES[parameters[index]!]!.test(type.trim()), true, `${name}: ${type}`);
    });
    assertEquals(C_TYPES[declared]!.test(result!), true, `${name} returns ${result}`);
  }
});
