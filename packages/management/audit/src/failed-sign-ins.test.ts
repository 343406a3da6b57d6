import { ANONYMOUS } from '@vic/authz';
import { VicError } from '@vic/errors';
import type { AuditedOperation } from '@vic/rest';
import { expect, it } from 'vitest';
import { FailedSignIns } from './index.ts';

interface Trial {
  readonly records: AuditedOperation[];
  nowMs: number;
  signIn(name: string, scheme?: string): Promise<unknown>;
}

function trial(error: VicError | undefined): Trial {
  const records: AuditedOperation[] = [];
  const state = { nowMs: 1_000_000 };
  const log = { record: async (operation: AuditedOperation) => void records.push(operation) };
  const authenticate = new FailedSignIns({ log, clock: () => state.nowMs }).recording('/api', async () => {
    if (error !== undefined) throw error;
    return ANONYMOUS;
  });
  const signIn = async (name: string, scheme = 'Basic'): Promise<unknown> => {
    const authorization = `${scheme} ${Buffer.from(`${name}:secret`).toString('base64')}`;
    const shared = { method: 'GET', cookie: undefined, csrfToken: undefined, address: '10.0.0.1' };
    return authenticate({ ...shared, authorization }).catch((thrown: unknown) => thrown);
  };
  return Object.assign(state, { records, signIn });
}

const WRONG = new VicError({ class: 'Unauthenticated', code: 'CREDENTIALS_WRONG', message: 'wrong' });

it('records a wrong password with its name and address, once a minute', async () => {
  const guard = trial(WRONG);
  for (let count = 0; count < 3; count++) expect(await guard.signIn('ada')).toBe(WRONG);
  expect(guard.records).toEqual([
    {
      ...{ principal: ANONYMOUS, operation: 'login', resourceType: 'user', resource: 'ada', project: undefined },
      ...{ succeeded: false, address: '10.0.0.1', method: 'GET', path: '/api' },
    },
  ]);
  await guard.signIn('bob');
  guard.nowMs += 60_000;
  await guard.signIn('ada');
  expect(guard.records.map(({ resource }) => resource)).toEqual(['ada', 'bob', 'ada']);
});

it('is not filled by somebody who tries many names', async () => {
  const guard = trial(WRONG);
  for (let count = 0; count < 1000; count++) await guard.signIn(`name-${count}`);
  expect(guard.records.length).toBe(500);
});

it('records neither success, nor other failures, nor tokens', async () => {
  const away = new VicError({ class: 'Unavailable', code: 'SQL_AWAY', message: 'away' });
  for (const guard of [trial(undefined), trial(away)]) {
    await guard.signIn('ada');
    expect(guard.records).toEqual([]);
  }
  const bearer = trial(WRONG);
  await bearer.signIn('ada', 'Bearer');
  expect(bearer.records).toEqual([]);
});
