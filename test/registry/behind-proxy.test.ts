import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { registry } from './command-line.ts';
import { type PlainSite, basic, openPlainSite, plainConfiguration } from './plain-site.ts';

const CLIENT = '203.0.113.9';

it('the audit log has the address that the trusted proxy vouches for, not what the client wrote', async () => {
  await using directory = await temporaryDirectory();
  const configuration = plainConfiguration(directory.path, { trustedProxies: ['127.0.0.1', '10.0.0.0/8'] });
  await using site = await openPlainSite(configuration);
  await makeProject(site, 'one', { 'x-forwarded-for': `1.1.1.1, ${CLIENT}, 10.0.0.7` });
  await makeProject(site, 'two', { forwarded: `for=1.1.1.1, for=${CLIENT}` });
  // What is recorded is written after the answer.
  await expect.poll(async () => addresses(site)).toEqual([CLIENT, CLIENT]);
});

it('without trusted proxies what a client writes changes nothing', async () => {
  await using directory = await temporaryDirectory();
  await using site = await openPlainSite(plainConfiguration(directory.path));
  await makeProject(site, 'one', { 'x-forwarded-for': CLIENT, forwarded: `for=${CLIENT}`, 'x-real-ip': CLIENT });
  await expect.poll(async () => addresses(site)).toEqual(['127.0.0.1']);
});

it('guessing is slowed down by the address behind the proxy, however much of the header is forged', async () => {
  await using directory = await temporaryDirectory();
  await using site = await openPlainSite(plainConfiguration(directory.path, { trustedProxies: ['127.0.0.0/8'] }));
  const guess = async (forwardedFor: string): Promise<number> => {
    const headers = { authorization: basic('nobody', 'wrong'), 'x-forwarded-for': forwardedFor };
    return (await site.call('GET', '/users/current', undefined, headers)).status;
  };
  let attempts = 0;
  while ((await guess(`9.9.9.${attempts}, ${CLIENT}`)) !== 429) expect(++attempts).toBeLessThan(10);
  // The first waits are of seconds and may be over; the next is twice as long. From elsewhere it would take five.
  const others = [
    await guess(`8.8.8.8, ${CLIENT}`),
    await guess(`8.8.4.4, ${CLIENT}`),
    await guess(`8.8.0.0, ${CLIENT}`),
  ];
  expect(others).toContain(429);
  expect(await guess('203.0.113.10')).toBe(401);
});

it('serve refuses a proxy that is none', async () => {
  await using directory = await temporaryDirectory();
  const given = ['--data', directory.path, '--port', '0', '--no-notary', '--trusted-proxy', 'proxy.example'];
  const refused = await registry('serve', ...given);
  expect(refused).toMatchObject({ status: 1, error: expect.stringContaining('10.0.0.0/8') as string });
});

async function makeProject(site: PlainSite, name: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const authorization = basic('admin', site.password);
  const made = await site.call('POST', '/projects', { project_name: name }, { authorization, ...headers });
  expect(made.status).toBe(201);
}

async function addresses(site: PlainSite): Promise<readonly string[]> {
  const answer = await site.call('GET', '/auditlog-exts?q=operation=create,resource_type=project&sort=op_time');
  return ((await answer.json()) as readonly { client_address: string }[]).map((record) => record.client_address);
}
