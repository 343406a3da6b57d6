import { VicError, isVicError } from '@vic/errors';
import { run } from '@vic/process';
import { networkFailure } from './ip-command.ts';
import type { NetworkScope } from './ip-command.ts';
import { inNamespace } from './namespaces.ts';

/** Families of nftables we use. */
export type NftFamily = 'ip' | 'inet' | 'bridge';

/** Thousands of published ports still load well within this. */
const NFT_TIMEOUT_MS = 20_000;

/**
 * Replaces one table by `body` (its chains, sets and maps) in a single transaction.
 *
 * Either all of the new rules are in force or the old ones stay. The text is nft's own language, passed on
 * standard input: whoever renders it must have validated every value it contains.
 */
export async function replaceTable(scope: NetworkScope, family: NftFamily, name: string, body: string): Promise<void> {
  const table = `${family} ${tableName(name)}`;
  await nft(scope, ['-f', '-'], `table ${table}\ndelete table ${table}\ntable ${table} {\n${body}\n}\n`);
}

/** Removes a table; whether there was one. */
export async function deleteTable(scope: NetworkScope, family: NftFamily, name: string): Promise<boolean> {
  try {
    await nft(scope, ['delete', 'table', family, tableName(name)]);
    return true;
  } catch (error) {
    if (isVicError(error, { class: 'NotFound' })) return false;
    throw error;
  }
}

/** Names of the tables of one family. */
export async function listTables(scope: NetworkScope, family: NftFamily): Promise<readonly string[]> {
  const text = await nft(scope, ['list', 'tables', family]);
  return text
    .split('\n')
    .map((line) => line.trim().split(' '))
    .flatMap(([word, , name]) => (word === 'table' && name !== undefined ? [name] : []));
}

/** The rules of a table as nft prints them, for diagnosis. */
export async function showTable(scope: NetworkScope, family: NftFamily, name: string): Promise<string> {
  return nft(scope, ['list', 'table', family, tableName(name)]);
}

async function nft(scope: NetworkScope, args: readonly string[], input?: string): Promise<string> {
  const command = ['nft', ...args];
  const [program, ...rest] = scope.namespace === undefined ? command : inNamespace(scope.namespace, command);
  try {
    const result = await run(program ?? 'nft', rest, {
      timeoutMs: NFT_TIMEOUT_MS,
      ...(input === undefined ? {} : { input }),
      ...(scope.signal === undefined ? {} : { signal: scope.signal }),
    });
    return result.stdout;
  } catch (error) {
    throw networkFailure(error);
  }
}

function tableName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)) return name;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'NETWORK_NAME_INVALID',
    message: `"${name.slice(0, 64)}" is not a valid name for an nftables table.`,
  });
}
