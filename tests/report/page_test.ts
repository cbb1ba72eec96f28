import assert from "node:assert/strict";
import { join } from "node:path";
import { asSchema } from "../../src/registry/schema.ts";
import { validate } from "../../src/registry/validate.ts";
import type { JsonValue } from "../../src/base/canonical_json.ts";
import { ReportSchema } from "../../src/report/document.ts";
import { pageOf } from "../../src/report/html/page.ts";
import { readReport } from "../../src/report/read/report.ts";
import { Browser, findBrowser } from "./browser.ts";
import { record, stage, twoWidths } from "./records.ts";
import { HOSTILE, HOSTILE_LAYER, SmallRun } from "./small_run.ts";

const small = await SmallRun.make();
const page = pageOf(small.report);
addEventListener("unload", () => void small[Symbol.asyncDispose]());

Deno.test("a report holds what a run's artifacts tell", () => {
  const { models, calibrations, reconstructions, sensitivities, fronts, missing } = small.report;
  assert.deepEqual(missing, []);
  assert.deepEqual(models.map(({ name }) => name), ["mixed.model", "w2.model", "learned.model"]);
  for (const { layers, reference, calibration } of models) {
    assert.deepEqual(layers.map(({ name }) => name), ["first", HOSTILE_LAYER]);
    assert.ok(layers.every(({ sqnr }) => sqnr !== undefined));
    assert.deepEqual([reference, calibration], ["prepare.model", "calibrate.ranges"]);
  }
  const [mixed, narrow] = models;
  assert.deepEqual(
    mixed!.layers.map(({ bits }) => bits),
    fronts[0]!.widths.map(({ bits }) => bits),
  );
  assert.deepEqual(narrow!.layers.map(({ bits }) => bits), [2, 2]);
  const [{ activations }] = calibrations as [typeof calibrations[number]];
  assert.deepEqual(activations.map(({ value }) => value).slice(0, 2), ["x", HOSTILE]);
  assert.deepEqual(activations[0]!.grids.map(({ bits }) => bits).slice(0, 2), [8, 4]);
  assert.equal(
    activations[0]!.histogram!.counts.reduce((sum, count) => sum + count),
    activations[0]!.count,
  );
  assert.deepEqual(sensitivities[0]!.widths, [2, 4, 8]);
  assert.deepEqual(reconstructions[0]!.units.map(({ layers }) => layers), [["first"], [
    HOSTILE_LAYER,
  ]]);
  assert.equal(Object.keys(small.report.manifests).length, small.report.stages.length);
});

Deno.test("a report fits its schema", () => {
  const report = JSON.parse(JSON.stringify(small.report)) as JsonValue;
  assert.deepEqual(validate(asSchema(ReportSchema), report), []);
});

Deno.test("what is not in the store any more is named, and the rest is shown", async () => {
  const { outputs } = small.record.stages.find(({ id }) => id === "calibrate")!;
  const path = small.store.blobPath(outputs!.ranges!.digest);
  const bytes = Deno.readFileSync(path);
  Deno.removeSync(path);
  try {
    const report = await readReport(small.store, small.record);
    assert.deepEqual(report.missing, ["calibrate.ranges"]);
    assert.deepEqual(report.calibrations, []);
    assert.equal(report.models.length, 3);
    assert.match(pageOf(report), /<code>\s*calibrate\.ranges\s*<\/code>/);
  } finally {
    Deno.writeFileSync(path, bytes);
  }
});

Deno.test("no text of a run becomes markup", () => {
  assert.equal(page.match(/<script|<img|onerror=(?!alert)/gi), null);
  assert.ok(page.split("&lt;script&gt;").length > 10);
  const hostile = stage(HOSTILE, HOSTILE, {
    warnings: [HOSTILE],
    error: HOSTILE,
    reason: HOSTILE,
    inputs: { [HOSTILE]: `${HOSTILE}.model` },
    expects: [{ metric: HOSTILE, condition: HOSTILE, met: true, message: HOSTILE }],
  });
  const empty = {
    models: [],
    calibrations: [],
    reconstructions: [],
    sensitivities: [],
    fronts: [],
    verifications: [],
    manifests: { [HOSTILE]: { stage: HOSTILE } },
    missing: [HOSTILE],
  };
  const text = pageOf({
    ...small.report,
    ...empty,
    run: { ...small.report.run, file: HOSTILE, source: HOSTILE, settings: [HOSTILE] },
    stages: [{
      ...small.report.stages[0]!,
      id: hostile.id,
      uses: hostile.uses,
      warnings: [HOSTILE],
      error: HOSTILE,
      inputs: { [HOSTILE]: `${HOSTILE}.model` },
    }],
    tables: [],
  });
  assert.equal(text.match(/<script|<img/gi), null);
});

