/**
 * The types of what the other entry points take and return, for those who write annotations.
 *
 * @module
 */

// Memory, rings, sockets, testbeds, receivers: zclab.
export type { DeviceMemoryKind } from "./ffi/devmem/piece.ts";
export type {
  DeviceMemoryCounts,
  DeviceMemoryReceiveOptions,
  OnDeviceMemoryPiece,
} from "./ffi/devmem/receiver.ts";
export type {
  DeviceMemoryRange,
  DeviceMemoryTransmitCounts,
  DeviceMemoryTransmitOptions,
} from "./ffi/devmem/transmitter.ts";
export type { Address } from "./ffi/kernel/address.ts";
export type { Remedy } from "./ffi/kernel/errors.ts";
export type { OperationName } from "./ffi/kernel/uapi.ts";
export type { AreaOptions } from "./ffi/memory/area.ts";
export type { DiskFileOptions } from "./ffi/memory/disk_file.ts";
export type { MessageOptions } from "./ffi/net/message.ts";
export type { MessageZeroCopyCounts } from "./ffi/net/message_zerocopy.ts";
export type { IncomingNapi } from "./ffi/net/napi.ts";
export type {
  BindReceive,
  BindTransmit,
  MemoryProvider,
  NetdevQueue,
  PagePool,
} from "./ffi/net/netdev.ts";
export type { NamespaceHandle, Place } from "./ffi/net/place.ts";
export type { ConnectOptions, SocketOptions, SocketReceiveOptions } from "./ffi/net/socket.ts";
export type { SocketOption } from "./ffi/net/socket_options.ts";
export type { SocketBusyPollOptions } from "./ffi/net/socket_polling.ts";
export type { EachOptions, TimeoutOptions } from "./ffi/ring/batch.ts";
export type { BufferRingOptions } from "./ffi/ring/buffer_ring.ts";
export type { Descriptor } from "./ffi/ring/descriptor.ts";
export type { OnCompletion, RingHandle } from "./ffi/ring/engine.ts";
export type { NotificationFields } from "./ffi/ring/notification.ts";
export type { NotifierOptions } from "./ffi/ring/notifier.ts";
export type { OperationOptions, SendZcResult } from "./ffi/ring/operation.ts";
export type { CompletionSize, SetupFlag } from "./ffi/ring/queues.ts";
export type { RingOptions, SendOptions, SendZcOptions } from "./ffi/ring/ring.ts";
export type { NapiTracking, RingBusyPollOptions } from "./ffi/ring/ring_polling.ts";
export type { OnEnd, OnPiece } from "./ffi/zcrx/delivery.ts";
export type { ZcrxLoopOptions, ZcrxReceiveOptions } from "./ffi/zcrx/loop.ts";
export type { ZcrxMemoryOptions, ZcrxReceiverOptions } from "./ffi/zcrx/opening.ts";
export type { ZcrxEvent, ZcrxFeatures } from "./ffi/zcrx/query.ts";
export type { ZcrxStatistics } from "./ffi/zcrx/receiver.ts";
export type { Machine, ProbeItem, ProbeState, Requirement } from "./labs/kit/probe/requirements.ts";
export type { NetworkCounters } from "./labs/kit/testbed/network_counters.ts";
export type { Placement, SteeredFlow } from "./labs/kit/testbed/softnic.ts";
export type {
  InterfaceSettings,
  PairOptions,
  SinkOptions,
  SoftnicOptions,
  TestbedAddress,
  TestbedEnd,
  TestbedKind,
} from "./labs/kit/testbed/testbed.ts";

