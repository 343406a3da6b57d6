import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { identifyProcess, isAlive, run } from './index.ts';

describe('run()', () => {
  it('gives output and passes input', async () => {
    expect((await run('cat', [], { input: 'hello' })).stdout).toBe('hello');
  });
  it('fails with the tail of standard error', async () => {
    await expect(run('ls', ['/nonexistent'])).rejects.toMatchObject({
      code: 'PROCESS_FAILED',
      message: expect.stringMatching(/: .*nonexistent/) as string,
    });
  });
  it('accepts the exit codes it is told to', async () => {
    expect((await run('false', [], { okCodes: [1] })).code).toBe(1);
  });
  it('names a program that is not there', async () => {
    await expect(run('no-such-program', [])).rejects.toMatchObject({ code: 'PROCESS_NOT_STARTED' });
  });
  it('kills at its deadline and on abort', async () => {
    await expect(run('sleep', ['60'], { timeoutMs: 20 })).rejects.toMatchObject({ code: 'PROCESS_TIMED_OUT' });
    await expect(run('sleep', ['60'], { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
  });
  it('does not wait for what a killed program has started', async () => {
    await using directory = await temporaryDirectory();
    const script = 'sleep 300 & echo $! >draft; mv draft started; wait';
    const stop = new AbortController();
    const stopped = run('sh', ['-c', script], { cwd: directory.path, signal: stop.signal });
    const started = async (): Promise<number> => Number(await readFile(join(directory.path, 'started'), 'utf8'));
    await expect.poll(async () => started().catch(() => 0)).toBeGreaterThan(0);
    stop.abort(new Error('enough'));
    await expect(stopped).rejects.toThrow('enough');
    process.kill(await started());
  });
});

describe('identifyProcess()', () => {
  it('knows a living process and not a number without one', async () => {
    const self = await identifyProcess(process.pid);
    expect(self?.pid).toBe(process.pid);
    expect(self !== undefined && (await isAlive(self))).toBe(true);
    expect(await identifyProcess(4_194_305)).toBeUndefined();
    expect(await isAlive({ pid: process.pid, startTicks: '1' })).toBe(false);
  });
});
