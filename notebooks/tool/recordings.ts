/**
 * The runs that notebooks show where their own cannot run, and the commands that record them.
 *
 * @module
 */

/** How a recorded run is made. */
export interface Recording {
  /** What `deno` is told, without the `--json FILE` that follows. */
  readonly command: readonly string[];
  /** What `deno task vm` is told where it needs the guest; undefined where it runs here. */
  readonly guest?: readonly string[];
}

/** A guest that is looked at from below. */
const MICROSCOPE = ["--microscope"] as const;
/** A guest whose clock counts instructions. */
const COUNTED = ["--clock", "instructions"] as const;
/** Its kernel does not clear what it allocates, as Debian's does otherwise. */
const NOT_CLEARED = ["--kernel-option", "init_on_alloc=0"] as const;

const VIEWS = ["run", "--allow-all", "notebooks/tool/record_views.ts"] as const;
const IN_INSTRUCTIONS = [
  ...["task", "lab", "tx-copy-vs-zc", "--quick", "--payload", "4000,8000", "--mode", "zc-fixed"],
] as const;

/** Every recorded run: `notebooks/recorded/NAME.json`. */
export const RECORDINGS: Readonly<Record<string, Recording>> = {
  tx_copy_vs_zc: {
    command: [
      ...["task", "lab", "tx-copy-vs-zc", "--payload", "600,2000,8000", "--mode", "zc"],
      ...["--repeats", "7"],
    ],
  },
  rx_zcrx: { command: ["task", "lab", "rx-zcrx", "--quick", "--repeats", "5"], guest: [] },
  rx_held_pieces: { command: ["task", "lab", "rx-held-pieces"], guest: [] },
  where_copies: {
    command: [
      ...["task", "lab", "where-copies", "--repeats", "2"],
      ...["--send", "send,send-zc,sendfile,splice,write,write-direct"],
      ...["--receive", "recv,recv-multishot,zcrx,zcrx-no-device"],
    ],
    guest: MICROSCOPE,
  },
  views: { command: VIEWS, guest: MICROSCOPE },
  views_not_cleared: {
    command: [...VIEWS, "send into ifb", "send-zc into ifb"],
    guest: [...MICROSCOPE, ...NOT_CLEARED],
  },
  // Two boots of the same: what a clock that counts says twice.
  instructions_first: { command: IN_INSTRUCTIONS, guest: COUNTED },
  instructions_second: { command: IN_INSTRUCTIONS, guest: COUNTED },
  instructions_not_cleared: { command: IN_INSTRUCTIONS, guest: [...COUNTED, ...NOT_CLEARED] },
  tx_cold_memory: { command: ["task", "lab", "tx-cold-memory", "--quick"], guest: COUNTED },
};
