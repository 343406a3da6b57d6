import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pollUntil } from '@vic/async';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import pg from 'pg';
import { openPostgres } from '../dialect/postgres/open-postgres.ts';
import { openDatabase } from '../open-database.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import type { TemporaryDatabase } from './temporary-database.ts';

/** PostgreSQL refuses to be root. */
const UNPRIVILEGED_ID = 65_534;
const START_TIMEOUT_MS = 60_000;
const PORT = 5432;

/** A PostgreSQL of our own on a unix socket, with its data in a temporary directory. */
export class PostgresServer implements AsyncDisposable {
  readonly #directory: string;
  #resources: AsyncDisposableStack;
  #process: ChildProcess | undefined;
  #databases = 0;
  #template: Promise<string> | undefined;

  private constructor(directory: string, resources: AsyncDisposableStack) {
    this.#directory = directory;
    this.#resources = resources;
  }

  /** Makes a cluster and starts it. */
  static async start(): Promise<PostgresServer> {
    await using onFailure = new AsyncDisposableStack();
    const { path } = onFailure.use(await temporaryDirectory('vic-pg-'));
    await mkdir(join(path, 'data'), { mode: 0o700 });
    if (isRoot()) for (const owned of [path, join(path, 'data')]) await chown(owned, UNPRIVILEGED_ID, UNPRIVILEGED_ID);
    const [program, ...args] = unprivileged(await programPath('initdb'));
    const options = ['--username=vic', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C'];
    await run(program, [...args, '-D', join(path, 'data'), ...options], { cwd: path });
    const server = new PostgresServer(path, onFailure);
    onFailure.defer(async () => server.stop());
    await server.resume();
    server.#resources = onFailure.move();
    return server;
  }

  /** Starts again after {@link stop}. */
  async resume(): Promise<void> {
    const [program, ...args] = unprivileged(await programPath('postgres'));
    // Durability is PostgreSQL's own affair; the tests are about what is built on it.
    const settings = [
      'listen_addresses=',
      `unix_socket_directories=${this.#directory}`,
      'fsync=off',
      'max_connections=200',
    ];
    const flags = settings.flatMap((setting) => ['-c', setting]);
    this.#process = spawn(program, [...args, '-D', join(this.#directory, 'data'), ...flags], {
      stdio: 'ignore',
      cwd: this.#directory,
    });
    const started = this.#process;
    const signal = AbortSignal.timeout(START_TIMEOUT_MS);
    await pollUntil(
      async () => {
        if (started.exitCode !== null) throw new Error(`PostgreSQL ended with code ${started.exitCode}`);
        return (await this.#answers()) || undefined;
      },
      20,
      signal,
    );
  }

  /** Stops at once, as a crash would: connections are cut, and the log is replayed at the next start. */
  async stop(): Promise<void> {
    const running = this.#process;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()));
    running.kill('SIGQUIT');
    await ended;
  }

  /** A migrated database of its own. */
  async temporaryDatabase(): Promise<TemporaryDatabase> {
    const name = `test_${++this.#databases}`;
    // Every test has the same schema: it is made once.
    this.#template ??= this.#makeTemplate();
    await this.#query(`create database ${name} template ${await this.#template}`);
    const location = { kind: 'postgres', url: this.#url(name), poolSize: 10 } as const;
    return { ...(await openPostgres(location)), location };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async #makeTemplate(): Promise<string> {
    const name = 'migrated';
    await this.#query(`create database ${name}`);
    const database = await openDatabase({ kind: 'postgres', url: this.#url(name), poolSize: 1 });
    await database[Symbol.asyncDispose]();
    return name;
  }

  async #answers(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const socket = connect(join(this.#directory, `.s.PGSQL.${PORT}`), () => resolve(true));
    socket.on('error', () => resolve(false));
    const isThere = await promise;
    socket.destroy();
    return (
      isThere &&
      (await this.#query('select 1').then(
        () => true,
        () => false,
      ))
    );
  }

  async #query(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.#url('postgres') });
    // The statement fails as well when the connection does.
    client.on('error', () => undefined);
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  }

  #url(database: string): string {
    return `postgres:///${database}?host=${encodeURIComponent(this.#directory)}&user=vic`;
  }
}

async function programPath(name: string): Promise<string> {
  return join(await postgresBinaries(), 'bin', name);
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** As root: another user, who is stopped with the test even when that is killed. */
function unprivileged(program: string): [string, ...string[]] {
  if (!isRoot()) return [program];
  const id = String(UNPRIVILEGED_ID);
  return ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--clear-groups', '--pdeathsig=QUIT', '--', program];
}
