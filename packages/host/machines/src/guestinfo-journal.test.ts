import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuestinfoJournal, MAX_JOURNAL_BYTES } from './guestinfo-journal.ts';
import { parseJournalLine } from './journal-line.ts';
import type { JournalLine } from './journal-line.ts';

describe('GuestinfoJournal', () => {
  it('gives what is there, then what is added, line by line', async () => {
    await using journal = await opened('{"key":"guestinfo.a","value":"1"}\n{"key":"guestinfo.b",');
    await journal.reader.start();
    expect(journal.lines).toEqual([{ kind: 'value', key: 'guestinfo.a', value: '1' }]);
    await appendFile(journal.path, '"value":"2"}\n{"rpc":"instantclone.freeze"}\n');
    await journal.reader.drain();
    expect(journal.lines.slice(1)).toEqual([{ kind: 'value', key: 'guestinfo.b', value: '2' }, { kind: 'freeze' }]);
  });

  it('drops a line that is too long and goes on after it', async () => {
    await using journal = await opened(
      `{"key":"guestinfo.a","value":"${'x'.repeat(100_000)}"}\n{"key":"guestinfo.b","value":""}\n`,
    );
    await journal.reader.drain();
    expect(journal.lines).toEqual([{ kind: 'value', key: 'guestinfo.b', value: '' }]);
  });

  it('tells when a guest writes without end', async () => {
    await using journal = await opened('\n'.repeat(MAX_JOURNAL_BYTES + 1));
    await journal.reader.drain();
    expect(journal.overflows).toBe(1);
  });

  it('waits for a journal that is not there yet', async () => {
    await using directory = await temporaryDirectory();
    const reader = new GuestinfoJournal(join(directory.path, 'none'), {
      onLine: () => undefined,
      onOverflow: () => undefined,
    });
    await reader.start();
    reader.stop();
  });
});

describe('parseJournalLine()', () => {
  it.each([
    '{"key":"vic.hidden","value":"1"}',
    '{"key":"guestinfo.vic.secret","value":"1"}',
    '{"key":"guestinfo.vic.secretKey","value":"1"}',
    '{"key":"guestinfo..x","value":"1"}',
    '{"key":"guestinfo.a b","value":"1"}',
    '{"key":"guestinfo.a","value":1}',
    '{"rpc":"format.disk"}',
    '[]',
    'null',
    '',
  ])('refuses %s', (line) => expect(parseJournalLine(line)).toBeUndefined());

  it('survives anything', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        const parsed = parseJournalLine(line);
        expect(parsed === undefined || typeof parsed.kind === 'string').toBe(true);
      }),
    );
  });
});

async function opened(content: string): Promise<
  AsyncDisposable & {
    readonly path: string;
    readonly reader: GuestinfoJournal;
    readonly lines: JournalLine[];
    readonly overflows: number;
  }
> {
  const directory = await temporaryDirectory();
  const path = join(directory.path, 'journal');
  await writeFile(path, content);
  const lines: JournalLine[] = [];
  let overflows = 0;
  const reader = new GuestinfoJournal(path, { onLine: (line) => lines.push(line), onOverflow: () => overflows++ });
  return {
    ...{ path, reader, lines },
    get overflows() {
      return overflows;
    },
    [Symbol.asyncDispose]: async () => {
      reader.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}
