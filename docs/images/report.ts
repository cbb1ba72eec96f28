/**
 * Draws some charts of a report on pipelines/mixed-precision.yaml as a picture for the guide.
 *
 *     deno run --allow-read --allow-write=docs/images --allow-run=deno docs/images/report.ts
 *
 * @module
 */

/** What is shown: the name of a chart in the page, and where it is put. */
const CHARTS: readonly (readonly [name: string, x: number, y: number, scale: number])[] = [
  ["The stages", 24, 64, 0.86],
  ["Loss over cost", 490, 60, 0.9],
  ["Bits and errors of layers", 490, 392, 0.76],
  ["Values of stem.relu", 24, 480, 1],
];
const WIDTH = 1000;
const HEIGHT = 620;

async function bitbound(...args: string[]): Promise<string> {
  const { code, stdout } = await new Deno.Command("deno", {
    args: ["task", "--quiet", "bitbound", ...args],
    env: { NO_COLOR: "1" },
    stderr: "inherit",
  }).output();
  if (code !== 0) throw new Error(`bitbound ${args.join(" ")} ended with ${code}`);
  return new TextDecoder().decode(stdout);
}

const store = Deno.args[0] === undefined ? [] : ["--store", Deno.args[0]];
await bitbound("run", "pipelines/mixed-precision.yaml", ...store);
const page = await bitbound("report", "--format", "html", ...store);

const style = page.match(/<style>([^]*?)<\/style>/)![1]!;
const charts = new Map(
  [...page.matchAll(/<svg class="chart[^]*?<\/svg>/g)].map(([chart]) => [
    chart.match(/aria-label="([^"]*)"/)![1]!,
    chart,
  ]),
);
const placed = CHARTS.map(([name, x, y, scale]) => {
  const chart = charts.get(name);
  if (chart === undefined) throw new Error(`The page has no chart "${name}"`);
  const [, , width, height] = chart.match(/viewBox="([^"]*)"/)![1]!.split(" ").map(Number);
  const sized = chart.replace(/<svg ([^>]*)>/, (_, attributes: string) =>
    `<svg ${attributes.replace(/\b(width|height)="[^"]*"/g, "")} width="${width}" height="${height}">`)
    .replace(/<a href[^>]*>|<\/a>/g, "");
  return `  <g transform="translate(${x} ${y}) scale(${scale})">${sized}</g>`;
});
const titles = [["Pipeline", 24, 40], ["Mixed precision", 490, 40], ["Layers", 490, 376], [
  "Activations: stem.relu",
  24,
  466,
]];
const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">
  <title>Charts of a report on pipelines/mixed-precision.yaml</title>
  <style>${style.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}
.heading { font: 600 16px system-ui, sans-serif; fill: var(--text) }
  </style>
  <rect width="100%" height="100%" rx="10" style="fill: var(--back); stroke: var(--line)"/>
${titles.map(([text, x, y]) => `  <text class="heading" x="${x}" y="${y}">${text}</text>`).join("\n")}
${placed.join("\n")}
</svg>
`;
await Deno.writeTextFile("docs/images/report.svg", svg.replace(/[ \t]+\n/g, "\n"));
