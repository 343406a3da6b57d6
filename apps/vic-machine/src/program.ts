import type { ProgramSpec } from '@vic/cli';
import { create } from './create.ts';
import { remove } from './delete.ts';
import { inspect, inspectConfig } from './inspect.ts';
import { ls } from './list.ts';
import { version } from './show-version.ts';
import { VERSION } from './version.ts';

/** The program with all its commands. */
export const vicMachine: ProgramSpec = {
  name: 'vic-machine',
  summary: 'Create and manage virtual container hosts',
  version: VERSION,
  commands: [create, ls, inspect, inspectConfig, remove, version],
};
