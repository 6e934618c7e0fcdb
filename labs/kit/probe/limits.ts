/**
 * What this user may have of the machine: memory, processors.
 *
 * @module
 */
import { type Clock, machineClock } from "../trials/clock.ts";
import { type Answer, type Answers, type Machine, no, real } from "./requirements.ts";
import { has, read, reason } from "./system_files.ts";

/**
 * Bytes of locked memory from which every lab's areas fit, and its rings. The kernel's own default
 * since 5.16 is half of that: `tx-copy-vs-zc` then does without one of its modes.
 */
const ENOUGH_MEMLOCK = 16 << 20;
/** The default of net.core.optmem_max since Linux 6.7, enough for the labs. */
const ENOUGH_OPTMEM = 128 << 10;

/** What the kernel lets this user have, of memory and of processors. */
export function probeLimits(answers: Answers, machine: Machine): void {
  answers.set("memlock", probeMemlock());
  const optmem = Number(read("/proc/sys/net/core/optmem_max") ?? NaN);
  answers.set(
    "optmem_max",
    !(optmem < ENOUGH_OPTMEM)
      ? real(Number.isNaN(optmem) ? "not limited here" : `${optmem} bytes for each socket`)
      : no(
        `${optmem} bytes: more MSG_ZEROCOPY notifications than fit are ENOBUFS`,
        `sysctl net.core.optmem_max=${ENOUGH_OPTMEM} (as root)`,
      ),
  );
  const free = Number(read("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages") ?? NaN);
  answers.set(
    "huge pages",
    free > 0
      ? real(`${free} pages of 2 MiB are free`)
      : Number.isNaN(free)
      ? no("this kernel has no pages of 2 MiB")
      : no("no page of 2 MiB is free", "sysctl vm.nr_hugepages=64 (as root)"),
  );
  answers.set(
    "two CPUs",
    machine.cpus >= 2
      ? real(`${machine.cpus} CPUs`)
      // Nobody waits for the other one there: what both execute is counted.
      : machineClock() === "instructions"
      ? real("one CPU, whose clock counts instructions: sender and receiver take turns on it")
      : no("one CPU: sender and receiver would take turns on it"),
  );
  answers.set("clock of time", clockAnswer(machineClock()));
}

/**
 * Whether the clock measures time, which waiting takes and polling saves.
 *
 * @param clock What it counts.
 */
export function clockAnswer(clock: Clock): Answer {
  return clock === "time" ? real("the clock counts time") : no(
    "the clock counts instructions, of one CPU: who polls keeps it from who answers, and waiting " +
      "takes none",
    "deno task vm -- COMMAND (without --clock instructions)",
  );
}

function probeMemlock(): Answer {
  if (has("IPC_LOCK")) return real("not limited: CAP_IPC_LOCK");
  const limits = /^Max locked memory\s+(\S+)\s+(\S+)/m.exec(read("/proc/self/limits") ?? "");
  const [, soft = "unlimited", hard = "unlimited"] = limits ?? [];
  if (soft === "unlimited" || Number(soft) >= ENOUGH_MEMLOCK) return real(`limit ${soft} bytes`);
  const raisable = hard === "unlimited" || Number(hard) >= ENOUGH_MEMLOCK;
  return no(
    `RLIMIT_MEMLOCK is ${soft} bytes, registered areas need up to ${ENOUGH_MEMLOCK}`,
    raisable
      ? `ulimit -l ${hard === "unlimited" ? hard : Number(hard) >> 10}`
      : "sudo prlimit --memlock=unlimited --pid $$",
  );
}

/** Whether memory of a program can become a dma-buf. */
export function probeUdmabuf(answers: Answers): void {
  try {
    Deno.openSync("/dev/udmabuf", { read: true, write: true }).close();
    answers.set("udmabuf", real("/dev/udmabuf"));
  } catch (error) {
    const command = "modprobe udmabuf (as root)";
    answers.set(
      "udmabuf",
      error instanceof Deno.errors.NotFound
        ? no("there is no /dev/udmabuf (CONFIG_UDMABUF)", command)
        : no(`/dev/udmabuf cannot be opened: ${reason(error)}`),
    );
  }
}
