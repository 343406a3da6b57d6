import { access, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MachineSpec } from '@vic/inventory';
import { findLink, namespaceExists } from '@vic/network';
import { run } from '@vic/process';
import type { ReportedEvent } from './fixtures/backend-process.ts';
import { TestHost } from './fixtures/test-host.ts';

/** Reports what it is given, configures its interface, and waits. */
const PROGRAM = `
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
const directory = process.env.VIC_VM_DIRECTORY;
const report = (key, value) =>
  appendFileSync(directory + '/guestinfo.out', JSON.stringify({ key: 'guestinfo.test.' + key, value: String(value) }) + '\\n');
report('greeting', process.env.GREETING);
report('id', JSON.parse(readFileSync(directory + '/guestinfo.json', 'utf8'))['guestinfo.vic.id']);
execFileSync('ip', ['address', 'replace', '10.9.9.9/24', 'dev', 'eth0']);
report('uid', process.getuid());
report('secret', 'must not arrive');
process.on('SIGTERM', () => process.exit(0));
setInterval(() => undefined, 1000);
writeFileSync(directory + '/spool/left', '');
report('pid', process.pid);
`;

/** The processes of all programs so far. */
const known = new Set<string>();

let host: TestHost;
let spec: MachineSpec;
let scope: { readonly namespace: string };

beforeAll(async () => {
  host = await TestHost.create({ program: { command: [process.execPath, '--version'] } });
  const script = join(host.directory, 'program.mjs');
  const environmentFile = join(host.directory, 'environment');
  await writeFile(script, PROGRAM, { mode: 0o644 });
  await writeFile(environmentFile, '# greeting\nGREETING=hello there\n', { mode: 0o600 });
  await host.use({ program: { command: [process.execPath, script], environmentFile } });
  spec = host.machine({ program: 'program', bootIso: undefined });
  scope = { namespace: `vm-${spec.id}` };
}, 900_000);

afterAll(async () => host.dispose());

