import type { Readable } from 'node:stream';
import { delay } from '@vic/async';

/** What a program of the fixture runs with. */
export interface ProgramIo {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly stdin: Readable;
  readonly tty: boolean;
  /** Waits until every attached reader took the bytes. */
  write(stream: 'stdout' | 'stderr', data: string | Uint8Array): Promise<void>;
  /** Fires when the process is killed by a signal it does not handle. */
  readonly killed: AbortSignal;
  /** Rows and columns at this moment. */
  size(): { readonly rows: number; readonly columns: number };
}

/** A process: an async function that gives an exit code. */
export type Program = (io: ProgramIo) => Promise<number>;

/** A program by its name; `undefined` when there is none. */
export function programOf(name: string): Program | undefined {
  return Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  echo: async (io) => {
    await io.write('stdout', `${io.args.slice(1).join(' ')}\n`);
    return 0;
  },
  cat: async (io) => {
    for await (const chunk of io.stdin as AsyncIterable<Uint8Array>) await io.write('stdout', chunk);
    return 0;
  },
  env: async (io) => {
    await io.write('stdout', `${io.env.join('\n')}\n`);
    return 0;
  },
  sleep: async (io) => {
    await delay(Number(io.args[1] ?? 0) * 1000, io.killed);
    return 0;
  },
  size: async (io) => {
    const { rows, columns } = io.size();
    await io.write('stdout', `${rows} ${columns}\n`);
    return 0;
  },
  /** `sh -c "a; b >&2; exit 3"`: the commands above, one after another. */
  sh: async (io) => {
    if (io.args[1] !== '-c') return interactive(io);
    for (const command of (io.args[2] ?? '').split(';')) {
      const code = await runCommand(io, command.trim());
      if (code !== undefined) return code;
    }
    return 0;
  },
};

/** A shell that runs one line at a time until `exit`; with a terminal it echoes and prompts. */
async function interactive(io: ProgramIo): Promise<number> {
  let pending = '';
  if (io.tty) await io.write('stdout', '/ # ');
  for await (const chunk of io.stdin as AsyncIterable<Uint8Array>) {
    const typed = Buffer.from(chunk).toString();
    if (io.tty) await io.write('stdout', typed.replaceAll('\r', '\r\n'));
    pending += typed.replaceAll('\r', '\n');
    for (let at = pending.indexOf('\n'); at >= 0; at = pending.indexOf('\n')) {
      const line = pending.slice(0, at).trim();
      pending = pending.slice(at + 1);
      const code = await runCommand(io, line);
      if (code !== undefined) return code;
      if (io.tty) await io.write('stdout', '/ # ');
    }
  }
  return 0;
}

/** Runs a command; gives a code only when the shell is to end. */
async function runCommand(io: ProgramIo, command: string): Promise<number | undefined> {
  const toStderr = command.endsWith('>&2');
  const args = command
    .replace(/\s*>&2$/, '')
    .split(/\s+/)
    .filter((word) => word !== '');
  const [name = ''] = args;
  if (name === '') return undefined;
  if (name === 'exit') return Number(args[1] ?? 0);
  const program = programOf(name);
  if (program === undefined) {
    await io.write('stderr', `sh: ${name}: not found\n`);
    return undefined;
  }
  const write: ProgramIo['write'] = async (stream, data) =>
    io.write(toStderr ? 'stderr' : stream, withCarriageReturns(io, data));
  await program({ ...io, args, write });
  return undefined;
}

function withCarriageReturns(io: ProgramIo, data: string | Uint8Array): string | Uint8Array {
  return io.tty && typeof data === 'string' ? data.replaceAll('\n', '\r\n') : data;
}
