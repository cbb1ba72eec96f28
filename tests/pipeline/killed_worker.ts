/**
 * A Worker that ends the process at a certain moment; else it is the one that its address names.
 *
 * @module
 */

import { arm, type KillSwitch } from "./kill_switch.ts";

const { searchParams } = new URL(import.meta.url);
arm(JSON.parse(searchParams.get("switch")!) as KillSwitch, Number(searchParams.get("thread")));
// The job may come before the module that waits for it is there.
const thread = globalThis as unknown as { onmessage: (event: MessageEvent) => void };
const early: MessageEvent[] = [];
thread.onmessage = (event) => early.push(event);
await import(searchParams.get("module")!);
for (const event of early) thread.onmessage(event);
