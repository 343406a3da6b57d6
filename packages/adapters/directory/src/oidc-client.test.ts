import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '@vic/testkit';
import { OidcClient, pingOidc } from './index.ts';
import { OidcProvider } from './testing/index.ts';

describe('OidcClient', () => {
  let provider: OidcProvider;
  beforeAll(async () => {
    provider = await OidcProvider.start();
  });
  afterAll(async () => provider[Symbol.asyncDispose]());
  beforeEach(() => {
    provider.claims = { sub: 'subject-1', name: 'Ada Lovelace', email: 'ada@example.com' };
    provider.userInfo = {};
    provider.tampering = {};
    provider.forged = false;
  });

  const discover = async (options: { clientSecret?: string; userClaim?: string; groupsClaim?: string } = {}) =>
    OidcClient.discover({
      endpoint: provider.issuer,
      clientId: provider.clientId,
      clientSecret: provider.clientSecret,
      scopes: ['profile', 'email'],
      redirectUri: 'https://registry.test/callback',
      verifyCertificate: false,
      timeoutMs: 20_000,
      extraParameters: { prompt: 'login' },
      ...options,
    });
  const signIn = async (client: OidcClient) => {
    const { url, flow } = await client.begin();
    return client.complete((await provider.agree(url)).search, flow);
  };

  it('sends the browser with state, nonce, a challenge and the configured scopes', async () => {
    await using client = await discover();
    const { url, flow } = await client.begin();
    expect(`${url.origin}${url.pathname}`).toBe(`${provider.issuer}/authorize`);
    const parameters = Object.fromEntries(url.searchParams);
    expect(parameters).toMatchObject({
      client_id: 'vic',
      response_type: 'code',
      scope: 'openid profile email',
      state: flow.state,
      nonce: flow.nonce,
      code_challenge_method: 'S256',
      prompt: 'login',
      redirect_uri: 'https://registry.test/callback',
    });
    expect(url.href).not.toContain(flow.codeVerifier);
  });

  it('learns who signed in', async () => {
    await using client = await discover();
    const { identity, idToken } = await signIn(client);
    expect(identity).toEqual({
      issuer: provider.issuer,
      subject: 'subject-1',
      userName: 'Ada Lovelace',
      realName: 'Ada Lovelace',
      email: 'ada@example.com',
      groups: undefined,
    });
    const end = client.endSessionUrl(idToken, 'https://registry.test/');
    expect(end?.searchParams.get('id_token_hint')).toBe(idToken);
  });

  it('takes name and groups from the configured claims, the endpoint before the token', async () => {
    provider.claims = { sub: 's', name: 'Ada', login: 'ada', groups: ['token'] };
    provider.userInfo = { groups: ['devs', 'ops', 'devs', 7, ''], email: 'new@example.com' };
    await using client = await discover({ userClaim: 'login', groupsClaim: 'groups' });
    expect((await signIn(client)).identity).toMatchObject({
      userName: 'ada',
      realName: 'Ada',
      email: 'new@example.com',
      groups: ['devs', 'ops'],
    });
    provider.userInfo = { groups: 'only-one' };
    expect((await signIn(client)).identity.groups).toEqual(['only-one']);
    provider.userInfo = {};
    expect((await signIn(client)).identity.groups).toEqual(['token']);
  });

  it.each([
    ['another issuer', { iss: 'http://evil.example' }],
    ['another audience', { aud: 'somebody-else' }],
    ['another nonce', { nonce: 'replayed' }],
    ['a time that has passed', { exp: 1_000_000 }],
  ])('refuses a token of %s', async (_, tampering) => {
    provider.tampering = tampering;
    await using client = await discover();
    await expect(signIn(client)).rejects.toMatchObject({ class: 'InvalidArgument', code: 'OIDC_SIGN_IN_FAILED' });
  });

  it('refuses a token that the provider did not sign', async () => {
    provider.forged = true;
    await using client = await discover();
    await expect(signIn(client)).rejects.toMatchObject({ code: 'OIDC_SIGN_IN_FAILED' });
  });

  it('refuses user information about somebody else', async () => {
    provider.userInfo = { sub: 'another' };
    await using client = await discover();
    await expect(signIn(client)).rejects.toMatchObject({ code: 'OIDC_SIGN_IN_FAILED' });
  });

  it('refuses an answer to another request, one used before, and one for another browser', async () => {
    await using client = await discover();
    const { url, flow } = await client.begin();
    const back = await provider.agree(url);
    const stranger = { ...flow, state: 'another' };
    await expect(client.complete(back.search, stranger)).rejects.toMatchObject({ code: 'OIDC_SIGN_IN_FAILED' });
    const other = (await client.begin()).flow;
    const mixed = { ...flow, codeVerifier: other.codeVerifier };
    await expect(client.complete(back.search, mixed)).rejects.toMatchObject({
      message: expect.stringContaining('invalid_grant - the code is not good'),
    });
    await expect(client.complete(back.search, flow)).rejects.toMatchObject({ code: 'OIDC_SIGN_IN_FAILED' });
  });

  it('tells what the provider gave as its reason', async () => {
    await using client = await discover();
    const { flow } = await client.begin();
    const search = `?error=access_denied&error_description=not+today&state=${flow.state}`;
    await expect(client.complete(search, flow)).rejects.toMatchObject({
      message: expect.stringContaining('access_denied - not today'),
    });
  });

  it('tells when the provider does not know us', async () => {
    await using client = await discover({ clientSecret: 'wrong' });
    await expect(signIn(client)).rejects.toMatchObject({ message: expect.stringContaining('invalid_client') });
  });
});

describe('pingOidc', () => {
  it('finds a provider, and tells of what is none', async () => {
    await using provider = await OidcProvider.start();
    const trust = { verifyCertificate: false, timeoutMs: 20_000 };
    await pingOidc(provider.issuer, trust);
    await expect(pingOidc(`${provider.issuer}/elsewhere`, trust)).rejects.toMatchObject({ class: 'Unavailable' });
    await expect(pingOidc(`http://127.0.0.1:${await freePort()}`, trust)).rejects.toMatchObject({
      class: 'Unavailable',
      message: expect.stringContaining('connection refused'),
    });
    await expect(pingOidc('not a url', trust)).rejects.toMatchObject({ class: 'Unavailable' });
    await expect(pingOidc(provider.issuer, { ...trust, verifyCertificate: true })).rejects.toMatchObject({
      class: 'Unavailable',
    });
  });
});
