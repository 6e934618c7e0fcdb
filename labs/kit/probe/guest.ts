/**
 * The guest, and what it can do that this machine cannot.
 *
 * @module
 */
import { microscopeFolder } from "../../../ffi/microscope/answers.ts";
import {
  GUEST_COMPONENTS,
  installCommand,
  isObtainable,
  missingComponents,
} from "../terminal/setup.ts";
import {
  type Answers,
  type Machine,
  no,
  real,
  type Requirement,
  REQUIREMENTS,
} from "./requirements.ts";
import { list } from "./system_files.ts";

/** The oldest kernel that the guest may have. */
export const GUEST_KERNEL = "7.3";

/** What the guest has, wherever it runs: what its kernel can do, its devices and memory. */
export const IN_GUEST: readonly Requirement[] = [
  ...REQUIREMENTS.filter((name) => /^IO_?U?RING_/.test(name)),
  "zcrx",
  "namespaces",
  "veth",
  "ifb",
  "softnic",
  "udmabuf",
  "huge pages",
];

/** Whether the guest can be had, and what of the rest is there. */
export function probeGuest(answers: Answers, machine: Machine): void {
  const missing = missingComponents(GUEST_COMPONENTS);
  if (machine.architecture !== "x86_64") {
    answers.set("guest", no(`the guest is for x86_64, this is ${machine.architecture}`));
  } else if (Deno.uid() !== 0 && !hasGuest()) {
    answers.set("guest", no("making the guest takes root", "sudo deno task vm -- COMMAND"));
  } else if (missing.length === 0) {
    answers.set("guest", real(`deno task vm boots Linux ${GUEST_KERNEL} with softnic in QEMU`));
  } else {
    answers.set("guest", no(`not installed: ${missing.join(", ")}`, installCommand(missing)));
  }
  probeMicroscope(answers);
  const possible = answers.get("guest")?.state === "real" ||
    (machine.architecture === "x86_64" && Deno.uid() === 0 && isObtainable(missing));
  if (!possible) return;
  // What Deno may not do here, the guest does not change.
  if (answers.get("liburing")?.why.includes("--allow-ffi")) return;
  for (const name of [...IN_GUEST, "microscope"] as const) {
    const { state, why, command = "deno task vm -- COMMAND" } = answers.get(name)!;
    if (state === "no") answers.set(name, { state: "guest", why, command });
  }
}

/** Whether this is a guest that is looked at from below. */
function probeMicroscope(answers: Answers): void {
  answers.set(
    "microscope",
    microscopeFolder() === undefined
      ? no("nothing looks at this machine from below", "deno task vm --microscope -- COMMAND")
      : real("this guest's instructions and accesses to memory are followed"),
  );
}

/** Whether a guest is in this user's cache, such as a copy of root's. */
function hasGuest(): boolean {
  const above = Deno.env.get("XDG_CACHE_HOME") || `${Deno.env.get("HOME")}/.cache`;
  return list(`${above}/zclab/vm`).some((name) => name.startsWith("image-"));
}
