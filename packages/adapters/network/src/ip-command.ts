import { VicError, isVicError } from '@vic/errors';
import { run } from '@vic/process';

/** Where a command takes effect. */
export interface NetworkScope {
  /** Name of a network namespace under `/run/netns`; the caller's own when absent. */
  readonly namespace?: string;
  readonly signal?: AbortSignal;
}

/** Configuring interfaces takes milliseconds; a kernel that is stuck on a lock is not waited for. */
const IP_TIMEOUT_MS = 20_000;

/** Batch lines are split at white space by `ip`; nothing that it would treat specially may be in a word. */
const BATCH_WORD = /^[A-Za-z0-9_.:/@+-]{1,64}$/;

/** Runs `ip` commands in one process, in order; the first failure stops the rest. */
export async function ipBatch(scope: NetworkScope, commands: readonly (readonly string[])[]): Promise<void> {
  const lines = commands.map((words) => words.map(batchWord).join(' '));
  await ip(scope, ['-batch', '-'], `${lines.join('\n')}\n`);
}

/** Runs `ip -json` and gives what it printed; an empty answer is an empty list. */
export async function ipJson(scope: NetworkScope, args: readonly string[]): Promise<unknown[]> {
  const text = (await ip(scope, ['-json', ...args])).trim();
  const parsed: unknown = text === '' ? [] : JSON.parse(text);
  return Array.isArray(parsed) ? parsed : [];
}

/** Runs `ip` with arguments and gives its standard output. */
export async function ip(scope: NetworkScope, args: readonly string[], input?: string): Promise<string> {
  const where = scope.namespace === undefined ? [] : ['-netns', batchWord(scope.namespace)];
  try {
    const result = await run('ip', [...where, ...args], {
      timeoutMs: IP_TIMEOUT_MS,
      ...(input === undefined ? {} : { input }),
      ...(scope.signal === undefined ? {} : { signal: scope.signal }),
    });
    return result.stdout;
  } catch (error) {
    throw networkFailure(error);
  }
}

/** Turns the words of `ip`, `nft` and `nsenter` into an error with a class callers can act on. */
export function networkFailure(error: unknown): unknown {
  if (!isVicError(error, { code: 'PROCESS_FAILED' })) return error;
  const text = error.message;
  if (/File exists/.test(text)) return failure('AlreadyExists', 'NETWORK_EXISTS', error);
  if (/Cannot find device|does not exist|No such (?:file|device|process)/.test(text)) {
    return failure('NotFound', 'NETWORK_NOT_FOUND', error);
  }
  if (/Operation not permitted|Permission denied/.test(text)) {
    return failure(
      'PermissionDenied',
      'NETWORK_NOT_PERMITTED',
      error,
      'Run the program as root or with CAP_NET_ADMIN.',
    );
  }
  return failure('Internal', 'NETWORK_COMMAND_FAILED', error);
}

function failure(errorClass: VicError['class'], code: string, cause: VicError, remedy?: string): VicError {
  return new VicError({
    class: errorClass,
    code,
    message: cause.message,
    cause,
    ...(remedy === undefined ? {} : { remedy }),
  });
}

function batchWord(word: string): string {
  if (BATCH_WORD.test(word)) return word;
  throw new VicError({
    class: 'InvalidArgument',
    code: 'NETWORK_NAME_INVALID',
    message: `"${word.slice(0, 64)}" cannot be used as a network name or setting.`,
  });
}
