import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@vic/process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HostUnderTest, startHost } from './testing/host-under-test.ts';

const GOVC = join(import.meta.dirname, '../../../../build/peers/bin/govc');
const missing = !existsSync(GOVC);

/** Why a command is refused, and the command. */
const REFUSED: readonly (readonly [string, ...string[]])[] = [
  ['configured when it starts', 'datastore.create', '-type', 'local', '-name', 'd', '-path', '/srv', 'host.test'],
  ['configured when it starts', 'datastore.remove', '-ds', 'datastore1', 'host.test'],
  ['there is no other', 'datastore.maintenance.enter', '-ds', 'datastore1'],
  ['never in maintenance', 'datastore.maintenance.exit', '-ds', 'datastore1'],
  ['thin', 'datastore.disk.inflate', 'vm2/vm2.vmdk'],
  ['copy the disk', 'datastore.disk.shrink', 'vm2/vm2.vmdk'],
  ['bootOptions', 'device.boot', '-vm', 'vm2', '-delay', '1000'],
  ['no device of type', 'device.clock.add', '-vm', 'vm2'],
  ['VirtualFloppy', 'device.floppy.add', '-vm', 'vm2'],
  ['one SCSI controller', 'device.scsi.add', '-vm', 'vm2', '-type', 'pvscsi'],
  ['VirtualAHCIController', 'device.sata.add', '-vm', 'vm2'],
  ['VirtualUSBController', 'device.usb.add', '-vm', 'vm2'],
  ['passes no hardware', 'device.pci.ls', '-vm', 'vm2'],
];

