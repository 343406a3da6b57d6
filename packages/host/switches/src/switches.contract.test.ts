import { randomBytes } from 'node:crypto';
import { createNamespace, deleteNamespace, findLink, listLinks } from '@vic/network';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Switches, bridgeNameOf } from './index.ts';

const host = `t-sw-${randomBytes(4).toString('hex')}`;
const machine = `${host}-m`;
const portGroup = { name: 'vch bridge', virtualSwitch: 'vSwitch0', vlanId: 0 };
const switches = new Switches({ namespace: host });

beforeEach(async () => {
  await createNamespace(host);
  await createNamespace(machine);
});

afterEach(async () => {
  await deleteNamespace(machine);
  await deleteNamespace(host);
});

describe('Switches', () => {
  it('ensure() makes a bridge that is up, and can be repeated', async () => {
    await switches.ensure(portGroup);
    await switches.ensure(portGroup);
    const bridge = await findLink({ namespace: host }, bridgeNameOf(portGroup.name));
    expect(bridge?.up).toBe(true);
  });

  it('ensure() refuses a VLAN by name', async () => {
    await expect(switches.ensure({ ...portGroup, vlanId: 7 })).rejects.toMatchObject({ class: 'NotSupported' });
  });

  it('createTap() connects a tap that removeTap() takes away', async () => {
    await switches.ensure(portGroup);
    const tap = await switches.createTap(portGroup.name, 12_345);
    expect(await findLink({ namespace: host }, tap)).toMatchObject({ bridge: bridgeNameOf(portGroup.name), up: true });
    expect(await switches.listPorts()).toEqual([tap]);
    await switches.removeTap(tap);
    await switches.removeTap(tap);
    expect(await switches.listPorts()).toEqual([]);
  });

  it('createVethPort() gives the namespace an interface with the name and MAC asked for', async () => {
    await switches.ensure(portGroup);
    const port = await switches.createVethPort(portGroup.name, machine, 'eth0', '02:00:00:00:00:0a');
    expect(await findLink({ namespace: machine }, 'eth0')).toMatchObject({ mac: '02:00:00:00:00:0a', up: true });
    await switches.removeVethPort(port);
    expect(await findLink({ namespace: machine }, 'eth0')).toBeUndefined();
  });

  it('remove() refuses a port group that is in use, and removes it afterwards', async () => {
    await switches.ensure(portGroup);
    const tap = await switches.createTap(portGroup.name, 0);
    await expect(switches.remove(portGroup.name)).rejects.toMatchObject({
      class: 'Conflict',
      message: 'Port group vch bridge cannot be removed: 1 port is connected to it.',
    });
    await switches.removeTap(tap);
    await switches.remove(portGroup.name);
    await switches.remove(portGroup.name);
    expect(await findLink({ namespace: host }, bridgeNameOf(portGroup.name))).toBeUndefined();
  });

  it('a port on an unknown port group is refused and leaves nothing behind', async () => {
    await expect(switches.createTap('nowhere', 0)).rejects.toMatchObject({ code: 'SWITCH_PORT_GROUP_NOT_FOUND' });
    await expect(switches.createVethPort('nowhere', machine, 'eth0', '02:00:00:00:00:0b')).rejects.toMatchObject({
      code: 'SWITCH_PORT_GROUP_NOT_FOUND',
    });
    expect(await switches.listPorts()).toEqual([]);
    expect((await listLinks({ namespace: machine })).map((link) => link.name)).toEqual(['lo']);
  });

  it('movePort() moves a port between port groups and disconnects it', async () => {
    const other = { ...portGroup, name: 'other' };
    await switches.ensure(portGroup);
    await switches.ensure(other);
    const tap = await switches.createTap(portGroup.name, 0);
    await switches.movePort(tap, other.name);
    expect((await findLink({ namespace: host }, tap))?.bridge).toBe(bridgeNameOf('other'));
    await switches.movePort(tap, undefined);
    expect((await findLink({ namespace: host }, tap))?.bridge).toBeUndefined();
    await expect(switches.movePort(tap, 'nowhere')).rejects.toMatchObject({ code: 'SWITCH_PORT_GROUP_NOT_FOUND' });
    expect(await switches.listPorts()).toEqual([tap]);
  });
});
