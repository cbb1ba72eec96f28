/**
 * Paths of files, as `node:path` and `node:url` have them, without loading Node's modules, which takes a tenth of a
 * cached run: the rules of POSIX are here, those of Windows are Node's.
 *
 * @module
 */

/** Functions on paths; each does what the one of the same name in `node:path` or `node:url` does. */
export interface Paths {
  readonly sep: string;
  /** Whether a path does not depend on the current folder. */
  isAbsolute(path: string): boolean;
  /** Puts parts together and normalizes what comes out. */
  join(...parts: string[]): string;
  /** The absolute path that the last part means, seen from the ones before and from the current folder. */
  resolve(...parts: string[]): string;
  /** The way from one path to another. */
  relative(from: string, to: string): string;
  dirname(path: string): string;
  /** The last part, without `suffix` if it ends so. */
  basename(path: string, suffix?: string): string;
  /** The last part from its last dot on. */
  extname(path: string): string;
  fileURLToPath(url: string | URL): string;
  pathToFileURL(path: string): URL;
}

/** Removes empty parts, `.` and, as far as they have something to leave, `..`. */
function normalParts(path: string, isAbsolutePath: boolean): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!isAbsolutePath) parts.push(part);
  }
  return parts;
}

/** Without slashes at the end. */
function trimEnd(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}

/** The rules of POSIX. */
export const posixPaths: Paths = {
  sep: "/",

  isAbsolute: (path) => path.startsWith("/"),

  join(...parts) {
    const path = parts.filter((part) => part !== "").join("/");
    if (path === "") return ".";
    const isAbsolutePath = path.startsWith("/");
    const normal = normalParts(path, isAbsolutePath).join("/");
    const end = path.endsWith("/") && normal !== "" ? "/" : "";
    if (isAbsolutePath) return `/${normal}${end}`;
    return normal === "" ? (path.endsWith("/") ? "./" : ".") : normal + end;
  },

  resolve(...parts) {
    let path = "";
    for (const part of parts.toReversed()) {
      if (path.startsWith("/")) break;
      if (part !== "") path = path === "" ? part : `${part}/${path}`;
    }
    if (!path.startsWith("/")) path = `${Deno.cwd()}/${path}`;
    return `/${normalParts(path, true).join("/")}`;
  },

  relative(from, to) {
    const start = normalParts(posixPaths.resolve(from), true);
    const end = normalParts(posixPaths.resolve(to), true);
    let common = 0;
    while (common < start.length && start[common] === end[common]) common++;
    return [...start.slice(common).map(() => ".."), ...end.slice(common)].join("/");
  },

  dirname(path) {
    const trimmed = trimEnd(path);
    const slash = trimmed.lastIndexOf("/");
    const isAbsolutePath = path.startsWith("/");
    if (slash <= 0) return isAbsolutePath ? "/" : ".";
    return isAbsolutePath && slash === 1 ? "//" : trimmed.slice(0, slash);
  },

  basename(path, suffix = "") {
    const trimmed = trimEnd(path);
    const name = trimmed === "/" ? "" : trimmed.slice(trimmed.lastIndexOf("/") + 1);
    return name !== suffix && name.endsWith(suffix)
      ? name.slice(0, name.length - suffix.length)
      : name;
  },

  extname(path) {
    const name = posixPaths.basename(path);
    const dot = name.lastIndexOf(".");
    return dot <= 0 || name === ".." ? "" : name.slice(dot);
  },

  fileURLToPath(url) {
    const { protocol, hostname, pathname } = new URL(url);
    if (protocol !== "file:") throw new TypeError(`URL must be of a file: current value is ${url}`);
    if (hostname !== "") throw new TypeError(`URL must be of a file of this machine: ${url}`);
    if (/%2f/i.test(pathname)) throw new TypeError(`URL must not have an encoded slash: ${url}`);
    return decodeURIComponent(pathname);
  },

  pathToFileURL(path) {
    const end = path.endsWith("/") && path !== "/" ? "/" : "";
    const encoded = (posixPaths.resolve(path) + end).replace(/[%\\\n\r\t ?#]/g, encodeURIComponent);
    return new URL(`file://${encoded}`);
  },
};

/** The rules of this system. */
const paths: Paths = Deno.build.os === "windows"
  ? { ...process.getBuiltinModule("node:path"), ...process.getBuiltinModule("node:url") }
  : posixPaths;

export const {
  basename,
  dirname,
  extname,
  fileURLToPath,
  isAbsolute,
  join,
  pathToFileURL,
  relative,
  resolve,
  sep,
} = paths;