Deno.test("a page needs nothing but itself", () => {
  assert.doesNotMatch(page, /\b(src|href)="(?!#|data:,")/);
  assert.doesNotMatch(page, /url\((?!#arrow)|@import|https?:/);
});

Deno.test("a run without artifacts has a page too", async () => {
  const report = await readReport(
    small.store,
    record(twoWidths(), { status: "expectation-failed" }),
  );
  const text = pageOf(report);
  assert.match(text, /0 of 1 met/);
  assert.match(text, /top1_drop is 0\.09/);
  assert.match(pageOf(await readReport(small.store, record([]))), /<h1>/);
});

type Step = (browser: Browser, path: string) => Promise<void>;

/** What is looked at in a real browser. */
const STEPS: Record<string, Step> = {};

STEPS["wide, narrow and dark, it shows without a complaint"] = async (browser, path) => {
  for (const width of [1200, 768, 360]) {
    for (const dark of [false, true]) {
      await browser.open(path, { width, dark });
      const shown = await browser.evaluate<Record<string, unknown>>(`({
        title: document.title,
        overflow: document.documentElement.scrollWidth - innerWidth,
        scripts: document.scripts.length + document.images.length,
        charts: document.querySelectorAll("svg.chart").length,
        back: getComputedStyle(document.body).backgroundColor,
        outside: [...document.querySelectorAll("main *")].filter((each) =>
          !each.closest(".scroll, details:not([open])") && each.getBoundingClientRect().right > innerWidth + 0.5
        ).map((each) => each.outerHTML.slice(0, 80)),
      })`);
      assert.equal(shown.title, `${HOSTILE} · ${small.record.id}`);
      assert.equal(shown.scripts, 0);
      assert.ok((shown.overflow as number) <= 0, `${width}: ${shown.overflow} too wide`);
      assert.deepEqual(shown.outside, []);
      assert.ok((shown.charts as number) >= 6, `${shown.charts} charts`);
      assert.equal(shown.back, dark ? "rgb(20, 24, 31)" : "rgb(255, 255, 255)");
    }
  }
};

STEPS["texts can be told from what is behind them"] = async (browser, path) => {
  for (const dark of [false, true]) {
    await browser.open(path, { width: 1000, dark });
    const faint = await browser.evaluate<string[]>(`(() => {
      const luminance = (color) => {
        const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((c) => c / 255)
          .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const back = luminance(getComputedStyle(document.body).backgroundColor);
      return [...document.querySelectorAll("body *")].flatMap((each) => {
        if (![...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) return [];
        const style = getComputedStyle(each);
        if (["STYLE", "TITLE", "title"].includes(each.tagName)) return [];
        const front = luminance(each.closest("svg") ? style.fill : style.color);
        const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
        return ratio < 4.5 ? [each.tagName + "." + each.className + " " + ratio.toFixed(2)] : [];
      });
    })()`);
    assert.deepEqual([...new Set(faint)], []);
  }
};

STEPS["it can be used by keyboard, in the order of reading"] = async (browser, path) => {
  await browser.open(path, { width: 800 });
  const places: number[] = [];
  const seen: string[] = [];
  for (let count = 0; count < 200; count++) {
    await browser.press("Tab");
    const focused = await browser.evaluate<{ tag: string; class: string; order: number }>(`({
      tag: document.activeElement.tagName.toLowerCase(),
      class: document.activeElement.getAttribute("class") ?? "",
      order: [...document.querySelectorAll("*")].indexOf(document.activeElement),
    })`);
    if (focused.tag === "body") break;
    seen.push(focused.class === "" ? focused.tag : `${focused.tag}.${focused.class}`);
    places.push(focused.order);
  }
  assert.equal(seen[0], "a.skip");
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
  const wanted = await browser.evaluate<number>(
    `document.querySelectorAll("summary").length - document.querySelectorAll("details summary details summary, details:not([open]) details summary").length`,
  );
  assert.equal(seen.filter((each) => each === "summary").length, wanted);
  assert.ok(seen.includes("div.scroll"));
};

STEPS["a link to a stage unfolds it"] = async (browser, path) => {
  await browser.open(path, { width: 800 });
  const link = `document.querySelector("#results table a")`;
  await browser.evaluate(`${link}.focus()`);
  await browser.press("Enter");
  const open = await browser.evaluate<string>(
    `[...document.querySelectorAll(".stage > details[open] strong")].map((each) => each.textContent.trim()).join()`,
  );
  assert.equal(open, "mixed-test");
};

STEPS["it prints"] = async (browser, path) => {
  await browser.open(path, { width: 1000, dark: true });
  const pdf = await browser.print();
  assert.equal(new TextDecoder().decode(pdf.subarray(0, 5)), "%PDF-");
  const pages = new TextDecoder("latin1").decode(pdf).match(/\/Type\s*\/Page\b/g)!.length;
  assert.ok(pages >= 2 && pages < 20, `${pages} pages`);
};

const program = findBrowser();

Deno.test({
  name: program === undefined
    ? "the page in a real browser (no Chromium here)"
    : "the page in a real browser",
  ignore: program === undefined,
  async fn(t) {
    const path = join(small.path, "report.html");
    Deno.writeTextFileSync(path, page);
    await using browser = await Browser.start(program!);
    for (const [name, step] of Object.entries(STEPS)) {
      await t.step(name, async () => {
        await step(browser, path);
        assert.deepEqual(browser.complaints, []);
      });
    }
  },
});
