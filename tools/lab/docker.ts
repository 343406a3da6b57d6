import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { toolPath } from './debian-tools.ts';

/** Environment that points a Docker client at a VCH, as vic-machine prints it. */
export type DockerEnvironment = Readonly<Record<string, string>>;

/** What a finished docker command left behind. */
export interface DockerResult {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** How to run a docker command. */
export interface DockerOptions {
  readonly input?: string | Uint8Array;
  /** Killed after this long; five minutes by default: machines boot under software emulation. */
  readonly timeoutMs?: number;
}

/** What is typed on a terminal, told of everything that it has shown so far. */
export type Typist = (shown: () => string) => AsyncIterable<string>;

const TIMEOUT_MS = 300_000;

/** The real docker CLI, pointed at one VCH. */
export class Docker {
  readonly #program: string;
  readonly #environment: NodeJS.ProcessEnv;

  private constructor(program: string, environment: NodeJS.ProcessEnv) {
    this.#program = program;
    this.#environment = environment;
  }

  /** A client for the VCH that `environment` points at; `configDirectory` keeps its logins apart from the user's. */
  static async connect(environment: DockerEnvironment, configDirectory: string): Promise<Docker> {
    const program = await toolPath('docker');
    return new Docker(program, {
      PATH: process.env['PATH'],
      HOME: configDirectory,
      DOCKER_CONFIG: configDirectory,
      ...environment,
    });
  }

  /** Runs a command to its end, whatever its exit code. */
  async run(args: readonly string[], options: DockerOptions = {}): Promise<DockerResult> {
    const child = this.spawn(args);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? TIMEOUT_MS);
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    return { code: code ?? -1, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
  }

  /** Runs a command that must succeed and gives its standard output without the last newline. */
  async ok(args: readonly string[], options: DockerOptions = {}): Promise<string> {
    const result = await this.run(args, options);
    if (result.code !== 0) throw new Error(`docker ${args.join(' ')} exited with ${result.code}: ${result.stderr}`);
    return result.stdout.toString().replace(/\n$/, '');
  }

  /** Starts a command and leaves it to the caller. */
  spawn(args: readonly string[]): ChildProcess {
    return spawn(this.#program, args, { env: this.#environment, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** Runs shell lines on a real terminal, in which `docker` is this client; gives what the terminal showed. */
  async onTerminal(script: string, type: Typist = nothing): Promise<DockerResult> {
    const child = spawn('script', ['--quiet', '--return', '--echo', 'never', '--command', script, '/dev/null'], {
      env: {
        ...this.#environment,
        PATH: `${this.#program.replace(/\/docker$/, '')}:${process.env['PATH']}`,
        SHELL: '/bin/sh',
        TERM: 'xterm',
      },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const shown: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => shown.push(chunk));
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    const closed = once(child, 'close') as Promise<[number | null]>;
    try {
      for await (const keys of type(() => Buffer.concat(shown).toString())) child.stdin.write(keys);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    }
    const [code] = await closed;
    clearTimeout(timer);
    return { code: code ?? -1, stdout: Buffer.concat(shown), stderr: '' };
  }
}

async function* nothing(): AsyncGenerator<string, void, undefined> {
  // Only looked at.
}
