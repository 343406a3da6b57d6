import { silentLogger } from '@vic/log';
import { VimClient, probeThumbprint } from '@vic/vim-client';
import { describe, expect, it } from 'vitest';
import { ROOT_POOL, VM_FOLDER, connectTo, createMachine } from './testing/host-client.ts';
import { startHost } from './testing/host-under-test.ts';

describe('privileges', () => {
  it('let a reader look and not touch, and a role on an entity do what it says', async () => {
    await using host = await startHost();
    await using client = await connectTo(host);
    const ref = await createMachine(client, { name: 'looked-at' });
    await using reader = await connectTo(host, 'reader');
    expect(await reader.call(ref, 'Fetch', { prop: 'name' })).toBe('looked-at');
    await expect(reader.runTask(ref, 'PowerOnVM_Task', {})).rejects.toMatchObject({ faultType: 'NoPermission' });
    const authorization = { type: 'AuthorizationManager', value: 'ha-authmgr' } as const;
    const roleId = await client.call(authorization, 'AddAuthorizationRole', {
      name: 'operator',
      privIds: ['VirtualMachine.Interact.PowerOn'],
    });
    await client.call(authorization, 'SetEntityPermissions', {
      entity: ref,
      permission: [{ principal: 'reader', group: false, roleId, propagate: true }],
    });
    await reader.runTask(ref, 'PowerOnVM_Task', {});
    await expect(reader.runTask(ref, 'PowerOffVM_Task', {})).rejects.toMatchObject({ faultType: 'NoPermission' });
    await expect(
      reader.call(VM_FOLDER, 'CreateVM_Task', { config: { name: 'x' }, pool: ROOT_POOL }),
    ).rejects.toMatchObject({ faultType: 'NoPermission' });
  });

  it('show nothing to a user without access, and nothing but the door to a stranger', async () => {
    await using host = await startHost();
    await using client = await connectTo(host);
    const ref = await createMachine(client, { name: 'hidden' });
    await using nobody = await connectTo(host, 'nobody');
    await expect(nobody.call(ref, 'Fetch', { prop: 'name' })).rejects.toMatchObject({ faultType: 'NoPermission' });
    const { hostname, port } = new URL(host.url);
    const { sha256 } = await probeThumbprint(hostname, Number(port));
    await expect(
      VimClient.connect({ url: host.url, user: 'root', password: 'wrong', thumbprint: sha256, logger: silentLogger() }),
    ).rejects.toMatchObject({ class: 'Unauthenticated' });
  });
});
