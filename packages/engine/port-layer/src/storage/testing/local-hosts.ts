import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pollUntil } from '@vic/async';
import { NbdClient } from '@vic/nbd';
import { run } from '@vic/process';
import { temporaryDirectory } from '@vic/testkit';
import type { AttachedDisk, DatastoreFiles, LayerDiskHost } from '../index.ts';

/** Datastore files as a directory of this machine. */
export class LocalFiles implements DatastoreFiles {
  readonly root: string;
  /** When set, a write whose path matches fails, as a crash at that moment would. */
  failWrites: RegExp | undefined;

  constructor(root: string) {
    this.root = root;
  }

  async read(path: string): Promise<Buffer | undefined> {
    return readFile(join(this.root, path)).catch(() => undefined);
  }

  async write(path: string, content: string | Uint8Array): Promise<void> {
    if (this.failWrites?.test(path) === true) throw new Error(`the datastore is gone: ${path}`);
    await writeFile(join(this.root, `${path}.new`), content);
    await rename(join(this.root, `${path}.new`), join(this.root, path));
  }

  async list(path: string): Promise<readonly string[]> {
    return readdir(join(this.root, path)).catch(() => []);
  }

  async delete(path: string): Promise<void> {
    await rm(join(this.root, path), { recursive: true, force: true });
  }

  async makeDirectory(path: string): Promise<void> {
    await mkdir(join(this.root, path), { recursive: true });
  }
}

/** Disks as qcow2 files, attached by qemu-nbd. */
export class LocalDisks implements LayerDiskHost {
  readonly root: string;
  created = 0;

  constructor(root: string) {
    this.root = root;
  }

  async createScratch(path: string, sizeBytes: number): Promise<AttachedDisk> {
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', join(this.root, path), String(sizeBytes)]);
    return this.#attach(path);
  }

  async attachChild(path: string, parentPath: string): Promise<AttachedDisk> {
    this.created++;
    const backing = relative(dirname(join(this.root, path)), join(this.root, parentPath));
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', backing, '-F', 'qcow2', join(this.root, path)]);
    return this.#attach(path);
  }

  async #attach(path: string): Promise<AttachedDisk> {
    const { client, stop } = await exportDisk(join(this.root, path), []);
    return {
      write: async (offset, bytes, signal) => client.write(offset, bytes, signal),
      writeStream: async (offset, source, signal) => client.writeStream(offset, source, signal),
      flush: async (signal) => client.flush(signal),
      detach: stop,
      [Symbol.asyncDispose]: stop,
    };
  }
}

/** Serves a disk with qemu-nbd and connects to it. */
export async function exportDisk(
  diskPath: string,
  options: readonly string[],
): Promise<{ readonly client: NbdClient; readonly stop: () => Promise<void> }> {
  // Beside the disk the name could be longer than a socket's may be.
  const directory = await temporaryDirectory();
  const socket = join(directory.path, 'nbd.sock');
  const server = spawn('qemu-nbd', ['-f', 'qcow2', '-k', socket, '-t', '--cache=unsafe', ...options, diskPath], {
    stdio: 'ignore',
  });
  const exited = once(server, 'exit');
  // The socket is there a moment before it is listened on.
  const tryConnect = async (): Promise<NbdClient | undefined> => NbdClient.connect(socket).catch(() => undefined);
  const client = await pollUntil(tryConnect, 10, AbortSignal.timeout(60_000));
  let stopped: Promise<void> | undefined;
  const stopOnce = async (): Promise<void> => {
    await client[Symbol.asyncDispose]();
    server.kill();
    await exited;
    await directory[Symbol.asyncDispose]();
  };
  return { client, stop: async () => (stopped ??= stopOnce()) };
}
