/**
 * The runs that notebooks show where their own cannot run, and the commands that record them.
 *
 * @module
 */

/** How a recorded run is made. */
export interface Recording {
  /** What `deno task lab` is told, without `--json`. */
  readonly lab: readonly string[];
  /** Whether it needs the guest. */
  readonly guest: boolean;
}

/** Every recorded run: `notebooks/recorded/NAME.json`. */
export const RECORDINGS: Readonly<Record<string, Recording>> = {
  tx_copy_vs_zc: {
    lab: ["tx-copy-vs-zc", "--payload", "600,2000,8000", "--mode", "zc", "--repeats", "7"],
    guest: false,
  },
  rx_zcrx: { lab: ["rx-zcrx", "--quick", "--repeats", "5"], guest: true },
  rx_held_pieces: { lab: ["rx-held-pieces"], guest: true },
};
