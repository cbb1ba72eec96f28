/**
 * The forms of a report.
 *
 * @module
 */

import { UserError } from "../../base/errors.ts";

/** All forms. */
export const REPORT_FORMATS = ["html", "markdown", "text", "json"] as const;

/** A form of a report. */
export type ReportFormat = typeof REPORT_FORMATS[number];

const ENDINGS: Readonly<Record<string, ReportFormat>> = {
  html: "html",
  htm: "html",
  md: "markdown",
  markdown: "markdown",
  txt: "text",
  json: "json",
};

/**
 * The form that the end of a file's name says.
 *
 * @param option What the file was named with, for the message.
 * @throws {UserError} If it says none.
 */
export function formatOfFile(path: string, option: string): ReportFormat {
  const found = ENDINGS[/\.([^./\\]+)$/.exec(path)?.[1]?.toLowerCase() ?? ""];
  if (found !== undefined) return found;
  throw new UserError({
    message: `The end of "${path}" says no format of a report`,
    hint: `Name a file such as ${option} report.html; .md, .txt and .json are possible too`,
  });
}
