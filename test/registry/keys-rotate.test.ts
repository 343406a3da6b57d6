import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { delay, pollUntil } from '@vic/async';
import { Notary } from '@vic/notary';
import { KeyRotation, SecretBox } from '@vic/secrets';
import { openDatabase } from '@vic/sql';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { resealSecrets } from '../../apps/registry/src/keys/sealed-secrets.ts';
import { registry } from './command-line.ts';
import { type PlainSite, basic, openPlainSite, plainConfiguration } from './plain-site.ts';

const PROGRAM = join(dirname(dirname(import.meta.dirname)), 'apps/registry/src/main.ts');
/** Token key, setting, signing secret and header of a webhook, scanner, notary, sign-in. */
const SECRETS = 7;
const ENDPOINTS = 2_000;
const CONTEXT = 'registry:access_secret';
const SIGNAL = new AbortController().signal;

it(
  'keys rotate tokens leaves tokens valid, shows both keys, and signs with the new one',
  { timeout: 600_000 },
  async () => {
    await using directory = await temporaryDirectory();
    await using site = await openPlainSite(plainConfiguration(directory.path));
    const before = await tokenOf(site);
    const rotated = await registry('keys', 'rotate', 'tokens', '--data', directory.path, '--json');
    expect(rotated.status).toBe(0);
    const { kid } = rotated.json<{ kid: string }>();
    const answer = await fetch(`${site.url}/service/token/keys`);
    const { keys } = (await answer.json()) as { keys: readonly Readonly<Record<string, unknown>>[] };
    expect(keys.map((key) => key['kid'])).toEqual([kid, kidOf(before)]);
    for (const key of keys) expect(key).toMatchObject({ kty: 'EC', alg: 'ES256', use: 'sig' });
    expect(keys.filter((key) => 'd' in key)).toEqual([]);
    expect(await isTaken(site, before)).toBe(200);
    const renewed = async (): Promise<true | undefined> => kidOf(await tokenOf(site)) === kid || undefined;
    await pollUntil(renewed, 500, AbortSignal.timeout(300_000));
    expect([await isTaken(site, before), await isTaken(site, await tokenOf(site))]).toEqual([200, 200]);
    await using again = await openPlainSite(plainConfiguration(directory.path), site);
    expect([await isTaken(again, before), kidOf(await tokenOf(again))]).toEqual([200, kid]);
  },
);

it(
  'keys rotate secrets encrypts everything again beside two processes that read and write',
  { timeout: 600_000 },
  async () => {
    await using directory = await temporaryDirectory();
    const key = join(directory.path, 'secret.key');
    await using site = await openPlainSite(plainConfiguration(directory.path));
    await using other = await openPlainSite(plainConfiguration(directory.path), site);
    await tokenOf(site);
    await makeSecrets(site, directory.path);
    const first = await readFile(key);
    let [done, changes] = [false, 0];
    const writing = (async () => {
      for (; !done; changes++) {
        const changed = await site.call('PUT', '/configurations', { ldap_search_password: `secret ${changes}` });
        expect(changed.status).toBe(200);
        expect((await other.call('GET', '/configurations')).status).toBe(200);
        await delay(20);
      }
    })();
    const outcome = await registry('keys', 'rotate', 'secrets', '--data', directory.path, '--json');
    done = true;
    await writing;
    expect(outcome).toMatchObject({ status: 0, error: '' });
    expect(outcome.json()).toMatchObject({ upTo: 'finish', unreadable: [] });
    expect(outcome.json<{ resealed: number }>().resealed).toBeGreaterThanOrEqual(SECRETS);
    expect(await readFile(key)).toHaveLength(32);
    expect((await readFile(key)).equals(first)).toBe(false);
    expect((await stat(key)).mode & 0o777).toBe(0o600);
    expect((await other.call('GET', '/configurations')).status).toBe(200);
    expect(await isTaken(other, await tokenOf(other))).toBe(200);
    expect(await unreadableIn(directory.path)).toEqual([]);
    await using again = await openPlainSite(plainConfiguration(directory.path), site);
    expect((await again.call('GET', '/configurations')).status).toBe(200);
    expect(await isTaken(again, await tokenOf(again))).toBe(200);
  },
);

it('a rotation of secrets that is killed is ended by the next one', { timeout: 600_000 }, async () => {
  await using directory = await temporaryDirectory();
  const key = join(directory.path, 'secret.key');
  {
    await using _site = await openPlainSite(plainConfiguration(directory.path));
  }
  await makeEndpoints(directory.path);
  const args = [PROGRAM, 'keys', 'rotate', 'secrets', '--data', directory.path];
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const isHalfway = async (): Promise<true | undefined> => (await resealedIn(directory.path)) > 100 || undefined;
  await pollUntil(isHalfway, 2, AbortSignal.timeout(300_000));
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await unreadableIn(directory.path)).toEqual([]);
  expect((await readFile(key)).length).toBeGreaterThan(32);
  const ended = await registry('keys', 'rotate', 'secrets', '--data', directory.path, '--json');
  expect(ended).toMatchObject({ status: 0, error: '' });
  expect(ended.json()).toMatchObject({ unreadable: [] });
  expect(await readFile(key)).toHaveLength(32);
  expect(await unreadableIn(directory.path)).toEqual([]);
  expect((await readdir(directory.path)).filter((name) => name.startsWith('secret.key'))).toEqual(['secret.key']);
});

