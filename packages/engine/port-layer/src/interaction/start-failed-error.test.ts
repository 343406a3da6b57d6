import { expect, it } from 'vitest';
import { StartFailedError } from './start-failed-error.ts';

it.each([
  ['not-found', 127, 127],
  ['permission-denied', 126, 126],
  ['not-executable', 126, 126],
  ['user-not-found', 128, 126],
  ['other', 128, 128],
] as const)("has Docker's exit codes for %s", (kind, main, exec) => {
  const error = new StartFailedError(kind, 'no');
  expect([error.exitCode, error.execExitCode]).toEqual([main, exec]);
});
