/**
 * Programs, and the native library.
 *
 * @module
 */
import { native } from "../../../ffi/kernel/native.ts";
import { findCompiler, findProgram, installCommand } from "../terminal/setup.ts";
import { type Answers, no, real } from "./requirements.ts";
import { reason } from "./system_files.ts";

/** The compiler, and the programs that make namespaces and links. */
export function probePrograms(answers: Answers): void {
  const compiler = findCompiler();
  answers.set(
    "compiler",
    compiler.path !== undefined && compiler.headers
      ? real(compiler.path)
      : compiler.path === undefined
      ? no("no C compiler: cc, gcc or clang", installCommand(["compiler"]))
      : no(
        `${compiler.path} is there, the headers of the C library are not`,
        installCommand(["compiler"]),
      ),
  );
  for (const name of ["ip", "tc", "nsenter", "ethtool"] as const) {
    const path = findProgram(name);
    answers.set(
      name,
      path === undefined ? no("not installed", installCommand([name])) : real(path),
    );
  }
}

/** Whether the native library can be had, which needs liburing and a compiler. */
export function probeShim(answers: Answers): void {
  if (answers.get("liburing")?.state !== "real") {
    answers.set("shim", no("it is loaded together with liburing, which is missing"));
    return;
  }
  try {
    native();
    answers.set("shim", real("compiled and loaded"));
  } catch (error) {
    answers.set("shim", no(reason(error), answers.get("compiler")?.command));
  }
}
