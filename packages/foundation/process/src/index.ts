export { run } from './run.ts';
export type { RunOptions, RunResult } from './run.ts';
export { identifyProcess, isAlive } from './pid.ts';
export type { ProcessIdentity } from './pid.ts';
export { acquireLockFile } from './lock-file.ts';
