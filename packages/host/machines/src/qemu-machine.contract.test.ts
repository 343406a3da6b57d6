import { randomUUID } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MachineSpec } from '@vic/inventory';
import { listLinks } from '@vic/network';
import { run } from '@vic/process';
import { TestHost } from './fixtures/test-host.ts';

let host: TestHost;
let template: MachineSpec;

beforeAll(async () => {
  host = await TestHost.create();
  template = host.template();
  const started = performance.now();
  await host.backend.call('powerOn', template);
  await frozen(template.id);
  report('cold boot to frozen', performance.now() - started);
}, 900_000);

afterAll(async () => host.dispose());

describe('instant clones', () => {
  it('run with their own identity, disk and channel, within the memory of the source', async () => {
    const clone = await cloneSpec();
    const log = join(host.directory, 'clone.log');
    const serialPorts = [...clone.serialPorts, { key: 9001, backing: { kind: 'file', path: log } as const }];
    const started = performance.now();
    await host.backend.call('instantClone', template.id, { ...clone, serialPorts });
    report('instantClone()', host.backend.lastCallMs);
    await greeted(clone.id);
    report('call to authenticated tether', performance.now() - started);
    expect((await stat(log)).isFile()).toBe(true);
    expect(await runsAs(clone.id)).toMatchObject({ root: false, noNewPrivileges: true });
    const usage = await host.backend.call('usage', clone.id);
    report('private MiB after its start', usage.privateMemoryBytes / 2 ** 20);
    expect(usage.privateMemoryBytes).toBeLessThan(100 * 2 ** 20);
    await host.backend.call('powerOff', clone.id);
    expect(await runsAs(clone.id)).toBeUndefined();
  });

  it('start in parallel, and after a power-off again', async () => {
    const clones = await Promise.all([cloneSpec(), cloneSpec(), cloneSpec()] as const);
    await Promise.all(clones.map(async (clone) => host.backend.call('instantClone', template.id, clone)));
    report('slowest of three parallel clones', host.backend.lastCallMs);
    await Promise.all(clones.map(async ({ id }) => greeted(id)));
    const [first] = clones;
    await host.backend.call('powerOff', first.id);
    host.backend.events.length = 0;
    await host.backend.call('powerOn', first);
    report('powerOn() of a clone', host.backend.lastCallMs);
    await greeted(first.id);
    for (const { id } of clones) await host.backend.call('powerOff', id);
  });

  it('take disks and network cards while they run', async () => {
    const clone = await cloneSpec();
    await host.backend.call('instantClone', template.id, clone);
    await greeted(clone.id);
    const path = await host.disk();
    await host.backend.call('attachDisk', clone.id, { key: 2005, unitNumber: 5, path, readOnly: false });
    await host.backend.call('detachDisk', clone.id, 2005);
    expect((await stat(path)).uid).toBe(0);
    await host.backend.call('ensure', 'second');
    const nic = { key: 4001, mac: '02:00:00:00:00:77', portGroup: 'second', connected: true };
    await host.backend.call('attachNic', clone.id, nic);
    expect(await host.backend.call('listPorts')).toHaveLength(2);
    await host.backend.call('updateNic', clone.id, { ...nic, portGroup: 'bridge', connected: false });
    await host.backend.call('detachNic', clone.id, 4001);
    expect(await host.backend.call('listPorts')).toHaveLength(1);
    await host.backend.call('powerOff', clone.id);
    expect(await host.backend.call('listPorts')).toEqual([]);
  });

  it('end when their guest powers off', async () => {
    const clone = await cloneSpec();
    await host.backend.call('instantClone', template.id, clone);
    await greeted(clone.id);
    await host.backend.call('powerOffGuest', clone.id);
    const exited = await host.backend.event((event) => event.type === 'exited' && event.id === clone.id, 'the exit');
    expect(exited).toMatchObject({ exit: 'guest-shutdown' });
    expect(await runsAs(clone.id)).toBeUndefined();
    expect(await host.backend.call('listPorts')).toEqual([]);
    expect((await stat(clone.disks[0]?.path ?? '')).uid).toBe(0);
  });

  it('can be without a network card, and given one later', async () => {
    const clone = { ...(await cloneSpec()), nics: [] };
    await host.backend.call('instantClone', template.id, clone);
    await greeted(clone.id);
    expect(await host.backend.call('listPorts')).toEqual([]);
    const nic = { key: 4000, mac: '02:00:00:00:00:7a', portGroup: 'bridge', connected: true };
    await host.backend.call('attachNic', clone.id, nic);
    await host.backend.call('forget', clone.id);
    expect(await listLinks({ namespace: host.namespace })).not.toContainEqual(
      expect.objectContaining({ name: expect.stringMatching(/^idle/) as string }),
    );
  });

  it('are refused when they differ from the source', async () => {
    const clone = { ...(await cloneSpec()), memoryMiB: 128 };
    await expect(host.backend.call('instantClone', template.id, clone)).rejects.toMatchObject({
      code: 'MACHINE_SOURCE_UNUSABLE',
    });
    await expect(host.backend.call('instantClone', randomUUID(), clone)).rejects.toMatchObject({
      code: 'MACHINE_SOURCE_UNUSABLE',
    });
  });

  it('outlive a hostd that is killed, and are adopted with their source', async () => {
    const clone = await cloneSpec();
    const gone = await cloneSpec();
    await host.backend.call('instantClone', template.id, clone);
    await host.backend.call('instantClone', template.id, gone);
    const before = await runsAs(clone.id);
    const stray = await host.backend.call('createTap', 'bridge');
    await host.backend.kill();
    process.kill((await runsAs(gone.id))?.pid ?? 0, 'SIGKILL');
    const backend = await host.restart();
    const adopted = await backend.call('adopt', [template, clone, gone]);
    expect([...adopted].toSorted()).toEqual([template.id, clone.id].toSorted());
    expect((await runsAs(clone.id))?.pid).toBe(before?.pid);
    expect(await backend.call('listPorts')).toHaveLength(1);
    expect(await backend.call('listPorts')).not.toContain(stray);
    await backend.call('suspend', clone.id);
    await backend.call('resume', clone.id);
    process.kill(before?.pid ?? 0, 'SIGKILL');
    const exited = await backend.event((event) => event.type === 'exited' && event.id === clone.id, 'the exit');
    expect(exited).toMatchObject({ exit: 'crashed' });
    expect(await backend.call('listPorts')).toEqual([]);
    const again = await cloneSpec();
    await backend.call('instantClone', template.id, again);
    await greeted(again.id);
    await backend.call('forget', again.id);
  });
});

