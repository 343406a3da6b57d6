import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { run } from '@vic/process';
import { toolPath } from './debian-tools.ts';
import { BUILD_TIMEOUT_MS } from './images/index.ts';

/** The command that runs Debian's docker-registry over plain HTTP on one address, its files in `directory`. */
export async function registryCommand(directory: string, address: string, port: number): Promise<readonly string[]> {
  const configuration = join(directory, 'registry.yml');
  const blobs = join(directory, 'blobs');
  await mkdir(blobs, { recursive: true });
  await writeFile(
    configuration,
    JSON.stringify({
      version: 0.1,
      log: { level: 'warn' },
      storage: { filesystem: { rootdirectory: blobs }, delete: { enabled: true } },
      http: { addr: `${address}:${port}` },
    }),
  );
  return [await toolPath('docker-registry'), 'serve', configuration];
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
