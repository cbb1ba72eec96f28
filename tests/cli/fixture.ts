import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import configuration from "../../deno.json" with { type: "json" };

/** The project's folder. */
export const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** The permissions and flags that a task gives, so that the tests run with no more. */
export function permissionsOf(task: "bitbound" | "bitbound:remote"): string[] {
  return configuration.tasks[task].command.split(" ").filter((each) => each.startsWith("--"));
}

/** How a call of the program ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and how the program is called. */
export interface CallOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** The task that would be used; `bitbound` unless told. */
  readonly task?: "bitbound" | "bitbound:remote";
}

/** Starts the program. */
export function start(args: readonly string[], options: CallOptions = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...permissionsOf(options.task ?? "bitbound"),
      join(project, "src/cli/main.ts"),
      ...args,
    ],
    cwd: options.cwd ?? project,
    env: {
      NO_COLOR: "1",
      BITBOUND_CWD: "",
      GITHUB_ACTIONS: "",
      GITHUB_STEP_SUMMARY: "",
      GITHUB_WORKSPACE: "",
      ...options.env,
    },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Calls the program and waits for its end. */
export async function call(args: readonly string[], options: CallOptions = {}): Promise<Ended> {
  const { code, stdout, stderr } = await start(args, options).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

/** A folder with a pipeline in it, and calls of the program there. */
export interface Workspace extends AsyncDisposable {
  readonly path: string;
  /** Writes a file. */
  write(name: string, text: string): void;
  call(...args: readonly string[]): Promise<Ended>;
  start(...args: readonly string[]): Deno.ChildProcess;
}

/** Makes a folder whose `p.yaml` has the given stages, from the plugin beside this file. */
export function workspace(stages: string, head = ""): Workspace {
  const path = Deno.makeTempDirSync({ prefix: "bitbound-cli-" });
  const write = (name: string, text: string) => Deno.writeTextFileSync(join(path, name), text);
  const plugin = join(project, "tests/cli/stages_plugin.ts");
  write("p.yaml", `name: test\nplugins: [${plugin}]\n${head}stages:\n${stages}`);
  return {
    path,
    write,
    call: (...args) => call(args, { cwd: path }),
    start: (...args) => start(args, { cwd: path }),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
