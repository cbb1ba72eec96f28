import assert from "node:assert/strict";
import { everything, fails, Folder, open, values } from "./opening.ts";

Deno.test("columns, labels and targets are found by name or number", async () => {
  using folder = new Folder();
  folder.write("a.csv", "x,y,label,price\n1,2.5,0,10\n-3,4e-1,1,20\n");
  const named = await open({ csv: "a.csv", labels: "label", target: ["price"] }, folder.path);
  assert.deepEqual(named.inputs, [{ name: undefined, type: "float32", dims: [2] }]);
  const batch = await everything(named);
  assert.deepEqual(values(batch), [1, 2.5, -3, Math.fround(.4)]);
  assert.deepEqual([...batch.labels!], [0, 1]);
  assert.deepEqual([...batch.targets!.data as Float32Array], [10, 20]);
  const numbered = await open({ csv: "a.csv", columns: [-1, 0], labels: 2 }, folder.path);
  assert.deepEqual(values(await everything(numbered)), [10, 1, 20, -3]);
});

Deno.test("quotes, tabs, CRLF, empty lines and a missing header are understood", async () => {
  using folder = new Folder();
  folder.write(
    "a.csv",
    '"name, full","x ""1""",y\r\n"a\nb",1,2\r\n\r\n"c,d", "3" ,4',
  );
  const quoted = await open(
    { csv: "a.csv", columns: ['x "1"', "y"], labels: "name, full" },
    folder.path,
  );
  assert.deepEqual(values(await everything(quoted)), [1, 2, 3, 4]);
  assert.deepEqual(quoted.classes, ["a\nb", "c,d"]);
  assert.equal(quoted.nameOf(1), `line 5 of "${folder.path}/a.csv"`);
  folder.write("b.tsv", "1\t2\n3\t4\n");
  assert.deepEqual(values(await everything(await open({ csv: "b.tsv" }, folder.path))), [
    1,
    2,
    3,
    4,
  ]);
  folder.write("c.csv", "\ufeff1;2\n3;4\n");
  const marked = await open({ csv: "c.csv", delimiter: ";" }, folder.path);
  assert.deepEqual(values(await everything(marked)), [1, 2, 3, 4]);
});

Deno.test("labels that are names become numbers: sorted, or as classes says", async () => {
  using folder = new Folder();
  folder.write("a.csv", "x,kind\n1,dog\n2,cat\n3,dog\n");
  const sorted = await open({ csv: "a.csv", labels: "kind" }, folder.path);
  assert.deepEqual(sorted.classes, ["cat", "dog"]);
  assert.deepEqual([...(await everything(sorted)).labels!], [1, 0, 1]);
  const told = await open(
    { csv: "a.csv", labels: "kind", classes: ["dog", "cow", "cat"] },
    folder.path,
  );
  assert.deepEqual([...(await everything(told)).labels!], [0, 2, 0]);
  await fails(() => open({ csv: "a.csv", labels: "kind", classes: ["dogs", "cat"] }, folder.path), {
    message: 'Line 2 of "a.csv" has the label "dog", which is not in classes',
    hint: 'Did you mean "dogs"?',
  }, folder);
});

Deno.test("a file larger than a reading step is read whole", async () => {
  using folder = new Folder();
  const rows = Array.from({ length: 60_000 }, (_, index) => `${index},"${-index}.5",${index % 7}`);
  folder.write("a.csv", `${rows.join("\n")}\n`);
  const dataset = await open({ csv: "a.csv", labels: -1 }, folder.path);
  assert.equal(dataset.length, 60_000);
  const batch = await dataset.batch(59_998, 2);
  assert.deepEqual(values(batch), [59998, -59998.5, 59999, -59999.5]);
  assert.deepEqual([...batch.labels!], [59998 % 7, 59999 % 7]);
});

Deno.test("what is wrong in a table names its line", async () => {
  using folder = new Folder();
  const cases: [string, string][] = [
    ["x,y\n1,2\n3\n", 'Line 3 of "a.csv" has 1 cell, expected 2 as in the first line'],
    ["x,y\n1,2\n3,abc\n", 'Line 3 of "a.csv" has "abc" in column "y", expected a number'],
    ["x,y\n1,\n", 'Line 2 of "a.csv" has "" in column "y", expected a number'],
    ["x,y\n1,NaN\n", 'Line 2 of "a.csv" has "NaN" in column "y", expected a number'],
    ["1,2\n3,0x10\n", 'Line 2 of "a.csv" has "0x10" in column 1, expected a number'],
    ['x,y\n1,"2\n', 'Line 2 of "a.csv" opens a quote that is never closed'],
    ['x,y\n1,"2"3\n', 'Line 2 of "a.csv" has text after a closing quote'],
    ["x,y\n", 'Data set "a.csv" is empty'],
    ["", 'File "a.csv" is empty'],
  ];
  for (const [text, message] of cases) {
    folder.write("a.csv", text);
    await fails(() => open({ csv: "a.csv" }, folder.path), { message }, folder);
  }
  folder.write("a.csv", Uint8Array.of(0x31, 0x0a, 0xff, 0xfe, 0x0a));
  await fails(() => open({ csv: "a.csv" }, folder.path), {
    message: 'File "a.csv" is not text in UTF-8',
  }, folder);
  folder.write("a.csv", "x,label\n1,\n");
  await fails(() => open({ csv: "a.csv", labels: "label" }, folder.path), {
    message: 'Line 2 of "a.csv" has no label',
  }, folder);
});

Deno.test("a column that is not there is named, with the nearest one", async () => {
  using folder = new Folder();
  folder.write("a.csv", "alpha,beta,beta\n1,2,3\n");
  await fails(() => open({ csv: "a.csv", labels: "alpa" }, folder.path), {
    message: '"a.csv" has no column "alpa"',
    hint: 'Did you mean "alpha"?',
    path: ["labels"],
  }, folder);
  await fails(() => open({ csv: "a.csv", columns: [0, 7] }, folder.path), {
    message: '"a.csv" has no column 7: it has 3 columns, counted from 0',
    path: ["columns", 1],
  }, folder);
  await fails(() => open({ csv: "a.csv", target: ["beta"] }, folder.path), {
    message: '"a.csv" has several columns "beta"',
    path: ["target", 0],
  }, folder);
  await fails(() => open({ csv: "a.csv", header: false, labels: "alpha" }, folder.path), {
    message: '"a.csv" has no header, so it has no column "alpha"',
  }, folder);
});
