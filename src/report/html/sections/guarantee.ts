/**
 * What is proven of the difference between two models, in words.
 *
 * @module
 */

import { formatBound, formatNumber, formatQuantity } from "../../../base/units.ts";
import { rowChart } from "../../charts/rows.ts";
import type { Report, ReportVerification } from "../../document.ts";
import { firstOf, legend, note, scrolling, section, stageLink, table } from "../parts.ts";
import { type Html, html } from "../template.ts";

type Domain = ReportVerification["domains"][number];
type Bracket = Domain["outputs"][number];

/** Charts with more rows than this are left out: the table says the same. */
const MOST_ROWS = 60;
/** Tables of more boxes are folded. */
const SHOWN_DOMAINS = 40;

/** What each verification proves. */
export function guaranteeSection({ verifications }: Report): Html | undefined {
  if (verifications.length === 0) return undefined;
  return section("guarantee", "Guarantee", verifications.map(one));
}

function one(verification: ReportVerification): Html {
  const { stage, model = "the model", reference = "the original", method, semantics, domains } =
    verification;
  const whole = worst(domains.flatMap(({ outputs }) => outputs));
  const place = domains.length === 1
    ? domains[0]!.name === "box" ? "of the box" : html`of <strong>${domains[0]!.name}</strong>`
    : html`of each of ${domains.length} boxes`;
  return html`<h3><a href="${stageLink(stage)}">${stage}</a></h3>
<p>${
    whole.proven === undefined
      ? html`Nothing is proven of the inputs ${place}.`
      : html`For every input ${place}, no output of <code>${model}</code> differs from that of <code>${reference}</code> by more than <strong>${
        formatBound(whole.proven)
      }</strong>${ARITHMETIC[semantics] ?? ` (${semantics})`}.`
  } ${foundText(whole)}</p>
${moreWords(verification)}${note(`Method ${method}; ${coverage(domains)}.`)}${brackets(domains)}${
    domainTable(domains)
  }`;
}

/** Classes, parts of the bound, and the certificate. */
function moreWords({ domains, certificate, decomposition }: ReportVerification): Html {
  const classified = domains.filter(({ kept }) => kept !== undefined);
  const kept = classified.filter((each) => each.kept).length;
  const sentences = [
    ...classified.length === 0 ? [] : [
      html`For ${kept} of ${classified.length} items the class provably stays in all of the box.`,
    ],
    ...decomposition === undefined ? [] : [partsText(decomposition)],
    ...certificate === undefined ? [] : [certificateText(certificate)],
  ];
  return sentences.length === 0 ? html`` : html`<p>${
    sentences.map((each) =>
      html`
        ${each}
      `
    )
  }</p>`;
}

function partsText(
  { domain, total, ...parts }: NonNullable<ReportVerification["decomposition"]>,
): Html {
  if (total === 0) return html``;
  const named = [
    ["changed weights", parts.weights],
    ["rounding of activations", parts.rounding],
    ["saturation of activations", parts.saturation],
    ["float32 arithmetic", parts.arithmetic],
  ] as const;
  const text = named.filter(([, part]) => part > 0)
    .map(([name, part]) => `${formatQuantity(part / total, "fraction")} by ${name}`);
  return html`Without splitting, the bound of ${domain} is ${formatBound(total)}, made ${
    text.join(", ")
  }.`;
}

function certificateText(
  { claims, parts = 1, none }: NonNullable<ReportVerification["certificate"]>,
): Html {
  if (claims === undefined) return html`There is no certificate${none && `: ${none}`}.`;
  return html`A certificate proves ${formatBound(claims)} in ${formatNumber(parts)} ${
    parts === 1 ? "part" : "parts"
  }, for <code>bitbound check-certificate</code>.`;
}

const ARITHMETIC: Readonly<Record<string, string>> = {
  real: ", computed in exact arithmetic",
  float32: ", computed in float32, in whatever order sums are added up",
};

function foundText({ found, proven }: Bracket): string {
  if (found === 0) return "No difference was found.";
  const text = `A difference of ${formatNumber(found)} was found`;
  if (proven === undefined) return `${text}.`;
  return `${text}: the bound is at most ${
    formatBound(proven / found)
  } times as large as the truth.`;
}

function coverage(domains: readonly Domain[]): string {
  const boxes = domains.reduce((sum, each) => sum + each.boxes, 0);
  const settled = domains.reduce((sum, each) => sum + each.settled, 0) / domains.length;
  return `${formatNumber(boxes)} ${boxes === 1 ? "box" : "boxes"} bounded, ${
    formatQuantity(settled, "fraction")
  } of the volume as near as was asked for`;
}

/** Between what was found and what is proven lies the largest difference. */
function brackets(domains: readonly Domain[]): Html | undefined {
  const rows = domains.length === 1
    ? domains[0]!.outputs.map((bracket, index) => ({ name: `output ${index}`, ...bracket }))
    : domains.map(({ name, outputs }) => ({ name, ...worst(outputs) }));
  if (rows.length > MOST_ROWS) return undefined;
  const dots = rows.map(({ name, found, proven }) => [
    { value: found, series: 0, label: `${name}: found ${formatNumber(found)}` },
    ...(proven === undefined
      ? []
      : [{ value: proven, series: 1, label: `${name}: proven ${formatBound(proven)}` }]),
  ]);
  return html`${legend(["found", "proven"])}${
    scrolling(
      "Brackets of the largest difference",
      rowChart("Brackets of the largest difference", rows.map(({ name }) => name), [
        { title: "largest difference", fromZero: true, joined: true, rows: dots },
      ]),
    )
  }`;
}

function domainTable(domains: readonly Domain[]): Html {
  const columns = [
    { title: "box of inputs" },
    { title: "found", align: "right" as const },
    { title: "proven", align: "right" as const },
    { title: "proven / found", align: "right" as const },
    { title: "boxes", align: "right" as const },
    { title: "settled", align: "right" as const },
  ];
  const rowOf = ({ name, boxes, settled, outputs }: Domain) => {
    const { found, proven } = worst(outputs);
    return [
      name,
      formatNumber(found),
      proven === undefined ? "no bound" : formatBound(proven),
      proven === undefined || found === 0 ? "–" : formatBound(proven / found),
      boxes,
      formatQuantity(settled, "fraction"),
    ];
  };
  const parts = domains.length <= SHOWN_DOMAINS
    ? [domains]
    : [domains.slice(0, SHOWN_DOMAINS), domains.slice(SHOWN_DOMAINS)];
  return html`${
    firstOf(
      parts.map((part) => table("Boxes of the domain", columns, part.map(rowOf))),
      1,
      () => `${domains.length - SHOWN_DOMAINS} more boxes`,
    )
  }`;
}

/** The largest of all outputs; without a bound if one has none. */
function worst(outputs: readonly Bracket[]): Bracket {
  const found = Math.max(0, ...outputs.map((each) => each.found));
  const proven = outputs.map((each) => each.proven ?? Infinity)
    .reduce((most, each) => Math.max(most, each), 0);
  return Number.isFinite(proven) ? { found, proven } : { found };
}
