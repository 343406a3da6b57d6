import { expect, it } from 'vitest';
import type { ExecSession, Execution } from '@vic/port-layer';
import { execExited } from './exec-exited.ts';

const signal = new AbortController().signal;

function executionWith(state: ExecSession['state']): { readonly execution: Execution } {
  return { execution: { exec: () => ({ state }) } as unknown as Execution };
}

it('tells an exec that has ended from one that goes on without its streams', async () => {
  expect(await execExited(executionWith({ status: 'exited', exitCode: 3 }), 'id', signal, 30)).toBe(true);
  expect(await execExited(executionWith({ status: 'running', pid: 9 }), 'id', signal, 30)).toBe(false);
});
