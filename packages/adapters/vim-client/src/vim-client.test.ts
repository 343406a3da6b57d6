import { silentLogger } from '@vic/log';
import { make, reference, VimFault } from '@vic/vim';
import { describe, expect, it } from 'vitest';
import { probeThumbprint, VimClient } from './index.ts';
import { scriptedServer, type ScriptedServer, type ServerScript } from './testing/scripted-server.ts';

const VM = reference('VirtualMachine', 'vm-1');
const SERVICE_INSTANCE = reference('ServiceInstance', 'ServiceInstance');
const NOW = new Date('2026-01-02T03:04:05Z');

function versions(...names: readonly string[]): string {
  const [newest, ...prior] = names.map((name) => `<version>${name}</version>`);
  return (
    `<?xml version="1.0"?><namespaces version="1.0"><namespace><name>urn:other</name><version>6.7.1</version></namespace>` +
    `<namespace><name>urn:vim25</name>${newest ?? ''}<priorVersions>${prior.join('')}</priorVersions></namespace></namespaces>`
  );
}

function notAuthenticated(): VimFault {
  const fault = make('NotAuthenticated', { object: SERVICE_INSTANCE, privilegeId: 'System.View' });
  return new VimFault({ fault, message: 'Log in first.' });
}

async function start(script: Partial<ServerScript> = {}): Promise<ScriptedServer> {
  return scriptedServer({ versions: versions('6.7.1'), answer: () => ({ result: NOW }), ...script });
}

async function connect({ url, ca }: ScriptedServer): Promise<VimClient> {
  return VimClient.connect({ url, ca, user: 'u', password: 'p', logger: silentLogger() });
}

describe('version negotiation', () => {
  it.each([
    ['the newest that both know', versions('8.0.2.0', '7.0', '6.7.1', '6.7', '6.5'), '6.7.1'],
    ["an old server's own", versions('6.5', '6.0', '5.5'), '6.5'],
    ['the oldest supported where nothing is in common', versions('99.0'), '6.0'],
    ['the oldest supported where the server does not say', undefined, '6.0'],
  ])('takes %s', async (_case, text, expected) => {
    const script: ServerScript = { answer: () => ({ result: NOW }), ...(text === undefined ? {} : { versions: text }) };
    await using server = await scriptedServer(script);
    await using client = await connect(server);
    expect(client.version).toBe(expected);
    await client.call(SERVICE_INSTANCE, 'CurrentTime', {});
    expect(server.calls.at(-1)).toEqual({ method: 'CurrentTime', action: `"urn:vim25/${expected}"` });
  });

  it('refuses methods and values that the server is too old for', async () => {
    await using server = await start({ versions: versions('6.5') });
    await using client = await connect(server);
    const location = make('VirtualMachineRelocateSpec', {});
    const clone = client.call(VM, 'InstantClone_Task', { spec: { name: 'a', location } });
    await expect(clone).rejects.toMatchObject({ class: 'NotSupported', code: 'VIM_VERSION_TOO_OLD' });
    const reconfigure = client.call(VM, 'ReconfigVM_Task', { spec: { createDate: NOW } });
    await expect(reconfigure).rejects.toMatchObject({ class: 'NotSupported', code: 'VIM_VERSION_TOO_OLD' });
  });
});

describe('a lost session', () => {
  it('is replaced by one login for all calls that found it gone', async () => {
    await using server = await start({
      answer: (_request, { logins }) => {
        if (logins > 1) return { result: NOW };
        throw notAuthenticated();
      },
    });
    await using client = await connect(server);
    const calls = Array.from({ length: 8 }, () => client.call(SERVICE_INSTANCE, 'CurrentTime', {}));
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 8 }, () => NOW));
    expect(server.logins).toBe(2);
  });

  it('that cannot be replaced is an error, not a loop', async () => {
    await using server = await start({
      answer: () => {
        throw notAuthenticated();
      },
    });
    await using client = await connect(server);
    const call = client.call(SERVICE_INSTANCE, 'CurrentTime', {});
    await expect(call).rejects.toMatchObject({ class: 'Unauthenticated', faultType: 'NotAuthenticated' });
    expect(server.logins).toBe(2);
  });
});

