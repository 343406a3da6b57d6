import { PassThrough } from 'node:stream';
import { VicError } from '@vic/errors';
import type { AttachedStreams, ProcessConfig } from '@vic/port-layer';
import { type Program, programOf } from './memory-program.ts';

/** A program that does not exist or may not run, with Docker's exit code. */
export class ProgramStartError extends VicError {
  readonly exitCode: number;
  readonly kind: string;

  constructor(exitCode: number, kind: string, message: string) {
    super({ class: 'InvalidArgument', code: 'CONTAINER_START_FAILED', message });
    this.exitCode = exitCode;
    this.kind = kind;
  }
}

interface Listener {
  readonly stdout: PassThrough;
  readonly stderr: PassThrough;
}

/** One process of the fixture: who listens to it, its input, and its end. */
export class MemoryProcess {
  readonly config: ProcessConfig;
  readonly #onOutput: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void;
  readonly #listeners = new Set<Listener>();
  readonly #stdin = new PassThrough();
  readonly #killed = new AbortController();
  #signal: string | undefined;
  #size: { rows: number; columns: number };

  constructor(config: ProcessConfig, onOutput: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void) {
    this.config = config;
    this.#onOutput = onOutput;
    this.#size = config.consoleSize ?? { rows: 0, columns: 0 };
  }

  /** Streams that begin with the next output; usable before {@link run}. */
  attach(stdin: boolean): AttachedStreams {
    const listener: Listener = { stdout: new PassThrough(), stderr: new PassThrough() };
    this.#listeners.add(listener);
    return {
      stdin: stdin && this.config.openStdin ? this.#stdin : undefined,
      stdout: listener.stdout,
      stderr: this.config.tty ? undefined : listener.stderr,
      detach: () => {
        this.#listeners.delete(listener);
        listener.stdout.destroy();
        listener.stderr.destroy();
      },
    };
  }

  /** The program of the process, or why there is none. */
  program(): Program {
    const { args, user, cwd } = this.config;
    const [name = ''] = args;
    if (user === 'nosuch')
      throw new ProgramStartError(
        126,
        'user-not-found',
        `unable to find user ${user}: no matching entries in passwd file`,
      );
    if (cwd === '/nosuch')
      throw new ProgramStartError(
        127,
        'not-found',
        `chdir to cwd ("${cwd}") set in config.json failed: no such file or directory`,
      );
    if (name === 'not-executable')
      throw new ProgramStartError(126, 'permission-denied', `exec: "${name}": permission denied`);
    const program = programOf(name);
    if (program === undefined)
      throw new ProgramStartError(127, 'not-found', `exec: "${name}": executable file not found in $PATH`);
    return program;
  }

  /** Runs to the end and gives the exit code; 128 and the signal's number when killed. */
  async run(program: Program): Promise<number> {
    if (!this.config.openStdin) this.#stdin.end();
    try {
      return await Promise.race([this.#untilKilled(), this.#execute(program)]);
    } finally {
      this.#stdin.destroy();
    }
  }

  /** Ends every attached stream. Called once the exit status can be seen. */
  closeOutput(): void {
    for (const { stdout, stderr } of this.#listeners) {
      stdout.end();
      stderr.end();
    }
    this.#listeners.clear();
  }

  kill(signal: string): void {
    this.#signal = signal;
    this.#killed.abort();
  }

  resize(rows: number, columns: number): void {
    this.#size = { rows, columns };
  }

  async #execute(program: Program): Promise<number> {
    const { args, env, tty } = this.config;
    try {
      return await program({
        args,
        env,
        tty,
        stdin: this.#stdin,
        killed: this.#killed.signal,
        size: () => this.#size,
        write: async (stream, data) => this.#write(tty ? 'stdout' : stream, Buffer.from(data)),
      });
    } catch (error) {
      if (this.#killed.signal.aborted) return this.#untilKilled();
      throw error;
    }
  }

  async #untilKilled(): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<void>();
    if (this.#killed.signal.aborted) resolve();
    this.#killed.signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    return this.#signal === 'SIGTERM' ? 143 : 137;
  }

  async #write(stream: 'stdout' | 'stderr', bytes: Uint8Array): Promise<void> {
    this.#onOutput(stream, bytes);
    for (const listener of this.#listeners) {
      const target = listener[stream];
      if (target.destroyed || target.write(bytes)) continue;
      const { promise, resolve } = Promise.withResolvers<void>();
      const done = (): void => resolve();
      target.once('drain', done).once('close', done);
      await promise;
      target.off('drain', done).off('close', done);
    }
  }
}
