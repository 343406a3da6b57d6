import { runCommandLine } from '@vic/cli';
import { registryProgram } from '../../apps/registry/src/program.ts';

/** What a command left. */
export interface CommandOutcome {
  readonly status: number;
  readonly out: string;
  readonly error: string;
  /** The result of a command that was called with `--json`. */
  json<T>(): T;
}

/** Runs a command of the registry in this process. */
export async function registry(...args: readonly string[]): Promise<CommandOutcome> {
  const out: string[] = [];
  const error: string[] = [];
  const status = await runCommandLine(registryProgram, args, {
    out: (text) => void out.push(text),
    error: (text) => void error.push(text),
    environment: {},
    askSecret: async () => {
      throw new Error('there is nobody to ask');
    },
    signal: AbortSignal.timeout(300_000),
  });
  return { status, out: out.join(''), error: error.join(''), json: <T>() => JSON.parse(out.join('')) as T };
}
