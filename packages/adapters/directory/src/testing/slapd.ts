import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pollUntil } from '@vic/async';
import { CertificateAuthority } from '@vic/pki';
import { run } from '@vic/process';
import { freePort, temporaryDirectory } from '@vic/testkit';

/** Debian's packages of the server and of what it is linked with and systems may lack. */
const PACKAGES = ['slapd', 'libldap-2.5-0', 'libltdl7', 'libodbc2', 'libwrap0', 'libsasl2-2', 'libargon2-1'];
const START_TIMEOUT_MS = 60_000;

/** Who may search. */
export const SEARCH_ACCOUNT = { dn: 'cn=reader,dc=example,dc=com', password: 'reader-secret' };

/** Debian's OpenLDAP server with the entries of an LDIF, in a temporary directory, on ports of its own. */
export class Slapd implements AsyncDisposable {
  readonly url: string;
  readonly secureUrl: string;
  /** PEM of the authority that its certificate is of. */
  readonly authority: string;
  readonly #resources: AsyncDisposableStack;

  private constructor(ports: readonly [number, number], authority: string, resources: AsyncDisposableStack) {
    this.url = `ldap://127.0.0.1:${ports[0]}`;
    this.secureUrl = `ldaps://127.0.0.1:${ports[1]}`;
    this.authority = authority;
    this.#resources = resources;
  }

  /** Loads the entries and starts. */
  static async start(ldif: string): Promise<Slapd> {
    await using onFailure = new AsyncDisposableStack();
    const programs = await extracted();
    const { path } = onFailure.use(await temporaryDirectory('vic-slapd-'));
    const authority = await CertificateAuthority.create({ commonName: 'LDAP test authority' });
    const credential = await authority.issueServer({ commonName: '127.0.0.1' }, ['127.0.0.1', 'localhost']);
    await mkdir(join(path, 'data'));
    await writeFile(join(path, 'entries.ldif'), ldif);
    await writeFile(join(path, 'cert.pem'), credential.certificate);
    await writeFile(join(path, 'key.pem'), credential.key);
    await writeFile(join(path, 'ca.pem'), authority.credential.certificate);
    await writeFile(join(path, 'slapd.conf'), configuration(programs, path));
    const env = { LD_LIBRARY_PATH: join(programs, 'usr/lib/x86_64-linux-gnu'), PATH: process.env['PATH'] ?? '' };
    const slapd = join(programs, 'usr/sbin/slapd');
    await run(slapd, ['-T', 'add', '-f', join(path, 'slapd.conf'), '-l', join(path, 'entries.ldif')], {
      env,
      timeoutMs: START_TIMEOUT_MS,
    });
    const ports = [await freePort(), await freePort()] as const;
    const urls = `ldap://127.0.0.1:${ports[0]}/ ldaps://127.0.0.1:${ports[1]}/`;
    const child = spawn(slapd, ['-d', '0', '-f', join(path, 'slapd.conf'), '-h', urls], { env, stdio: 'ignore' });
    onFailure.defer(async () => stop(child));
    for (const port of ports) await listening(port, child);
    return new Slapd(ports, authority.credential.certificate, onFailure.move());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
}

/** Why the server cannot be run on this machine; `undefined` when it can. */
export async function slapdUnavailable(): Promise<string | undefined> {
  try {
    await extracted();
    return undefined;
  } catch (error) {
    return `Debian's slapd could not be had: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`;
  }
}

/** The packages' files in a directory that is filled once for each user. */
async function extracted(): Promise<string> {
  const target = join(tmpdir(), `vic-slapd-packages-${process.getuid?.() ?? 0}`);
  const found = await stat(target).catch(() => undefined);
  if (found !== undefined) {
    if (found.uid !== process.getuid?.()) throw new Error(`${target} belongs to another user`);
    return target;
  }
  await using scratch = await temporaryDirectory('vic-slapd-download-');
  await run('apt-get', ['download', ...PACKAGES], { cwd: scratch.path, timeoutMs: 120_000 });
  const draft = `${target}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  for (const file of await readdir(scratch.path)) {
    if (file.endsWith('.deb')) await run('dpkg-deb', ['--extract', join(scratch.path, file), draft], {});
  }
  // Another process may have been faster; its copy is as good.
  await rename(draft, target).catch(async () => rm(draft, { recursive: true }));
  return target;
}

function configuration(programs: string, path: string): string {
  const schemas = ['core', 'cosine', 'inetorgperson', 'dyngroup'];
  return [
    ...schemas.map((schema) => `include ${join(programs, 'etc/ldap/schema', schema)}.schema`),
    `modulepath ${join(programs, 'usr/lib/ldap')}`,
    'moduleload back_mdb',
    'moduleload memberof',
    `pidfile ${join(path, 'slapd.pid')}`,
    `TLSCACertificateFile ${join(path, 'ca.pem')}`,
    `TLSCertificateFile ${join(path, 'cert.pem')}`,
    `TLSCertificateKeyFile ${join(path, 'key.pem')}`,
    'database mdb',
    'maxsize 16777216',
    'suffix "dc=example,dc=com"',
    `directory ${join(path, 'data')}`,
    'overlay memberof',
    'access to attrs=userPassword by anonymous auth by * none',
    `access to * by dn.exact="${SEARCH_ACCOUNT.dn}" read by * none`,
    '',
  ].join('\n');
}

async function listening(port: number, child: ChildProcess): Promise<void> {
  const probe = async (): Promise<true | undefined> => {
    if (child.exitCode !== null) throw new Error(`slapd ended with ${child.exitCode}`);
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('connect', () => socket.destroy()).once('error', () => resolve(undefined));
    });
  };
  await pollUntil(probe, 50, AbortSignal.timeout(START_TIMEOUT_MS));
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
