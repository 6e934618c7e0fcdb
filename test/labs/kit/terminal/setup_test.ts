import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  ensureSystem,
  findCompiler,
  findProgram,
  installCommand,
  missingComponents,
  RUN_COMPONENTS,
  SetupError,
  TEST_COMPONENTS,
} from "../../../../labs/kit/terminal/setup.ts";

/** Runs something with changed environment variables, and puts back what was there. */
async function withEnvironment<T>(
  changes: Readonly<Record<string, string>>,
  run: () => T | Promise<T>,
): Promise<T> {
  const before = Object.keys(changes).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(changes)) Deno.env.set(name, value);
  try {
    return await run();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

Deno.test("ensureSystem() is silent where nothing is missing", async () => {
  // `deno task test` made sure of that before it started this test.
  assertEquals(missingComponents(TEST_COMPONENTS), []);
  let announced = "";
  await ensureSystem({ announce: (text) => announced += text });
  assertEquals(announced, "");
});

Deno.test("ensureSystem() installs nothing under ZCLAB_NO_INSTALL and names the command", async () => {
  const error = await withEnvironment(
    { PATH: "/nonexistent", ZCLAB_NO_INSTALL: "1" },
    () => assertRejects(() => ensureSystem({ components: ["compiler"] }), SetupError),
  );
  assertEquals(error.missing, ["compiler"]);
  assertStringIncludes(error.message, "a C compiler");
  assertStringIncludes(error.message, "apt-get install -y gcc libc6-dev");
});

Deno.test("ensureSystem() says that CC names what is not there", async () => {
  const error = await withEnvironment(
    { CC: "/nonexistent/cc -O3", ZCLAB_NO_INSTALL: "1" },
    () => assertRejects(() => ensureSystem({ components: ["compiler"] }), SetupError),
  );
  assertStringIncludes(error.message, "/nonexistent/cc");
});

Deno.test("missingComponents() names what is missing and nothing else", async () => {
  const missing = await withEnvironment(
    { CC: "no-such-compiler" },
    () => missingComponents(RUN_COMPONENTS),
  );
  assertEquals(missing, ["compiler"]);
});

Deno.test("findCompiler() takes CC without its arguments", async () => {
  const usual = findCompiler();
  assert(usual.path !== undefined);
  const { path, headers } = await withEnvironment(
    { CC: `${usual.path} -g -O1` },
    () => findCompiler(),
  );
  assertEquals(path, usual.path);
  assert(headers);
});

Deno.test("findProgram() finds programs of administrators that PATH leaves out", async () => {
  const found = await withEnvironment({ PATH: "/nonexistent" }, () => findProgram("ip"));
  assertStringIncludes(found ?? "", "/ip");
});

Deno.test("findProgram() finds no directory, no plain file and no unknown name", () => {
  assertEquals(findProgram("/etc"), undefined);
  assertEquals(findProgram("/etc/os-release"), undefined);
  assertEquals(findProgram("no-such-program-of-zclab"), undefined);
});

Deno.test("installCommand() names each package once, with sudo for others than root", () => {
  const command = installCommand(["ip", "tc", "ethtool"]);
  assert(command.endsWith("apt-get install -y iproute2 ethtool"));
  assertEquals(command.startsWith("sudo "), Deno.uid() !== 0);
  assertFalse(command.includes("iproute2 iproute2"));
});
