import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VicError, isVicError } from '@vic/errors';
import { ip, ipBatch, ipJson } from './ip-command.ts';

const NAMESPACE_DIRECTORY = '/run/netns';

/** Creates a network namespace with its loopback interface up; `AlreadyExists` when there is one. */
export async function createNamespace(name: string): Promise<void> {
  assertNamespaceName(name);
  await ip({}, ['netns', 'add', name]);
  await ipBatch({ namespace: name }, [['link', 'set', 'lo', 'up']]);
}

/** Removes a network namespace; whether there was one. Processes still in it keep its interfaces until they end. */
export async function deleteNamespace(name: string): Promise<boolean> {
  assertNamespaceName(name);
  try {
    await ip({}, ['netns', 'delete', name]);
    return true;
  } catch (error) {
    if (isVicError(error, { class: 'NotFound' })) return false;
    throw error;
  }
}

/** Whether the namespace is there and usable; a name left behind by a crash between two steps is not. */
export async function namespaceExists(name: string): Promise<boolean> {
  assertNamespaceName(name);
  const directory = await stat(NAMESPACE_DIRECTORY).catch(() => undefined);
  const file = await stat(namespacePath(name)).catch(() => undefined);
  // A namespace file is on nsfs, never on the tmpfs that holds the names.
  return directory !== undefined && file !== undefined && file.dev !== directory.dev;
}

/** The file that stands for the namespace. */
export function namespacePath(name: string): string {
  assertNamespaceName(name);
  return join(NAMESPACE_DIRECTORY, name);
}

/** Names of all network namespaces. */
export async function listNamespaces(): Promise<readonly string[]> {
  const rows = await ipJson({}, ['netns', 'list']);
  return rows.flatMap((row) => (isNamed(row) ? [row.name] : []));
}

/** The command line that runs a program inside a namespace: program and arguments, for `spawn` or `run`. */
export function inNamespace(name: string, command: readonly string[]): readonly [string, ...string[]] {
  return ['nsenter', `--net=${namespacePath(name)}`, '--', ...command];
}

function isNamed(row: unknown): row is { readonly name: string } {
  return typeof row === 'object' && row !== null && 'name' in row && typeof row.name === 'string';
}

function assertNamespaceName(name: string): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(name)) return;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'NETWORK_NAME_INVALID',
    message: `"${name.slice(0, 64)}" is not a valid name for a network namespace.`,
  });
}