describe.skipIf(missing)(`${missing ? 'govc (not installed: node tools/install-peers.ts)' : 'govc'}`, () => {
  let host: HostUnderTest;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(async () => host[Symbol.asyncDispose]());

  async function govc(...args: readonly string[]): Promise<string> {
    const env = {
      GOVC_URL: `${host.url}/sdk`,
      GOVC_USERNAME: host.user,
      GOVC_PASSWORD: host.password,
      GOVC_INSECURE: '1',
      GOVC_PERSIST_SESSION: 'false',
      HOME: host.directory,
    };
    const { stdout } = await run(GOVC, args, { env, timeoutMs: 90_000 });
    return stdout;
  }

  const createVm = async (name: string): Promise<string> =>
    govc(
      'vm.create',
      '-on=false',
      '-m',
      '32',
      '-c',
      '1',
      '-net',
      'VM Network',
      '-net.adapter',
      'vmxnet3',
      '-disk.controller',
      'pvscsi',
      '-disk',
      '64M',
      name,
    );

  it('looks around', async () => {
    expect(await govc('about')).toMatch(/API type:\s+HostAgent/);
    expect(await govc('ls')).toBe(
      '/ha-datacenter/network\n/ha-datacenter/datastore\n/ha-datacenter/host\n/ha-datacenter/vm\n',
    );
    expect(await govc('find', '/')).toContain('/ha-datacenter/host/host.test/Resources');
    expect(await govc('host.info')).toMatch(/Name:\s+host.test/);
    expect(await govc('session.ls')).toContain('root');
    expect(await govc('license.ls')).toContain('APACHE-2.0');
    expect(await govc('role.ls')).toContain('ReadOnly');
  });

  it('creates, changes, powers and destroys a machine', async () => {
    await createVm('vm1');
    await govc('vm.power', '-on', 'vm1');
    expect(JSON.parse(await govc('vm.info', '-json', 'vm1'))).toMatchObject({
      virtualMachines: [{ runtime: { powerState: 'poweredOn' } }],
    });
    await govc('vm.change', '-vm', 'vm1', '-e', 'guestinfo.a=b');
    expect(await govc('vm.info', '-e', 'vm1')).toMatch(/guestinfo.a:\s+b/);
    const uuid = /UUID:\s+(\S+)/.exec(await govc('vm.info', 'vm1'))?.[1] ?? '';
    host.machines.report(uuid, 'guestinfo.vic.status.addresses', '["192.0.2.7/24"]');
    expect(await govc('vm.ip', 'vm1')).toBe('192.0.2.7\n');
    expect(await govc('vm.info', '-r', 'vm1')).toMatch(/IP address:\s+192.0.2.7\n(.*\n)*.*Storage committed:\s+[1-9]/);
    await govc('vm.disk.create', '-vm', 'vm1', '-name', 'vm1/second', '-size', '10M');
    await govc('vm.power', '-reset', 'vm1');
    await govc('vm.power', '-suspend', 'vm1');
    await govc('vm.power', '-on', 'vm1');
    await govc('vm.power', '-off', 'vm1');
    expect((await govc('device.serial.add', '-vm', 'vm1')).trim()).toBe('serialport-9000');
    await govc('device.serial.connect', '-vm', 'vm1', '-client', 'tcp://127.0.0.1:2377');
    await govc('device.cdrom.add', '-vm', 'vm1');
    await govc('device.cdrom.insert', '-vm', 'vm1', 'boot.iso');
    expect(await govc('device.ls', '-vm', 'vm1')).toMatch(/disk-1000-1.*\n(.*\n)*cdrom-3000/);
    await govc('device.cdrom.eject', '-vm', 'vm1');
    await govc('device.disconnect', '-vm', 'vm1', 'ethernet-0');
    await govc('device.connect', '-vm', 'vm1', 'ethernet-0');
    expect(await govc('device.info', '-vm', 'vm1', 'serialport-9000')).toContain('tcp://127.0.0.1:2377');
    await govc('device.remove', '-vm', 'vm1', 'serialport-9000');
    expect(await govc('events', '-type', 'VmPoweredOnEvent', '/ha-datacenter/vm/vm1')).toContain(
      'vm1 on host.test is powered on',
    );
    expect(await govc('tasks')).toMatch(/CreateVM\s+vm\s.*success/);
    await govc('object.rename', '/ha-datacenter/vm/vm1', 'vm1b');
    await govc('vm.unregister', 'vm1b');
    await govc('vm.register', 'vm1/vm1.vmx');
    await govc('vm.destroy', 'vm1b');
    expect(await govc('find', '-type', 'm')).not.toContain('vm1');
    expect(await govc('datastore.ls')).not.toContain('vm1');
  });

  it('refuses what a lone host refuses', async () => {
    await createVm('vm2');
    await expect(govc('snapshot.create', '-vm', 'vm2', 's')).rejects.toThrow('no snapshots');
    await expect(govc('vm.disk.attach', '-vm', 'vm2', '-disk', 'vm2/none.vmdk')).rejects.toThrow('not found');
    await govc('vm.power', '-on', 'vm2');
    await expect(govc('vm.power', '-r', 'vm2')).rejects.toThrow('cannot ask a guest to restart');
    for (const [reason, ...command] of REFUSED) await expect(govc(...command)).rejects.toThrow(reason);
    await govc('vm.power', '-s', 'vm2');
    await expect.poll(async () => govc('vm.info', 'vm2')).toMatch(/Power state:\s+poweredOff/);
    await govc('vm.destroy', 'vm2');
  });

  it('moves files and makes disks', async () => {
    const file = join(host.directory, 'file.txt');
    await writeFile(file, 'content');
    await govc('datastore.mkdir', '-p', 'a/b');
    await govc('datastore.upload', file, 'a/b/file.txt');
    expect(await govc('datastore.ls', '-l', 'a/b')).toMatch(/7B.*file.txt/);
    expect(await govc('datastore.ls', '-R')).toContain('[datastore1] a/b/:\nfile.txt');
    await govc('datastore.cp', 'a/b/file.txt', 'a/copy.txt');
    await govc('datastore.mv', 'a/copy.txt', 'a/moved.txt');
    await govc('datastore.download', 'a/moved.txt', join(host.directory, 'back.txt'));
    expect(await readFile(join(host.directory, 'back.txt'), 'utf8')).toBe('content');
    await govc('datastore.disk.create', '-size', '20M', 'a/x.vmdk');
    expect(await govc('datastore.ls', 'a')).toBe('b\nmoved.txt\nx.vmdk\n');
    expect(await govc('datastore.disk.info', 'a/x.vmdk')).toMatch(
      /Name:\s+a\/x.vmdk\n\s+Type:\s+thin\n\s+Parent:\s*\n/,
    );
    await host.inventory.host.datastores.createChildDisk('[datastore1] a/y.vmdk', '[datastore1] a/x.vmdk');
    expect(await govc('datastore.disk.info', 'a/y.vmdk')).toMatch(/Parent:\s+a\/x.vmdk/);
    expect(await govc('datastore.disk.info', '-p', '-c', 'a/y.vmdk')).toBe('a/y.vmdk\n  a/x.vmdk\n');
    await expect(govc('datastore.disk.info', 'a/none.vmdk')).rejects.toThrow('not found');
    await govc('datastore.rm', 'a/y.vmdk');
    await govc('datastore.disk.extend', '-size', '30M', 'a/x.vmdk');
    await govc('datastore.cp', 'a/x.vmdk', 'a/z.vmdk');
    expect(await govc('datastore.tail', '-n', '1', 'a/moved.txt')).toBe('content');
    await govc('datastore.rm', 'a/moved.txt');
    await govc('datastore.rm', 'a');
    expect(await govc('datastore.info')).toMatch(/Name:\s+datastore1/);
  });

  it('divides the host into pools and networks', async () => {
    const pool = 'host.test/Resources/p1';
    await govc('pool.create', '-mem.limit', '100', pool);
    await govc('pool.change', '-mem.limit', '200', pool);
    expect(JSON.parse(await govc('pool.info', '-json', pool))).toMatchObject({
      resourcePools: [{ config: { memoryAllocation: { limit: 200 } } }],
    });
    await govc('vm.create', '-on=true', '-m', '150', '-pool', 'p1', 'inpool');
    await expect(govc('vm.create', '-on=true', '-m', '64', '-pool', 'p1', 'toomuch')).rejects.toThrow('50 MiB');
    await govc('vm.destroy', 'inpool');
    await govc('vm.destroy', 'toomuch');
    await govc('pool.create', `${pool}/child`);
    await govc('pool.destroy', '-children', pool);
    await govc('pool.destroy', pool);
    await govc('host.vswitch.add', 'sw1');
    await govc('host.portgroup.add', '-vswitch', 'sw1', 'pg1');
    expect(await govc('host.portgroup.info')).toMatch(/Name:\s+pg1/);
    await govc('host.portgroup.remove', 'pg1');
    await govc('host.vswitch.remove', 'sw1');
  });

  it('keeps permissions', async () => {
    await govc('role.create', 'r1', 'System.Read');
    await govc('permissions.set', '-principal', 'reader', '-role', 'r1');
    expect(await govc('permissions.ls')).toMatch(/r1\s+\/\s+reader\s+Yes/);
    await govc('permissions.remove', '-principal', 'reader');
    await govc('role.remove', 'r1');
  });
});
