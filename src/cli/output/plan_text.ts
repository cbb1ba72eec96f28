/**
 * A plan as text.
 *
 * @module
 */

import { printable, type Style, textTable } from "../../base/terminal_text.ts";
import { formatSeconds } from "../../base/units.ts";
import type { Plan } from "../../pipeline/plan.ts";

/** One line per stage: what a run would do and why. */
export function planLines(plan: Plan, style: Style): string[] {
  const status = {
    hit: style.green("cached"),
    run: style.yellow("run"),
    blocked: style.dim("later"),
  };
  const rows = plan.stages.map(({ stage, status: planned, reason, expected }) => [
    printable(stage.id),
    stage.stage.definition.name,
    status[planned],
    planned === "hit" || expected === undefined ? "" : formatSeconds(expected),
    printable(reason),
  ]);
  const hits = plan.stages.filter(({ status }) => status === "hit").length;
  const rest = plan.stages.filter(({ status }) => status !== "hit");
  const known = rest.map(({ expected }) => expected).filter((each) => each !== undefined);
  const time = known.length === 0
    ? ""
    : `; about ${formatSeconds(known.reduce((sum, each) => sum + each))} of work` +
      (known.length < rest.length ? " in those that ran before" : "");
  return [
    ...textTable(
      [
        { title: "stage" },
        { title: "uses" },
        { title: "plan" },
        { title: "takes", align: "right" },
        { title: "because" },
      ],
      rows,
      style,
    ),
    "",
    `${hits} of ${plan.stages.length} stages are cached${time}`,
  ];
}
