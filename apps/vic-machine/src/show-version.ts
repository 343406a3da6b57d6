import { defineCommand } from '@vic/cli';
import { VERSION } from './version.ts';

/** `vic-machine version`. */
export const version = defineCommand({
  name: 'version',
  summary: 'Show the version',
  options: {},
  run: async (_options, context) => {
    context.result({ version: VERSION }, `vic-machine version v${VERSION}`);
  },
});
