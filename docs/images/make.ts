/**
 * Draws what `deno task run pipelines/digits.yaml` prints as a picture for the README.
 *
 *     deno run --allow-read --allow-write=docs/images --allow-run=deno docs/images/make.ts
 *
 * @module
 */

const COMMAND = ["task", "--quiet", "run", "pipelines/digits.yaml"];
const CHARACTER = 8.4;
const LINE = 20;

const { code, stdout } = await new Deno.Command("deno", { args: COMMAND, env: { NO_COLOR: "1" } })
  .output();
if (code !== 0) throw new Error(`The pipeline ended with ${code}`);

const printed = new TextDecoder().decode(stdout).trim().split("\n");
const end = printed.findIndex((line) => line.startsWith("artifact"));
const lines = [
  "$ deno task run pipelines/digits.yaml",
  "",
  ...printed.slice(0, end).map((line) => line.trimEnd()),
];
while (lines.at(-1) === "") lines.pop();

const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * CHARACTER) + 40;
const height = lines.length * LINE + 36;
const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const style = (line: string) =>
  line.startsWith("$")
    ? "prompt"
    : line.startsWith("✓")
    ? "good"
    : line.startsWith("model ")
    ? "head"
    : "text";
const texts = lines.map((line, index) =>
  `  <text class="${style(line)}" x="20" y="${34 + index * LINE}" xml:space="preserve">${
    escape(line)
  }</text>`
);
const svg =
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
  <title>Result of deno task run pipelines/digits.yaml</title>
  <style>
    text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; fill: #d7dde5 }
    .prompt { fill: #8b98a9 } .head { fill: #ffffff; font-weight: 600 } .good { fill: #7ee2a0 }
  </style>
  <rect width="100%" height="100%" rx="10" fill="#171b22"/>
${texts.join("\n")}
</svg>
`;
await Deno.writeTextFile("docs/images/digits.svg", svg);
