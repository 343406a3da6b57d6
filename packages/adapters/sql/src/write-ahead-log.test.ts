import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { expect, it } from 'vitest';
import { openDatabase } from './index.ts';

it('acknowledges many changes made at once, through a symbolic link too', async () => {
  await using directory = await temporaryDirectory();
  await mkdir(join(directory.path, 'real'));
  await symlink(join(directory.path, 'real'), join(directory.path, 'link'));
  const location = { kind: 'sqlite', path: join(directory.path, 'link', 'registry.db') } as const;
  {
    await using database = await openDatabase(location);
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) =>
        database.transaction(async (transaction) =>
          transaction
            .insertInto('setting')
            .values({ name: `n${index}`, value: '', updated_at: 0 })
            .execute(),
        ),
      ),
    );
  }
  await using again = await openDatabase(location);
  expect(await again.db.selectFrom('setting').select('name').execute()).toHaveLength(100);
});

it('a database that is disposed of twice, or was never asked anything, leaves nothing open', async () => {
  await using directory = await temporaryDirectory();
  const database = await openDatabase({ kind: 'sqlite', path: join(directory.path, 'registry.db') });
  await database[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await expect(database.db.selectFrom('setting').selectAll().execute()).rejects.toThrow(/./);
});