describe('a hostd that was killed', () => {
  it('while it started a machine ends what it left, with a record or without', async () => {
    const [half, unknown, lost] = [await cloneSpec(), await cloneSpec(), await cloneSpec()];
    for (const spec of [half, unknown, lost]) await host.backend.call('instantClone', template.id, spec);
    await host.backend.kill();
    for (const { id } of [half, unknown]) {
      const path = host.path(id, 'machine.json');
      const now = JSON.parse(await readFile(path, 'utf8')) as object;
      await writeFile(path, JSON.stringify({ ...now, phase: 'starting', process: undefined, nics: [] }));
    }
    await writeFile(host.path(lost.id, 'machine.json'), '{"id":');
    const backend = await host.restart();
    expect(await backend.call('adopt', [template, half])).toEqual([template.id]);
    for (const { id } of [half, unknown, lost]) expect(await runsAs(id)).toBeUndefined();
    for (const { disks } of [half, unknown]) expect((await stat(disks[0]?.path ?? '')).uid).toBe(0);
    expect(await backend.call('listPorts')).toEqual([]);
    await backend.call('instantClone', template.id, half);
    await backend.call('powerOff', half.id);
  });

  it('takes over a machine that does not answer for a while, and never ends it', async () => {
    const clone = await cloneSpec();
    await host.backend.call('instantClone', template.id, clone);
    const before = await runsAs(clone.id);
    await host.backend.kill();
    process.kill(before?.pid ?? 0, 'SIGSTOP');
    const backend = await host.restart();
    expect(await backend.call('adopt', [template, clone])).toContain(clone.id);
    await expect(backend.call('suspend', clone.id)).rejects.toMatchObject({ code: 'MACHINE_NOT_ANSWERING' });
    process.kill(before?.pid ?? 0, 'SIGCONT');
    await expect.poll(async () => backend.call('suspend', clone.id).then(() => 'suspended', String)).toBe('suspended');
    expect((await runsAs(clone.id))?.pid).toBe(before?.pid);
    await backend.call('powerOff', clone.id);
    expect(await runsAs(clone.id)).toBeUndefined();
  });
});

