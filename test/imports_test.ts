import { assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { circlesIn, disorderIn, filesIn, importsOf, type Rule, strangersIn } from "./imports.ts";

const PROJECT = fromFileUrl(new URL("..", import.meta.url)).replace(/\/$/, "");

/** What the kit takes from elsewhere, Deno's standard library aside. */
const LIBRARIES = ["ajv/2020", "ajv/standalone", "hdr-histogram-js", "simple-statistics"];

/** What of the kit lists the labs that there are. */
const CATALOGUE_READERS = ["labs/kit/repl/repl.ts", "labs/kit/commands/doctor.ts"];

/** What of the kit stands where a user stands: a lab to begin with, and what a prompt has in scope. */
const USERS = ["labs/kit/lab/template.ts", "labs/kit/repl/library.ts"];

/** What the project promises: the rest may change without notice. */
const ENTRY_POINTS = ["mod.ts", "experiment.ts", "lab.ts", "notebook.ts"];

/** What stands on what. A folder that gets rooms gets a rule here. */
const RULES: readonly Rule[] = [
  {
    folder: "ffi",
    allows: (imported) => imported.startsWith("node:"),
    rooms: [["kernel"], ["memory"], ["net"], ["ring", "microscope"], ["zcrx", "devmem"]],
  },
  {
    folder: "labs/kit",
    allows: (imported, by) =>
      /^(ffi\/|deno\.json$|@std\/|node:)/.test(imported) || LIBRARIES.includes(imported) ||
      imported === "labs/catalogue.ts" && CATALOGUE_READERS.includes(by) ||
      ENTRY_POINTS.includes(imported) && USERS.includes(by),
    rooms: [
      ["text"],
      ["terminal", "trials"],
      ["files"],
      ["options", "statistics"],
      ["experiment"],
      ["run"],
      ["plot", "testbed"],
      ["probe", "workload"],
      ["lab", "nic"],
      ["report", "commands"],
      ["notebook", "repl"],
    ],
  },
];

for (const rule of RULES) {
  const { folder } = rule;

  Deno.test(`${folder}/: no file imports itself, not by way of others, not for its types`, () => {
    assertEquals(circlesIn(importsOf(PROJECT, filesIn(PROJECT, folder))), []);
  });

  Deno.test(`${folder}/: nothing is imported from outside that may not be`, () => {
    assertEquals(strangersIn(importsOf(PROJECT, filesIn(PROJECT, folder)), rule), []);
  });

  Deno.test(`${folder}/: every file is in a room, and no room imports one above it`, () => {
    assertEquals(disorderIn(importsOf(PROJECT, filesIn(PROJECT, folder)), rule), []);
  });
}

for (const folder of ["labs", "notebooks", "vm", "bench"]) {
  Deno.test(`${folder}/: no file imports itself, not by way of others, not for its types`, () => {
    assertEquals(circlesIn(importsOf(PROJECT, filesIn(PROJECT, folder))), []);
  });
}

Deno.test("labs and examples import only the entry points, and what lies beside them", () => {
  const surroundings = ["labs/main.ts", "labs/catalogue.ts"];
  const files = filesIn(PROJECT, "labs")
    .filter((file) => !file.startsWith("labs/kit/") && !surroundings.includes(file));
  assertEquals(files.includes("labs/tx_copy_vs_zc.ts"), true);
  const strangers = strangersIn(importsOf(PROJECT, files), {
    folder: "labs",
    allows: (imported) => ENTRY_POINTS.includes(imported),
    rooms: [],
  });
  assertEquals(strangers, []);
  const kit = [...importsOf(PROJECT, files)]
    .flatMap(([from, all]) =>
      all.filter((to) => to.startsWith("labs/kit/")).map((to) => `${from} -> ${to}`)
    );
  assertEquals(kit, []);
});

/** A project that breaks every rule. */
const BROKEN: Readonly<Record<string, string>> = {
  "low/value.ts": 'import { other } from "./other.ts";\nexport const value = other;\n',
  "low/other.ts": 'import type { Type } from "./type.ts";\nexport const other: Type = 1;\n',
  "low/type.ts": 'export type Type = typeof import("../low/re_export.ts").value | 1;\n',
  "low/re_export.ts": 'export type * from "./value.ts";\nexport { value } from "./value.ts";\n',
  "low/upwards.ts": 'import type { High } from "../high/high.ts";\nexport type Up = High;\n',
  "high/high.ts": 'export { value as High } from "../low/value.ts";\nimport "node:path";\n',
  "high/later.ts": 'export const later = () => import("../beside/beside.ts");\n',
  "beside/beside.ts": 'import "../../outside.ts";\nexport const beside = 1;\n',
  "homeless.ts": "export {};\n",
};

Deno.test("imports are found, whatever they look like", () => {
  const project = Deno.makeTempDirSync({ prefix: "zclab-imports-" });
  try {
    for (const room of ["low", "high", "beside"]) {
      Deno.mkdirSync(`${project}/src/${room}`, { recursive: true });
    }
    Deno.writeTextFileSync(`${project}/outside.ts`, "");
    for (const [name, text] of Object.entries(BROKEN)) {
      Deno.writeTextFileSync(`${project}/src/${name}`, text);
    }
    const rule = {
      folder: "src",
      allows: () => false,
      rooms: [["low"], ["high", "beside"]],
    };
    const files = filesIn(project, "src");
    assertEquals(files.length, Object.keys(BROKEN).length);
    const imports = importsOf(project, files);
    assertEquals(circlesIn(imports), [
      "src/low/value.ts -> src/low/other.ts -> src/low/type.ts -> src/low/re_export.ts -> " +
      "src/low/value.ts",
    ]);
    assertEquals(strangersIn(imports, rule), [
      "src/beside/beside.ts -> outside.ts",
      "src/high/high.ts -> node:path",
    ]);
    assertEquals(disorderIn(imports, rule), [
      "src/homeless.ts",
      "src/high/later.ts -> src/beside/beside.ts",
      "src/low/upwards.ts -> src/high/high.ts",
    ]);
    Deno.writeTextFileSync(`${project}/src/homeless.ts`, 'import "./absent.ts";\n');
    assertThrows(() => importsOf(project, files), Error, "absent.ts");
  } finally {
    Deno.removeSync(project, { recursive: true });
  }
});
