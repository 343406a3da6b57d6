import type { VirtualMachineQuestionInfo } from '@vic/vim';
import { type VimClient, watch } from '@vic/vim-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { controller, disk } from './testing/device-changes.ts';
import { type VmRef, connectTo, createMachine, readProperty } from './testing/host-client.ts';
import { type HostUnderTest, startHost } from './testing/host-under-test.ts';

let host: HostUnderTest;
let client: VimClient;
let count = 0;

beforeAll(async () => {
  host = await startHost();
  client = await connectTo(host);
});
afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

const read = async <T>(vm: VmRef, path: string): Promise<T> => readProperty(client, vm, path);

/** A machine that found no room to write. */
async function waiting(): Promise<{
  readonly vm: VmRef;
  readonly id: string;
  readonly question: VirtualMachineQuestionInfo;
}> {
  const deviceChange = [controller, disk('', undefined, 1024)];
  const vm = await createMachine(client, { name: `vm-${++count}`, deviceChange });
  await client.runTask(vm, 'PowerOnVM_Task', {});
  const id = await read<string>(vm, 'config.uuid');
  host.machines.wait(id, true);
  await expect.poll(async () => read(vm, 'runtime.question')).toBeDefined();
  return { vm, id, question: await read(vm, 'runtime.question') };
}

it('a machine without room to write asks, until there is room', async () => {
  const { vm, id, question } = await waiting();
  expect(question.text).toContain('no room left on its datastore ([datastore1])');
  expect(question.choice.choiceInfo.map((choice) => ('label' in choice ? choice.label : ''))).toEqual([
    'Retry',
    'Cancel',
  ]);
  expect(await read(vm, 'summary.overallStatus')).toBe('yellow');
  expect(host.inventory.host.events.events.at(-1)).toMatchObject({ $type: 'VmMessageEvent', message: question.text });
  host.machines.wait(id, false);
  await expect.poll(async () => read(vm, 'runtime.question')).toBeUndefined();
  expect(await read(vm, 'summary.overallStatus')).toBe('green');
});

it('who follows a machine hears of its question, and of its end', async () => {
  const { vm, id } = await waiting();
  const stop = new AbortController();
  const heard: unknown[] = [];
  const spec = {
    propSet: [{ type: 'VirtualMachine', all: false, pathSet: ['runtime.question'] }],
    objectSet: [{ obj: vm, skip: false }],
  };
  for await (const changes of watch(client, spec, { signal: stop.signal })) {
    heard.push(...changes.map(({ properties }) => properties['runtime.question']));
    if (heard.at(-1) === undefined) break;
    host.machines.wait(id, false);
  }
  stop.abort();
  expect(heard).toMatchObject([{ id: expect.any(String) }, undefined]);
});

it('Retry lets it try again, Cancel powers it off; other answers are refused', async () => {
  const { vm, id, question } = await waiting();
  const answer = async (questionId: string, answerChoice: string): Promise<unknown> =>
    client.call(vm, 'AnswerVM', { questionId, answerChoice });
  await expect(answer('another', '0')).rejects.toMatchObject({ message: expect.stringContaining('does not ask') });
  await expect(answer(question.id, '7')).rejects.toMatchObject({ message: expect.stringContaining('0 (Retry) or 1') });
  await answer(question.id, '0');
  expect(host.machines.calls).toContain(`resume ${id}`);
  await answer(question.id, '1');
  expect(await read(vm, 'runtime.powerState')).toBe('poweredOff');
  expect(await read(vm, 'runtime.question')).toBeUndefined();
});
