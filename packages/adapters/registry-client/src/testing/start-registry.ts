import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pollUntil } from '@vic/async';
import { freePort, temporaryDirectory } from '@vic/testkit';

const START_TIMEOUT_MS = 60_000;

/** How a test's registry is set up. */
export interface RegistryOptions {
  /** Lines of the `auth` section of its configuration, each indented by two spaces. */
  readonly auth?: (directory: string) => Promise<string>;
  /** Lines added to the `http` section. */
  readonly http?: (directory: string) => Promise<string>;
}

/** Debian's `docker-registry`, running for one test. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:port`. */
  readonly domain: string;
  /** A directory that goes with it. */
  readonly directory: string;
}

/** Starts a registry on a free port of loopback with an empty store. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  await using onFailure = new AsyncDisposableStack();
  const directory = onFailure.use(await temporaryDirectory());
  const port = await freePort();
  const store = join(directory.path, 'store');
  await mkdir(store);
  const auth = (await options.auth?.(directory.path)) ?? '';
  const http = (await options.http?.(directory.path)) ?? '';
  const config = join(directory.path, 'registry.yml');
  await writeFile(
    config,
    [
      'version: 0.1',
      'log: {level: error, accesslog: {disabled: true}}',
      `storage: {filesystem: {rootdirectory: ${store}}, delete: {enabled: true}}`,
      'http:',
      `  addr: 127.0.0.1:${port}`,
      http,
      auth === '' ? '' : `auth:\n${auth}`,
      '',
    ].join('\n'),
  );
  const server = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  const exited = once(server, 'exit');
  onFailure.defer(async () => {
    server.kill();
    await exited;
  });
  await pollUntil(async () => canConnect(port), 30, AbortSignal.timeout(START_TIMEOUT_MS));
  const resources = onFailure.move();
  return {
    domain: `127.0.0.1:${port}`,
    directory: directory.path,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  };
}

async function canConnect(port: number): Promise<true | undefined> {
  const { promise, resolve } = Promise.withResolvers<true | undefined>();
  const socket = connect(port, '127.0.0.1');
  socket.on('connect', () => resolve(true));
  socket.on('error', () => resolve(undefined));
  const answer = await promise;
  socket.destroy();
  return answer;
}
