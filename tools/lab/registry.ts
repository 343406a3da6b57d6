import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { run } from '@vic/process';
import { BUILD_TIMEOUT_MS } from './images/index.ts';

const root = dirname(dirname(import.meta.dirname));
const NODE = join(root, 'node_modules/.bin/node');

/** Where in the registry the lab keeps its images: the public project that every registry begins with. */
export const LAB_PROJECT = 'default-project';

/** Where the registry that {@link registryCommand} runs keeps what its clients need. */
export function registryFiles(directory: string): { readonly authority: string; readonly password: string } {
  return { authority: join(directory, 'data/tls/ca.crt'), password: join(directory, 'administrator-password') };
}

/** The command that runs the registry on one address, its files in `directory`. */
export function registryCommand(directory: string, address: string, port: number): readonly string[] {
  return [
    ...[NODE, join(root, 'apps/registry/src/main.ts'), 'serve'],
    ...['--data', join(directory, 'data'), '--password-file', registryFiles(directory).password],
    ...['--url', `https://${address}:${port}`, '--listen', address, '--port', String(port)],
  ];
}

/** Copies tag `latest` of an OCI layout to the registry whose files are in `directory`. */
export async function pushImage(layout: string, reference: string, directory: string): Promise<void> {
  const { authority, password } = registryFiles(directory);
  // skopeo takes credentials from a file in the form docker keeps them in, and authorities from a directory.
  const scratch = await mkdtemp(join(directory, 'push-'));
  try {
    const [host = ''] = reference.split('/');
    const secret = (await readFile(password, 'utf8')).trim();
    const auth = Buffer.from(`admin:${secret}`).toString('base64');
    await writeFile(join(scratch, 'auth.json'), JSON.stringify({ auths: { [host]: { auth } } }), { mode: 0o600 });
    await copyFile(authority, join(scratch, 'ca.crt'));
    const credentials = ['--dest-authfile', join(scratch, 'auth.json'), '--dest-cert-dir', scratch];
    await run(
      'skopeo',
      ['copy', '--insecure-policy', ...credentials, `oci:${layout}:latest`, `docker://${reference}`],
      {
        timeoutMs: BUILD_TIMEOUT_MS,
      },
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
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
