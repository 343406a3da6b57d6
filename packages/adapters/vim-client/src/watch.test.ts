import { VicError } from '@vic/errors';
import { make, VimFault, type DataTypeName, type ObjectUpdate, type UpdateSet } from '@vic/vim';
import { describe, expect, it } from 'vitest';
import { filterForObjects, isTransientFault, retrieve, retryTransientFaults, waitForTask, watch } from './index.ts';
import { scriptedCaller } from './testing/scripted-caller.ts';

const VM = (value: string): { type: 'VirtualMachine'; value: string } => ({ type: 'VirtualMachine', value });
const FILTER = filterForObjects([VM('vm-1')], ['name']);
const TASK = { type: 'Task', value: 'task-1' } as const;

function fault(type: DataTypeName, fields: object = {}): VimFault {
  return new VimFault({ fault: { ...fields, $type: type }, message: type });
}

function updates(version: string, objectSet: readonly ObjectUpdate[], truncated = false): UpdateSet {
  return { version, truncated, filterSet: [{ filter: { type: 'PropertyFilter', value: 'f' }, objectSet }] };
}

function enter(value: string, name: string): ObjectUpdate {
  return { kind: 'enter', obj: VM(value), changeSet: [{ name: 'name', op: 'assign', val: name }] };
}

/** A caller whose property collector goes through these steps. */
function collectorWith(steps: readonly (() => UpdateSet | undefined)[]): ReturnType<typeof scriptedCaller> {
  const left = [...steps];
  let collectors = 0;
  return scriptedCaller({
    CreatePropertyCollector: () => ({ type: 'PropertyCollector', value: `pc-${++collectors}` }),
    CreateFilter: () => ({ type: 'PropertyFilter', value: 'f' }),
    DestroyPropertyCollector: () => undefined,
    WaitForUpdatesEx: () => left.shift()?.(),
  });
}

const fail = (error: Error) => (): never => {
  throw error;
};

describe('watch()', () => {
  async function collect(caller: ReturnType<typeof scriptedCaller>, count: number): Promise<string[]> {
    const seen: string[] = [];
    const controller = new AbortController();
    for await (const changes of watch(caller, FILTER, { signal: controller.signal })) {
      seen.push(
        ...changes.map(({ kind, ref, properties }) =>
          `${kind} ${ref.value} ${typeof properties['name'] === 'string' ? properties['name'] : ''}`.trim(),
        ),
      );
      if (seen.length >= count) controller.abort();
    }
    return seen;
  }

  it.each([
    ['the version is stale', fault('InvalidCollectorVersion')],
    ['the collector is gone', fault('ManagedObjectNotFound', { obj: { type: 'PropertyCollector', value: 'pc-1' } })],
    ['the server is away', new VicError({ class: 'Unavailable', code: 'HTTP_X', message: 'away' })],
  ])('starts anew when %s, and reports what left in between', async (_case, error) => {
    const caller = collectorWith([
      () => updates('1', [enter('vm-1', 'a'), enter('vm-2', 'b')]),
      fail(error),
      () => updates('1', [enter('vm-2', 'c')]),
    ]);
    expect(await collect(caller, 4)).toEqual(['enter vm-1 a', 'enter vm-2 b', 'enter vm-2 c', 'leave vm-1']);
    expect(caller.calls.filter(({ method }) => method === 'DestroyPropertyCollector')).toHaveLength(2);
  });

  it('does not take what a truncated answer has not brought yet for gone', async () => {
    const caller = collectorWith([
      () => updates('1', [enter('vm-1', 'a'), enter('vm-2', 'b')]),
      fail(fault('InvalidCollectorVersion')),
      () => updates('1', [enter('vm-2', 'b')], true),
      () => updates('2', [enter('vm-1', 'a')]),
      () => updates('3', [{ kind: 'leave', obj: VM('vm-1') }]),
    ]);
    expect(await collect(caller, 5)).toEqual([
      'enter vm-1 a',
      'enter vm-2 b',
      'enter vm-2 b',
      'enter vm-1 a',
      'leave vm-1',
    ]);
  });

  it('asks again with the same version after a wait without changes', async () => {
    const caller = collectorWith([
      () => updates('7', [enter('vm-1', 'a')]),
      () => undefined,
      () => updates('8', [enter('vm-2', 'b')]),
    ]);
    await collect(caller, 2);
    const versions = caller.calls.filter(({ method }) => method === 'WaitForUpdatesEx').map(({ args }) => args);
    expect(versions).toMatchObject([{ version: '' }, { version: '7' }, { version: '7' }]);
  });

  it('throws other faults', async () => {
    const caller = collectorWith([fail(fault('InvalidProperty', { name: 'x' }))]);
    await expect(collect(caller, 1)).rejects.toMatchObject({ faultType: 'InvalidProperty' });
  });

  it('throws when an object of the filter does not exist', async () => {
    const caller = collectorWith([fail(fault('ManagedObjectNotFound', { obj: VM('vm-1') }))]);
    await expect(collect(caller, 1)).rejects.toMatchObject({ faultType: 'ManagedObjectNotFound' });
  });
});

