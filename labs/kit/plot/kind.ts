/**
 * What a kind of figure is: where its figures come from, and how they are drawn and told.
 *
 * @module
 */
import type { Canvas, Piece } from "./canvas.ts";
import type { FigureHead } from "./figure.ts";
import type { Labelled } from "./plain.ts";
import type { TextDrawing } from "./text.ts";
import type { TrialsLayout } from "./layout_of_trials.ts";
import type { FigureTexts, TrialsOptions } from "./trials.ts";

/** A kind of figure. Everything that is particular to it is in its own file. */
export interface FigureKind<F extends FigureHead> {
  /** Whether trials are good for such a figure without being told anything. */
  suits(layout: TrialsLayout, options: TrialsOptions): boolean;

  /**
   * The figure of trials.
   *
   * @throws {PlotError} If they do not have what it needs.
   */
  ofTrials(layout: TrialsLayout, options: TrialsOptions): F;

  /**
   * The figure of plain data: at least one item.
   *
   * @throws {PlotError} If it does not have what the figure needs.
   */
  ofData(data: readonly Labelled[], texts: FigureTexts): F;

  /** The drawing between title and notes, from top to bottom. */
  picture(figure: F, canvas: Canvas): Piece[];

  /** The lines between title and notes, for the terminal. */
  text(figure: F, drawing: TextDrawing): string[];

  /** What it shows, in sentences. */
  words(figure: F): string[];
}
