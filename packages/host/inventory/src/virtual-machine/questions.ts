import { randomUuid } from '@vic/ids';
import type { VirtualMachineQuestionInfo } from '@vic/vim';
import type { Call } from '../model/call.ts';
import { generalFault, invalidArgument } from '../model/faults.ts';
import type { VirtualMachine } from '../objects/virtual-machine.ts';
import { powerOff } from './power.ts';
import { postVmEvent } from './vm-events.ts';

const RETRY = '0';
const CANCEL = '1';

/** Tells that the machine stands still until its datastore has room; nobody has to answer, room alone will do. */
export function askForRoom(vm: VirtualMachine): void {
  const datastores = [...vm.datastoreNames()].map((name) => `[${name}]`).join(', ');
  const text = `${vm.name} has to write, and there is no room left on its datastore (${datastores}). It goes on by itself once there is room: delete or move something. Retry tries at once, Cancel powers the machine off.`;
  vm.setQuestion(roomQuestion(randomUuid(), text));
  postVmEvent(vm, 'VmMessageEvent', '', { message: text, fullFormattedMessage: text });
}

/** Does what was chosen; `InvalidArgument` for a question that is not asked and a choice it does not have. */
export async function answerQuestion(
  vm: VirtualMachine,
  answer: { readonly questionId: string; readonly answerChoice: string },
  call: Call,
): Promise<void> {
  if (vm.question?.id !== answer.questionId) {
    throw invalidArgument('questionId', `${vm.name} does not ask question ${answer.questionId}, or no longer.`);
  }
  if (answer.answerChoice === CANCEL) return powerOff(vm, call);
  if (answer.answerChoice !== RETRY) {
    throw invalidArgument('answerChoice', `The question can be answered with ${RETRY} (Retry) or ${CANCEL} (Cancel).`);
  }
  try {
    await vm.host.machines.resume(vm.record.uuid, vm.host.closing);
  } catch (error) {
    throw generalFault(error);
  }
}

function roomQuestion(id: string, text: string): VirtualMachineQuestionInfo {
  const choice = (key: string, label: string): { key: string; label: string; summary: string } => {
    return { key, label, summary: label };
  };
  return {
    id,
    text,
    choice: { choiceInfo: [choice(RETRY, 'Retry'), choice(CANCEL, 'Cancel')], defaultIndex: 0 },
    message: [{ id: 'vic.vm.noRoom', text }],
  };
}