// Experiments, statistics, plots, documents: zclab/experiment.
export type { CodeVersion } from "./labs/kit/experiment/code_version.ts";
export type { Covariates } from "./labs/kit/experiment/covariates.ts";
export type {
  Environment,
  KernelRecord,
  LimitsRecord,
  MachineRecord,
  ResourceLimit,
  UserRecord,
  Versions,
} from "./labs/kit/experiment/environment.ts";
export type {
  ExperimentOptions,
  ExperimentResult,
  TrialContext,
} from "./labs/kit/experiment/experiment.ts";
export type { RepeatsUntilNarrow } from "./labs/kit/experiment/precision.ts";
export type { Stopped } from "./labs/kit/experiment/stopped.ts";
export type {
  Crossed,
  Factor,
  Factors,
  Measure,
  Measures,
  Trial,
} from "./labs/kit/experiment/trials.ts";
export type { WarmUpUntilSteady } from "./labs/kit/experiment/warm_up.ts";
export type { CrossoverFigure } from "./labs/kit/plot/crossover.ts";
export type { CrossoverMark, CrossoverPanel } from "./labs/kit/plot/crossover_of_trials.ts";
export type { FigureHead, PlotAxis, PlotKind } from "./labs/kit/plot/figure.ts";
export type {
  IntervalPanel,
  IntervalPoint,
  IntervalSeries,
  PlainInterval,
} from "./labs/kit/plot/intervals.ts";
export type { Figure, PlainData, PlainSeries } from "./labs/kit/plot/kinds.ts";
export type { LatencyFigure } from "./labs/kit/plot/latency.ts";
export type { Lifeline, LifelinesFigure } from "./labs/kit/plot/lifelines.ts";
export type { PercentilePoint } from "./labs/kit/plot/percentile_plot.ts";
export type {
  HasDocument,
  HasTrials,
  PlotOptions,
  PlotSvgOptions,
  Plottable,
  PlotTextOptions,
} from "./labs/kit/plot/plot.ts";
export type { Spread } from "./labs/kit/plot/scales.ts";
export type { SeriesFigure, SeriesMark, SeriesPoint } from "./labs/kit/plot/series.ts";
export type { PlotTheme } from "./labs/kit/plot/theme.ts";
export type { ThroughputFigure } from "./labs/kit/plot/throughput.ts";
export type { TrialPosition } from "./labs/kit/plot/trials.ts";
export type {
  Change,
  ComparedProof,
  ComparedRow,
  Outcome,
  RowDeclaration,
  RowLevel,
  RowMeasure,
  RunComparison,
  UnmeasuredRow,
} from "./labs/kit/run/compare_runs.ts";
export type { ComparisonTextOptions } from "./labs/kit/run/comparison_text.ts";
export type { RunDifference, RunSurroundings } from "./labs/kit/run/run_differences.ts";
export type { RunDocument, RunInvocation } from "./labs/kit/run/run_document.ts";
export type { RunColumn, RunTable } from "./labs/kit/run/run_table.ts";
export type { BootstrapOptions } from "./labs/kit/statistics/bootstrap.ts";
export type {
  CompareAllOptions,
  CompareAllWords,
  ComparisonRow,
  Correction,
} from "./labs/kit/statistics/compare_all.ts";
export type {
  CompareOptions,
  NoiseFloorOptions,
  Ratio,
} from "./labs/kit/statistics/comparisons.ts";
export type { Crossover, CrossoverRow } from "./labs/kit/statistics/crossover.ts";
export type { DurationMeasures } from "./labs/kit/statistics/durations.ts";
export type { MedianInterval } from "./labs/kit/statistics/intervals.ts";
export type { Outlier, OutlierOptions } from "./labs/kit/statistics/outliers.ts";
export type { Verdict, VerdictWords } from "./labs/kit/statistics/verdicts.ts";
export type { Cell, TableColumn, TableOptions, TextStyle } from "./labs/kit/terminal/table.ts";

// Labs, and what they are made of: zclab/lab.
export type {
  Column,
  ColumnBase,
  Columns,
  DerivedColumn,
  FactorColumn,
  MeasureColumn,
  Over,
  Row,
} from "./labs/kit/lab/columns.ts";
export type {
  AnyDeclaration,
  BarChart,
  Chart,
  Findings,
  LabDeclaration,
  PercentileChart,
  Recorded,
  RunContext,
  SetUpContext,
  TrialRun,
  Use,
} from "./labs/kit/lab/declaration.ts";
export type { CpuOption, DeclaredLab } from "./labs/kit/lab/define_lab.ts";
export type {
  Lab,
  LabContext,
  LabOutcome,
  ProgressReporter,
  Repeats,
  RunOptions,
  RunRecord,
} from "./labs/kit/lab/lab.ts";
export type {
  BytesOption,
  FlagOption,
  FormerOption,
  LabOption,
  LabOptions,
  NumberOption,
  NumbersOption,
  OptionDescription,
  OptionValue,
  OptionValues,
  StringOption,
  StringsOption,
} from "./labs/kit/lab/options.ts";
export type { LabRow, RowComparison } from "./labs/kit/lab/rows.ts";
export type { Replayed, ReplayOptions } from "./labs/kit/run/replay.ts";
export type { NicCounts, PlacedPiece } from "./labs/kit/testbed/nic_witness.ts";
export type { PageProof } from "./labs/kit/testbed/page_proof.ts";
export type {
  ConnectionOptions,
  StreamConnection,
  StreamLinkOptions,
} from "./labs/kit/testbed/stream_links.ts";
export type { ConnectedOptions, ConnectedSockets } from "./labs/kit/workload/connected.ts";
export type {
  DeviceMemoryStreamed,
  DeviceMemoryStreamOptions,
  PayloadWay,
} from "./labs/kit/workload/device_memory_stream.ts";
export type { DirectlyWritten } from "./labs/kit/workload/direct_writer.ts";
export type { Echoing, EchoOptions } from "./labs/kit/workload/echo.ts";
export type { Echoed } from "./labs/kit/workload/echo_thread.ts";
export type { Peer, Prepared } from "./labs/kit/workload/peer.ts";
export type { Received, ReceiveOptions } from "./labs/kit/workload/receive.ts";
export type {
  ReceivedStream,
  ReceiveStreamOptions,
  StreamEngine,
} from "./labs/kit/workload/receive_stream.ts";
export type { RoundTripOptions, RoundTripWait } from "./labs/kit/workload/round_trips.ts";
export type { StreamOptions } from "./labs/kit/workload/stream_sender.ts";
export type { Sent } from "./labs/kit/workload/stream_sender_thread.ts";
export type { TransmitMode, TransmitOptions, Transmitted } from "./labs/kit/workload/transmit.ts";

// Notebooks: zclab/notebook.
export type {
  ChoiceExerciseOptions,
  ExerciseOptions,
  ExerciseStatus,
  Foreseen,
  Judgement,
  MeasuredQuantity,
  NumberExerciseOptions,
  PredictionOptions,
} from "./labs/kit/notebook/exercise.ts";
