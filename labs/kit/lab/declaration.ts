/**
 * A lab as a declaration: what varies, what is measured and how it is shown. The run, the table, the
 * verdicts, the report, `--compare` and `--help` follow from it.
 *
 * @module
 */
import type { MicroscopeView } from "../../../ffi/microscope/view.ts";
import type { Clock } from "../trials/clock.ts";
import type { Look } from "../trials/look.ts";
import type { Factors, Measures, Trial } from "../trials/trials.ts";
import type { RunDocument } from "../run/run_document.ts";
import type { Columns, FactorColumn, Row } from "./columns.ts";
import type { Repeats } from "./lab.ts";
import type { LabOptions, OptionValues } from "../options/options.ts";
import type { Requirement } from "../probe/requirements.ts";
import type { CopyReports } from "../workload/copy_reports.ts";
import type { Processors } from "../workload/processors.ts";
import type { LabRow } from "./rows.ts";

/** What every part of a lab knows of the run. */
export interface RunContext<Options extends LabOptions = LabOptions> {
  /** The lab's own options, complete and checked. */
  readonly options: OptionValues<Options>;
  /** Whether a short run was asked for. */
  readonly quick: boolean;
  /** The seed of everything random. */
  readonly seed: number;
  /** How often each trial is repeated. */
  readonly repeats: number;
  /** What the clock counts: rates and times become numbers of instructions if that is what it counts. */
  readonly clock: Clock;
  /** The processors on which the parts of the lab run. */
  readonly processors: Processors;
  /** Whether {@linkcode probe} finds something real here. */
  has(name: Requirement): boolean;
}

/** What a trial knows beside its factors. */
export interface TrialRun<Options extends LabOptions = LabOptions> extends RunContext<Options> {
  /** Whether this trial only warms the machine up. */
  readonly warmUp: boolean;
  /** The round, from 0, warm-up rounds included. */
  readonly round: number;
  /** Aborted when the run should stop; a long trial may heed it and throw its reason. */
  readonly signal: AbortSignal;
  /**
   * Does the part of the trial that is worth looking at with the microscope, as `--flame` does once the
   * trials have run; nobody looks at other times. A trial need not use it: the whole is looked at then.
   */
  readonly look: Look;
  /**
   * Hands over what a trial that looks by itself has seen, so that nobody else need look.
   *
   * @param view What it has seen of its work.
   */
  saw(view: MicroscopeView): void;
}

/**
 * Keeps something open for all trials: it is closed when they have run, the last one first.
 *
 * @param resource What to keep, or a promise of it.
 * @returns The same.
 */
export type Use = <T extends Disposable | AsyncDisposable>(
  resource: T | Promise<T>,
) => Promise<T>;

/** What a set-up knows. */
export interface SetUpContext<Options extends LabOptions, F extends Factors>
  extends RunContext<Options> {
  /** The combinations that the run will measure. */
  readonly factors: readonly F[];
}

/** What a document says of a run beside the options. */
export interface Recorded {
  /** Of the environment, such as the links and their settings. */
  readonly environment?: Measures;
  /** What the lab chose or learned. */
  readonly parameters?: Measures;
}

/** A picture under the table. */
export type Chart<F extends Factors> = BarChart<F> | PercentileChart<F>;

/** Bars: the first column with a verdict. */
export interface BarChart<F extends Factors> {
  /** What it is, if something else. */
  readonly kind?: never;
  /** The heading. */
  readonly title: string;
  /**
   * Which combinations it shows.
   *
   * @default {all}
   */
  where?(factors: F): boolean;
}

/** Curves of percentiles, one for each combination. */
export interface PercentileChart<F extends Factors> {
  /** What it is. */
  readonly kind: "percentiles";
  /** The measure that holds {@linkcode Durations}. */
  readonly of: string;
  /** The heading. */
  readonly title: string;
  /**
   * Which combinations it shows.
   *
   * @default {all}
   */
  where?(factors: F): boolean;
}

/** What a lab may say of a whole run, beside its table. */
export interface Findings<F extends Factors, M extends Measures, Options extends LabOptions> {
  /** The rows of the table. */
  readonly rows: readonly LabRow<F, M>[];
  /** Every trial, warm-up and controls included, without the checks. */
  readonly trials: readonly Trial<F, M>[];
  /** The trials of the checks. */
  readonly checks: readonly Trial<F, M>[];
  /** What the document says beside the options. */
  readonly recorded: Recorded;
  /** The run. */
  readonly context: RunContext<Options>;
}

/**
 * A lab. `F` are its factors, `M` what a trial measures, `Kept` what the set-up keeps open for all
 * trials.
 */
export interface LabDeclaration<
  Options extends LabOptions,
  F extends Factors,
  Kept,
  M extends Measures,