it('with other machines the key before stays until --finish', { timeout: 600_000 }, async () => {
  await using directory = await temporaryDirectory();
  const key = join(directory.path, 'secret.key');
  {
    await using _site = await openPlainSite(plainConfiguration(directory.path));
  }
  await using database = await openDatabase({ kind: 'sqlite', path: join(directory.path, 'registry.db') });
  const pool = { id: 'x', pid: 1, host: 'elsewhere.example', concurrency: 1, started_at: 0, heartbeat_at: Date.now() };
  await database.db.insertInto('job_pool').values(pool).execute();
  const rotate = async (...more: readonly string[]) =>
    registry('keys', 'rotate', 'secrets', '--data', directory.path, ...more);
  expect(await rotate('--prepare', '--finish')).toMatchObject({ status: 1 });
  expect((await rotate('--prepare')).out).toContain('Copy it to every machine');
  expect((await rotate()).out).toContain('elsewhere.example');
  expect((await readFile(key)).length).toBeGreaterThan(32);
  {
    await using _running = await KeyRotation.begin(key);
    expect((await rotate('--finish')).error).toContain('is being rotated by another process');
  }
  expect((await rotate('--finish')).out).toContain('is forgotten');
  expect(await readFile(key)).toHaveLength(32);
});

async function tokenOf(site: PlainSite): Promise<string> {
  const headers = { authorization: basic('admin', site.password) };
  const url = `${site.url}/service/token?service=harbor-registry&scope=registry:catalog:*`;
  return ((await (await fetch(url, { headers })).json()) as { token: string }).token;
}

function kidOf(token: string): unknown {
  const [header = ''] = token.split('.');
  return (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid;
}

async function isTaken(site: PlainSite, token: string): Promise<number> {
  return (await fetch(`${site.url}/v2/_catalog`, { headers: { authorization: `Bearer ${token}` } })).status;
}

/** A secret of each kind, except endpoints, which have a test of their own. */
async function makeSecrets(site: PlainSite, directory: string): Promise<void> {
  const setting = await site.call('PUT', '/configurations', { ldap_search_password: 'hunter2' });
  expect(setting.status).toBe(200);
  const webhook = await site.call('POST', '/projects/default-project/webhook/policies', {
    name: 'ci',
    enabled: true,
    event_types: ['PUSH_ARTIFACT'],
    targets: [{ type: 'http', address: 'https://ci.example.com/hook', auth_header: 'Bearer 0123456789' }],
  });
  expect(webhook.status).toBe(201);
  const scanner = await site.call('POST', '/scanners', {
    name: 'other',
    url: 'https://scanner.example.com',
    auth: 'Bearer',
    access_credential: '0123456789',
  });
  expect(scanner.status).toBe(201);
  await using database = await openDatabase({ kind: 'sqlite', path: join(directory, 'registry.db') });
  const secrets = await SecretBox.open(join(directory, 'secret.key'));
  await new Notary({ database, secrets, now: Date.now }).rotateKey('registry.example/app', 'timestamp');
  const flow = { id: 'flow', data: secrets.seal('{}', 'OIDC sign-in'), expires_at_ms: Date.now() + 3_600_000 };
  await database.db.insertInto('sign_in_flows').values(flow).execute();
}

async function makeEndpoints(directory: string): Promise<void> {
  await using database = await openDatabase({ kind: 'sqlite', path: join(directory, 'registry.db') });
  const box = await SecretBox.open(join(directory, 'secret.key'));
  const fixed = {
    description: '',
    type: 'harbor',
    url: 'https://hub.example',
    credential_type: 'basic',
    access_key: 'a',
  };
  const flags = { insecure: 0, ca_certificate: '', status: 'healthy', replicates_here: 0 };
  const times = { created_at_ms: 0, updated_at_ms: 0 };
  await database.transaction(async (transaction) => {
    for (let number = 0; number < ENDPOINTS; number++) {
      const sealed = { name: `e${number}`, access_secret_sealed: box.seal(`secret ${number}`, CONTEXT) };
      await transaction
        .insertInto('registries')
        .values({ ...fixed, ...flags, ...times, ...sealed })
        .execute();
    }
  });
  await writeFile(join(directory, 'key.before'), await readFile(join(directory, 'secret.key')), { mode: 0o600 });
}

/** How many endpoints the key from before does not open any more. */
async function resealedIn(directory: string): Promise<number> {
  await using database = await openDatabase({ kind: 'sqlite', path: join(directory, 'registry.db') });
  const before = await SecretBox.open(join(directory, 'key.before'));
  const rows = await database.db.selectFrom('registries').select('access_secret_sealed').execute();
  return rows.filter(({ access_secret_sealed: sealed }) => !isReadable(before, sealed)).length;
}

/** Which secrets the key that is there does not open. */
async function unreadableIn(directory: string): Promise<readonly string[]> {
  await using database = await openDatabase({ kind: 'sqlite', path: join(directory, 'registry.db') });
  const box = await SecretBox.open(join(directory, 'secret.key'));
  const unreadable: string[] = [];
  await resealSecrets(
    database,
    (sealed, context) => {
      if (!isReadable(box, sealed, context)) unreadable.push(context);
      return undefined;
    },
    SIGNAL,
  );
  return unreadable;
}

function isReadable(box: SecretBox, sealed: string, context = CONTEXT): boolean {
  try {
    box.open(sealed, context);
    return true;
  } catch {
    return false;
  }
}
