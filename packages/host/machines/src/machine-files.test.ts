import { appendFile, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { readEnvironmentFile } from './environment-file.ts';
import { limitLog, logTail } from './log-limit.ts';
import { MachineFiles, appendable } from './machine-files.ts';
import { readRecord, writeRecord } from './machine-record.ts';
import type { MachineRecord } from './machine-record.ts';
import { exitOf } from './qemu-exit.ts';
import { UserIds } from './user-ids.ts';

const me = process.getuid?.() ?? 0;

describe('MachineFiles', () => {
  it.each(['..', '../../etc', 'a/b', ''])('refuses the id "%s", which would be a path', (id) => {
    expect(() => new MachineFiles('/run/vic', '/run/vic', id)).toThrowError(/not a machine id/);
  });

  it('appendable() keeps what is there and never follows a link', async () => {
    await using directory = await temporaryDirectory();
    const log = join(directory.path, 'log');
    await writeFile(log, 'kept');
    await appendable(log, me);
    expect(await readFile(log, 'utf8')).toBe('kept');
    await symlink(log, join(directory.path, 'link'));
    await expect(appendable(join(directory.path, 'link'), me)).rejects.toMatchObject({ code: 'ELOOP' });
  });
});

describe('records', () => {
  it('are read as written, and not at all when damaged', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'machine.json');
    const record: MachineRecord = {
      ...{ id: 'a', name: 'n', kind: 'qemu', uid: 5, bootId: 'b', phase: 'frozen', process: undefined },
      ...{ nics: [], disks: [], shape: '{}', shuttingDown: false },
    };
    await writeRecord(file, record);
    expect(await readRecord(file)).toEqual({ ...record, process: undefined });
    await writeFile(file, '{"id":');
    expect(await readRecord(file)).toBeUndefined();
    await writeFile(file, '{"id":"a","kind":"other"}');
    expect(await readRecord(file)).toBeUndefined();
    expect(await readRecord(join(directory.path, 'none'))).toBeUndefined();
  });
});

describe('readEnvironmentFile()', () => {
  it('reads names and values, and names the line that is neither', async () => {
    await using directory = await temporaryDirectory();
    const file = join(directory.path, 'environment');
    await writeFile(file, '# comment\nA=1\n\nB=x=y z\n');
    expect(await readEnvironmentFile(file)).toEqual({ A: '1', B: 'x=y z' });
    await appendFile(file, 'no value\n');
    await expect(readEnvironmentFile(file)).rejects.toMatchObject({
      code: 'MACHINE_ENVIRONMENT_INVALID',
      message: expect.stringContaining('Line 5') as string,
    });
  });
});

describe('limitLog()', () => {
  it('empties a log that is too large and keeps one older copy', async () => {
    await using directory = await temporaryDirectory();
    const log = join(directory.path, 'log');
    await writeFile(log, 'x'.repeat(100));
    await limitLog(log, 100);
    expect((await stat(log)).size).toBe(100);
    await limitLog(log, 99);
    expect((await stat(log)).size).toBe(0);
    expect((await stat(`${log}.1`)).size).toBe(100);
    await limitLog(join(directory.path, 'none'));
  });

  it('logTail() gives the end of a log', async () => {
    await using directory = await temporaryDirectory();
    const log = join(directory.path, 'log');
    await writeFile(log, `${'x'.repeat(5000)} the reason\n`);
    expect(await logTail(log)).toMatch(/^x{1,1990} the reason$/);
    expect(await logTail(join(directory.path, 'none'))).toBe('it printed nothing');
  });
});

describe('UserIds', () => {
  it('gives each machine its own, and none that is reserved or the common group', () => {
    const users = new UserIds(1000);
    users.reserve(1002);
    expect([users.allocate(), users.allocate()]).toEqual([1001, 1003]);
    users.release(1001);
    expect(users.allocate()).toBe(1004);
    expect(users.commonGroup).toBe(1000);
  });
});

describe('exitOf()', () => {
  it.each([
    ['guest-shutdown', 'guest-shutdown'],
    ['guest-reset', 'crashed'],
    ['guest-panic', 'crashed'],
    ['host-qmp-quit', 'powered-off'],
    [undefined, 'crashed'],
  ])('takes %s as %s', (reason, exit) => expect(exitOf(reason)).toBe(exit));
});
