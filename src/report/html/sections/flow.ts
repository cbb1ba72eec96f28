/**
 * The pipeline: what follows what, and when it worked.
 *
 * @module
 */

import { formatSeconds } from "../../../base/units.ts";
import { type FlowArrow, type FlowBox, flowChart } from "../../charts/flow.ts";
import type { Report, ReportStage } from "../../document.ts";
import { stagesBefore } from "../../summary.ts";
import { stageOutcome } from "../../text/words.ts";
import { note, scrolling, section, stageLink } from "../parts.ts";
import { type Html, html } from "../template.ts";

/** Pipelines of more stages are drawn with the items of a matrix taken together. */
const MOST_BOXES = 30;

/** The graph of the stages and their times. */
export function flowSection(report: Report): Html {
  return section("pipeline", "Pipeline", graph(report), timeline(report));
}

function graph({ stages }: Report): Html {
  const groups = grouped(stages);
  const groupOf = new Map(
    [...groups].flatMap(([group, members]) => members.map(({ id }) => [id, group] as const)),
  );
  const boxes = Array.from(groups, ([group, members]): FlowBox => {
    const [first] = members as [ReportStage];
    if (members.length > 1) {
      const ran = members.filter(({ status }) => status === "ran").length;
      return {
        id: group,
        title: `${group} × ${members.length}`,
        note: `${first.uses} · ${ran} ran`,
        status: statusOf(members),
      };
    }
    const time = first.status === "ran" && first.seconds !== undefined
      ? formatSeconds(first.seconds)
      : stageOutcome(first.status);
    return {
      id: group,
      title: first.id,
      note: first.uses === first.id ? time : `${first.uses} · ${time}`,
      status: statusOf(members),
      link: stageLink(first.id),
    };
  });
  const arrows = new Map<string, FlowArrow>();
  for (const stage of stages) {
    for (const before of stagesBefore(stage)) {
      const [from, to] = [groupOf.get(before), groupOf.get(stage.id)!];
      if (from !== undefined && from !== to) arrows.set(JSON.stringify([from, to]), { from, to });
    }
  }
  return scrolling("The stages", flowChart("The stages", boxes, necessary([...arrows.values()])));
}

/** Without the arrows that say nothing new, because others lead from the one to the other already. */
function necessary(arrows: readonly FlowArrow[]): FlowArrow[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of arrows) next.set(from, [...next.get(from) ?? [], to]);
  const reached = new Map<string, Set<string>>();
  const reachedFrom = (id: string): Set<string> => {
    let found = reached.get(id);
    if (found !== undefined) return found;
    found = new Set(next.get(id));
    for (const to of next.get(id) ?? []) for (const end of reachedFrom(to)) found.add(end);
    reached.set(id, found);
    return found;
  };
  return arrows.filter(({ from, to }) =>
    !next.get(from)!.some((other) => other !== to && reachedFrom(other).has(to))
  );
}

/** The stages, those of one matrix taken together if there are too many; an item is named `stage@axis=value`. */
function grouped(stages: readonly ReportStage[]): Map<string, ReportStage[]> {
  const groups = new Map<string, ReportStage[]>();
  for (const stage of stages) {
    const group = stages.length > MOST_BOXES ? stage.id.split("@")[0]! : stage.id;
    groups.set(group, [...groups.get(group) ?? [], stage]);
  }
  return groups;
}

/** The worst of some stages. */
function statusOf(members: readonly ReportStage[]): string {
  if (members.some(({ status }) => status === "failed")) return "failed";
  if (members.some(({ gates }) => gates.some(({ met }) => !met))) return "unmet";
  const order = ["running", "ran", "hit", "pending", "skipped", "blocked"];
  return order.find((status) => members.some((each) => each.status === status)) ?? "pending";
}

function timeline({ run, stages }: Report): Html {
  const worked = stages.filter(({ started }) => started !== undefined);
  const cached = stages.filter(({ status }) => status === "hit");
  const saved = cached.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0);
  const savedNote = cached.length > 0 &&
    note(
      `${cached.length} ${cached.length === 1 ? "stage was" : "stages were"} cached, which saved `,
      `${formatSeconds(saved)} of work.`,
    );
  if (worked.length === 0) return html`<h3>Time</h3>${savedNote}`;
  const start = Date.parse(run.started);
  const secondsOf = ({ started, seconds }: ReportStage) => {
    const from = (Date.parse(started!) - start) / 1000;
    return { from, to: from + (seconds ?? Math.max(0, (run.seconds ?? from) - from)) };
  };
  const total = Math.max(1e-3, run.seconds ?? 0, ...worked.map((stage) => secondsOf(stage).to));
  const percent = (value: number) => Math.round(10_000 * value / total) / 100;
  return html`<h3>Time</h3>
<ol class="timeline">${
    worked.map((stage) => {
      const { from, to } = secondsOf(stage);
      return html`<li><a href="${
        stageLink(stage.id)
      }">${stage.id}</a><span class="track"><span class="span ${statusOf([stage])}" style="left:${
        percent(from)
      }%;width:${Math.max(0.4, percent(to - from))}%"></span></span><span class="number">${
        formatSeconds(to - from)
      }</span></li>`;
    })
  }</ol>${savedNote}`;
}
