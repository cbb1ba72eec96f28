/**
 * How a report's page looks.
 *
 * @module
 */

import { html } from "./template.ts";

/** The style sheet. */
export const STYLE = html`<style>
:root {
  color-scheme: light dark;
  --back: #ffffff; --card: #f6f7f9; --text: #1c2330; --soft: #566072; --line: #dfe3e9;
  --accent: #0b62a4; --good: #126a3a; --bad: #b3261e; --warn: #8a5a00;
  --s1: #0b62a4; --s2: #c2410c; --s3: #15803d; --s4: #7e22ce; --s5: #be185d; --s6: #0f766e; --s7: #a16207; --s8: #64748b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #14181f; --card: #1c222b; --text: #e3e8ef; --soft: #9aa6b6; --line: #333c49;
    --accent: #6cb6f5; --good: #7ee2a0; --bad: #ff9a91; --warn: #f0c36a;
    --s1: #6cb6f5; --s2: #fb923c; --s3: #6ee79a; --s4: #c4a1ff; --s5: #f58ac0; --s6: #5eead4; --s7: #f5d06b; --s8: #a3b1c2;
  }
}
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 4rem; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.8rem; line-height: 1.25; margin: .1rem 0 .5rem }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line) }
h3 { font-size: 1rem; margin: 1.5rem 0 .5rem }
p { margin: .4rem 0 }
small { font-size: .8rem; font-weight: 400; color: var(--soft) }
a { color: var(--accent) }
code, pre { font: .85em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; margin: .5rem 0; white-space: pre-wrap }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px }
.skip { position: absolute; left: -100vw }
.skip:focus { left: 1rem; top: .25rem; background: var(--back); padding: .25rem .5rem }
.eyebrow { color: var(--soft); font-size: .8rem; letter-spacing: .06em; text-transform: uppercase; margin: 0 }
.note { color: var(--soft); font-size: .9rem }
.good { color: var(--good) } .bad { color: var(--bad) }
.badge { font-size: .75rem; font-weight: 600; line-height: 1; padding: .25em .6em; border: 1px solid currentColor; border-radius: 1em; vertical-align: .2em; white-space: nowrap; color: var(--soft) }
.badge.done, .badge.ran { color: var(--good) }
.badge.failed, .badge.expectation-failed { color: var(--bad) }
.badge.interrupted, .badge.running { color: var(--warn) }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .5rem; margin: 1rem 0 0 }
.facts > div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .5rem .75rem }
.facts dt { color: var(--soft); font-size: .8rem } .facts dd { margin: 0; font-weight: 600 }
.facts small { display: block }
.scroll { overflow-x: auto; max-width: 100%; margin: .5rem 0 }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; min-width: min(100%, 20rem) }
th, td { padding: .3rem .75rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top; overflow-wrap: normal }
thead th { color: var(--soft); font-weight: 600 } tbody th { font-weight: 600 }
td.number, th.number { text-align: right }
.stage td:last-child { white-space: normal; min-width: 12rem }
.bar { display: block; min-width: 7rem; padding: 0 .3rem; background: linear-gradient(to right, color-mix(in srgb, var(--accent) 28%, transparent) var(--share), transparent var(--share)) }
.heat { display: block; padding: 0 .3rem; background: color-mix(in srgb, var(--s2) calc(var(--heat) * .5), transparent) }
.plain { list-style: none; padding: 0; margin: .5rem 0 } .plain li { padding: .2rem 0 }
.problems { padding-left: 1.1rem } .problems li { margin: .4rem 0 }
figure { margin: .75rem 0 } figcaption { font-size: .9rem }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 17.5rem), 1fr)); gap: 1rem 1.5rem }
.gallery figure { margin: 0; min-width: 0 } .gallery svg { width: 100% }
.grid-text { display: block }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1rem; padding: 0; margin: .5rem 0; font-size: .9rem }
.swatch { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; background: var(--series); margin-right: .4rem }
.series-1 { --series: var(--s1) } .series-2 { --series: var(--s2) } .series-3 { --series: var(--s3) } .series-4 { --series: var(--s4) }
.series-5 { --series: var(--s5) } .series-6 { --series: var(--s6) } .series-7 { --series: var(--s7) } .series-8 { --series: var(--s8) }
.chart { display: block; font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
.chart text { fill: var(--text) } .chart .tick, .chart .axis-title { fill: var(--soft); font-size: 11px }
.chart circle { fill: var(--series); fill-opacity: .85; stroke: var(--back) }
.chart .rule { stroke: var(--line) } .chart .axis { stroke: var(--soft) }
.chart .join { stroke: var(--soft); stroke-width: 2 }
.chart .front { fill: none; stroke: var(--s1); stroke-width: 1.5; stroke-opacity: .6 }
.chart .area { fill: var(--soft); fill-opacity: .45 }
.chart .grid { stroke: var(--series); stroke-width: 1.5; fill: none }
.flow .arrow { fill: none; stroke: var(--soft); stroke-width: 1.3 } .flow .head { fill: var(--soft) }
.flow rect { fill: var(--card); stroke: var(--line) }
.flow .title { font-weight: 600; font-size: 13px } .flow .note { fill: var(--soft); font-size: 11px }
.flow .mark { stroke: none; fill: var(--soft) }
.flow .ran .mark { fill: var(--good) } .flow .failed .mark, .flow .unmet .mark { fill: var(--bad) } .flow .running .mark { fill: var(--warn) } .flow .hit .mark { fill: var(--accent) }
.flow .failed > rect:first-of-type, .flow .unmet > rect:first-of-type { stroke: var(--bad) }
.timeline { list-style: none; padding: 0; margin: .5rem 0; font-size: .9rem }
.timeline li { display: grid; grid-template-columns: minmax(5rem, 11rem) minmax(0, 1fr) 5.5rem; gap: .75rem; align-items: center; padding: .15rem 0 }
.timeline .number { text-align: right; font-variant-numeric: tabular-nums }
.track { position: relative; height: .9rem; background: var(--card); border-radius: 3px; overflow: hidden }
.span { position: absolute; top: 0; bottom: 0; background: var(--accent); border-radius: 3px }
.span.failed, .span.unmet { background: var(--bad) }
@media (max-width: 32rem) {
  .timeline li { grid-template-columns: minmax(0, 1fr) auto } .track { grid-column: 1 / -1; grid-row: 2 }
}
details { margin: .5rem 0 } summary { cursor: pointer; padding: .2rem 0 }
.stage > details { border: 1px solid var(--line); border-radius: 8px; padding: .25rem .75rem; margin: .4rem 0 }
.stage:has(:target) > details { border-color: var(--accent) }
@media print {
  :root { --back: #fff; --card: #fff; --text: #000; --soft: #444; --line: #bbb }
  body { max-width: none; padding: 0; font-size: 11px }
  .skip { display: none }
  .scroll { overflow: visible } .chart { max-width: 100%; height: auto }
  figure, tr, .timeline li { break-inside: avoid } h2, h3 { break-after: avoid }
  #layers details::details-content, #reconstruction details::details-content, #search details::details-content { content-visibility: visible; display: block }
  a { color: inherit; text-decoration: none }
}
</style>`;
