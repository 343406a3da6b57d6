import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pollUntil } from '@vic/async';
import { freePort, temporaryDirectory } from '@vic/testkit';

const program = join(import.meta.dirname, '../../../../../build/peers/bin/versitygw');
const READY_TIMEOUT_MS = 60_000;

/** A real S3 server, the Versity gateway, on a directory: its buckets are directories and its objects files. */
export class VersityGateway implements AsyncDisposable {
  static readonly credentials = { accessKeyId: 'test', secretAccessKey: 'only-for-tests' };

  /** Whether the program is on this machine; `node tools/install-peers.ts` builds it. */
  static readonly isInstalled = existsSync(program);

  readonly endpoint: string;
  readonly #directory: AsyncDisposable & { readonly path: string };
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(endpoint: string, directory: AsyncDisposable & { readonly path: string }, child: ChildProcess) {
    this.endpoint = endpoint;
    this.#directory = directory;
    this.#process = child;
    this.#exited = once(child, 'exit');
  }

  /** Starts it on a temporary directory; resolves once it answers. */
  static async start(): Promise<VersityGateway> {
    await using onFailure = new AsyncDisposableStack();
    const directory = onFailure.use(await temporaryDirectory());
    const port = await freePort();
    const { accessKeyId, secretAccessKey } = VersityGateway.credentials;
    const child = spawn(program, ['--port', `127.0.0.1:${port}`, 'posix', directory.path], {
      stdio: 'ignore',
      env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey },
    });
    const gateway = new VersityGateway(`http://127.0.0.1:${port}`, directory, child);
    onFailure.defer(async () => gateway.#end());
    const answers = async (): Promise<true | undefined> =>
      fetch(gateway.endpoint).then(
        () => true,
        () => undefined,
      );
    await pollUntil(answers, 100, AbortSignal.timeout(READY_TIMEOUT_MS));
    onFailure.move();
    return gateway;
  }

  /** Makes a bucket. */
  async makeBucket(bucket: string): Promise<void> {
    await mkdir(this.pathOf(bucket, ''));
  }

  /** The file that an object is. */
  pathOf(bucket: string, key: string): string {
    return join(this.#directory.path, bucket, key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
    await this.#directory[Symbol.asyncDispose]();
  }

  async #end(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
  }
}
