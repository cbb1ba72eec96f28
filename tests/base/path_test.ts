import assert from "node:assert/strict";
import { posix } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import fc from "fast-check";
import { posixPaths } from "../../src/base/path.ts";

/** Paths with everything that the rules speak of, and characters that URLs encode. */
const paths = fc.array(
  fc.constantFrom(
    "/",
    "/",
    ".",
    "..",
    "a",
    "b.c",
    ".d",
    "e.",
    " ",
    "ä",
    "%",
    "?",
    "#",
    "\\",
    "%2e",
  ),
  { maxLength: 9 },
).map((parts) => parts.join(""));

const runs = { numRuns: 5000 };

Deno.test("the rules of POSIX are Node's", () => {
  fc.assert(
    fc.property(paths, paths, fc.constantFrom("", ".c", "a", "e."), (one, other, suffix) => {
      const show = JSON.stringify([one, other, suffix]);
      assert.equal(posixPaths.isAbsolute(one), posix.isAbsolute(one), `isAbsolute ${show}`);
      assert.equal(posixPaths.join(one, other), posix.join(one, other), `join ${show}`);
      assert.equal(posixPaths.resolve(one, other), posix.resolve(one, other), `resolve ${show}`);
      assert.equal(posixPaths.relative(one, other), posix.relative(one, other), `relative ${show}`);
      assert.equal(posixPaths.dirname(one), posix.dirname(one), `dirname ${show}`);
      assert.equal(posixPaths.basename(one), posix.basename(one), `basename ${show}`);
      // What Node makes of a suffix after which there is a slash, or that is all of the path, is an accident.
      if (!one.endsWith("/") && one !== suffix) {
        const expected = posix.basename(one, suffix);
        assert.equal(posixPaths.basename(one, suffix), expected, `basename ${show}`);
      }
      assert.equal(posixPaths.extname(one), posix.extname(one), `extname ${show}`);
    }),
    runs,
  );
  assert.equal(posixPaths.join(), posix.join());
  assert.equal(posixPaths.resolve(), posix.resolve());
});

Deno.test({
  name: "paths and file URLs turn into each other as Node's do",
  // Node compares by the rules of the system.
  ignore: Deno.build.os === "windows",
  fn() {
    fc.assert(
      fc.property(paths, (path) => {
        const url = pathToFileURL(path);
        assert.equal(posixPaths.pathToFileURL(path).href, url.href);
        assert.equal(posixPaths.fileURLToPath(url), fileURLToPath(url));
        assert.equal(posixPaths.fileURLToPath(url.href), fileURLToPath(url));
      }),
      runs,
    );
    for (const wrong of ["https://a/b", "file:///a%2Fb", "file://host/a"]) {
      assert.throws(() => posixPaths.fileURLToPath(wrong), TypeError);
    }
  },
});
