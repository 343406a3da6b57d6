import { encodeControl } from '@vic/agent-protocol';
import { randomHexId } from '@vic/ids';
import type { ExecId } from '@vic/ids';
import { expect, it } from 'vitest';
import { decodeExecRecord, encodeExecRecord } from './exec-record.ts';

const process = { tty: true, user: 'app', openStdin: false };

it('decodeExecRecord() gives back what encodeExecRecord() wrote', () => {
  const record = { id: randomHexId<ExecId>(), process: { ...process, args: ['sh', '-c', 'echo "é"'] } };
  expect(decodeExecRecord(encodeExecRecord(record))).toEqual(record);
});

it('as many as a tether tells of fit into a message, whatever their arguments', () => {
  const args = ['sh', ...Array.from({ length: 200 }, () => '"\u{1f433}\\'.repeat(8))];
  const session = encodeExecRecord({ id: randomHexId<ExecId>(), process: { ...process, args } });
  expect(decodeExecRecord(session)?.process.args.slice(0, 2)).toEqual(args.slice(0, 2));
  const exit = { code: 137, signal: 9, oom: false, time: '9223372036854775807' };
  const execs = Array.from({ length: 128 }, () => ({ channel: 2 ** 29, pid: 2 ** 21, session, exit }));
  const status = { kind: 'status', state: 'running', bootId: 'b'.repeat(64), logBytes: 2 ** 50, execs } as const;
  expect(encodeControl(status).length).toBeLessThan(1024 * 1024);
});
