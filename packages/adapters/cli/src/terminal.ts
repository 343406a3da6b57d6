import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { VicError } from '@vic/errors';

/** What a program is connected to; tests give their own. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly error: (text: string) => void;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Asks without echo; rejects when nobody can answer. */
  readonly askSecret: (question: string) => Promise<string>;
  readonly signal: AbortSignal;
}

/** The terminal of this process. */
export function processTerminal(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Terminal {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreBrokenPipe);
  return {
    out: (text) => void process.stdout.write(text),
    error: (text) => void process.stderr.write(text),
    environment,
    signal,
    askSecret: async (question) => askWithoutEcho(question, signal),
  };
}

/** Whoever reads our output, such as `head`, may stop reading. */
function ignoreBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

async function askWithoutEcho(question: string, signal: AbortSignal): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new VicError({
      class: 'InvalidArgument',
      code: 'CLI_NO_TERMINAL',
      message: `${question.replace(/[:\s]*$/, '')} is needed, and there is no terminal to ask on.`,
      remedy: 'Give it as an option; --help names it.',
    });
  }
  process.stderr.write(question);
  // readline echoes what is typed to its output: this one goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await lines.question('', { signal });
  } finally {
    lines.close();
    process.stderr.write('\n');
  }
}
