/**
 * Text for a notebook.
 *
 * @module
 */
import { escapeHtml } from "../../../ffi/kernel/inspection.ts";

/** Text as HTML; words between backquotes become code. */
export function htmlOf(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, "<code>$1</code>");
}
