import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { delay } from '@vic/async';
import { isVicError } from '@vic/errors';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { openDatabase } from './index.ts';
import { temporaryDatabase } from './testing/index.ts';

it('the file, and what SQLite keeps beside it, can be read by its owner alone', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'deep', 'registry.db');
  await using _database = await openDatabase({ kind: 'sqlite', path });
  for (const file of [path, `${path}-wal`]) expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await stat(join(directory.path, 'deep'))).mode & 0o777).toBe(0o700);
});

it('notices a change made beside the open transaction instead of waiting for itself', async () => {
  await using database = await temporaryDatabase();
  const row = { name: 'a', value: '', updated_at: 0 };
  const beside = database.transaction(async () => database.db.insertInto('setting').values(row).execute());
  await expect(beside).rejects.toSatisfy((error) => isVicError(error, { code: 'SQL_OUTSIDE_TRANSACTION' }));
  const nested = database.transaction(async () => database.transaction(async () => undefined));
  await expect(nested).rejects.toSatisfy((error) => isVicError(error, { code: 'SQL_OUTSIDE_TRANSACTION' }));
  await database.db.insertInto('setting').values(row).execute();
});

it('waits for another process without standing still', async () => {
  await using database = await temporaryDatabase();
  if (database.location.kind !== 'sqlite') throw new Error('not SQLite');
  const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLD_AND_COMMIT, database.location.path]);
  await once(holder.stdout, 'data');
  let isDone = false;
  const mine = database.db.insertInto('setting').values({ name: 'mine', value: '', updated_at: 0 }).execute();
  const done = mine.finally(() => (isDone = true));
  for (let tick = 0; tick < 10; tick++) await delay(5);
  expect(isDone).toBe(false);
  // The other process goes on when it is told to, which one that stands still could not do.
  holder.stdin.end();
  await done;
  const rows = await database.db.selectFrom('setting').select('name').orderBy('name').execute();
  expect(rows).toEqual([{ name: 'mine' }, { name: 'theirs' }]);
});

it('is opened while another process has the file to itself, as one does that makes or closes it', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'registry.db');
  const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLD_ALONE, path]);
  await once(holder.stdout, 'data');
  const opening = openDatabase({ kind: 'sqlite', path });
  await Promise.race([opening.catch(() => undefined), delay(50)]);
  holder.stdin.end();
  await using database = await opening;
  expect(await database.db.selectFrom('setting').selectAll().execute()).toEqual([]);
});

it('keeps what was committed, and nothing else, when the process is killed', async () => {
  await using database = await temporaryDatabase();
  if (database.location.kind !== 'sqlite') throw new Error('not SQLite');
  const victim = spawn(process.execPath, ['--input-type=module', '-e', COMMIT_AND_HANG, database.location.path]);
  await once(victim.stdout, 'data');
  victim.kill('SIGKILL');
  await once(victim, 'exit');
  const rows = await database.db.selectFrom('setting').select('name').execute();
  expect(rows).toEqual([{ name: 'committed' }]);
  await database.db.insertInto('setting').values({ name: 'after', value: '', updated_at: 0 }).execute();
});

it('says what is wrong with a file that is no database', async () => {
  await using directory = await temporaryDirectory();
  const path = join(directory.path, 'registry.db');
  await writeFile(path, 'this is something else entirely, and long enough to be read as a header '.repeat(10));
  await expect(openDatabase({ kind: 'sqlite', path })).rejects.toSatisfy((error) =>
    isVicError(error, { class: 'DataLoss', code: 'SQL_CORRUPT' }),
  );
  expect(await readFile(path, 'utf8')).toMatch(/^this is something else/);
});

it('says when the directory cannot be made', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'file'), '');
  await chmod(join(directory.path, 'file'), 0o600);
  const path = join(directory.path, 'file', 'registry.db');
  await expect(openDatabase({ kind: 'sqlite', path })).rejects.toSatisfy((error) =>
    isVicError(error, { class: 'Unavailable' }),
  );
});

const HOLD_AND_COMMIT = `
  import { DatabaseSync } from 'node:sqlite';
  const database = new DatabaseSync(process.argv[1]);
  database.exec("begin immediate; insert into setting values ('theirs', '', 0)");
  console.log('holding');
  process.stdin.resume().on('end', () => database.exec('commit'));
`;

const HOLD_ALONE = `
  import { DatabaseSync } from 'node:sqlite';
  const database = new DatabaseSync(process.argv[1]);
  database.exec('create table made (id integer); begin exclusive');
  console.log('holding');
  process.stdin.resume().on('end', () => database.exec('drop table made; commit'));
`;

const COMMIT_AND_HANG = `
  import { DatabaseSync } from 'node:sqlite';
  const database = new DatabaseSync(process.argv[1]);
  database.exec("insert into setting values ('committed', '', 0)");
  database.exec("begin immediate; insert into setting values ('open', '', 0)");
  console.log('holding');
  setInterval(() => {}, 1000);
`;