describe('a process VM', () => {
  it('runs its program unprivileged in a namespace with its NICs', async () => {
    await host.backend.call('powerOn', spec);
    const pid = await newProgram();
    expect(await reported('greeting')).toBe('hello there');
    expect(await reported('id')).toBe(spec.id);
    expect(Number(await reported('uid'))).toBeGreaterThan(1000);
    expect(await findLink(scope, 'eth0')).toMatchObject({ mac: spec.nics[0]?.mac, addresses: ['10.9.9.9/24'] });
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    // CAP_NET_BIND_SERVICE, CAP_NET_ADMIN, CAP_NET_RAW and nothing else, for ever.
    expect(status).toMatch(/^CapBnd:\s+0000000000003400$/m);
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect((await host.backend.call('usage', spec.id)).residentMemoryBytes).toBeGreaterThan(2 ** 20);
  });

  it('does not report secrets back', async () => {
    expect(host.backend.events.some((event) => 'key' in event && event.key === 'guestinfo.test.secret')).toBe(false);
  });

  it('has its disks as NBD sockets that come and go', async () => {
    const path = await host.disk();
    const socket = host.path(spec.id, 'device/disks/3.sock');
    await host.backend.call('attachDisk', spec.id, { key: 2003, unitNumber: 3, path, readOnly: false });
    await run('qemu-io', ['-f', 'raw', '-c', 'write -P 7 4096 512', `nbd+unix:///?socket=${socket}`]);
    await host.backend.call('detachDisk', spec.id, 2003);
    await expect(access(socket)).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await stat(path)).uid).toBe(0);
    const { stdout } = await run('qemu-io', ['-f', 'qcow2', '-r', '-c', 'read -P 7 4096 512', path]);
    expect(stdout).not.toMatch(/verification failed/);
  });

  it('takes further NICs and moves them', async () => {
    await host.backend.call('ensure', 'second');
    const nic = { key: 4001, mac: '02:00:00:00:00:78', portGroup: 'second', connected: true };
    await host.backend.call('attachNic', spec.id, nic);
    expect(await findLink(scope, 'eth1')).toMatchObject({ mac: nic.mac, up: true });
    await host.backend.call('updateNic', spec.id, { ...nic, connected: false });
    await host.backend.call('detachNic', spec.id, 4001);
    expect(await findLink(scope, 'eth1')).toBeUndefined();
  });

  it('reports a crash and keeps its addresses and disks for the next start', async () => {
    const path = await host.disk();
    const disk = { key: 2001, unitNumber: 1, path, readOnly: false };
    await host.backend.call('attachDisk', spec.id, disk);
    await killProgram();
    const exited = await host.backend.event((event) => event.type === 'exited', 'the exit');
    expect(exited).toMatchObject({ id: spec.id, exit: 'crashed' });
    expect(await findLink(scope, 'eth0')).toMatchObject({ addresses: ['10.9.9.9/24'] });
    await access(host.path(spec.id, 'device/spool/left'));
    host.backend.events.length = 0;
    await host.backend.call('powerOn', { ...spec, disks: [disk] });
    await newProgram();
    await access(host.path(spec.id, 'device/disks/1.sock'));
  });

  it('outlives a hostd that is killed, and is started again when it did not', async () => {
    const before = await programs();
    let backend = await host.restart();
    expect(await backend.call('adopt', [spec])).toEqual([spec.id]);
    expect(await programs()).toEqual(before);
    await backend.kill();
    await killProgram();
    backend = await host.restart();
    expect(await backend.call('adopt', [spec])).toEqual([spec.id]);
    // Before it has reported itself it runs others beside it.
    const next = await newProgram();
    expect(await programs()).toEqual([next]);
  });

  it('has one program, even when a hostd was killed before it wrote down that there is one', async () => {
    await host.backend.kill();
    const path = host.path(spec.id, 'machine.json');
    const record = JSON.parse(await readFile(path, 'utf8')) as object;
    await writeFile(path, JSON.stringify({ ...record, process: undefined }));
    const backend = await host.restart();
    expect(await backend.call('adopt', [spec])).toEqual([spec.id]);
    const next = await newProgram();
    expect(await programs()).toEqual([next]);
  });

  it('shuts down in order, and leaves nothing', async () => {
    await host.backend.call('shutdownGuest', spec.id);
    const exited = await host.backend.event((event) => event.type === 'exited', 'the exit');
    expect(exited).toMatchObject({ exit: 'guest-shutdown' });
    expect(await namespaceExists(scope.namespace)).toBe(false);
    expect(await host.backend.call('listPorts')).toEqual([]);
    await expect(access(host.path(spec.id, 'device/spool'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('refuses what it cannot be', async () => {
    const unknown = { ...spec, program: 'other' };
    await expect(host.backend.call('powerOn', unknown)).rejects.toMatchObject({ code: 'MACHINE_NOT_SUPPORTED' });
    await expect(host.backend.call('suspend', spec.id)).rejects.toMatchObject({ code: 'MACHINE_NOT_RUNNING' });
  });
});

/** The value of a key, which is the same for every program. */
async function reported(key: string): Promise<string> {
  const event = await host.backend.event((each) => 'key' in each && each.key === `guestinfo.test.${key}`, key);
  return 'value' in event ? event.value : '';
}

/** The process of a program that none before it was; a journal tells of those that are gone, too. */
async function newProgram(): Promise<number> {
  const isNew = (event: ReportedEvent): boolean =>
    'value' in event && event.key === 'guestinfo.test.pid' && !known.has(event.value);
  const event = await host.backend.event(isNew, 'a new program');
  const pid = 'value' in event ? event.value : '';
  known.add(pid);
  return Number(pid);
}

/** The processes that run in the machine's namespace. */
async function programs(): Promise<readonly number[]> {
  const { stdout } = await run('ip', ['netns', 'pids', scope.namespace]);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map(Number);
}

/** Ends the machine's program as a crash would. */
async function killProgram(): Promise<void> {
  const [pid] = await programs();
  // Without this, 0 would be killed where there is none: the whole test run.
  if (pid === undefined) throw new Error('the program does not run');
  process.kill(pid, 'SIGKILL');
}