> {
  /** The name on the command line, such as `tx-copy-vs-zc`. */
  readonly name: string;
  /** One line for the list of labs. */
  readonly title: string;
  /** What the lab shows and how, in a few sentences. */
  readonly description: string;
  /** What {@linkcode probe} must find real for the lab to run. */
  readonly needs: readonly Requirement[];
  /** The lab's own options, beside the common ones. */
  readonly options: Options;
  /**
   * How often trials are repeated.
   *
   * @default {{ default: 5, quick: 3, minimum: 1 }}
   */
  readonly repeats?: Repeats;
  /**
   * How many rounds only warm the machine up. Where the clock counts instructions and the lab compares,
   * as many as it takes until two are the same.
   *
   * @default {1}
   */
  readonly warmUp?: number;
  /**
   * Whether the measuring thread stays on one processor also where `--cpu` does not say so.
   *
   * @default {false}
   */
  readonly pinned?: boolean;

  /**
   * The combinations to measure, in the order of the table: a list, or a function of the options and
   * the rest of the run that returns one.
   */
  readonly factors:
    | readonly F[]
    | ((options: OptionValues<Options>, context: RunContext<Options>) => readonly F[]);
  /** What the other combinations are compared with; it runs twice in each round. */
  readonly baseline: NoInfer<Partial<F>>;
  /**
   * Factors that part the rows into questions of their own, such as the payload: rows of one question
   * are compared with its baseline and stand together in the table and in pictures.
   *
   * The verdicts are corrected after Holm for the number of all comparisons in the table: of all
   * questions and all columns. What a reader looks at is the table, and correcting in each question
   * alone does not keep its promise of 5 %: of 1000 simulated runs of equal things (noise of 3 to 15 %)
   * the table of tx-copy-vs-zc, with 42 comparisons, had a verdict that was a difference in 8.3 % after
   * nine rounds, that of busy-poll, with 16, in 14.7 %. Corrected together it is 2.1 % and 2.4 %.
   *
   * @default {[]}
   */
  readonly within?: readonly (string & keyof NoInfer<F>)[];
  /**
   * What a combination is called where it is compared; the baseline is called so by its own factors
   * alone.
   *
   * @default {its values of the factors that the baseline has}
   */
  readonly called?: (factors: NoInfer<F>) => string;
  /**
   * The factors' columns: headings, or more.
   *
   * @default {the names of the factors, as words}
   */
  readonly factorTitles?: {
    readonly [Name in keyof NoInfer<F>]?: string | FactorColumn<NoInfer<F>>;
  };
  /** Replaces values of factors that name something of a machine, so that two machines compare. */
  readonly normalised?: (factors: Factors) => Factors;

  /**
   * Gives the trials of a document that an earlier version of the lab wrote the measures that they
   * have today, so that runs written then and now compare.
   *
   * @param trials Trials of the document, of one combination.
   * @param document The document.
   */
  earlier?(trials: readonly Trial[], document: RunDocument): readonly Trial[];

  /**
   * Opens what all trials share.
   *
   * @param context The run, and the combinations that it will measure.
   * @param use Keeps something open.
   * @returns What the trials are given.
   */
  setUp?(context: SetUpContext<Options, NoInfer<F>>, use: Use): Kept | Promise<Kept>;
  /**
   * Why a combination is not possible here, or for this user; undefined if it is. Asked once for
   * each before the first trial. What is refused is named under the table.
   */
  refusal?(
    factors: NoInfer<F>,
    kept: NoInfer<Kept>,
    context: RunContext<Options>,
  ): string | undefined | Promise<string | undefined>;
  /** Runs one combination once and returns what it measured. */
  trial(factors: NoInfer<F>, kept: NoInfer<Kept>, run: TrialRun<Options>): M | Promise<M>;
  /**
   * Trials that run once, after the others, as a check of the evidence: combinations of which the
   * result is known.
   */
  readonly checks?: {
    /** The combinations. */
    factors(options: OptionValues<Options>, measured: readonly NoInfer<F>[]): readonly NoInfer<F>[];
    /** Runs one. Its set-up is its own. */
    trial(factors: NoInfer<F>, run: TrialRun<Options>): NoInfer<M> | Promise<NoInfer<M>>;
    /** What it shows, in a sentence. */
    text(trial: Trial<NoInfer<F>, NoInfer<M>>): string;
  };

  /**
   * The microscope as one more witness, in a guest that has it: after all others one more trial of each
   * combination, which shows its payload to `look` of its run. Below the verdicts stands who copied each
   * byte, beside what was reported of it; what contradicts it stands above the table.
   */
  readonly witness?: {
    /** Options of that trial: what is followed byte by byte shall be little. */
    readonly options: Partial<OptionValues<Options>>;
    /** What the kernel and the NIC report of the payload; what is left out, nobody says. */
    reports(measures: NoInfer<M>): Partial<CopyReports>;
  };

  /** The columns of the table, from left to right, behind the factors. */
  readonly columns: Columns<Row<NoInfer<F>, NoInfer<M>>>;
  /** What a row proves, in a word or two, such as `"not copied"`; null for nothing. */
  readonly proof?: (row: Row<NoInfer<F>, NoInfer<M>>) => string | null;
  /**
   * Pictures under the table.
   *
   * @default {none}
   */
  readonly charts?: readonly Chart<NoInfer<F>>[];
  /** What the document says beside the options. */
  recorded?(
    kept: NoInfer<Kept>,
    context: RunContext<Options>,
  ): Recorded | Promise<Recorded>;
  /**
   * What was done, for the line above the table; the rounds, the factors that do not vary and the
   * baseline follow it.
   *
   * @default {the title}
   */
  heading?(findings: Findings<NoInfer<F>, NoInfer<M>, Options>): string;
  /** Sentences below the table that only this lab can say. */
  conclusions?(findings: Findings<NoInfer<F>, NoInfer<M>, Options>): readonly string[];
}

/** A declaration whose types are forgotten, for those who only run it. */
// deno-lint-ignore no-explicit-any -- the parameters of its functions are only known to the lab
export type AnyDeclaration = LabDeclaration<any, any, any, any>;

/** A combination that is not possible. */
export type Refused = Factors & { readonly why: string };
