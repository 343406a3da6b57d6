import { readFile, writeFile } from 'node:fs/promises';
import { VicError, isVicError } from '@vic/errors';
import { run } from '@vic/process';
import { networkFailure } from './ip-command.ts';
import type { NetworkScope } from './ip-command.ts';
import { inNamespace } from './namespaces.ts';

/** The value of a kernel setting below `/proc/sys/net`, such as `ipv4/ip_forward`; `undefined` when it does not exist. */
export async function readNetworkSetting(scope: NetworkScope, setting: string): Promise<string | undefined> {
  const path = settingPath(setting);
  try {
    // /proc/sys/net shows the namespace of the process that opens it.
    if (scope.namespace === undefined) return (await readFile(path, 'utf8')).trim();
    return (await within(scope.namespace, ['cat', path])).trim();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Writes a kernel setting below `/proc/sys/net`; whether it exists. */
export async function writeNetworkSetting(scope: NetworkScope, setting: string, value: string): Promise<boolean> {
  const path = settingPath(setting);
  if ((await readNetworkSetting(scope, setting)) === undefined) return false;
  if (scope.namespace === undefined) await writeFile(path, value);
  else await within(scope.namespace, ['tee', path], value);
  return true;
}

async function within(namespace: string, command: readonly string[], input = ''): Promise<string> {
  const [program, ...args] = inNamespace(namespace, command);
  try {
    return (await run(program, args, { timeoutMs: 20_000, input })).stdout;
  } catch (error) {
    throw networkFailure(error);
  }
}

function isMissing(error: unknown): boolean {
  return (
    isVicError(error, { class: 'NotFound' }) || (error instanceof Error && 'code' in error && error.code === 'ENOENT')
  );
}

function settingPath(setting: string): string {
  if (/^[a-z0-9_]+(?:\/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$/.test(setting)) return `/proc/sys/net/${setting}`;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'NETWORK_SETTING_INVALID',
    message: `"${setting.slice(0, 64)}" is not a kernel network setting.`,
  });
}
