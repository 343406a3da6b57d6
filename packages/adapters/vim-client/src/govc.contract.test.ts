import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { codecProxy } from './testing/codec-proxy.ts';
import { PEERS, startVcsim } from './testing/vcsim.ts';

const run = promisify(execFile);
const isInstalled = existsSync(join(PEERS, 'vcsim')) && existsSync(join(PEERS, 'govc'));

/** Ordered: later commands use what earlier ones made. */
const COMMANDS = [
  'about',
  'vm.create -m 32 -c 1 -on=false -disk 1M -disk.controller pvscsi one',
  'ls -l /ha-datacenter/vm',
  'vm.change -vm one -m 64 -e guestinfo.a=b',
  'device.serial.add -vm one',
  'device.cdrom.add -vm one',
  'vm.network.add -vm one -net.adapter vmxnet3',
  'device.ls -vm one',
  'vm.power -on one',
  'snapshot.create -vm one first',
  'snapshot.tree -vm one',
  'vm.power -off one',
  'vm.destroy one',
  'pool.create */Resources/p1',
  'pool.change -cpu.shares high */Resources/p1',
  'pool.destroy */Resources/p1',
  'host.info',
  'host.vswitch.add vSwitchX',
  'host.portgroup.add -vswitch vSwitchX px',
  'host.portgroup.info',
  'host.portgroup.remove px',
  'datastore.ls',
  'datastore.info',
  'role.create r1 System.View',
  'permissions.ls',
  'license.ls',
  'option.ls',
  'events -n 5',
  'session.ls',
  'metric.ls /ha-datacenter/host',
];

describe.skipIf(!isInstalled)('govc and vcsim (node tools/install-peers.ts)', () => {
  it('understand each other through our codec', async () => {
    await using vcsim = await startVcsim();
    await using proxy = await codecProxy(vcsim.url);
    const env = {
      GOVC_URL: proxy.url,
      GOVC_USERNAME: vcsim.user,
      GOVC_PASSWORD: vcsim.password,
      GOVC_VIM_VERSION: '6.7.1',
      // Each command logs in for itself; a session file would be shared with others on the machine.
      GOVC_PERSIST_SESSION: 'false',
    };
    for (const command of COMMANDS) await run(join(PEERS, 'govc'), command.split(' '), { env, timeout: 60_000 });
    expect(proxy.refusals).toEqual([]);
    expect(new Set(proxy.requests).size).toBeGreaterThan(25);
  }, 300_000);
});
