import type { ProgramSpec } from '@vic/cli';
import { serve } from './commands/serve-command.ts';
import { VERSION } from './version.ts';

/** The program with all its commands. */
export const registryProgram: ProgramSpec = {
  name: 'registry',
  summary: 'The enterprise registry',
  version: VERSION,
  commands: [serve],
};