describe('a frozen machine', () => {
  it('of another shape, without a network card, gives clones with two', async () => {
    const source = { ...host.template(), cpus: 2, memoryMiB: 192, nics: [] };
    await host.backend.call('powerOn', source);
    await frozen(source.id);
    const { nics, ...rest } = await cloneSpec();
    const second = { key: 4001, mac: '02:00:00:00:00:79', portGroup: 'bridge', connected: true };
    const clone = { ...rest, cpus: 2, memoryMiB: 192, forkedFrom: source.id, nics: [...nics, second] };
    await host.backend.call('instantClone', source.id, clone);
    await greeted(clone.id);
    expect(await host.backend.call('listPorts')).toHaveLength(2);
    await host.backend.call('forget', clone.id);
    await host.backend.call('forget', source.id);
    await expect(stat(host.path(source.id, ''))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('that keeps a place for a disk gives clones that have one there, or none yet', async () => {
    const reservedDiskBytes = 64 * 2 ** 20;
    const source = { ...host.template(), reservedDiskBytes };
    await host.backend.call('powerOn', source);
    await frozen(source.id);
    const full = { ...(await cloneSpec()), forkedFrom: source.id, reservedDiskBytes };
    const empty = { ...(await cloneSpec()), forkedFrom: source.id, reservedDiskBytes, disks: [] };
    for (const clone of [full, empty]) {
      await host.backend.call('instantClone', source.id, clone);
      await greeted(clone.id);
    }
    const disk = { key: 2000, unitNumber: 0, path: await host.disk(), readOnly: false };
    await host.backend.call('attachDisk', empty.id, disk);
    await expect(host.backend.call('attachDisk', empty.id, { ...disk, key: 2001 })).rejects.toMatchObject({
      code: 'QMP_REFUSED',
    });
    await host.backend.call('detachDisk', empty.id, 2000);
    const other = { ...(await cloneSpec()), forkedFrom: source.id };
    await expect(host.backend.call('instantClone', source.id, other)).rejects.toMatchObject({
      code: 'MACHINE_SOURCE_UNUSABLE',
    });
    for (const { id } of [full, empty, source]) await host.backend.call('forget', id);
  });

  it('can be cloned or powered off, nothing else', async () => {
    await expect(host.backend.call('resume', template.id)).rejects.toMatchObject({ code: 'MACHINE_FROZEN' });
    await expect(host.backend.call('powerOn', template)).rejects.toMatchObject({ code: 'MACHINE_ALREADY_ON' });
  });

  it('is not taken over when another version of QEMU made it', async () => {
    const record = host.path(template.id, 'machine.json');
    const now = JSON.parse(await readFile(record, 'utf8')) as { readonly shape: string };
    await host.backend.kill();
    await writeFile(record, JSON.stringify({ ...now, shape: now.shape.replace(/"qemu":"[^"]*"/, '"qemu":"1.0"') }));
    const backend = await host.restart();
    expect(await backend.call('adopt', [template])).toEqual([]);
    // A machine that was its clone boots cold now, and is the same.
    const orphan = await cloneSpec();
    await backend.call('powerOn', orphan);
    await greeted(orphan.id);
    await backend.call('forget', orphan.id);
  });
});

describe('machines', () => {
  it('boot cold, keep the console, shut down by the power button or are reset', async () => {
    const machine = host.machine({ forkedFrom: randomUUID() });
    await host.backend.call('powerOn', machine);
    await expect(host.backend.call('powerOn', machine)).rejects.toMatchObject({ code: 'MACHINE_ALREADY_ON' });
    await host.backend.call('reset', machine.id);
    expect(typeof (await host.backend.call('console', machine.id))).toBe('string');
    await host.backend.call('powerOff', machine.id);
    await expect(host.backend.call('usage', machine.id)).rejects.toMatchObject({ code: 'MACHINE_NOT_RUNNING' });
  });

  it('leave nothing behind when they cannot start', async () => {
    const machine = host.machine({ disks: [{ key: 2000, unitNumber: 0, path: host.iso, readOnly: true }] });
    await expect(host.backend.call('powerOn', machine)).rejects.toMatchObject({ code: 'DISK_INVALID' });
    expect(await runsAs(machine.id)).toBeUndefined();
    expect(await host.backend.call('listPorts')).toEqual([]);
  });
});

async function cloneSpec(): Promise<MachineSpec> {
  const spec = host.machine({ forkedFrom: template.id });
  const secret = randomUUID();
  const port = await host.backend.call('listen', spec.id, secret);
  return {
    ...spec,
    guestinfo: { ...spec.guestinfo, 'guestinfo.vic.secret': secret },
    serialPorts: [{ key: 9000, backing: { kind: 'connect', host: '127.0.0.1', port } }],
    disks: [{ key: 2000, unitNumber: 0, path: await host.disk(), readOnly: false }],
  };
}

async function frozen(id: string): Promise<void> {
  await host.backend.event((event) => event.type === 'frozen' && event.id === id, 'the freeze');
}

async function greeted(id: string): Promise<void> {
  const hello = await host.backend.event((event) => event.type === 'hello' && event.id === id, `${id} to answer`);
  expect(hello).toMatchObject({ authentic: true });
}

async function runsAs(
  id: string,
): Promise<{ readonly pid: number; readonly root: boolean; readonly noNewPrivileges: boolean } | undefined> {
  const found = await run('pgrep', ['-f', `^qemu-system-x86_64 -name ${id} `], { okCodes: [0, 1] });
  if (found.code === 1) return undefined;
  const pid = Number(found.stdout.trim());
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return { pid, root: /^Uid:\s+0\b/m.test(status), noNewPrivileges: /^NoNewPrivs:\s+1$/m.test(status) };
}

/** Figures are printed, never asserted: the machine is shared. */
function report(what: string, value: number): void {
  if (process.env['VIC_FIGURES'] !== undefined) process.stderr.write(`${what}: ${value.toFixed(1)}\n`);
}