describe('retrieve()', () => {
  it('follows tokens to the end', async () => {
    const page = (value: string, token?: string): object => ({ objects: [{ obj: VM(value) }], token });
    const caller = scriptedCaller({
      RetrievePropertiesEx: () => page('vm-1', 't1'),
      ContinueRetrievePropertiesEx: ({ token }) => (token === 't1' ? page('vm-2', 't2') : page('vm-3')),
    });
    expect((await retrieve(caller, [FILTER])).map(({ obj }) => obj.value)).toEqual(['vm-1', 'vm-2', 'vm-3']);
  });
});

describe('waitForTask()', () => {
  const info = (state: string, more: object = {}): object => ({ name: 'CreateVM_Task', state, ...more });
  const taskWith = (states: readonly object[]): ReturnType<typeof scriptedCaller> => {
    const [first, ...rest] = states;
    const steps = rest.map((state) => () => [
      { kind: 'modify', obj: TASK, changeSet: [{ name: 'info', op: 'assign', val: state }] },
    ]);
    return scriptedCaller({
      RetrievePropertiesEx: () => ({ objects: [{ obj: TASK, propSet: [{ name: 'info', val: first }] }] }),
      CreatePropertyCollector: () => ({ type: 'PropertyCollector', value: 'pc' }),
      CreateFilter: () => ({ type: 'PropertyFilter', value: 'f' }),
      DestroyPropertyCollector: () => undefined,
      WaitForUpdatesEx: () => ({
        version: '1',
        filterSet: [{ filter: { type: 'PropertyFilter', value: 'f' }, objectSet: steps.shift()?.() }],
      }),
    });
  };

  it('gives the result of a task that has already ended with one call', async () => {
    const caller = taskWith([info('success', { result: VM('vm-7') })]);
    expect(await waitForTask(caller, TASK)).toEqual(VM('vm-7'));
    expect(caller.calls).toHaveLength(1);
  });

  it('tells the progress and gives the result', async () => {
    const progress: number[] = [];
    const states = [
      info('queued'),
      info('running', { progress: 10 }),
      info('running', { progress: 10 }),
      info('running', { progress: 60 }),
    ];
    const caller = taskWith([...states, info('success', { result: 'done' })]);
    expect(await waitForTask(caller, TASK, { onProgress: (percent) => progress.push(percent) })).toBe('done');
    expect(progress).toEqual([10, 60]);
  });

  it('throws the fault of a task that failed, and says what failed', async () => {
    const error = {
      fault: make('DuplicateName', { name: 'web', object: VM('vm-1') }),
      localizedMessage: 'There is one.',
    };
    const attempt = waitForTask(taskWith([info('running'), info('error', { error })]), TASK);
    await expect(attempt).rejects.toMatchObject({ class: 'AlreadyExists', message: 'CreateVM_Task: There is one.' });
  });

  it('ends with the signal', async () => {
    const controller = new AbortController();
    const caller = taskWith([info('running'), info('running', { progress: 1 })]);
    const wait = waitForTask(caller, TASK, {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error('enough')),
    });
    await expect(wait).rejects.toThrow('enough');
  });
});

describe('retryTransientFaults()', () => {
  it('tries again after transient faults and not after others', async () => {
    const attempts = [
      fault('TaskInProgress', { task: TASK }),
      fault('VAppTaskInProgress', { task: TASK }),
      fault('InvalidName', { name: '' }),
    ];
    let tries = 0;
    const attempt = retryTransientFaults(async () => {
      throw attempts[tries++];
    });
    await expect(attempt).rejects.toMatchObject({ faultType: 'InvalidName' });
    expect(tries).toBe(3);
    expect(isTransientFault(fault('ConcurrentAccess'))).toBe(true);
    expect(isTransientFault(new Error('other'))).toBe(false);
  });
});
