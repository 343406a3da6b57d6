import { access, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pollUntil } from '@vic/async';
import { run } from '@vic/process';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type E2eLab, openLab } from './open-lab.ts';

const govcProgram = join(dirname(dirname(import.meta.dirname)), 'build/peers/bin/govc');
const hasGovc = await access(govcProgram).then(
  () => true,
  () => false,
);

let lab: E2eLab;
beforeAll(async () => {
  lab = await openLab();
});
afterEach(async () => lab.removeContainers());

async function govc(...args: string[]): Promise<string> {
  const hostd = await lab.lab.startHostd();
  const { stdout } = await run(govcProgram, args, {
    timeoutMs: 180_000,
    env: {
      HOME: lab.lab.directory,
      GOVC_URL: `https://${hostd.address}:${hostd.port}`,
      GOVC_USERNAME: hostd.user,
      GOVC_PASSWORD: await readFile(hostd.passwordFile, 'utf8'),
      GOVC_INSECURE: '1',
    },
  });
  return stdout.trim();
}

describe.skipIf(!hasGovc)('govc on a host with a VCH (needs govc: node tools/install-peers.ts with Go)', () => {
  it('shows the endpoint, the template and the container VMs', async () => {
    const id = await lab.docker.ok(['run', '--detach', '--name', 'seen', lab.busybox, 'sleep', '1000']);
    const machines = (await govc('find', '/', '-type', 'm')).split('\n').map((path) => path.split('/').at(-1) ?? '');
    expect(machines).toContain('e2e');
    expect(machines).toContain(`seen-${id.slice(0, 12)}`);
    expect(machines.some((name) => name.includes('template'))).toBe(true);
    expect(await govc('vm.info', `seen-${id.slice(0, 12)}`)).toMatch(/Power state:\s+poweredOn/);
  });

  it('powers a container off, and Docker says so', async () => {
    const id = await lab.docker.ok(['run', '--detach', '--name', 'pulled', lab.busybox, 'sleep', '1000']);
    await govc('vm.power', '-off', `pulled-${id.slice(0, 12)}`);
    expect(await lab.docker.ok(['wait', 'pulled'])).toBe('137');
    await lab.docker.ok(['start', 'pulled']);
    expect(await lab.docker.ok(['exec', 'pulled', 'echo', 'again'])).toBe('again');
  });

  it('presses the power button, and the container gets the signal it wants to be stopped with', async () => {
    const script = 'trap "echo quits; exit 42" QUIT; trap "exit 43" TERM; echo ready; while :; do sleep 0.1; done';
    const args = ['--detach', '--name', 'polite', '--stop-signal', 'SIGQUIT', lab.busybox, 'sh', '-c', script];
    const id = await lab.docker.ok(['run', ...args]);
    // A process that is the first of its machine hears of no signal it does not handle yet.
    const isReady = async (): Promise<true | undefined> =>
      (await lab.docker.ok(['logs', 'polite'])) !== '' ? true : undefined;
    await pollUntil(isReady, 100, AbortSignal.timeout(120_000));
    await govc('vm.power', '-s', `polite-${id.slice(0, 12)}`);
    expect(await lab.docker.ok(['wait', 'polite'])).toBe('42');
    expect(await lab.docker.ok(['logs', 'polite'])).toBe('ready\nquits');
  });

  it('has the machines of a VCH in the control group of its pool, whose limit is that of the pool', async () => {
    const id = await lab.docker.ok(['run', '--detach', '--name', 'grouped', lab.busybox, 'sleep', '1000']);
    const groups = await readFile(`/proc/${await lab.machinePid(id)}/cgroup`, 'utf8');
    expect(groups).toMatch(new RegExp(`/vic-${lab.lab.instance}/pool-[0-9a-f]+/vm-`));
    await govc('pool.change', '-cpu.limit', '900', 'e2e');
    expect(await lab.docker.ok(['info'])).toContain('VCH CPU limit: 900 MHz');
    await govc('pool.change', '-cpu.limit', '-1', 'e2e');
    expect(await lab.docker.ok(['exec', 'grouped', 'echo', 'goes on'])).toBe('goes on');
  });

  it('finds the events of before when hostd was killed', async () => {
    const id = await lab.docker.ok(['run', '--detach', '--name', 'told', lab.busybox, 'sleep', '1000']);
    const before = await lab.hostdPid();
    await lab.killHostd();
    await lab.hostdIsBack(before);
    expect(await govc('events', '-n', '500')).toContain(`told-${id.slice(0, 12)} on`);
  });

  it('never shows a secret', async () => {
    const id = await lab.docker.ok(['run', '--detach', '--name', 'secretive', lab.busybox, 'sleep', '1000']);
    const config = await govc('vm.info', '-e', '-json', 'e2e', `secretive-${id.slice(0, 12)}`);
    expect(config).toContain('guestinfo.vic.id');
    expect(config).not.toMatch(/PRIVATE KEY|secret[^"]*","value":"[^"]/);
  });
});

describe('vic-machine', () => {
  it('lists and inspects', async () => {
    expect(await lab.lab.vicMachine('ls', [])).toMatch(/^ID\s+PATH\s+NAME\s+VERSION/m);
    const inspected = await lab.lab.vicMachine('inspect', ['--name', 'e2e']);
    expect(inspected).toContain(`DOCKER_HOST=${lab.vchAddress}:2376`);
    expect(await lab.lab.vicMachine('inspect', ['config', '--name', 'e2e'])).toContain('--bridge-network');
  });

  it('refuses what it does not do yet, by name', async () => {
    const refused = lab.lab.vicMachine('create', ['--name', 'other', '--nfs-volume', 'x']);
    await expect(refused).rejects.toThrow(/nfs-volume/);
    const halfAddressed = lab.lab.vicMachine('create', ['--name', 'other', '--public-network-ip', '192.0.2.1/24']);
    await expect(halfAddressed).rejects.toThrow(/both static IP and gateway/);
  });

  it('deletes a VCH with everything it made', async () => {
    const { docker, name } = await lab.secondVch();
    await docker.ok(['pull', '--quiet', lab.busybox]);
    await docker.ok(['run', '--detach', lab.busybox, 'sleep', '1000']);
    await expect(lab.lab.vicMachine('delete', ['--name', name])).rejects.toThrow(/powered on/);
    await lab.lab.vicMachine('delete', ['--name', name, '--force']);
    expect(await lab.lab.hasVch(name)).toBe(false);
    const left = hasGovc ? [await govc('find', '/'), await govc('datastore.ls')] : [];
    expect(left.filter((text) => text.includes(name))).toEqual([]);
    expect(await lab.docker.ok(['run', '--rm', lab.busybox, 'echo', 'the other one is untouched'])).toContain(
      'untouched',
    );
  });
});
