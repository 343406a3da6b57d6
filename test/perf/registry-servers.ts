import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pollUntil } from '@vic/async';
import { freePort } from '@vic/testkit';

/** A registry in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** What `/v2/` asks for; absent where it asks for nothing. */
  readonly administrator: { readonly name: string; readonly password: string } | undefined;
  /** Ends the process at once, as a power failure would. */
  kill(): Promise<void>;
}

const root = dirname(dirname(import.meta.dirname));
const READY_TIMEOUT_MS = 120_000;

/** Options of {@link startOurs}. */
export interface OursOptions {
  /** A free one when absent. */
  readonly port?: number;
  /** Of a PostgreSQL; SQLite when absent. */
  readonly databaseUrl?: string;
  /** As the configuration has it; files when absent. */
  readonly s3?: Readonly<Record<string, string>>;
}

/** Starts our registry on files, without TLS; `directory` is kept, so it can be started there again. */
export async function startOurs(directory: string, options: OursOptions = {}): Promise<ServerProcess> {
  await mkdir(directory, { recursive: true });
  const listenPort = options.port ?? (await freePort());
  const url = `http://127.0.0.1:${listenPort}`;
  const configuration = join(directory, 'registry.yaml');
  await writeFile(
    configuration,
    JSON.stringify({
      externalUrl: url,
      dataDirectory: join(directory, 'data'),
      listen: { host: '127.0.0.1', port: listenPort },
      tls: 'none',
      logLevel: 'warn',
      ...(options.databaseUrl === undefined ? {} : { database: { url: options.databaseUrl } }),
      ...(options.s3 === undefined ? {} : { s3: options.s3 }),
    }),
  );
  const program = join(root, 'apps/registry/src/main.ts');
  const log = join(directory, 'registry.log');
  // Written by the first start; later ones find it.
  const passwordFile = join(directory, 'password');
  const command = [program, 'serve', '--config', configuration, '--log', log, '--password-file', passwordFile];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] });
  await using onFailure = new AsyncDisposableStack();
  onFailure.defer(async () => kill(child));
  await ready(url, child);
  const readPassword = async (): Promise<string | undefined> => readFile(passwordFile, 'utf8').catch(() => undefined);
  const password = await pollUntil(readPassword, 50, AbortSignal.timeout(READY_TIMEOUT_MS));
  onFailure.move();
  return serverProcess(child, url, { name: 'admin', password: password.trim() });
}

/** Starts Debian's `docker-registry` on files. */
export async function startDockerRegistry(directory: string): Promise<ServerProcess> {
  await mkdir(directory, { recursive: true });
  const port = await freePort();
  const configuration = join(directory, 'config.yml');
  await writeFile(
    configuration,
    JSON.stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, 'data'), maxthreads: 100 } },
      http: { addr: `127.0.0.1:${port}` },
    }),
  );
  const child = spawn('docker-registry', ['serve', configuration], { stdio: ['ignore', 'ignore', 'ignore'] });
  const url = `http://127.0.0.1:${port}`;
  await ready(url, child);
  return serverProcess(child, url, undefined);
}

/** The resident memory of a process. */
export async function residentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  const answers = async (): Promise<true | undefined> => {
    if (hasEnded(child)) throw new Error(`${child.spawnfile} has ended with ${child.exitCode ?? child.signalCode}`);
    return fetch(`${url}/v2/`).then(
      () => true,
      () => undefined,
    );
  };
  await pollUntil(answers, 50, AbortSignal.timeout(READY_TIMEOUT_MS));
}

function serverProcess(child: ChildProcess, url: string, administrator: ServerProcess['administrator']): ServerProcess {
  const end = async (): Promise<void> => kill(child);
  return { url, pid: child.pid ?? 0, administrator, kill: end, [Symbol.asyncDispose]: end };
}

async function kill(child: ChildProcess): Promise<void> {
  if (hasEnded(child)) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}
