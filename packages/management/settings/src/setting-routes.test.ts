import { restCaller } from '@vic/jobs/testing';
import { SecretBox } from '@vic/secrets';
import { temporaryDatabase } from '@vic/sql/testing';
import { expect, it } from 'vitest';
import { Settings, settingRoutes } from './index.ts';

it('gives every setting with whether it can be changed, and never a secret', async () => {
  await using world = await makeWorld();
  await world.call('admin', 'PUT', '/configurations', { ldap_search_password: 'hunter22', auth_mode: 'ldap_auth' });
  const { body, text } = await world.call('admin', 'GET', '/configurations');
  expect(body).toMatchObject({
    auth_mode: { value: 'ldap_auth', editable: true },
    token_expiration: { value: 30, editable: true },
    read_only: { value: false, editable: true },
  });
  expect(text).not.toContain('hunter22');
  expect(text).not.toContain('ldap_search_password');
});

it('changes what is named, and says in the audit log what that was', async () => {
  await using world = await makeWorld();
  const answer = await world.call('admin', 'PUT', '/configurations', { token_expiration: 5, banner_message: 'hi' });
  expect(answer.status).toBe(200);
  expect(await world.settings.get('token_expiration')).toBe(5);
  await expect
    .poll(() => world.recorded)
    .toMatchObject([
      { operation: 'update', resourceType: 'configuration', resource: 'token_expiration, banner_message' },
    ]);
});

it('refuses what cannot be', async () => {
  await using world = await makeWorld();
  const answer = await world.call('admin', 'PUT', '/configurations', { token_expiration: -5 });
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({ errors: [{ code: 'BAD_REQUEST' }] });
});

it('refuses every change while an override file holds the settings', async () => {
  await using world = await makeWorld({ session_timeout: 12 });
  const answer = await world.call('admin', 'PUT', '/configurations', { session_timeout: 99 });
  expect(answer.status).toBe(403);
  expect(answer.text).toContain('it cannot be updated');
  const { body } = await world.call('admin', 'GET', '/configurations');
  expect(body).toMatchObject({ session_timeout: { value: 12, editable: false } });
});

it('is for administrators', async () => {
  await using world = await makeWorld();
  expect((await world.call('ada', 'GET', '/configurations')).status).toBe(403);
  expect((await world.call(undefined, 'PUT', '/configurations', {})).status).toBe(401);
});

it('tells about the system: anyone the sign-in, those signed in the rest', async () => {
  await using world = await makeWorld();
  const open = (await world.call(undefined, 'GET', '/systeminfo')).body;
  expect(open).toEqual({
    auth_mode: 'db_auth',
    primary_auth_mode: false,
    self_registration: false,
    banner_message: '',
  });
  expect((await world.call('ada', 'GET', '/systeminfo')).body).toMatchObject({
    harbor_version: 'v2.14.0-vic',
    external_url: 'https://registry.example.org:8443',
    registry_url: 'registry.example.org:8443',
    registry_storage_provider_name: 'filesystem',
    has_ca_root: true,
    read_only: false,
  });
});

async function makeWorld(overrides?: Readonly<Record<string, unknown>>) {
  await using onFailure = new AsyncDisposableStack();
  const database = onFailure.use(await temporaryDatabase());
  const settings = new Settings({
    database,
    secrets: new SecretBox(new Uint8Array(32)),
    canChangeAuthMode: async () => true,
    ...(overrides === undefined ? {} : { overrides }),
  });
  const installation = {
    version: 'v2.14.0-vic',
    externalUrl: 'https://registry.example.org:8443',
    storageProvider: 'filesystem',
    hasCertificateAuthority: true,
  };
  const caller = onFailure.use(await restCaller(settingRoutes({ settings, installation })));
  const resources = onFailure.move();
  const { call, recorded } = caller;
  return { settings, call, recorded, [Symbol.asyncDispose]: async () => resources.disposeAsync() };
}