it('calls go on while many others wait', async () => {
  await using server = await start({
    answer: ({ method }) => (method.name === 'WaitForUpdatesEx' ? undefined : { result: NOW }),
  });
  await using client = await connect(server);
  const controller = new AbortController();
  const { propertyCollector } = client.content;
  const waits: Promise<unknown>[] = [];
  const waiting = (): number => server.calls.filter(({ method }) => method === 'WaitForUpdatesEx').length;
  // One after another: so many connections at once are what takes a slow machine too long, and not what this is about.
  for (let count = 1; count <= 50; count++) {
    const wait = client.call(propertyCollector, 'WaitForUpdatesEx', { version: '' }, { signal: controller.signal });
    waits.push(wait.catch(() => undefined));
    await expect.poll(waiting, { interval: 1 }).toBe(count);
  }
  expect(await client.call(SERVICE_INSTANCE, 'CurrentTime', {}, { timeoutMs: 60_000 })).toEqual(NOW);
  controller.abort();
  await Promise.all(waits);
}, 90_000);

describe('a server', () => {
  it('that is overloaded is Unavailable', async () => {
    await using server = await start({ answer: () => 503 });
    await using client = await connect(server);
    const call = client.call(SERVICE_INSTANCE, 'CurrentTime', {});
    await expect(call).rejects.toMatchObject({ class: 'Unavailable', code: 'VIM_HTTP_STATUS' });
  });

  it('that does not answer is given up on at the deadline, or when the signal fires', async () => {
    await using server = await start({ answer: () => undefined });
    await using client = await connect(server);
    const late = client.call(SERVICE_INSTANCE, 'CurrentTime', {}, { timeoutMs: 50 });
    await expect(late).rejects.toMatchObject({ class: 'DeadlineExceeded' });
    const controller = new AbortController();
    const aborted = client.call(SERVICE_INSTANCE, 'CurrentTime', {}, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(aborted).rejects.toThrow('enough');
  });

  it('that stays away is given up on', async () => {
    await using server = await start();
    const { url, ca } = server;
    await using client = await VimClient.connect({
      ...{ url, ca, user: 'u', password: 'p', logger: silentLogger(), absenceMs: 150 },
    });
    await server[Symbol.asyncDispose]();
    for (const call of [
      async () => client.call(SERVICE_INSTANCE, 'CurrentTime', {}),
      async () => client.call(VM, 'PowerOnVM_Task', {}),
    ]) {
      await expect(call()).rejects.toMatchObject({
        class: 'Unavailable',
        code: 'VIM_SERVER_AWAY',
        message: expect.stringMatching(
          new RegExp(`^The vSphere API at ${url} cannot be reached; it was tried again for 0.15 seconds`),
        ),
      });
    }
  });

  it('whose authority is not trusted is refused, and can be probed', async () => {
    await using server = await start();
    const options = { url: server.url, user: 'u', password: 'p', logger: silentLogger() };
    await expect(VimClient.connect(options)).rejects.toMatchObject({ class: 'Unavailable' });
    const { sha1, sha256 } = await probeThumbprint('127.0.0.1', Number(new URL(server.url).port));
    for (const thumbprint of [sha1, sha256]) {
      await using client = await VimClient.connect({ ...options, thumbprint });
      expect(client.version).toBe('6.7.1');
    }
  });
});

it.each(['http://host', 'https://user:password@host', 'not a url'])('%s is no server address', async (url) => {
  const attempt = VimClient.connect({ url, user: 'u', password: 'p', logger: silentLogger() });
  await expect(attempt).rejects.toMatchObject({ class: 'InvalidArgument', code: 'VIM_URL_INVALID' });
});
