import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  addAddress,
  createBridge,
  createNamespace,
  createTap,
  createVeth,
  deleteLink,
  deleteNamespace,
  deleteTable,
  findFreeSubnet,
  findLink,
  listLinks,
  listNamespaces,
  listRoutes,
  listTables,
  namespaceExists,
  readNetworkSetting,
  replaceTable,
  setBridge,
  setDefaultRoute,
  setLinkUp,
  showTable,
  writeNetworkSetting,
} from './index.ts';

const namespace = `t-nw-${randomBytes(4).toString('hex')}`;
const scope = { namespace };

beforeEach(() => createNamespace(namespace));
afterEach(async () => void (await deleteNamespace(namespace)));

describe('namespaces', () => {
  it('are created once, listed, and deleted as often as asked', async () => {
    expect(await namespaceExists(namespace)).toBe(true);
    expect(await listNamespaces()).toContain(namespace);
    await expect(createNamespace(namespace)).rejects.toMatchObject({ class: 'AlreadyExists' });
    expect(await deleteNamespace(namespace)).toBe(true);
    expect(await deleteNamespace(namespace)).toBe(false);
    expect(await namespaceExists(namespace)).toBe(false);
  });

  it.each(['', '../x', 'a b', '-x', 'x\ny', 'a/b'])('refuse the name %j', async (name) => {
    await expect(createNamespace(name)).rejects.toMatchObject({ class: 'InvalidArgument' });
  });
});

describe('links', () => {
  it('connect taps and veth pairs to bridges', async () => {
    await createBridge(scope, 'br0');
    await createTap(scope, { name: 'tap0', ownerUid: 1234, bridge: 'br0' });
    await createVeth(scope, { name: 'left', bridge: 'br0' }, { name: 'right', mac: '02:00:00:00:00:09' });
    expect((await listLinks(scope, { bridge: 'br0' })).map((link) => link.name).toSorted()).toEqual(['left', 'tap0']);
    expect(await findLink(scope, 'right')).toMatchObject({ mac: '02:00:00:00:00:09', up: true, bridge: undefined });
    await setBridge(scope, 'tap0', undefined);
    await setLinkUp(scope, 'tap0', false);
    expect(await findLink(scope, 'tap0')).toMatchObject({ bridge: undefined, up: false });
    expect(await deleteLink(scope, 'left')).toBe(true);
    expect(await deleteLink(scope, 'left')).toBe(false);
    expect(await findLink(scope, 'right')).toBeUndefined();
  });

  it('refuse names that could be taken for something else', async () => {
    for (const name of ['x y', 'a\nlink delete br0', '-batch', 'sixteen-letters-', '', '..']) {
      await expect(createBridge(scope, name)).rejects.toMatchObject({
        class: 'InvalidArgument',
      });
    }
    await expect(createBridge({ namespace: `${namespace}-none` }, 'br0')).rejects.toMatchObject({ class: 'NotFound' });
  });
});

describe('addresses and routes', () => {
  it('are set, listed, and avoided by findFreeSubnet()', async () => {
    await createBridge(scope, 'br0');
    await addAddress(scope, 'br0', '192.168.254.2/24');
    await addAddress(scope, 'br0', '192.168.254.2/24');
    await setDefaultRoute(scope, '192.168.254.1');
    await setDefaultRoute(scope, '192.168.254.3');
    expect((await findLink(scope, 'br0'))?.addresses).toEqual(['192.168.254.2/24']);
    expect(await listRoutes(scope)).toEqual([
      { destination: 'default', gateway: '192.168.254.3', interfaceName: 'br0' },
      { destination: '192.168.254.0/24', gateway: undefined, interfaceName: 'br0' },
    ]);
    expect(await findFreeSubnet(scope)).toBe('192.168.253.0/24');
  });
});

describe('nftables', () => {
  const chain = (policy: string): string => `chain input { type filter hook input priority filter; policy ${policy}; }`;

  it('replaceTable() puts all rules in force or keeps those there were', async () => {
    await replaceTable(scope, 'inet', 'vic_test', chain('accept'));
    await replaceTable(scope, 'inet', 'vic_test', chain('drop'));
    await expect(replaceTable(scope, 'inet', 'vic_test', 'chain input { nonsense }')).rejects.toThrow(/nft/);
    expect(await showTable(scope, 'inet', 'vic_test')).toContain('policy drop');
    expect(await listTables(scope, 'inet')).toEqual(['vic_test']);
    expect(await deleteTable(scope, 'inet', 'vic_test')).toBe(true);
    expect(await deleteTable(scope, 'inet', 'vic_test')).toBe(false);
  });
});

describe('kernel settings', () => {
  it('are read and written in their namespace', async () => {
    await writeNetworkSetting(scope, 'ipv4/ip_forward', '1');
    expect(await readNetworkSetting(scope, 'ipv4/ip_forward')).toBe('1');
    await writeNetworkSetting(scope, 'ipv4/ip_forward', '0');
    expect(await readNetworkSetting(scope, 'ipv4/ip_forward')).toBe('0');
    expect(await writeNetworkSetting(scope, 'ipv4/no_such_setting', '1')).toBe(false);
    await expect(readNetworkSetting(scope, '../../kernel/core_pattern')).rejects.toMatchObject({
      class: 'InvalidArgument',
    });
  });
});
