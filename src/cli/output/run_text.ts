/**
 * A run on the terminal, with files as the user would type them here.
 *
 * @module
 */

import type { Style } from "../../base/terminal_text.ts";
import type { RunSummary } from "../../report/document.ts";
import { terminalLines } from "../../report/text/terminal.ts";
import type { Store } from "../../store/store.ts";
import { shownPath } from "./problems.ts";

/**
 * The lines for standard output.
 *
 * @param repeat Whether to repeat what is told while a run goes on: failures and warnings.
 */
export function runLines(
  summary: RunSummary,
  store: Store,
  style: Style,
  repeat = false,
): string[] {
  return terminalLines(summary, {
    style,
    fileOf: (digest) => shownPath(store.blobPath(digest)),
    shownPath,
    repeat,
  });
}
