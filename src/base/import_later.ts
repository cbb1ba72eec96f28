/**
 * Modules that are loaded only when they are needed.
 *
 * @module
 */

/**
 * Imports a module. Before a program starts, Deno reads and parses everything behind an `import()` that spells out its
 * specifier, which costs more than all the rest of a cached run; behind this function, nothing is read before the call.
 *
 *     const { run } = await importLater<typeof import("./run.ts")>(import.meta.resolve("./run.ts"));
 *
 * @param url What `import.meta.resolve` makes of the specifier in the calling module.
 */
export function importLater<M>(url: string): Promise<M> {
  let module = MODULES.get(url);
  if (module === undefined) {
    module = import(url);
    MODULES.set(url, module);
    // What cannot be imported now may be there later.
    module.catch(() => MODULES.delete(url));
  }
  return module as Promise<M>;
}

/** What is imported or being imported: Deno 2.9.6 can panic where one module is imported several times at once. */
const MODULES = new Map<string, Promise<unknown>>();
