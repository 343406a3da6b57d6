import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pollUntil } from '@vic/async';
import { run } from '@vic/process';
import { toolPath } from './debian-tools.ts';
import { BUILD_TIMEOUT_MS, type ImageRecipe, buildImage } from './images/index.ts';

/** Debian's docker-registry, run for a lab over plain HTTP on one address. */
export class LabRegistry {
  /** `address:port`, as it goes in front of a repository name. */
  readonly host: string;
  readonly #process: ChildProcess;

  private constructor(host: string, child: ChildProcess) {
    this.host = host;
    this.#process = child;
  }

  /** Starts it on `address:port` with its files and log in `directory`; it goes on when this process ends. */
  static async start(directory: string, address: string, port: number): Promise<LabRegistry> {
    const host = `${address}:${port}`;
    const configuration = join(directory, 'registry.yml');
    await mkdir(join(directory, 'blobs'), { recursive: true });
    await writeFile(
      configuration,
      `version: 0.1\nlog: { level: warn }\nstorage: { filesystem: { rootdirectory: ${join(directory, 'blobs')} }, delete: { enabled: true } }\nhttp: { addr: "${host}" }\n`,
    );
    const log = openSync(join(directory, 'registry.log'), 'a');
    const child = spawn(await toolPath('docker-registry'), ['serve', configuration], {
      detached: true,
      stdio: ['ignore', log, log],
    });
    child.unref();
    await pollUntil(() => accepts(address, port), 50, AbortSignal.timeout(15_000));
    return new LabRegistry(host, child);
  }

  /** The process to stop at tear-down. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Builds the image unless cached and copies it to `repository:tag` here; gives the full reference. */
  async push(recipe: ImageRecipe, repository: string = recipe.name, tag = 'latest'): Promise<string> {
    const reference = `${this.host}/${repository}:${tag}`;
    await pushImage(await buildImage(recipe), reference);
    return reference;
  }

  /** Ends the registry. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    await exited;
  }
}

/** Copies tag `latest` of an OCI layout to a registry that speaks plain HTTP. */
export async function pushImage(layout: string, reference: string): Promise<void> {
  await run(
    'skopeo',
    ['copy', '--insecure-policy', '--dest-tls-verify=false', `oci:${layout}:latest`, `docker://${reference}`],
    {
      timeoutMs: BUILD_TIMEOUT_MS,
    },
  );
}

/** Whether something listens on `address:port`; `undefined` when not, for polling. */
export async function accepts(address: string, port: number): Promise<true | undefined> {
  const socket = connect(port, address);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}
