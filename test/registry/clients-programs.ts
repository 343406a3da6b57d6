import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from '@vic/process';
import { toolPath } from '../../tools/lab/debian-tools.ts';
import type { ClientSite, Credentials } from './clients-site.ts';

/** The programs of others that use the registry, and what provides them. */
const PROGRAMS = {
  docker: 'apt-get install docker.io',
  skopeo: 'apt-get install skopeo',
  podman: 'apt-get install podman',
  buildah: 'apt-get install buildah',
  notary: 'apt-get install notary',
  crane: 'node tools/install-peers.ts',
  oras: 'go install oras.land/oras/cmd/oras@v1.3.0',
  cosign: 'go install github.com/sigstore/cosign/v2/cmd/cosign@v2.6.5',
  notation: 'go install github.com/notaryproject/notation/cmd/notation@v1.3.2',
} as const;

/** The name of such a program. */
type ProgramName = keyof typeof PROGRAMS;

const PEERS = join(import.meta.dirname, '../../build/peers/bin');
const TIMEOUT_MS = 300_000;

/** A way to run one program: what it printed to both of its streams, or its failure. */
export type Client = (...args: readonly string[]) => Promise<string>;

/** Where a program is: on `PATH`, among our peers, or out of its Debian package. */
async function findProgram(name: ProgramName): Promise<string | undefined> {
  for (const directory of [...(process.env['PATH'] ?? '').split(delimiter), PEERS]) {
    const path = join(directory, name);
    if (await isProgram(path)) return path;
  }
  if (name !== 'docker' && name !== 'notary') return undefined;
  return toolPath(name).catch(() => undefined);
}

/** Why tests that need these programs are skipped; empty when they are not. */
export async function missing(...names: readonly ProgramName[]): Promise<string> {
  for (const name of names) {
    if ((await findProgram(name)) === undefined) return ` (${name} is not installed: ${PROGRAMS[name]})`;
  }
  return '';
}

/** A program with a home of its own that trusts the site's authority; without the proxies of this machine. */
export async function clientOf(
  site: ClientSite,
  name: ProgramName,
  options: { readonly home?: string; readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
): Promise<Client> {
  const program = (await findProgram(name)) ?? name;
  const home = options.home ?? (await site.scratch());
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    XDG_RUNTIME_DIR: home,
    SSL_CERT_FILE: site.authorityFile,
    ...options.env,
  };
  const input = options.input === undefined ? {} : { input: options.input };
  return async (...args) => {
    const { stdout, stderr } = await run(program, args, { env, cwd: home, timeoutMs: TIMEOUT_MS, ...input });
    return `${stdout}${stderr}`;
  };
}

/** Signs in as most clients do: the name as an option, the password on standard input. */
export async function signIn(
  site: ClientSite,
  name: ProgramName,
  login: {
    readonly home: string;
    readonly credentials?: Credentials;
    readonly options?: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
  },
): Promise<string> {
  const { home, credentials = site.administrator, options = [], env = {} } = login;
  const client = await clientOf(site, name, { home, env, input: credentials.password });
  const command = name === 'crane' ? ['auth', 'login'] : ['login'];
  return client(...command, ...options, '--username', credentials.username, '--password-stdin', site.host);
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
