import { HttpClient } from '@vic/http-client';
import { isFault, NAMESPACE, reference } from '@vic/vim';
import { describe, expect, it } from 'vitest';
import { probeThumbprint } from '../index.ts';
import { connectTo, type VimServerQuirks } from './server-under-test.ts';
import type { SuiteContext } from './vim-server-suite.ts';

const SERVICE_INSTANCE = reference('ServiceInstance', 'ServiceInstance');

/** Sessions: login, its loss, and what is refused. */
export function sessionTests(context: () => SuiteContext, quirks: VimServerQuirks): void {
  describe('session', () => {
    it('a version that both sides know is agreed on', async () => {
      const { client } = context();
      expect(client.version).toMatch(/^[56]\./);
      expect(client.isVirtualCenter).toBe(false);
      expect(await client.call(SERVICE_INSTANCE, 'CurrentTime', {})).toBeInstanceOf(Date);
    });

    it('a wrong password is refused', async () => {
      const { server } = context();
      const attempt = connectTo(server, { password: 'not the password' });
      await expect(attempt).rejects.toMatchObject({ class: 'Unauthenticated', faultType: 'InvalidLogin' });
    });

    it('a certificate with another thumbprint is refused', async () => {
      const { server } = context();
      const attempt = connectTo(server, { thumbprint: '00'.repeat(32) });
      await expect(attempt).rejects.toMatchObject({ class: 'Unavailable', code: 'HTTP_THUMBPRINT_MISMATCH' });
    });

    it('a session that the server forgot is replaced without the caller noticing', async () => {
      const { server } = context();
      await using client = await connectTo(server);
      const { sessionManager, rootFolder } = client.content;
      if (sessionManager === undefined) throw new Error('no session manager');
      await client.call(sessionManager, 'Logout', {});
      const calls = Array.from({ length: 5 }, () =>
        client.call(client.content.propertyCollector, 'RetrievePropertiesEx', {
          specSet: [{ propSet: [{ type: 'Folder', pathSet: ['name'] }], objectSet: [{ obj: rootFolder }] }],
          options: {},
        }),
      );
      for (const result of await Promise.all(calls)) expect(result?.objects).toHaveLength(1);
    });

    it('calls without a login are refused', async () => {
      const { server, client } = context();
      const folder = client.content.rootFolder.value;
      const answer = await post(
        server.url,
        `<CreateFolder xmlns="urn:vim25"><_this type="Folder">${folder}</_this><name>a</name></CreateFolder>`,
      );
      expect(answer.status).toBe(500);
      expect(answer.text).toContain('NotAuthenticated');
    });

    it.skipIf(quirks.acceptsAnyElements === true)('elements that are unknown or out of order are refused', async () => {
      const { server } = context();
      const inner = '<_this type="ServiceInstance">ServiceInstance</_this><surprise>1</surprise>';
      const answer = await post(
        server.url,
        `<RetrieveServiceContent xmlns="urn:vim25">${inner}</RetrieveServiceContent>`,
      );
      expect(answer.status).toBe(500);
      expect(answer.text).toContain('InvalidRequest');
    });

    it('a reference to nothing is a ManagedObjectNotFound fault that names it', async () => {
      const { client } = context();
      const attempt = client.call(reference('VirtualMachine', 'no-such-vm'), 'PowerOnVM_Task', {});
      const error = await attempt.then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(isFault(error, 'ManagedObjectNotFound') && error.fault.obj.value).toBe('no-such-vm');
    });
  });
}

async function post(url: string, call: string): Promise<{ readonly status: number; readonly text: string }> {
  const { hostname, port } = new URL(url);
  const { sha256 } = await probeThumbprint(hostname, Number(port));
  await using http = new HttpClient({ tls: { thumbprint: sha256 } });
  const response = await http.request({
    url: `${url}/sdk`,
    method: 'POST',
    headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: '"urn:vim25/6.5"' },
    body:
      `<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="${NAMESPACE.soap}" xmlns:xsi="${NAMESPACE.xsi}">` +
      `<e:Body>${call}</e:Body></e:Envelope>`,
  });
  return { status: response.status, text: await response.text() };
}
